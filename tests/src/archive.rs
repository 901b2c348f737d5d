//! Mastodon archives as large as one likes, the same for the same seed, with all that real ones hold.

mod pack;

use serde_json::{Value, json};

use crate::picture::picture;
use crate::random::Random;

pub use self::pack::{Form, Shape};

/// The account.
pub const ACTOR: &str = "https://m.example/users/lan";
const EVERYBODY: &str = "https://www.w3.org/ns/activitystreams#Public";
/// What posts are made of.
const WORDS: [&str; 16] = [
    "xóm",
    "nhà",
    "mưa",
    "nắng",
    "chợ",
    "cà phê",
    "sách",
    "đường",
    "river",
    "tea",
    "train",
    "garden",
    "letter",
    "fox",
    "“quoted”",
    "5 < 7 & 8 > 6",
];
/// 1 January 2018.
const BEGIN_SECS: u64 = 1_514_764_800;

/// A generated archive, and what an import of it must do.
#[derive(Debug, Clone)]
pub struct GeneratedArchive {
    items: Vec<Value>,
    media: Vec<(String, Vec<u8>)>,
    /// The posts that can be taken, the oldest first.
    pub posts: Vec<ExpectedPost>,
    /// How many posts are for followers or for single people.
    pub private: usize,
    /// How many items can't be taken.
    pub not_taken: usize,
    /// How many posts lack a medium or the votes of their poll.
    pub partial: usize,
}

/// A post as it must show after the import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedPost {
    /// The address where it was.
    pub source_url: String,
    /// When it was published, ISO 8601 in UTC with milliseconds.
    pub created_at: String,
    /// Its text.
    pub text: String,
    /// The content warning.
    pub warning: String,
    /// Not in public timelines.
    pub unlisted: bool,
    /// Which of the posts it answers.
    pub reply_to: Option<usize>,
    /// The media: description and bytes.
    pub media: Vec<(String, Vec<u8>)>,
    /// The options of the poll.
    pub poll: Vec<String>,
}

impl GeneratedArchive {
    /// An archive with so many posts that can be taken, and for each twenty of them one that can't or must not.
    pub fn generate(seed: u64, posts: usize) -> Self {
        let mut archive =
            Self { items: Vec::new(), media: Vec::new(), posts: Vec::new(), private: 0, not_taken: 0, partial: 0 };
        let mut random = Random::new(seed);
        let mut secs = BEGIN_SECS;
        for number in 0..posts {
            // Some posts share their second.
            secs += if random.chance(2) { 0 } else { 1 + random.below(150_000) };
            if random.chance(8) {
                archive.add_boost(number, secs);
            } else {
                archive.add_post(&mut random, number, secs);
            }
            if number % 20 == 19 {
                archive.add_other(&mut random, number, secs);
            }
        }
        archive
    }

    fn add_boost(&mut self, number: usize, secs: u64) {
        let boosted = format!("https://other.example/users/bob/statuses/{number}");
        let id = format!("{ACTOR}/statuses/{number}/activity");
        self.items.push(json!({"id": id, "type": "Announce", "actor": ACTOR, "published": iso(secs, ""),
            "to": [EVERYBODY], "cc": ["https://other.example/users/bob", format!("{ACTOR}/followers")],
            "object": boosted}));
        self.posts.push(ExpectedPost {
            source_url: id,
            created_at: iso(secs, ".000"),
            text: boosted,
            ..ExpectedPost::default()
        });
    }

    fn add_post(&mut self, random: &mut Random, number: usize, secs: u64) {
        let (html, text) = content(random, number);
        let mut post = ExpectedPost {
            source_url: format!("{ACTOR}/statuses/{number}"),
            created_at: iso(secs, ".000"),
            text,
            unlisted: random.chance(15),
            ..ExpectedPost::default()
        };
        if random.chance(10) {
            post.warning = format!("about {}", random.pick(&WORDS));
        }
        if number > 0 && random.chance(15) {
            let index = random.below(number as u64) as usize;
            post.reply_to = Some(index).filter(|index| !self.posts[*index].source_url.ends_with("/activity"));
        }
        let mut attachments = Vec::new();
        if random.chance(30) {
            for _ in 0..=random.below(4) {
                attachments.push(self.add_picture(random, &mut post));
            }
        } else if random.chance(4) {
            post.poll = (0..2 + random.below(3)).map(|option| format!("{} {option}", random.pick(&WORDS))).collect();
            self.partial += 1;
        } else if random.chance(2) {
            attachments.push(json!({"type": "Document", "mediaType": "image/png",
                "url": format!("/media_attachments/files/{number}/lost.png")}));
            self.partial += 1;
        }
        let answered = post.reply_to.map(|index| self.posts[index].source_url.clone());
        let (to, cc) = (EVERYBODY.to_owned(), format!("{ACTOR}/followers"));
        let (to, cc) = if post.unlisted { (cc, to) } else { (to, cc) };
        let mut object = json!({"id": post.source_url, "summary": null, "inReplyTo": answered, "to": [to], "cc": [cc],
            "published": iso(secs, ""), "content": html, "contentMap": {"vi": html}, "sensitive": false,
            "attachment": attachments, "type": "Note"});
        if !post.warning.is_empty() {
            object["summary"] = json!(post.warning);
            object["sensitive"] = json!(true);
        }
        if !post.poll.is_empty() {
            let option = |name: &String| json!({"type": "Note", "name": name, "replies": {"totalItems": 3}});
            object["type"] = json!("Question");
            object["oneOf"] = post.poll.iter().map(option).collect();
            object["endTime"] = json!(iso(secs + 86_400, ""));
        }
        self.items.push(create(object, number));
        self.posts.push(post);
    }

    /// Adds a picture to a post; gives its JSON.
    fn add_picture(&mut self, random: &mut Random, post: &mut ExpectedPost) -> Value {
        let number = self.media.len();
        let side = if number.is_multiple_of(100) { 320 } else { 8 + random.below(24) as u32 };
        let bytes = picture(random, side);
        let name = format!("media_attachments/files/{:03}/{:03}/original/{number}.png", number / 1_000, number % 1_000);
        let alt =
            if random.chance(60) { format!("picture {number} of {}", random.pick(&WORDS)) } else { String::new() };
        // As files of the server's own disk, of its bucket, and in full.
        let prefix = ["/", "/bucket/", "https://files.m.example/"][number % 3];
        let json = json!({"type": "Document", "mediaType": "image/png", "url": format!("{prefix}{name}"),
            "name": if alt.is_empty() { Value::Null } else { json!(alt) }, "width": side, "height": side,
            "focalPoint": [0.25, -0.5]});
        post.media.push((alt, bytes.clone()));
        self.media.push((name, bytes));
        json
    }

    /// Adds something that can't be taken, or must not be published.
    fn add_other(&mut self, random: &mut Random, number: usize, secs: u64) {
        let object = json!({"id": format!("{ACTOR}/statuses/other-{number}"), "type": "Note", "to": [EVERYBODY],
            "published": iso(secs, ""), "content": "<p>must not be seen</p>"});
        let mut change = |key: &str, value: Value, private: bool| {
            let mut object = object.clone();
            object[key] = value;
            self.items.push(create(object, number));
            if private { self.private += 1 } else { self.not_taken += 1 }
        };
        match random.below(5) {
            0 | 1 => change("to", json!([format!("{ACTOR}/followers")]), true),
            2 => change("to", json!(["https://other.example/users/bob"]), true),
            3 => change("type", json!("Article"), false),
            _ => change("content", json!("x".repeat(5_001)), false),
        }
    }
}

/// The activity around a post.
fn create(object: Value, number: usize) -> Value {
    let mut object = object;
    object["attributedTo"] = json!(ACTOR);
    object["url"] = json!(format!("https://m.example/@lan/{number}"));
    json!({"id": format!("{}/activity", object["id"].as_str().unwrap_or_default()), "type": "Create", "actor": ACTOR,
        "published": object["published"], "to": object["to"], "cc": object["cc"], "object": object})
}

/// A post's HTML and its text.
fn content(random: &mut Random, number: usize) -> (String, String) {
    let (mut html, mut text) = (format!("<p>post {number}"), format!("post {number}"));
    for _ in 0..random.below(30) {
        let word = random.pick(&WORDS);
        let (between, shown) = *random.pick(&[(" ", " "), (" ", " "), ("<br />", "\n"), ("</p><p>", "\n\n")]);
        html.extend([between, &word.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")]);
        text.extend([shown, word]);
    }
    if random.chance(20) {
        html += &format!(
            " <a href=\"https://example.com/a/long/path/{number}\"><span class=\"invisible\">https://</span><span \
             class=\"ellipsis\">example.com/a/long</span><span class=\"invisible\">/path/{number}</span></a>"
        );
        text += &format!(" https://example.com/a/long/path/{number}");
    }
    if random.chance(20) {
        html += " <a href=\"https://m.example/tags/xom\" class=\"mention hashtag\" rel=\"tag\">#<span>xom</span></a>";
        text += " #xom";
    }
    (html + "</p>", text)
}

/// A time in seconds since 1970 as ISO 8601 in UTC.
fn iso(secs: u64, fraction: &str) -> String {
    let (mut days, rest) = (secs / 86_400, secs % 86_400);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let mut year = 1970;
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    let (hour, minute, second) = (rest / 3_600, rest / 60 % 60, rest % 60);
    format!("{year}-{:02}-{:02}T{hour:02}:{minute:02}:{second:02}{fraction}Z", month + 1, days + 1)
}

#[cfg(test)]
mod tests {
    use super::{BEGIN_SECS, GeneratedArchive, iso};

    #[test]
    fn the_same_seed_gives_the_same_archive() {
        let (one, two) = (GeneratedArchive::generate(7, 60), GeneratedArchive::generate(7, 60));
        assert_eq!((one.items.clone(), one.posts, one.media.len()), (two.items, two.posts, two.media.len()));
        assert_ne!(one.items, GeneratedArchive::generate(8, 60).items);
        assert_eq!(one.items.len(), 60 + one.private + one.not_taken);
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(iso(BEGIN_SECS, ".000"), "2018-01-01T00:00:00.000Z");
        assert_eq!(iso(951_826_554, ""), "2000-02-29T12:15:54Z");
        assert_eq!(iso(1_704_067_199, ""), "2023-12-31T23:59:59Z");
    }
}
