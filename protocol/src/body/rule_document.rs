//! Announcing an algorithm: the entry carries the document (`ALG-10`).

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::{OpaqueReason, ensure};
use crate::ids::AlgorithmId;
use crate::limits::ALGORITHM_BYTES_MAX;

/// Announces the algorithm whose document it carries (`ALG-10`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleDocument {
    /// The bytes of the document, which may be no algorithm: then nothing is announced.
    pub document: ByteBuf,
}

impl RuleDocument {
    /// The id of the document.
    pub fn id(&self) -> AlgorithmId {
        AlgorithmId::of(&self.document)
    }

    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        ensure((1..=ALGORITHM_BYTES_MAX).contains(&self.document.len()), "ALG-10", "size of a rule document")
    }
}
