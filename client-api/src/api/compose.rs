//! From what a client sends to a post: text, mentions, tags, links, media, poll.

use std::sync::Arc;

use xom_node::model::{Account, MediaId, Status, StatusContent, StatusId};
use xom_node::private::PostingDefaults;
use xom_node::{Handle, Reader, StoreError};
use xom_protocol::Did;
use xom_protocol::body::{Attachment, Focus, Mention, Poll, Post, Visibility};
use xom_protocol::limits::{
    ATTACHMENTS_MAX, MENTIONS_MAX, POLL_OPTION_CHARS_MAX, POLL_OPTIONS_MAX, POST_CHARS_MAX, WARNING_CHARS_MAX,
};

use super::entities::media::attachment_id;
use super::text::{Token, fold, tokens};
use super::v1::preferences::posting_of;
use crate::http::form::parse_id;
use crate::http::{ApiError, Params};

/// Shortest time that a poll may run, seconds.
pub const POLL_SECS_MIN: u64 = 300;
/// Longest time that a poll may run, seconds.
pub const POLL_SECS_MAX: u64 = 2_629_746;

/// What a text holds beside its letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// Mentions as written, without `@`.
    pub mentions: Vec<String>,
    /// Tags as written, without `#`; none twice.
    pub tags: Vec<String>,
    /// Web addresses; none twice.
    pub links: Vec<String>,
}

impl Marks {
    /// Finds them, as many of each as a post can hold.
    pub fn find(text: &str) -> Self {
        let mut marks = Self::default();
        let add = |list: &mut Vec<String>, item: &str, same: &dyn Fn(&str) -> bool| {
            if list.len() < MENTIONS_MAX && !list.iter().any(|known| same(known)) {
                list.push(item.to_owned());
            }
        };
        for token in tokens(text) {
            match token {
                Token::Plain(_) => {}
                Token::Url(url) => add(&mut marks.links, &lower_scheme(url), &|known| known == lower_scheme(url)),
                Token::Tag(tag) => add(&mut marks.tags, &tag[1..], &|known| fold(known) == fold(&tag[1..])),
                Token::Mention(name) => add(&mut marks.mentions, &name[1..], &|known| known == &name[1..]),
            }
        }
        marks
    }
}

/// The scheme of an address in lower case, as bodies want it.
pub fn lower_scheme(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => format!("{}://{rest}", scheme.to_ascii_lowercase()),
        None => url.to_owned(),
    }
}

/// A post as a client wants it; `base` is the version that it changes, if it is an edit.
pub async fn post(node: &Handle, viewer: Did, params: &Params, base: Option<&Status>) -> Result<Post, ApiError> {
    let old = base.and_then(|status| match &status.content {
        StatusContent::Post(view) => Some(&view.post),
        StatusContent::Repost(_) => None,
    });
    let defaults = if old.is_none() { posting_of(node, viewer).await? } else { PostingDefaults::default() };
    let text = params.raw_text("status").or_else(|| old.map(|old| old.text.clone())).unwrap_or_default();
    let mut text = clean(&text).trim().to_owned();
    let mut warning = clean(&params.raw_text("spoiler_text").unwrap_or_default()).trim().to_owned();
    let attachments = attachments(node, viewer, params, old).await?;
    let poll = match params.below("poll") {
        Some(poll) => Some(same_poll(read_poll(&poll, now_ms())?, old)?),
        // An edit that says nothing of the poll keeps it: votes refer to the post, not to the version.
        None => old.and_then(|old| old.poll.clone()),
    };
    if text.is_empty() && attachments.is_empty() && poll.is_none() && !warning.is_empty() {
        text = std::mem::take(&mut warning);
    }
    check_lengths(&text, &warning, attachments.len(), poll.is_some())?;
    let marks = Marks::find(&text);
    let parent = params.id("in_reply_to_id")?.map(StatusId);
    let said = old.map(|old| old.mentions.clone()).unwrap_or_default();
    let mentions = resolve(node, marks.mentions, said, parent).await?;
    Ok(Post {
        text,
        languages: language(params, old)?.unwrap_or_else(|| defaults.language.iter().cloned().collect()),
        sensitive: params.flag("sensitive").unwrap_or(defaults.sensitive),
        warning,
        mentions,
        tags: marks.tags,
        links: marks.links,
        attachments,
        poll,
        visibility: visibility(params, old)?.unwrap_or(if defaults.unlisted {
            Visibility::Unlisted
        } else {
            Visibility::Public
        }),
        ..Post::default()
    })
}

/// Line breaks as `\n`, and no other control character than the tab, as bodies want it.
pub fn clean(text: &str) -> String {
    let unix = text.replace("\r\n", "\n").replace('\r', "\n");
    unix.chars().filter(|c| !c.is_ascii_control() || matches!(c, '\n' | '\t')).collect()
}

/// The same for what has no lines.
pub fn clean_line(text: &str) -> String {
    clean(text).replace(['\n', '\t'], " ").trim().to_owned()
}

fn visibility(params: &Params, old: Option<&Post>) -> Result<Option<Visibility>, ApiError> {
    match params.text("visibility").as_deref() {
        None => Ok(old.map(|old| old.visibility)),
        Some("public") => Ok(Some(Visibility::Public)),
        Some("unlisted") => Ok(Some(Visibility::Unlisted)),
        Some("private" | "direct") => Err(ApiError::not_yet("Posts for followers only and direct posts are")),
        Some(_) => Err(ApiError::invalid("Visibility is not one of public, unlisted")),
    }
}

fn language(params: &Params, old: Option<&Post>) -> Result<Option<Vec<String>>, ApiError> {
    let Some(language) = params.text("language") else {
        return Ok(old.map(|old| old.languages.clone()));
    };
    checked_language(language).map(|language| Some(vec![language]))
}

/// A language tag, as bodies hold it.
pub fn checked_language(language: String) -> Result<String, ApiError> {
    let is_tag = language.len() <= 35 && language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if is_tag { Ok(language) } else { Err(ApiError::invalid("Language is not a language tag")) }
}

fn check_lengths(text: &str, warning: &str, attachments: usize, poll: bool) -> Result<(), ApiError> {
    if text.is_empty() && attachments == 0 && !poll {
        return Err(ApiError::invalid("Text can't be blank"));
    }
    if text.chars().count() > POST_CHARS_MAX {
        return Err(ApiError::invalid(format!("Text character limit of {POST_CHARS_MAX} exceeded")));
    }
    if warning.chars().count() > WARNING_CHARS_MAX {
        return Err(ApiError::invalid(format!("Spoiler text character limit of {WARNING_CHARS_MAX} exceeded")));
    }
    if attachments > ATTACHMENTS_MAX {
        return Err(ApiError::invalid(format!("Cannot attach more than {ATTACHMENTS_MAX} files")));
    }
    if attachments > 0 && poll {
        return Err(ApiError::invalid("Cannot attach files to a post with a poll"));
    }
    Ok(())
}

/// Reads the poll of a new post.
pub fn read_poll(params: &Params, now_ms: u64) -> Result<Poll, ApiError> {
    let options: Vec<String> = params.texts("options").iter().map(|option| clean_line(option)).collect();
    if options.len() < 2 || options.iter().any(String::is_empty) {
        return Err(ApiError::invalid("Options must have more than one item"));
    }
    if options.len() > POLL_OPTIONS_MAX {
        return Err(ApiError::invalid(format!("Options can't contain more than {POLL_OPTIONS_MAX} items")));
    }
    if options.iter().any(|option| option.chars().count() > POLL_OPTION_CHARS_MAX) {
        return Err(ApiError::invalid(format!(
            "Options cannot be longer than {POLL_OPTION_CHARS_MAX} characters each"
        )));
    }
    if (1..options.len()).any(|at| options[..at].contains(&options[at])) {
        return Err(ApiError::invalid("Options contain duplicate items"));
    }
    let Some(secs) = params.number("expires_in")? else {
        return Err(ApiError::invalid("Expires at can't be blank"));
    };
    if !(POLL_SECS_MIN..=POLL_SECS_MAX).contains(&secs) {
        let bounds = format!("Expires in must be {POLL_SECS_MIN} to {POLL_SECS_MAX} seconds");
        return Err(ApiError::invalid(bounds));
    }
    Ok(Poll {
        options,
        multiple: params.flag("multiple").unwrap_or(false),
        hide_totals: params.flag("hide_totals").unwrap_or(false),
        ends: now_ms + secs * 1_000,
    })
}

/// The poll of a new post as it is; of an edit the one that the post has, which must not be another.
fn same_poll(poll: Poll, old: Option<&Post>) -> Result<Poll, ApiError> {
    let Some(old) = old else { return Ok(poll) };
    let kept = old.poll.clone().filter(|kept| (&kept.options, kept.multiple) == (&poll.options, poll.multiple));
    kept.ok_or_else(|| ApiError::invalid("Poll can't be changed once it is published; erase the post and ask again"))
}

/// The media of a post: uploads by their ids; in an edit also those that it has already.
async fn attachments(
    node: &Handle,
    viewer: Did,
    params: &Params,
    old: Option<&Post>,
) -> Result<Vec<Attachment>, ApiError> {
    let old: Vec<Attachment> = old.map(|old| old.attachments.clone()).unwrap_or_default();
    if params.get("media_ids").is_none() {
        return Ok(old);
    }
    let ids = params.ids("media_ids")?;
    if ids.len() > ATTACHMENTS_MAX {
        return Err(ApiError::invalid(format!("Cannot attach more than {ATTACHMENTS_MAX} files")));
    }
    let found = node.read(move |reader| find_media(reader, viewer, &ids, &old)).await?;
    let mut attachments =
        found.ok_or_else(|| ApiError::invalid("a medium does not exist, or is of another account"))?;
    for change in params.each_below("media_attributes") {
        let id = change.text("id").and_then(|id| parse_id(&id));
        if let Some(attachment) = attachments.iter_mut().find(|(own, _)| Some(*own) == id) {
            describe(&mut attachment.1, &change)?;
        }
    }
    Ok(attachments.into_iter().map(|(_, attachment)| attachment).collect())
}

type Found = Option<Vec<(u64, Attachment)>>;

fn find_media(reader: &Reader, viewer: Did, ids: &[u64], old: &[Attachment]) -> Result<Found, StoreError> {
    let mut found = Vec::new();
    for id in ids {
        let kept = old.iter().find(|attachment| attachment_id(&attachment.blob) == *id).cloned();
        let attachment = match kept {
            Some(attachment) => Some(attachment),
            None => {
                let upload = reader.media(MediaId(*id))?.filter(|upload| upload.owner == viewer);
                upload.map(|upload| upload.attachment)
            }
        };
        let Some(attachment) = attachment else { return Ok(None) };
        found.push((*id, attachment));
    }
    Ok(Some(found))
}

/// Sets the description and the focus that the parameters name.
pub fn describe(attachment: &mut Attachment, params: &Params) -> Result<(), ApiError> {
    if let Some(description) = params.raw_text("description") {
        let description = clean(description.trim());
        if description.chars().count() > xom_protocol::limits::ALT_CHARS_MAX {
            let bound =
                format!("Description is too long (maximum is {} characters)", xom_protocol::limits::ALT_CHARS_MAX);
            return Err(ApiError::invalid(bound));
        }
        attachment.alt = description;
    }
    if let Some(focus) = params.text("focus") {
        attachment.focus =
            Some(read_focus(&focus).ok_or_else(|| ApiError::invalid("Focus is not two numbers from -1 to 1"))?);
    }
    Ok(())
}

fn read_focus(text: &str) -> Option<Focus> {
    let (x, y) = text.split_once(',')?;
    let thousandths = |number: &str| {
        let number: f64 = number.trim().parse().ok()?;
        // In range, so the cast loses nothing but the fraction.
        (-1.0..=1.0).contains(&number).then(|| (number * 1_000.0).round() as i64)
    };
    Some(Focus { x: thousandths(x)?, y: thousandths(y)? })
}

/// The mentions among `names` that lead to an account known here. In an answer a bare name that nobody here has is
/// that of whoever is answered, or is mentioned there. A name that an earlier version `said` stays who it was.
async fn resolve(
    node: &Handle,
    names: Vec<String>,
    said: Vec<Mention>,
    parent: Option<StatusId>,
) -> Result<Vec<Mention>, ApiError> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let mentions = node.read(move |reader| {
        let parent = parent.map_or(Ok(None), |parent| reader.status(None, parent))?;
        let around = parent.as_ref().map(accounts_around).unwrap_or_default();
        let mut mentions = Vec::new();
        for name in names {
            if let Some(said) = said.iter().find(|said| said.name == name) {
                mentions.push(said.clone());
                continue;
            }
            let exact = reader.resolve_account(&name)?.map(|account| account.did);
            let near = || around.iter().find(|account| account.username == name).map(|account| account.did);
            mentions.extend(exact.or_else(near).map(|did| Mention { did, name }));
        }
        Ok(mentions)
    });
    Ok(mentions.await?)
}

/// The author of a status, then those whom it mentions.
fn accounts_around(status: &Status) -> Vec<Arc<Account>> {
    match &status.content {
        StatusContent::Post(view) => std::iter::once(&status.account).chain(&view.mentions).cloned().collect(),
        StatusContent::Repost(reposted) => accounts_around(reposted),
    }
}

/// Milliseconds since 1970 by this machine's clock.
pub fn now_ms() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn marks_are_found_once_each() {
        let marks = Marks::find("#Xóm #xóm @lan @lan HTTPS://a.example https://a.example");
        assert_eq!(marks.tags, ["Xóm"]);
        assert_eq!(marks.mentions, ["lan"]);
        assert_eq!(marks.links, ["https://a.example"]);
    }

    #[test]
    fn private_posts_are_refused_in_clear_words() {
        for wanted in ["private", "direct", "limited"] {
            assert_eq!(visibility(&Params::of(json!({"visibility": wanted})), None).unwrap_err().kind().status(), 422);
        }
        assert_eq!(visibility(&Params::of(json!({})), None).unwrap(), None);
    }

    #[test]
    fn a_poll_needs_options_that_differ_and_an_end() {
        let poll = read_poll(&Params::of(json!({"options": ["a", "b"], "expires_in": "300"})), 1_000).unwrap();
        assert_eq!((poll.options.len(), poll.ends), (2, 301_000));
        for bad in [
            json!({"options": ["a"], "expires_in": 300}),
            json!({"options": ["a", "a"], "expires_in": 300}),
            json!({"options": ["a", " "], "expires_in": 300}),
            json!({"options": ["a", "b"]}),
            json!({"options": ["a", "b"], "expires_in": 1}),
            json!({"options": ["a", "b"], "expires_in": "99999999999999999999"}),
            json!({"options": ["a", "x".repeat(201)], "expires_in": 300}),
        ] {
            assert!(read_poll(&Params::of(bad.clone()), 0).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_focus_is_two_numbers_in_range() {
        assert_eq!(read_focus("-0.5, 1"), Some(Focus { x: -500, y: 1_000 }));
        for bad in ["", "1", "2,0", "nan,0", "0,inf", "a,b"] {
            assert_eq!(read_focus(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_post_needs_a_text_a_medium_or_a_poll() {
        assert!(check_lengths("", "", 0, false).is_err());
        assert!(check_lengths("", "", 1, false).is_ok());
        assert!(check_lengths("", "", 0, true).is_ok());
        assert!(check_lengths(&"ế".repeat(POST_CHARS_MAX), "", 0, false).is_ok());
        assert!(check_lengths(&"ế".repeat(POST_CHARS_MAX + 1), "", 0, false).is_err());
    }
}
