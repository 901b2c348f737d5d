//! Entries: a signed header, and a body that the header commits to.
//!
//! Progress of checking is in the types: bytes, then [`SignedEntry`], then [`VerifiedEntry`].

mod header;
mod kind;
mod salted_body;
mod verify;

pub use header::{Header, HeaderError};
pub use kind::Kind;
pub use salted_body::{Salt, SaltedBody, commitment, size_class};
pub use verify::{EntryError, VerifiedEntry, verify_body, verify_signed};

use serde::{Deserialize, Serialize};

use crate::ids::{Did, EntryId, LogId};
use crate::keys::Signature;

/// An entry as it travels: nothing about it has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedEntry {
    /// The header's bytes as they came.
    pub header: Vec<u8>,
    /// The signature over the header's bytes; absent where the chain covers it (`LOG-9`).
    pub signature: Option<Signature>,
    /// The body with its salt; absent where it was erased, pruned or not asked for.
    pub body: Option<SaltedBody>,
}

/// Points to an entry so that it can be fetched (`LOG-11`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "ReferenceArray", into = "ReferenceArray")]
pub struct Reference {
    /// The entry.
    pub entry: EntryId,
    /// Its author.
    pub author: Did,
    /// The log that it stands in.
    pub log: LogId,
    /// Its place in the log.
    pub seq: u64,
}

/// A reference on the wire: an array, in this order.
#[derive(Serialize, Deserialize)]
struct ReferenceArray(EntryId, Did, LogId, u64);

impl From<ReferenceArray> for Reference {
    fn from(ReferenceArray(entry, author, log, seq): ReferenceArray) -> Self {
        Self { entry, author, log, seq }
    }
}

impl From<Reference> for ReferenceArray {
    fn from(reference: Reference) -> Self {
        Self(reference.entry, reference.author, reference.log, reference.seq)
    }
}
