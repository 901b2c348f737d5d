//! Erasure: who may take back what, and when its bytes go (`LOG-12`).

use crate::body::Erase;
use crate::entry::Kind;
use crate::ids::Did;
use crate::limits::ERASE_DELAY_MS;
use crate::rule::Rule;

/// An erase that has no effect; the entry itself stands (`LOG-12`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EraseError {
    /// The target is another identity's.
    #[error("only the same identity can take an entry back")]
    NotYours,
    /// The target is part of the log's structure.
    #[error("erasures, checkpoints and openings of logs cannot be taken back")]
    Structural,
}

impl EraseError {
    /// The rule that is broken.
    pub fn rule(&self) -> Rule {
        Rule("LOG-12")
    }
}

/// Checks whether an erase by `author` has an effect (`LOG-12`). `target_kind` is that of the target's
/// header, where it is held; an erase may come before its target.
pub fn check_erase(author: &Did, erase: &Erase, target_kind: Option<&Kind>) -> Result<(), EraseError> {
    if erase.target.author != *author {
        return Err(EraseError::NotYours);
    }
    if target_kind.is_some_and(|kind| !is_erasable(kind)) {
        return Err(EraseError::Structural);
    }
    Ok(())
}

/// True for kinds whose entries can be taken back (`LOG-12`).
pub fn is_erasable(kind: &Kind) -> bool {
    !matches!(kind, Kind::Erase | Kind::Checkpoint | Kind::LogOpen)
}

/// When the holder drops the bytes, by its own clock: at once if a control key ordered it, otherwise
/// seven days after it first saw the erase (`LOG-12`).
pub fn purge_at_ms(first_seen_ms: u64, ordered: bool) -> u64 {
    if ordered { first_seen_ms } else { first_seen_ms.saturating_add(ERASE_DELAY_MS) }
}
