//! What a local identity can do: each command becomes one signed entry.

use sha2::{Digest, Sha256};
use xom_protocol::Did;
use xom_protocol::body::{Post, Profile};

use crate::keys::ControlKey;
use crate::model::StatusId;

/// Something that a local identity wants to say. The node fills in what only it can know:
/// references, revisions, roots of threads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Publishes a post, or takes over an imported one (`published` is set); a second import of the
    /// same `imported_from` adds nothing and answers with the first.
    Post {
        /// The post; `reply`, `root` and `quote` are filled in by the node.
        post: Box<Post>,
        /// What it answers.
        reply_to: Option<StatusId>,
        /// What it quotes.
        quote_of: Option<StatusId>,
    },
    /// Publishes a new version of an own post.
    Edit {
        /// Which.
        status: StatusId,
        /// The whole new post.
        post: Box<Post>,
    },
    /// Takes an own status back.
    Erase {
        /// Which.
        status: StatusId,
        /// Purge the bytes at once, by an order that this key signs; [`crate::Handle::control_key`] opens it.
        now: Option<ControlKey>,
    },
    /// Takes back an own entry of any kind that can be erased; nothing, if it is erased already.
    EraseEntry {
        /// Which.
        entry: xom_protocol::EntryId,
        /// The control key, to purge the bytes at once by its order.
        now: Option<ControlKey>,
    },
    /// Reacts with [`xom_protocol::body::Reaction::FAVOURITE`].
    Favourite(StatusId),
    /// Takes the reaction back.
    Unfavourite(StatusId),
    /// Passes a post on.
    Repost(StatusId),
    /// Takes the repost back.
    Unrepost(StatusId),
    /// Votes in the poll of a post.
    Vote {
        /// The post.
        status: StatusId,
        /// Indexes of the options.
        choices: Vec<u64>,
    },
    /// Follows somebody.
    Follow(Did),
    /// Ends a follow.
    Unfollow(Did),
    /// Blocks somebody.
    Block(Did),
    /// Ends a block.
    Unblock(Did),
    /// Changes profile fields; `rev` is filled in by the node.
    Profile(Box<Profile>),
    /// Puts a record of an app in place of what is there (`BODY-6`).
    PutRecord {
        /// The app's kind.
        kind: String,
        /// Names it among the records of this kind.
        key: String,
        /// A JSON text.
        value: String,
    },
    /// Takes a record back, with all values that were written apart; nothing, if there is none.
    DeleteRecord {
        /// The app's kind.
        kind: String,
        /// Names it among the records of this kind.
        key: String,
    },
    /// Stores an entry of an app's own kind.
    App {
        /// The kind's name.
        kind: String,
        /// The body's bytes.
        body: Vec<u8>,
    },
}

/// What a client sends along so that the same wish, sent again, is carried out once. Only its digest is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyKey(pub(crate) [u8; 32]);

impl IdempotencyKey {
    /// The key `text` of one client: `scope` tells clients apart, and each has keys of its own for each identity.
    pub fn new(scope: &[u8], identity: Did, text: &str) -> Self {
        let mut hasher = Sha256::new();
        for part in [b"xom idempotency key v1".as_slice(), scope, &identity.0, text.as_bytes()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Self(hasher.finalize().into())
    }
}

/// What a command did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Done {
    /// The entry that was written; none if nothing had to change (following twice, …).
    pub entry: Option<xom_protocol::EntryId>,
    /// The status that it made or was about.
    pub status: Option<StatusId>,
    /// The import was known already, or the idempotency key was.
    pub known: bool,
}
