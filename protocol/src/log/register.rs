//! Registers: what can be overwritten, and which value stands, without a clock (`LOG-10`).

use crate::body::Body;
use crate::ids::{Did, Digest, EntryId};
use crate::limits::REV_MAX;

/// What every register digest begins with.
const DIGEST_PREFIX: &[u8] = b"xom/1/register\0";

/// Which of its author's registers an entry writes (`LOG-10`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegisterKey {
    /// The kind; `follow` and `unfollow` share `follow`.
    pub kind: &'static str,
    /// What it is about.
    pub subject: Subject,
}

/// What a register is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A field of the profile.
    Field(&'static str),
    /// An entry.
    Entry(EntryId),
    /// An identity.
    Identity(Did),
    /// A record of an app: the hash of its kind and key.
    Record(Digest),
}

impl Subject {
    /// The bytes that are hashed: the field's name, or the 32 bytes of the id or hash.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Field(name) => name.as_bytes(),
            Self::Entry(entry) => entry.as_bytes(),
            Self::Identity(did) => did.as_bytes(),
            Self::Record(digest) => &digest.0,
        }
    }
}

impl RegisterKey {
    /// The register of an app's record: its subject is the SHA-256 of kind, a zero byte and key.
    pub fn record(kind: &str, key: &str) -> Self {
        let subject = Subject::Record(Digest::of(&[kind.as_bytes(), &[0], key.as_bytes()]));
        Self { kind: "record", subject }
    }

    /// The register's key in the Merkle map of a checkpoint, and in tables (`LOG-10`): the SHA-256 of
    /// prefix, author, kind, a zero byte and subject.
    pub fn digest(&self, author: &Did) -> Digest {
        Digest::of(&[DIGEST_PREFIX, &author.0, self.kind.as_bytes(), &[0], self.subject.as_bytes()])
    }
}

/// What decides between the live values of one register: the greatest stands (`LOG-10`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rank {
    /// The revision.
    pub rev: u64,
    /// The entry, which decides between equal revisions.
    pub entry: EntryId,
}

/// The registers that a body writes: one, none, or for a profile one for each field.
pub fn register_keys(body: &Body) -> Vec<RegisterKey> {
    let one = |kind, subject| vec![RegisterKey { kind, subject }];
    match body {
        Body::Profile(body) => {
            let key = |name| RegisterKey { kind: "profile", subject: Subject::Field(name) };
            body.set_fields().into_iter().map(key).collect()
        }
        Body::Vote(body) => one("vote", Subject::Entry(body.poll.entry)),
        Body::PollClose(body) => one("poll-close", Subject::Entry(body.poll.entry)),
        Body::Reaction(body) => one("reaction", Subject::Entry(body.target.entry)),
        Body::Repost(body) => one("repost", Subject::Entry(body.target.entry)),
        Body::Follow(body) => one("follow", Subject::Identity(body.subject)),
        Body::Unfollow(body) => one("follow", Subject::Identity(body.subject)),
        Body::Block(body) => one("block", Subject::Identity(body.subject)),
        Body::Edit(body) => one("edit", Subject::Entry(body.target.entry)),
        Body::Record(body) => vec![RegisterKey::record(&body.kind, &body.key)],
        Body::Post(_) | Body::Erase(_) | Body::Checkpoint(_) | Body::LogOpen(_) => Vec::new(),
        Body::Admit(_) | Body::Algorithm(_) => Vec::new(),
    }
}

/// The revision that a body carries, if it writes a register.
pub fn rev(body: &Body) -> Option<u64> {
    match body {
        Body::Profile(body) => Some(body.rev),
        Body::Vote(body) => Some(body.rev),
        Body::PollClose(body) => Some(body.rev),
        Body::Reaction(body) => Some(body.rev),
        Body::Repost(body) => Some(body.rev),
        Body::Follow(body) => Some(body.rev),
        Body::Unfollow(body) => Some(body.rev),
        Body::Block(body) => Some(body.rev),
        Body::Edit(body) => Some(body.rev),
        Body::Record(body) => Some(body.rev),
        Body::Post(_) | Body::Erase(_) | Body::Checkpoint(_) | Body::LogOpen(_) => None,
        Body::Admit(_) | Body::Algorithm(_) => None,
    }
}

/// The revision to write, given the highest one ever seen for the register (`LOG-10`).
///
/// At the highest possible revision it stays there, and entry ids decide.
pub fn next_rev(highest_seen: Option<u64>) -> u64 {
    highest_seen.map_or(1, |rev| rev.saturating_add(1).min(REV_MAX))
}
