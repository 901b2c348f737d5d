//! What one identity does towards another, or towards an entry. Each is a register; undoing a
//! reaction, repost or block is erasing it (`BODY-5`).

use serde::{Deserialize, Serialize};

use super::{OpaqueReason, check_line, check_reference, check_rev, ensure};
use crate::entry::Reference;
use crate::ids::Did;
use crate::limits::REACTION_BYTES_MAX;

/// A reaction; the register (author, reaction, target).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// What it is to.
    pub target: Reference,
    /// Greater than that of any earlier reaction of this author there.
    pub rev: u64,
    /// One emoji; `❤` is Mastodon's favourite.
    pub emoji: String,
}

/// A repost; the register (author, repost, target).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Repost {
    /// What is passed on.
    pub target: Reference,
    /// Greater than that of any earlier repost of it by this author.
    pub rev: u64,
}

/// The author follows `subject`; the register (author, follow, subject).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Follow {
    /// Who is followed.
    pub subject: Did,
    /// Greater than that of any earlier follow or unfollow of them.
    pub rev: u64,
}

/// The author no longer follows `subject`; the same register as [`Follow`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unfollow {
    /// Who was followed.
    pub subject: Did,
    /// Greater than that of any earlier follow or unfollow of them.
    pub rev: u64,
}

/// The author blocks `subject`; the register (author, block, subject).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// Who is blocked.
    pub subject: Did,
    /// Greater than that of any earlier block of them.
    pub rev: u64,
}

impl Reaction {
    /// Mastodon's favourite.
    pub const FAVOURITE: &'static str = "❤";

    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        check_rev(self.rev)?;
        check_reference(&self.target)?;
        ensure(!self.emoji.is_empty() && self.emoji.len() <= REACTION_BYTES_MAX, "BODY-5", "reaction")?;
        check_line(&self.emoji, REACTION_BYTES_MAX, "BODY-5", "reaction")
    }
}

impl Repost {
    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        check_rev(self.rev)?;
        check_reference(&self.target)
    }
}
