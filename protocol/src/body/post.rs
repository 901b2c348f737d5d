//! Posts and their edits.

use serde::{Deserialize, Serialize};

use super::{OpaqueReason, check_line, check_reference, check_rev, check_text, ensure, given, is_empty, is_false};
use crate::entry::Reference;
use crate::ids::{BlobId, Did};
use crate::limits::{
    ALT_CHARS_MAX, ATTACHMENTS_MAX, BLOB_BYTES_MAX, LABEL_BYTES_MAX, LANGUAGES_MAX, MENTIONS_MAX, PIXELS_MAX,
    POLL_OPTION_CHARS_MAX, POLL_OPTIONS_MAX, POST_CHARS_MAX, TAG_CHARS_MAX, TIME_MS_MAX, URL_BYTES_MAX,
    WARNING_CHARS_MAX,
};

/// A post or reply (`BODY-2`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Post {
    /// Plain text, at most 5,000 characters. Line breaks are `\n`.
    pub text: String,
    /// Language tags (BCP 47), the main one first.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub languages: Vec<String>,
    /// The content warning; absent or empty for none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub warning: String,
    /// The media are to be hidden at first, though there may be no warning.
    #[serde(default, skip_serializing_if = "is_false")]
    pub sensitive: bool,
    /// What this answers.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub reply: Option<Reference>,
    /// The first post of the thread, if this is a reply.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub root: Option<Reference>,
    /// What this quotes.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub quote: Option<Reference>,
    /// Who is mentioned.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub mentions: Vec<Mention>,
    /// Tags without `#`, as written.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub tags: Vec<String>,
    /// Web addresses that the text or the author names, `http` or `https`.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub links: Vec<String>,
    /// Media.
    #[serde(default, skip_serializing_if = "is_empty")]
    pub attachments: Vec<Attachment>,
    /// A poll.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub poll: Option<Poll>,
    /// Where it shows.
    #[serde(default, skip_serializing_if = "Visibility::is_public")]
    pub visibility: Visibility,
    /// An import's original time, milliseconds since 1970: shown in its old place, in nobody's home.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub published: Option<u64>,
    /// An import's original address.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub imported_from: Option<String>,
}

/// Where a post shows; every post of a public log can be read by anyone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Visibility {
    /// Everywhere.
    #[default]
    Public,
    /// Not in public and tag timelines.
    Unlisted,
}

impl Visibility {
    fn is_public(&self) -> bool {
        *self == Self::Public
    }
}

/// Somebody named in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// Who.
    pub did: Did,
    /// How the text calls them, without `@`.
    pub name: String,
}

/// A blob with what is needed to show it (`BODY-2`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The bytes' id.
    pub blob: BlobId,
    /// The media type, such as `image/jpeg`.
    pub media_type: String,
    /// Size in bytes.
    pub bytes: u64,
    /// The description for those who can't see or hear it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alt: String,
    /// Width in pixels.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub width: Option<u64>,
    /// Height in pixels.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub height: Option<u64>,
    /// Length in milliseconds.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub duration_ms: Option<u64>,
    /// A blurred preview as a `BlurHash`.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub blurhash: Option<String>,
    /// The point to keep in view when cropping.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub focus: Option<Focus>,
}

impl Attachment {
    /// A blob of which nothing more is told.
    pub fn new(blob: BlobId, media_type: &str, bytes: u64) -> Self {
        Self {
            blob,
            media_type: media_type.to_owned(),
            bytes,
            alt: String::new(),
            width: None,
            height: None,
            duration_ms: None,
            blurhash: None,
            focus: None,
        }
    }
}

/// A focal point in thousandths from the centre, -1000 to 1000; x to the right, y up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Focus {
    /// To the right.
    pub x: i64,
    /// Up.
    pub y: i64,
}

/// A poll in a post (`BODY-3`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Poll {
    /// The options, 2 to 20.
    pub options: Vec<String>,
    /// More than one may be chosen.
    #[serde(default, skip_serializing_if = "is_false")]
    pub multiple: bool,
    /// Counts are hidden until the end.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hide_totals: bool,
    /// When it ends, milliseconds since 1970.
    pub ends: u64,
}

/// A new version of a post; the register (author, edit, target) (`BODY-4`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// The post; of the same identity.
    pub target: Reference,
    /// Greater than that of any earlier edit of it.
    pub rev: u64,
    /// The whole new post. Its reply, root, quote, poll, published and imported_from are ignored: they can't change.
    pub post: Post,
}

impl Post {
    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        check_text(&self.text, POST_CHARS_MAX, "BODY-2", "text")?;
        check_text(&self.warning, WARNING_CHARS_MAX, "BODY-2", "content warning")?;
        ensure(self.languages.len() <= LANGUAGES_MAX, "BODY-2", "number of languages")?;
        ensure(self.languages.iter().all(|tag| is_label(tag)), "BODY-2", "language")?;
        ensure(self.mentions.len() <= MENTIONS_MAX, "BODY-2", "number of mentions")?;
        ensure(self.tags.len() <= MENTIONS_MAX, "BODY-2", "number of tags")?;
        ensure(self.links.len() <= MENTIONS_MAX, "BODY-2", "number of links")?;
        ensure(self.attachments.len() <= ATTACHMENTS_MAX, "BODY-2", "number of attachments")?;
        ensure(self.published.is_none_or(|ms| ms <= TIME_MS_MAX), "BODY-2", "original time")?;
        [&self.reply, &self.root, &self.quote].into_iter().flatten().try_for_each(check_reference)?;
        for mention in &self.mentions {
            check_line(&mention.name, TAG_CHARS_MAX, "BODY-2", "mention")?;
        }
        for tag in &self.tags {
            ensure(!tag.is_empty() && !tag.contains(char::is_whitespace), "BODY-2", "tag")?;
            check_line(tag, TAG_CHARS_MAX, "BODY-2", "tag")?;
        }
        for link in self.links.iter().chain(&self.imported_from) {
            let scheme = link.starts_with("https://") || link.starts_with("http://");
            let printable = !link.contains(|c: char| c.is_ascii_control() || c.is_whitespace());
            ensure(scheme && printable && link.len() <= URL_BYTES_MAX, "BODY-2", "link")?;
        }
        self.attachments.iter().try_for_each(Attachment::check)?;
        self.poll.as_ref().map_or(Ok(()), Poll::check)
    }
}

impl Edit {
    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        check_rev(self.rev)?;
        check_reference(&self.target)?;
        self.post.check()
    }
}

impl Attachment {
    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        ensure(is_label(&self.media_type), "BODY-2", "media type")?;
        ensure(self.bytes <= BLOB_BYTES_MAX, "BODY-2", "attachment size")?;
        check_text(&self.alt, ALT_CHARS_MAX, "BODY-2", "description")?;
        let pixels = self.width.iter().chain(&self.height).all(|side| *side <= PIXELS_MAX);
        ensure(pixels, "BODY-2", "width or height")?;
        ensure(self.duration_ms.is_none_or(|ms| ms <= TIME_MS_MAX), "BODY-2", "duration")?;
        ensure(self.blurhash.as_ref().is_none_or(|hash| is_label(hash)), "BODY-2", "blurhash")?;
        let in_range = |focus: Focus| focus.x.unsigned_abs() <= 1000 && focus.y.unsigned_abs() <= 1000;
        ensure(self.focus.is_none_or(in_range), "BODY-2", "focus")
    }
}

impl Poll {
    fn check(&self) -> Result<(), OpaqueReason> {
        ensure((2..=POLL_OPTIONS_MAX).contains(&self.options.len()), "BODY-3", "number of options")?;
        ensure(self.ends <= TIME_MS_MAX, "BODY-3", "end of poll")?;
        self.options.iter().try_for_each(|option| {
            ensure(!option.is_empty(), "BODY-3", "option")?;
            check_line(option, POLL_OPTION_CHARS_MAX, "BODY-3", "option")
        })
    }
}

/// Short printable ASCII: language tags, media types, blurhashes.
fn is_label(text: &str) -> bool {
    !text.is_empty() && text.len() <= LABEL_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic())
}
