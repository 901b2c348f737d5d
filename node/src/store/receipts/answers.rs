//! What holders answer: receipts that a peer brings are kept by the author's devices and carried by others
//! (`RCP-3`, `RCP-4`); copies become known when an entry is erased (`RCP-6`).

use std::collections::BTreeMap;

use xom_protocol::body::Body;
use xom_protocol::limits::RECEIPTS_PER_ENTRY_MAX;
use xom_protocol::receipt::{Fate, Receipt};
use xom_protocol::sync::message::KnownCopy;
use xom_protocol::{DeviceId, Did, EntryId, LogId};

use super::Holding;
use super::rows::{self, AnswerRow, Outgoing};
use crate::error::StoreError;
use crate::store::batch::Batch;
use crate::store::tables::PlaceKey;

/// A receipt whose form and signature were checked (`RCP-1`).
#[derive(Debug, Clone)]
pub(crate) struct NewReceipt(pub(crate) Receipt);

/// What became of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Receipted {
    /// It is kept, or says nothing new.
    Kept,
    /// The erase that it names is not held, or erases something else (`RCP-3`).
    NothingErased,
}

impl Batch<'_> {
    /// Keeps a receipt: as the author's device for good, otherwise until it is delivered (`RCP-3`, `RCP-4`).
    pub(in crate::store) fn take_receipt(&mut self, receipt: &Receipt) -> Result<Receipted, StoreError> {
        let answer = receipt.answer();
        if !self.erases(&answer.erase, &answer.entry, &answer.author)? {
            return Ok(Receipted::NothingErased);
        }
        if self.own.contains_key(&answer.author) {
            let held = self.answer_row(&answer.entry, &answer.device)?;
            let settled = held.and_then(|row| Some((row.fate()?, row.erase?)));
            let news = match settled {
                Some((Fate::Purged, _)) => false,
                Some((Fate::Hidden, erase)) => answer.fate == Fate::Purged || erase != answer.erase,
                None => held.is_some() || self.has_room_for(&answer.entry)?,
            };
            if !news {
                return Ok(Receipted::Kept);
            }
            let row = held.unwrap_or(AnswerRow::unanswered(answer.holder, false, self.now_ms, self.now_ms));
            self.put_answer(&answer.entry, &answer.device, &row.answered(answer.fate, answer.erase, self.now_ms))?;
        }
        let number = self.identity_number(&answer.author)?;
        let of = Outgoing::Of { holder: answer.holder, device: answer.device, receipt: receipt.encode() };
        self.put_outgoing(number, &answer.author, &of)?;
        Ok(Receipted::Kept)
    }

    /// Learns of copies from a sibling (`RCP-6`). Entries of others than `author` are left out.
    pub(in crate::store) fn take_copies(&mut self, author: &Did, copies: &[KnownCopy]) -> Result<(), StoreError> {
        let number = self.identity_number(author)?;
        for copy in copies {
            let Some(place) = self.place_of(&copy.entry)? else { continue };
            if self.log_row(place.0)?.author == number {
                self.know_copy(number, author, copy)?;
            }
        }
        Ok(())
    }

    /// An entry of a local identity is being hidden: whoever is known to hold its log that far holds a copy.
    pub(in crate::store) fn note_copies(
        &mut self,
        author: &Did,
        place: PlaceKey,
        entry: EntryId,
    ) -> Result<(), StoreError> {
        let log = self.log_row(place.0)?.log;
        let mut holders: BTreeMap<DeviceId, Holding> = BTreeMap::new();
        for row in self.copies.range((place.0, &[0; 32])..=(place.0, &[0xff; 32]))? {
            let (key, holding) = row?;
            holders.insert(DeviceId(*key.value().1), rows::read(holding.value())?);
        }
        // What was heard since the last of them was written.
        for (device, holding) in self.shared.holdings(&log) {
            let known = holders.entry(device).or_insert(holding);
            known.height = known.height.max(holding.height);
        }
        let number = self.identity_number(author)?;
        for (device, holding) in holders {
            if holding.height > place.1 {
                let copy = KnownCopy { entry, holder: holding.did, device, seen_ms: holding.seen_ms };
                self.know_copy(number, author, &copy)?;
            }
        }
        Ok(())
    }

    fn know_copy(&mut self, number: u32, author: &Did, copy: &KnownCopy) -> Result<(), StoreError> {
        let held = self.answer_row(&copy.entry, &copy.device)?;
        let seen_ms = copy.seen_ms.min(self.now_ms);
        let is_known = held.is_some_and(|row| row.known);
        if held.is_none() && !self.has_room_for(&copy.entry)? {
            return Ok(());
        }
        let row = held.unwrap_or(AnswerRow::unanswered(copy.holder, true, self.now_ms, seen_ms));
        let row = AnswerRow { known: true, seen_ms: row.seen_ms.max(seen_ms), ..row };
        self.put_answer(&copy.entry, &copy.device, &row)?;
        if is_known {
            return Ok(());
        }
        let KnownCopy { entry, holder, device, .. } = *copy;
        self.put_outgoing(number, author, &Outgoing::Copy { entry, holder, device, seen_ms })
    }

    /// A device has sent bodies of these entries: where it had answered that they are purged, it has broken
    /// its promise (`RCP-3`).
    pub(in crate::store) fn note_resent(
        &mut self,
        devices: &[DeviceId],
        entries: &[EntryId],
    ) -> Result<u64, StoreError> {
        let mut broken = 0;
        for entry in entries {
            for device in devices {
                let row = self.answer_row(entry, device)?;
                if let Some(row) = row.filter(|row| row.fate() == Some(Fate::Purged) && !row.broken) {
                    self.put_answer(entry, device, &AnswerRow { broken: true, ..row })?;
                    broken += 1;
                }
            }
        }
        Ok(broken)
    }

    /// Remembers how far a device holds logs of local identities.
    pub(in crate::store) fn put_holdings(
        &mut self,
        device: &DeviceId,
        holdings: &[(LogId, Holding)],
    ) -> Result<(), StoreError> {
        for (log, holding) in holdings {
            let Some(log) = self.log_numbers.get(&log.0)?.map(|number| number.value()) else { continue };
            let before =
                self.copies.get((log, &device.0))?.map(|row| rows::read::<Holding>(row.value())).transpose()?;
            let height = before.map_or(0, |before| before.height).max(holding.height);
            self.copies.insert((log, &device.0), rows::write(&Holding { height, ..*holding }).as_slice())?;
        }
        Ok(())
    }

    /// True if the erase is held, is by the author, and takes back the entry. It may have become void.
    fn erases(&self, erase: &EntryId, entry: &EntryId, author: &Did) -> Result<bool, StoreError> {
        let Some(place) = self.place_of(erase)? else { return Ok(false) };
        let Some(held) = self.held(place)?.filter(|held| held.header.author == *author) else { return Ok(false) };
        Ok(matches!(self.body_of(place, &held)?, Some(Body::Erase(erase)) if erase.target.entry == *entry))
    }

    fn answer_row(&self, entry: &EntryId, device: &DeviceId) -> Result<Option<AnswerRow>, StoreError> {
        self.answers.get((&entry.0, &device.0))?.map(|row| rows::read(row.value())).transpose()
    }

    fn put_answer(&mut self, entry: &EntryId, device: &DeviceId, row: &AnswerRow) -> Result<(), StoreError> {
        self.answers.insert((&entry.0, &device.0), rows::write(row).as_slice())?;
        Ok(())
    }

    fn has_room_for(&self, entry: &EntryId) -> Result<bool, StoreError> {
        let range = self.answers.range((&entry.0, &[0; 32])..=(&entry.0, &[0xff; 32]))?;
        Ok(range.count() < RECEIPTS_PER_ENTRY_MAX)
    }
}
