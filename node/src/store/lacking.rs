//! Bodies that should be here and are not: of live entries that came without one, since they were hidden then
//! where they came from, and whose erase was undone (`LOG-12`). Peers are asked for them again (`SYN-21`).

use redb::{ReadableTable, TableDefinition};
use xom_protocol::entry::SaltedBody;
use xom_protocol::limits::BODIES_LACKED_MAX;
use xom_protocol::{Did, LogId};

use super::batch::{Batch, HeldEntry};
use super::snapshot::Snapshot;
use super::tables::{self, EntryRow, PlaceKey, flags};
use crate::error::StoreError;

impl Batch<'_> {
    /// Notes whether the body of an entry is lacked, as the entry stands now.
    pub(super) fn note_lacking(&mut self, place: PlaceKey, row: &EntryRow<'_>) -> Result<(), StoreError> {
        if is_lacking(row) {
            self.bodies_lacked.insert(place, ())?;
        } else {
            self.bodies_lacked.remove(place)?;
        }
        Ok(())
    }

    /// The same for an entry that was read.
    pub(super) fn note_lacking_of(&mut self, place: PlaceKey, held: &HeldEntry) -> Result<(), StoreError> {
        self.note_lacking(place, &held.row())
    }
}

impl Batch<'_> {
    /// Notes bodies that are damaged: peers are asked for them (R-STO-5). In the views, and to everybody who asks,
    /// their entries stay what they were.
    pub(super) fn lack_bodies(&mut self, places: &[PlaceKey]) -> Result<(), StoreError> {
        for place in places {
            self.bodies_lacked.insert(*place, ())?;
        }
        Ok(())
    }

    /// Takes the body of an entry whose own is damaged; true if that is so.
    pub(super) fn mend_body(
        &mut self,
        place: PlaceKey,
        held: &HeldEntry,
        body: &SaltedBody,
    ) -> Result<bool, StoreError> {
        let row = held.row();
        let is_noted = row.is(flags::BODY) && self.bodies_lacked.get(place)?.is_some();
        if !is_noted || !matches!(self.body_bytes(place, &row), Err(StoreError::Damaged(_))) {
            return Ok(false);
        }
        let bytes = self.bodies.get(place)?.map_or(0, |sealed| sealed.value().len() as u64);
        self.discharge(place.0, bytes);
        let slot = self.put_body(place, &body.salt, &body.bytes)?;
        self.put_row(place, &EntryRow { slot, ..row })?;
        self.drop_slot(row.slot)?;
        self.bodies_lacked.remove(place)?;
        self.shared.audits().forget(place.0);
        self.after.reload_own |= self.own.contains_key(&held.header.author);
        tracing::info!(entry = %held.id, "a damaged body was mended");
        Ok(true)
    }
}

impl Snapshot {
    /// The places of an identity's logs whose bodies are lacked: by log, ascending, of each log the first
    /// [`BODIES_LACKED_MAX`].
    pub(crate) fn bodies_lacked(&self, did: &Did) -> Result<Vec<(LogId, Vec<u64>)>, StoreError> {
        let table = self.table(tables::BODIES_LACKED)?;
        if table.first()?.is_none() {
            return Ok(Vec::new());
        }
        let mut lacked = Vec::new();
        for held in self.heads_of(did)? {
            let Some(log) = self.log_number(&held.log)? else { continue };
            let mut places = Vec::new();
            for row in table.range((log, 0)..=(log, held.position.height.saturating_sub(1)))?.take(BODIES_LACKED_MAX) {
                let place = row?.0.value();
                // It may have become void in the meantime.
                if self.with_entry(place, is_asked_for)? == Some(true) {
                    places.push(place.1);
                }
            }
            if !places.is_empty() {
                lacked.push((held.log, places));
            }
        }
        Ok(lacked)
    }

    /// The identities of which bodies are lacked.
    pub(crate) fn lacking_identities(&self) -> Result<Vec<Did>, StoreError> {
        self.authors_in(tables::BODIES_LACKED)
    }

    /// The authors of the logs in which a table names places.
    pub(super) fn authors_in(&self, places: TableDefinition<'_, PlaceKey, ()>) -> Result<Vec<Did>, StoreError> {
        let table = self.table(places)?;
        let (mut dids, mut from) = (Vec::new(), 0);
        while let Some(row) = table.range((from, 0)..)?.next().transpose()? {
            let log = row.0.value().0;
            let author = self.log(log)?.map(|row| self.identity(row.author)).transpose()?.flatten();
            dids.extend(author.map(|author| author.did).filter(|did| !dids.contains(did)));
            let Some(next) = log.checked_add(1) else { break };
            from = next;
        }
        Ok(dids)
    }
}

/// True for what is noted and still to be had: one that has a body is noted only where that is damaged.
fn is_asked_for(row: &EntryRow<'_>) -> bool {
    row.is_live() && !row.is(flags::PURGED)
}

/// True for what is live, and was never purged, but has no body.
fn is_lacking(row: &EntryRow<'_>) -> bool {
    row.flags & (flags::BODY | flags::PURGED | flags::HIDDEN | flags::VOID | flags::LOOSE) == 0
}
