//! Bodies: what an entry says. Maps, so that they can grow; keys that this version does not know
//! are kept in the bytes and passed on.

mod admit;
mod erase;
mod log_state;
mod poll;
mod post;
mod profile;
mod record;
mod relation;
mod rule_document;

pub use admit::Admit;
pub use erase::{Erase, PurgeOrder};
pub use log_state::{Checkpoint, LogHead, LogOpen};
pub use poll::{PollClose, Vote};
pub use post::{Attachment, Edit, Focus, Mention, Poll, Post, Visibility};
pub use profile::{Profile, ProfileField, is_username};
pub use record::Record;
pub use relation::{Block, Follow, Reaction, Repost, Unfollow};
pub use rule_document::RuleDocument;

use serde::{Deserialize, Deserializer, Serialize};

use crate::encoding::{self, EncodingError};
use crate::entry::{Kind, Reference};
use crate::limits::{BODY_BYTES_MAX, REV_MAX, SEQ_MAX};
use crate::rule::Rule;

/// A body of a kind that this version knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    /// Fields of the profile.
    Profile(Profile),
    /// A post or reply.
    Post(Post),
    /// A vote in a poll.
    Vote(Vote),
    /// The result of a poll.
    PollClose(PollClose),
    /// A reaction.
    Reaction(Reaction),
    /// A repost.
    Repost(Repost),
    /// A follow.
    Follow(Follow),
    /// The end of a follow.
    Unfollow(Unfollow),
    /// A block.
    Block(Block),
    /// A new text for a post.
    Edit(Edit),
    /// Something is taken back.
    Erase(Erase),
    /// The state of the logs.
    Checkpoint(Checkpoint),
    /// A further log is opened.
    LogOpen(LogOpen),
    /// Others' replies are let into a thread.
    Admit(Admit),
    /// An algorithm is announced.
    Algorithm(RuleDocument),
    /// What an app keeps.
    Record(Record),
}

/// A body that is kept and served but enters no view (`BODY-0`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpaqueReason {
    /// Of some other app, or newer than this node.
    #[error("kind {0} is not known to this version")]
    UnknownKind(Kind),
    /// Not canonical DAG-CBOR of the kind's shape.
    #[error("body: {0}")]
    Encoding(#[from] EncodingError),
    /// A member outside its bounds.
    #[error("{what} breaks {rule}")]
    OutOfBounds {
        /// Which member.
        what: &'static str,
        /// The rule.
        rule: Rule,
    },
}

impl OpaqueReason {
    pub(crate) fn bounds(rule: &'static str, what: &'static str) -> Self {
        Self::OutOfBounds { what, rule: Rule(rule) }
    }

    /// The rule that makes the body opaque.
    pub fn rule(&self) -> Rule {
        match self {
            Self::UnknownKind(_) => Rule("BODY-0"),
            Self::Encoding(e) => e.rule(),
            Self::OutOfBounds { rule, .. } => *rule,
        }
    }
}

impl Body {
    /// Reads a body of `kind`. An error means that the entry is opaque, not that it is invalid.
    pub fn decode(kind: &Kind, bytes: &[u8]) -> Result<Self, OpaqueReason> {
        let body = match kind {
            Kind::Profile => Self::Profile(read(bytes)?),
            Kind::Post => Self::Post(read(bytes)?),
            Kind::Vote => Self::Vote(read(bytes)?),
            Kind::PollClose => Self::PollClose(read(bytes)?),
            Kind::Reaction => Self::Reaction(read(bytes)?),
            Kind::Repost => Self::Repost(read(bytes)?),
            Kind::Follow => Self::Follow(read(bytes)?),
            Kind::Unfollow => Self::Unfollow(read(bytes)?),
            Kind::Block => Self::Block(read(bytes)?),
            Kind::Edit => Self::Edit(read(bytes)?),
            Kind::Erase => Self::Erase(read(bytes)?),
            Kind::Checkpoint => Self::Checkpoint(read(bytes)?),
            Kind::LogOpen => Self::LogOpen(read(bytes)?),
            Kind::Admit => Self::Admit(read(bytes)?),
            Kind::Algorithm => Self::Algorithm(read(bytes)?),
            Kind::Record => Self::Record(read(bytes)?),
            Kind::Other(_) => return Err(OpaqueReason::UnknownKind(kind.clone())),
        };
        body.check()?;
        Ok(body)
    }

    /// The canonical bytes. Check with [`Body::check`] first: an encoded body is not re-checked.
    pub fn encode(&self) -> Vec<u8> {
        match self {
            Self::Profile(body) => write(body),
            Self::Post(body) => write(body),
            Self::Vote(body) => write(body),
            Self::PollClose(body) => write(body),
            Self::Reaction(body) => write(body),
            Self::Repost(body) => write(body),
            Self::Follow(body) => write(body),
            Self::Unfollow(body) => write(body),
            Self::Block(body) => write(body),
            Self::Edit(body) => write(body),
            Self::Erase(body) => write(body),
            Self::Checkpoint(body) => write(body),
            Self::LogOpen(body) => write(body),
            Self::Admit(body) => write(body),
            Self::Algorithm(body) => write(body),
            Self::Record(body) => write(body),
        }
    }

    /// The kind that goes into the header.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Profile(_) => Kind::Profile,
            Self::Post(_) => Kind::Post,
            Self::Vote(_) => Kind::Vote,
            Self::PollClose(_) => Kind::PollClose,
            Self::Reaction(_) => Kind::Reaction,
            Self::Repost(_) => Kind::Repost,
            Self::Follow(_) => Kind::Follow,
            Self::Unfollow(_) => Kind::Unfollow,
            Self::Block(_) => Kind::Block,
            Self::Edit(_) => Kind::Edit,
            Self::Erase(_) => Kind::Erase,
            Self::Checkpoint(_) => Kind::Checkpoint,
            Self::LogOpen(_) => Kind::LogOpen,
            Self::Admit(_) => Kind::Admit,
            Self::Algorithm(_) => Kind::Algorithm,
            Self::Record(_) => Kind::Record,
        }
    }

    /// Checks every bound of the kind; what the composer of an entry calls before signing.
    pub fn check(&self) -> Result<(), OpaqueReason> {
        match self {
            Self::Profile(body) => body.check(),
            Self::Post(body) => body.check(),
            Self::Vote(body) => body.check(),
            Self::PollClose(body) => body.check(),
            Self::Reaction(body) => body.check(),
            Self::Edit(body) => body.check(),
            Self::Repost(body) => body.check(),
            Self::Follow(body) => check_rev(body.rev),
            Self::Unfollow(body) => check_rev(body.rev),
            Self::Block(body) => check_rev(body.rev),
            Self::Erase(body) => body.check(),
            Self::Checkpoint(body) => body.check(),
            Self::LogOpen(body) => body.check(),
            Self::Admit(body) => body.check(),
            Self::Algorithm(body) => body.check(),
            Self::Record(body) => body.check(),
        }
    }
}

fn read<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<T, EncodingError> {
    encoding::decode(bytes, BODY_BYTES_MAX)
}

fn write<T: Serialize>(body: &T) -> Vec<u8> {
    encoding::encode(body)
}

/// Fails where a register's revision is above the highest (`LOG-10`).
fn check_rev(rev: u64) -> Result<(), OpaqueReason> {
    ensure(rev <= REV_MAX, "LOG-10", "revision")
}

/// Fails where a reference names a place that no log has (`LOG-11`).
fn check_reference(reference: &Reference) -> Result<(), OpaqueReason> {
    ensure(reference.seq <= SEQ_MAX, "LOG-11", "place of a reference")
}

/// Fails where `text` has more than `max` characters, or a control character other than line feed and tab.
fn check_text(text: &str, max: usize, rule: &'static str, what: &'static str) -> Result<(), OpaqueReason> {
    let allowed = |c: char| !c.is_ascii_control() || c == '\n' || c == '\t';
    ensure(text.chars().all(allowed), rule, what)?;
    check_chars(text, max, rule, what)
}

/// Fails where a line of text has more than `max` characters, or any control character.
fn check_line(text: &str, max: usize, rule: &'static str, what: &'static str) -> Result<(), OpaqueReason> {
    ensure(!text.contains(|c: char| c.is_ascii_control()), rule, what)?;
    check_chars(text, max, rule, what)
}

/// Fails where `text` has more than `max` characters.
fn check_chars(text: &str, max: usize, rule: &'static str, what: &'static str) -> Result<(), OpaqueReason> {
    // A character is at least one byte, so short texts need no counting.
    let fits = text.len() <= max || text.chars().count() <= max;
    if fits { Ok(()) } else { Err(OpaqueReason::bounds(rule, what)) }
}

/// Fails where `holds` is false.
fn ensure(holds: bool, rule: &'static str, what: &'static str) -> Result<(), OpaqueReason> {
    if holds { Ok(()) } else { Err(OpaqueReason::bounds(rule, what)) }
}

/// Reads a member that may be absent: where it is there, it is not null (`ENC-8`, `BODY-0`).
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// True for a list that is left out of the wire form.
fn is_empty<T>(list: &[T]) -> bool {
    list.is_empty()
}

/// True for a flag that is left out of the wire form.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}
