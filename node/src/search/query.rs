//! What a person asks for: words, phrases in quotes, what must not be there, and Mastodon's operators.

use xom_protocol::body::Post;

use super::words::{Word, words};

/// Bytes of a question that are read.
const QUERY_BYTES_MAX: usize = 1_024;
/// Words and phrases of a question that are read; what comes after them is as if it were not there.
const TERMS_MAX: usize = 16;
/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Whose posts are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthorNamed {
    /// The viewer's own.
    Me,
    /// Those of whom a text names, as [`crate::Reader::resolve_account`] reads it.
    Other(String),
}

/// A question. Every word must be there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SearchQuery {
    /// Words, and words that must stand in this order.
    pub(crate) terms: Vec<Vec<Word>>,
    /// What must not be there.
    without: Vec<Vec<Word>>,
    /// Whose.
    pub(crate) author: Option<AuthorNamed>,
    /// With media, polls, links; answers; with a warning.
    needs: Vec<Need>,
    language: Option<String>,
    /// Shown not before this, milliseconds since 1970.
    pub(crate) from_ms: Option<u64>,
    /// Shown before this.
    pub(crate) to_ms: Option<u64>,
}

/// A property that a post must have, or must not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Need {
    property: Property,
    wanted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Property {
    Media,
    Poll,
    Link,
    Reply,
    Sensitive,
}

impl SearchQuery {
    /// Reads what a person typed. What is no operator that is known is words.
    pub fn parse(text: &str) -> Self {
        let mut query = Self::default();
        let text = text.get(..QUERY_BYTES_MAX.min(text.len())).unwrap_or_else(|| {
            let end = (0..=QUERY_BYTES_MAX).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
            &text[..end]
        });
        for (wanted, quoted, piece) in pieces(text) {
            if query.terms.len() + query.without.len() >= TERMS_MAX {
                break;
            }
            if !quoted && query.operator(wanted, piece) {
                continue;
            }
            let words = words(piece);
            if !words.is_empty() {
                if wanted { query.terms.push(words) } else { query.without.push(words) }
            }
        }
        query
    }

    /// Asks for all words of a text, whatever stands between them.
    pub(crate) fn of_words(text: &str) -> Self {
        let terms = words(text).into_iter().take(TERMS_MAX).map(|word| vec![word]).collect();
        Self { terms, ..Self::default() }
    }

    /// True if it asks for nothing that an index could find.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty() && self.author.is_none()
    }

    fn operator(&mut self, wanted: bool, piece: &str) -> bool {
        let Some((name, value)) = piece.split_once(':').filter(|(_, value)| !value.is_empty()) else { return false };
        let property = match (name, value) {
            ("has", "media" | "image" | "video" | "audio") => Some(Property::Media),
            ("has", "poll") => Some(Property::Poll),
            ("has", "link" | "embed") => Some(Property::Link),
            ("is", "reply") => Some(Property::Reply),
            ("is", "sensitive") => Some(Property::Sensitive),
            _ => None,
        };
        if let Some(property) = property {
            self.needs.push(Need { property, wanted });
            return true;
        }
        match (name, wanted) {
            ("from", true) => {
                let me = value.trim_start_matches('@') == "me";
                self.author = Some(if me { AuthorNamed::Me } else { AuthorNamed::Other(value.to_owned()) });
            }
            ("language", true) => self.language = Some(value.to_lowercase()),
            ("before" | "after" | "during", true) => {
                let Some(day) = day_ms(value) else { return false };
                match name {
                    "before" => self.to_ms = Some(day),
                    "after" => self.from_ms = Some(day.saturating_add(DAY_MS)),
                    _ => (self.from_ms, self.to_ms) = (Some(day), Some(day.saturating_add(DAY_MS))),
                }
            }
            _ => return false,
        }
        true
    }

    /// True if a post, shown at a time, is what is asked for. Its author is not looked at.
    pub(crate) fn fits(&self, post: &Post, time_ms: u64) -> bool {
        let in_time = self.from_ms.is_none_or(|from| time_ms >= from) && self.to_ms.is_none_or(|to| time_ms < to);
        let language = self
            .language
            .as_deref()
            .is_none_or(|wanted| post.languages.iter().any(|tag| tag.to_lowercase().split('-').next() == Some(wanted)));
        if !in_time || !language || self.needs.iter().any(|need| has(post, need.property) != need.wanted) {
            return false;
        }
        let texts: Vec<Vec<Word>> = texts(post).map(words).collect();
        let holds = |term: &Vec<Word>| texts.iter().any(|text| holds(text, term));
        self.terms.iter().all(holds) && !self.without.iter().any(holds)
    }
}

/// The texts of a post that are searched.
pub(crate) fn texts(post: &Post) -> impl Iterator<Item = &str> {
    let alts = post.attachments.iter().map(|attachment| attachment.alt.as_str());
    let options = post.poll.iter().flat_map(|poll| &poll.options).map(String::as_str);
    [post.warning.as_str(), post.text.as_str()].into_iter().chain(alts).chain(options)
}

fn has(post: &Post, property: Property) -> bool {
    match property {
        Property::Media => !post.attachments.is_empty(),
        Property::Poll => post.poll.is_some(),
        Property::Link => !post.links.is_empty(),
        Property::Reply => post.reply.is_some(),
        Property::Sensitive => post.sensitive || !post.warning.is_empty(),
    }
}

/// True if the words of a term stand in a text one after the other.
fn holds(text: &[Word], term: &[Word]) -> bool {
    text.windows(term.len()).any(|window| term.iter().zip(window).all(|(asked, word)| asked.fits(word)))
}

/// The pieces of a question: whether each is wanted, whether it stood in quotes, and its text.
fn pieces(text: &str) -> Vec<(bool, bool, &str)> {
    let mut pieces = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (wanted, after) = match rest.strip_prefix('-') {
            Some(after) => (false, after),
            None => (true, rest.strip_prefix('+').unwrap_or(rest)),
        };
        let quoted = after.strip_prefix(['"', '“', '”']);
        let (piece, next) = match quoted {
            Some(inside) => inside.split_once(['"', '“', '”']).unwrap_or((inside, "")),
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        pieces.push((wanted, quoted.is_some(), piece));
        rest = next.trim_start();
    }
    pieces
}

/// The beginning of a day, written as `2026-11-29`, milliseconds since 1970.
fn day_ms(text: &str) -> Option<u64> {
    let mut numbers = text.splitn(3, '-').map(|part| part.parse::<u64>().ok());
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March, so that the leap day is the last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    days.checked_sub(719_468).map(|days| days * DAY_MS)
}

#[cfg(test)]
mod tests {
    use xom_protocol::body::{Attachment, Poll};
    use xom_protocol::{BlobId, body};

    use super::*;

    fn post(text: &str) -> Post {
        Post { text: text.to_owned(), ..Post::default() }
    }

    fn check(asked: &str, text: &str, expected: bool) {
        assert_eq!(SearchQuery::parse(asked).fits(&post(text), 0), expected, "{asked} in {text}");
    }

    #[test]
    fn all_words_must_be_there_and_phrases_in_their_order() {
        check("cho xom", "chợ của xóm", true);
        check("chợ xom", "cho xóm", false);
        check("\"bánh mì\"", "ăn bánh mì nhé", true);
        check("\"mì bánh\"", "ăn bánh mì nhé", false);
        check("\"banh mi", "ăn bánh mì nhé", true);
        check("bánh -chay", "bánh chay", false);
        check("bánh -chay", "bánh mì", true);
        check("-\"bánh mì\" ăn", "ăn mì, ăn bánh", true);
        check("東京", "私は東京です", true);
        check("京東", "私は東京です", false);
        check("nhà-cửa", "nhà cửa", true);
        check("nhà-cửa", "cửa nhà", false);
    }

    #[test]
    fn warnings_descriptions_and_options_are_searched_each_by_itself() {
        let mut attachment = Attachment::new(BlobId::of(b"x"), "image/png", 1);
        attachment.alt = "con mèo".into();
        let poll = Poll { options: vec!["Có".into(), "Không".into()], multiple: false, hide_totals: false, ends: 1 };
        let whole = body::Post {
            warning: "đồ ăn".into(),
            attachments: vec![attachment],
            poll: Some(poll),
            languages: vec!["vi-VN".into()],
            ..post("chào")
        };
        let fits = |asked: &str| SearchQuery::parse(asked).fits(&whole, 86_400_000);
        for asked in
            ["meo", "khong", "\"đồ ăn\"", "chao has:media has:poll is:sensitive", "-is:reply chào", "language:vi chao"]
        {
            assert!(fits(asked), "{asked}");
        }
        for asked in ["\"ăn chào\"", "chao has:link", "chao -has:media", "is:reply chao", "language:en chao"] {
            assert!(!fits(asked), "{asked}");
        }
        assert!(fits("chao after:1970-01-01") && fits("chao during:1970-01-02") && !fits("chao before:1970-01-02"));
    }

    #[test]
    fn what_is_no_operator_is_words() {
        assert_eq!(SearchQuery::parse("from:me x").author, Some(AuthorNamed::Me));
        assert_eq!(SearchQuery::parse("from:@lan@a.xom").author, Some(AuthorNamed::Other("@lan@a.xom".into())));
        check("a:b", "a b", true);
        check("before:gestern", "before gestern", true);
        assert!(SearchQuery::parse("").is_empty() && SearchQuery::parse(" - \"\" has:media").is_empty());
        let long = SearchQuery::parse(&"ế x ".repeat(5_000));
        assert!(long.terms.len() <= TERMS_MAX);
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for (text, days) in [("1970-01-01", 0), ("1970-03-01", 59), ("2000-02-29", 11_016), ("2026-11-29", 20_786)] {
            assert_eq!(day_ms(text), Some(days * DAY_MS), "{text}");
        }
        for bad in ["1969-12-31", "2026-13-01", "2026-00-01", "x", "2026-11", "2026-11-32", "99999-01-01"] {
            assert_eq!(day_ms(bad), None, "{bad}");
        }
    }
}
