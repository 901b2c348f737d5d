//! One activity of an outbox: a post, a private post, or something that can't be taken.
//!
//! Archives exist with and without an `@context` in each activity; nothing in it is needed.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use xom_protocol::limits::{
    ATTACHMENTS_MAX, LANGUAGES_MAX, MENTIONS_MAX, POST_CHARS_MAX, TAG_CHARS_MAX, TIME_MS_MAX, URL_BYTES_MAX,
    WARNING_CHARS_MAX,
};

use super::audience::Audience;
use super::contents::{ArchivedMention, ArchivedPost, ArchivedVisibility, NotTaken, PrivatePost};
use super::html_text::{KnownMention, PlainText, html_to_text};
use super::media::{NamedMedia, is_label, read_media};
use super::poll::read_poll;

/// What an activity is.
#[derive(Debug)]
pub(super) enum Item {
    Post(Box<Draft>),
    Private(PrivatePost),
    NotTaken(NotTaken),
}

/// A post whose media have not been looked up.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) post: ArchivedPost,
    pub(super) media: Vec<NamedMedia>,
    /// What of it could not be taken.
    pub(super) notes: Vec<String>,
}

impl Item {
    pub(super) fn source_url(&self) -> &str {
        match self {
            Self::Post(draft) => &draft.post.source_url,
            Self::Private(post) => &post.source_url,
            Self::NotTaken(refused) => &refused.source_url,
        }
    }
}

/// Reads the `number`th activity of the outbox of `actor`.
pub(super) fn read_activity(activity: Value, actor: &str, number: u64) -> Item {
    let object = &activity["object"];
    let kind = activity["type"].as_str().unwrap_or("untyped");
    let own_url = || [&object["id"], &object["url"], &activity["id"]].into_iter().find_map(Value::as_str);
    let source_url = match kind {
        "Create" => own_url(),
        _ => activity["id"].as_str(),
    };
    let source_url = source_url.map_or_else(|| format!("item {number} of the outbox"), str::to_owned);
    if matches!(kind, "Create" | "Announce")
        && let Audience::Private(audience) = Audience::of(&activity, audience_object(kind, object))
    {
        return Item::Private(PrivatePost { source_url, audience, activity });
    }
    let read = match kind {
        "Create" => read_create(&activity, actor, &source_url),
        "Announce" => read_boost(&activity, &source_url),
        _ => Err(format!("its activity is of the type {kind}; only Create and Announce can be taken")),
    };
    match read {
        Ok(draft) => Item::Post(Box::new(draft)),
        Err(reason) => Item::NotTaken(NotTaken { source_url, reason }),
    }
}

/// A boost has an audience of its own, whatever that of the boosted post is.
fn audience_object<'v>(kind: &str, object: &'v Value) -> &'v Value {
    if kind == "Create" { object } else { &Value::Null }
}

fn read_create(activity: &Value, actor: &str, source_url: &str) -> Result<Draft, String> {
    let object = &activity["object"];
    let kind = object["type"].as_str().unwrap_or("untyped");
    if !object.is_object() {
        return Err("the archive holds its address only".to_owned());
    }
    if kind != "Note" && kind != "Question" {
        return Err(format!("it is of the type {kind}; only Note and Question can be taken"));
    }
    if object["attributedTo"].as_str().is_some_and(|author| !actor.is_empty() && author != actor) {
        return Err("it is by another account than the archive's".to_owned());
    }
    let mut draft = begin(activity, source_url)?;
    read_body(object, &mut draft)?;
    read_tags(&object["tag"], &mut draft);
    for attachment in list(&object["attachment"]) {
        match read_media(attachment, &mut draft.notes) {
            Ok(named) => draft.media.push(named),
            Err(reason) => draft.notes.push(reason),
        }
    }
    if draft.media.len() > ATTACHMENTS_MAX {
        return Err(format!("it has {} attachments; up to {ATTACHMENTS_MAX} can be taken", draft.media.len()));
    }
    draft.post.sensitive = object["sensitive"].as_bool().unwrap_or(false);
    let answered = object["inReplyTo"].as_str().or_else(|| object["inReplyTo"]["id"].as_str());
    draft.post.reply_to = answered.map(str::to_owned);
    if kind == "Question" {
        let poll = read_poll(object, draft.post.published_ms)?;
        draft.notes.extend(poll.result_note());
        draft.post.poll = Some(poll);
    }
    Ok(draft)
}

/// A boost becomes a link to what was boosted.
fn read_boost(activity: &Value, source_url: &str) -> Result<Draft, String> {
    let object = &activity["object"];
    let boosted = [object, &object["url"], &object["id"]].into_iter().find_map(Value::as_str);
    let boosted = boosted.filter(|url| is_web_address(url)).ok_or("it boosts something without a web address")?;
    let mut draft = begin(activity, source_url)?;
    draft.post.text = boosted.to_owned();
    draft.post.add_link(boosted.to_owned());
    Ok(draft)
}

/// What every post has: address, time, audience.
fn begin(activity: &Value, source_url: &str) -> Result<Draft, String> {
    if !is_web_address(source_url) {
        return Err("it has no web address".to_owned());
    }
    let object = &activity["object"];
    let published = object["published"].as_str().filter(|_| activity["type"] == "Create");
    let published = published.or_else(|| activity["published"].as_str()).ok_or("it has no date")?;
    let published_ms = parse_time(published).ok_or_else(|| format!("its date {published:?} is none"))?;
    let kind = activity["type"].as_str().unwrap_or_default();
    let visibility = match Audience::of(activity, audience_object(kind, object)) {
        Audience::Public(visibility) => visibility,
        Audience::Private(_) => ArchivedVisibility::Unlisted,
    };
    let post = ArchivedPost { source_url: source_url.to_owned(), published_ms, visibility, ..ArchivedPost::default() };
    Ok(Draft { post, ..Draft::default() })
}

/// Text, warning and languages.
fn read_body(object: &Value, draft: &mut Draft) -> Result<(), String> {
    let translations = object["contentMap"].as_object();
    let html = object["content"].as_str().or_else(|| translations.and_then(|map| map.values().find_map(Value::as_str)));
    let html = html.unwrap_or_default();
    let mentions: Vec<KnownMention> = list(&object["tag"])
        .filter(|tag| tag["type"] == "Mention")
        .filter_map(|tag| Some(KnownMention { name: tag["name"].as_str()?.into(), url: tag["href"].as_str()?.into() }))
        .collect();
    let PlainText { text, links } = html_to_text(html, &mentions).map_err(|error| error.to_string())?;
    let chars = text.chars().count();
    if chars > POST_CHARS_MAX {
        return Err(format!("it has {chars} characters; up to {POST_CHARS_MAX} can be taken"));
    }
    draft.post.text = text;
    let mut dropped = 0;
    for link in links {
        dropped += usize::from(!draft.post.add_link(link));
    }
    note_dropped(dropped, "links", &mut draft.notes);

    draft.post.warning = object["summary"].as_str().unwrap_or_default().trim().to_owned();
    if let Some((end, _)) = draft.post.warning.char_indices().nth(WARNING_CHARS_MAX) {
        draft.post.warning.truncate(end);
        draft.notes.push(format!("its content warning was cut to {WARNING_CHARS_MAX} characters"));
    }
    let is_main = |entry: &(&String, &Value)| entry.1.as_str() == Some(html);
    let (main, other): (Vec<_>, Vec<_>) = translations.into_iter().flatten().partition(is_main);
    let languages = main.into_iter().chain(other).map(|(language, _)| language.clone());
    draft.post.languages = languages.filter(|language| is_label(language) && language != "und").collect();
    draft.post.languages.truncate(LANGUAGES_MAX);
    Ok(())
}

/// Hash tags and mentions.
fn read_tags(tags: &Value, draft: &mut Draft) {
    let mut dropped = 0;
    let Draft { post, notes, .. } = draft;
    for tag in list(tags) {
        let name = tag["name"].as_str().unwrap_or_default();
        let taken = match tag["type"].as_str() {
            Some("Hashtag") => {
                let name = name.trim_start_matches('#');
                let fits = !name.is_empty() && !name.contains(char::is_whitespace) && fits_a_name(name);
                fits && push_new(&mut post.tags, name.to_owned())
            }
            Some("Mention") => {
                let name = name.trim_start_matches('@').to_owned();
                let url = tag["href"].as_str().unwrap_or_default().to_owned();
                fits_a_name(&name) && push_new(&mut post.mentions, ArchivedMention { name, url })
            }
            _ => true,
        };
        dropped += usize::from(!taken);
    }
    note_dropped(dropped, "tags or mentions", notes);
}

impl ArchivedPost {
    /// Adds a link unless it is known; whether it is there now.
    pub(super) fn add_link(&mut self, link: String) -> bool {
        is_web_address(&link) && push_new(&mut self.links, link)
    }
}

/// Adds what is not in the list yet, if there is room; whether it is there now.
fn push_new<T: PartialEq>(list: &mut Vec<T>, item: T) -> bool {
    if list.contains(&item) {
        return true;
    }
    let room = list.len() < MENTIONS_MAX;
    if room {
        list.push(item);
    }
    room
}

fn note_dropped(dropped: usize, what: &str, notes: &mut Vec<String>) {
    if dropped > 0 {
        notes.push(format!("{dropped} of its {what} could not be taken"));
    }
}

fn fits_a_name(name: &str) -> bool {
    name.chars().count() <= TAG_CHARS_MAX
}

fn is_web_address(url: &str) -> bool {
    (url.starts_with("https://") || url.starts_with("http://")) && url.len() <= URL_BYTES_MAX
}

/// A single value where a list may stand.
fn list(value: &Value) -> impl Iterator<Item = &Value> {
    let items = match value {
        Value::Array(items) => items.as_slice(),
        Value::Null => &[],
        single => std::slice::from_ref(single),
    };
    items.iter()
}

/// A date of ActivityPub (RFC 3339) in milliseconds since 1970; `None` before that.
pub(super) fn parse_time(text: &str) -> Option<u64> {
    let time = OffsetDateTime::parse(text.trim(), &Rfc3339).ok()?;
    let millis = u64::try_from(time.unix_timestamp_nanos() / 1_000_000).ok()?;
    (millis <= TIME_MS_MAX).then_some(millis)
}
