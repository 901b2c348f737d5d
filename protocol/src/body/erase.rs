//! Erasure: hides at once; the bytes go seven days later, or at once by order of a control key.

use serde::{Deserialize, Serialize};

use super::{OpaqueReason, check_reference, ensure, given};
use crate::entry::Reference;
use crate::ids::{Did, EntryId};
use crate::keys::Signature;
use crate::limits::CONTROL_KEYS_MAX;

/// Takes an entry of the same identity back (`LOG-12`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erase {
    /// What is taken back.
    pub target: Reference,
    /// Control keys' order to purge the bytes at once.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub purge: Option<PurgeOrder>,
}

/// Signatures of the current control keys over [`PurgeOrder::message`], enough for their threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurgeOrder {
    /// Pairs of the key's index among the control keys and its signature, by ascending index.
    pub signatures: Vec<(u64, Signature)>,
}

impl Erase {
    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        check_reference(&self.target)?;
        let signatures = self.purge.as_ref().map_or(&[][..], |order| &order.signatures);
        ensure(signatures.len() <= CONTROL_KEYS_MAX, "LOG-12", "number of signatures")?;
        ensure(signatures.is_sorted_by(|a, b| a.0 < b.0), "LOG-12", "order of signatures")
    }
}

impl PurgeOrder {
    /// What a control key signs under [`crate::keys::Domain::Purge`]: the DID, then the entry's digest.
    pub fn message(author: &Did, target: &EntryId) -> Vec<u8> {
        [author.0, target.0].concat()
    }
}
