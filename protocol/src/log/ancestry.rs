//! Ancestry: headers below one whose hash is known, each proved by the one above it (`LOG-19`).
//!
//! No signature is needed: whoever named the hash at the top has named everything that it descends from.

use crate::entry::{Header, HeaderError};
use crate::ids::{Did, Digest, LogId};
use crate::limits::ANCESTORS_MAX;
use crate::rule::Rule;

/// Headers that are not the ancestry of the hash that was named.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AncestryError {
    /// None, or more than one answer holds (`SYN-23`).
    #[error("ancestry: 1 to {ANCESTORS_MAX} headers are needed")]
    Size,
    /// A header alone is wrong (`LOG-2` to `LOG-8`).
    #[error("ancestry: {0}")]
    Header(#[from] HeaderError),
    /// A header whose hash is not the one that was named, or that the header above it does not link to (`LOG-19`).
    #[error("ancestry: the header at {seq} is not the one that is named")]
    Hash {
        /// Where.
        seq: u64,
    },
    /// A header of another log, author or place than its hash was named for (`LOG-19`).
    #[error("ancestry: the header at {seq} is of another log or place")]
    Place {
        /// Where.
        seq: u64,
    },
}

impl AncestryError {
    /// The rule that the headers break.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Size => Rule("SYN-23"),
            Self::Header(e) => e.rule(),
            Self::Hash { .. } | Self::Place { .. } => Rule("LOG-19"),
        }
    }
}

/// Checks consecutive headers of a log, the last of which stands at `at` and has this hash. Gives their hashes,
/// in the same order.
pub fn verify_ancestry(
    author: Did,
    log: LogId,
    (at, hash): (u64, Digest),
    headers: &[Vec<u8>],
) -> Result<Vec<Digest>, AncestryError> {
    if headers.is_empty() || headers.len() > ANCESTORS_MAX {
        return Err(AncestryError::Size);
    }
    let mut hashes = Vec::with_capacity(headers.len());
    let (mut expected, mut seq) = (Some(hash), at);
    for bytes in headers.iter().rev() {
        let named = Header::hash(bytes);
        if expected != Some(named) {
            return Err(AncestryError::Hash { seq });
        }
        let header = Header::decode(bytes)?;
        if (header.author, header.log, header.seq) != (author, log, seq) {
            return Err(AncestryError::Place { seq });
        }
        hashes.push(named);
        // At the first entry of a log nothing is expected below, and no hash is `None`.
        (expected, seq) = (header.prev, seq.saturating_sub(1));
    }
    hashes.reverse();
    Ok(hashes)
}
