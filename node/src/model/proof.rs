//! A stored entry as whoever wants to check it by himself takes it.

use xom_protocol::EntryId;
use xom_protocol::entry::{Header, SaltedBody};
use xom_protocol::identity::SignedObject;
use xom_protocol::keys::Signature;

use super::StatusId;

/// An entry with what proves it: the chain from its header up to one that is signed (`LOG-9`).
#[derive(Debug, Clone)]
pub struct EntryProof {
    /// Its id.
    pub id: EntryId,
    /// Its header.
    pub header: Header,
    /// Its header as it came, then those above it up to the first whose signature is held; each holds the hash of the
    /// one before.
    pub chain: Vec<Vec<u8>>,
    /// The signature over the last of the chain; none where no signature above is held.
    pub signature: Option<Signature>,
    /// Salt and body, where they are held and the entry is live.
    pub body: Option<SaltedBody>,
    /// It is neither erased nor void.
    pub is_live: bool,
    /// When it was stored here, milliseconds since 1970.
    pub stored_ms: u64,
    /// The status that it is, if it is one.
    pub status: Option<StatusId>,
    /// The objects of the author's identity, in order: they admit the device whose key signs.
    pub identity: Vec<SignedObject>,
}
