//! The history of an identity, as this node saw it come.

use xom_protocol::Did;
use xom_protocol::identity::{HistoryItem, IdentityRecord, SignedObject};

use super::{Read, Reader};
use crate::error::StoreError;
use crate::store::tables;

/// What is known of an identity: all its objects, and when each was first seen here.
#[derive(Debug, Clone)]
pub struct IdentityHistory {
    /// All that is known of it.
    pub record: IdentityRecord,
    /// What counts of it, in order, with the time at which it was first seen here, milliseconds since 1970.
    pub items: Vec<(HistoryItem, Option<u64>)>,
}

impl Reader {
    /// The history of an identity; none if it is not known. Nothing in an identity has a clock: the times are
    /// those of this node.
    pub fn identity_history(&self, did: &Did) -> Read<Option<IdentityHistory>> {
        let Some(number) = self.snapshot.identity_number(did)? else { return Ok(None) };
        let damaged = |e: &dyn std::fmt::Display| StoreError::Damaged(format!("identity {did}: {e}"));
        let objects = self.snapshot.identity_objects(did)?;
        let objects: Result<Vec<_>, _> = objects.iter().map(|bytes| SignedObject::decode(bytes)).collect();
        let objects = objects.map_err(|e| damaged(&e))?;
        let Some(first) = objects.first() else { return Ok(None) };
        let genesis = first.id();
        let record = IdentityRecord::from_objects(self.snapshot.network(), objects).map_err(|e| damaged(&e))?;
        let seen = self.table(tables::IDENTITY_SEEN)?;
        let mut items = Vec::new();
        for item in record.history() {
            let ms = seen.get((number, &item.id.0))?.map(|ms| ms.value());
            let ms = match ms {
                None if item.id == genesis => self.snapshot.identity(number)?.map(|row| row.first_seen_ms),
                ms => ms,
            };
            items.push((item, ms));
        }
        Ok(Some(IdentityHistory { record, items }))
    }
}
