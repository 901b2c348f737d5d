//! What is known of the copies of an entry (`RCP-6`).

use std::collections::BTreeMap;

use xom_protocol::receipt::Fate;
use xom_protocol::{DeviceId, Did, EntryId};

use super::Holding;
use super::rows::{self, AnswerRow};
use crate::error::StoreError;
use crate::store::Snapshot;
use crate::store::tables::{self, PlaceKey};

/// A copy of an entry on another device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CopyRow {
    /// Whose device.
    pub(crate) holder: Did,
    /// The device.
    pub(crate) device: DeviceId,
    /// A device of the author knew of it when the entry was erased, or knows of it now.
    pub(crate) known: bool,
    /// What it answered to the erasure.
    pub(crate) fate: Option<Fate>,
    /// The erase that it answered.
    pub(crate) erase: Option<EntryId>,
    /// When the answer came, milliseconds since 1970.
    pub(crate) answered_ms: Option<u64>,
    /// When the device was last heard of, milliseconds since 1970.
    pub(crate) seen_ms: u64,
    /// It answered purged and sent the body afterwards.
    pub(crate) broken: bool,
}

impl Snapshot {
    /// True if a device is known already to hold, or to have held, a copy of an erased entry.
    pub(crate) fn is_known_copy(&self, entry: &EntryId, device: &DeviceId) -> Result<bool, StoreError> {
        let row = self.table(tables::ANSWERS)?.get((&entry.0, &device.0))?;
        Ok(row.map(|row| rows::read::<AnswerRow>(row.value())).transpose()?.is_some_and(|row| row.known))
    }

    /// The copies of an entry of a local identity, by device.
    pub(crate) fn copies(&self, place: PlaceKey, entry: &EntryId, erased: bool) -> Result<Vec<CopyRow>, StoreError> {
        let mut copies: BTreeMap<DeviceId, CopyRow> = BTreeMap::new();
        let answers = self.table(tables::ANSWERS)?;
        for row in answers.range((&entry.0, &[0; 32])..=(&entry.0, &[0xff; 32]))? {
            let (key, row) = row?;
            let (device, row) = (DeviceId(*key.value().1), rows::read::<AnswerRow>(row.value())?);
            copies.insert(device, copy(device, &row));
        }
        let table = self.table(tables::COPIES)?;
        for row in table.range((place.0, &[0; 32])..=(place.0, &[0xff; 32]))? {
            let (key, holding) = row?;
            let (device, holding) = (DeviceId(*key.value().1), rows::read::<Holding>(holding.value())?);
            match copies.get_mut(&device) {
                Some(copy) => copy.seen_ms = copy.seen_ms.max(holding.seen_ms),
                None if !erased && holding.height > place.1 => {
                    let row = AnswerRow::unanswered(holding.did, true, holding.seen_ms, holding.seen_ms);
                    copies.insert(device, copy(device, &row));
                }
                // It got the header after the erasure, and nothing else.
                None => {}
            }
        }
        Ok(copies.into_values().collect())
    }
}

fn copy(device: DeviceId, row: &AnswerRow) -> CopyRow {
    CopyRow {
        holder: row.holder,
        device,
        known: row.known,
        fate: row.fate(),
        erase: row.erase,
        answered_ms: row.fate().map(|_| row.ms),
        seen_ms: row.seen_ms,
        broken: row.broken,
    }
}
