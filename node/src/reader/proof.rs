//! An entry with what proves it.

use xom_protocol::EntryId;

use super::{Read, Reader};
use crate::model::EntryProof;

impl Reader {
    /// An entry that is held, with the chain up to a signature and its author's identity. The body of one that was
    /// erased or is void is not told.
    pub fn entry_proof(&self, id: &EntryId) -> Read<Option<EntryProof>> {
        self.snapshot.entry_proof(id)
    }
}
