//! An entry with what proves it.

use xom_protocol::EntryId;
use xom_protocol::entry::{Header, SaltedBody};
use xom_protocol::identity::SignedObject;
use xom_protocol::keys::Signature;
use xom_protocol::limits::SIGNATURE_INTERVAL;

use super::Snapshot;
use super::tables::flags;
use crate::error::StoreError;
use crate::model::{EntryProof, StatusId};

impl Snapshot {
    /// An entry that is held, with the chain up to a signature and its author's identity. The body of one that was
    /// erased or is void is not told.
    pub(crate) fn entry_proof(&self, id: &EntryId) -> Result<Option<EntryProof>, StoreError> {
        let Some(place) = self.place_of_entry(id)? else { return Ok(None) };
        let Some(held) = self.held(place)? else { return Ok(None) };
        let row = held.row();
        if row.is(flags::LOOSE) {
            return Ok(None);
        }
        let body = if row.is_live() { self.whole_body(place, &row)? } else { None };
        let (mut chain, mut signature) = (vec![row.header.to_vec()], row.signature.copied().map(Signature));
        for above in 1..=SIGNATURE_INTERVAL {
            if signature.is_some() {
                break;
            }
            let next = self.with_entry((place.0, place.1 + above), |row| {
                let is_chained = !row.is(flags::LOOSE);
                is_chained.then(|| (row.header.to_vec(), row.signature.copied().map(Signature)))
            })?;
            let Some((header, signed)) = next.flatten() else { break };
            // Above a cut another branch may go on.
            let prev = Header::decode(&header).ok().and_then(|header| header.prev);
            if prev != chain.last().map(|below| Header::hash(below)) {
                break;
            }
            chain.push(header);
            signature = signed;
        }
        let objects = self.identity_objects(&held.header.author)?;
        let decoded: Result<Vec<SignedObject>, _> = objects.iter().map(|bytes| SignedObject::decode(bytes)).collect();
        Ok(Some(EntryProof {
            id: *id,
            chain,
            signature,
            body: body.map(|(salt, bytes)| SaltedBody { salt, bytes }),
            is_live: row.is_live(),
            stored_ms: row.ms,
            status: (row.local_id != 0).then_some(StatusId(row.local_id)),
            identity: decoded.map_err(|error| StoreError::Damaged(error.to_string()))?,
            header: held.header.clone(),
        }))
    }
}
