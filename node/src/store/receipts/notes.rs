//! What is known of copies, on its way into an archive and out of one (`ARC-20`).

use std::collections::BTreeMap;

use redb::ReadableTable;
use xom_protocol::receipt::{Fate, Receipt};
use xom_protocol::{DeviceId, Did, EntryId};

use super::rows::{self, AnswerRow, Outgoing};
use crate::archive::{CopyNote, PageError};
use crate::error::StoreError;
use crate::store::batch::Batch;
use crate::store::tables;
use crate::store::{Snapshot, Store};

/// Signed answers by the entry and the device.
pub(in crate::store) type Receipts = BTreeMap<(EntryId, DeviceId), Vec<u8>>;

impl Store {
    /// Keeps what an archive says of copies; what is known already stays.
    pub(crate) async fn put_copy_notes(&self, did: Did, notes: Vec<CopyNote>) -> Result<(), StoreError> {
        self.write(move |batch| notes.iter().try_for_each(|note| batch.put_copy_note(&did, note))).await
    }
}

impl Snapshot {
    /// The newest signed answer of each copy that is kept for a local identity.
    pub(in crate::store) fn receipts_of(&self, did: &Did) -> Result<Receipts, StoreError> {
        let mut receipts = Receipts::new();
        let Some(number) = self.identity_number(did)? else { return Ok(receipts) };
        for row in self.table(tables::RECEIPTS)?.range((number, 0)..=(number, u64::MAX))? {
            let Outgoing::Of { device, receipt, .. } = rows::read(row?.1.value())? else { continue };
            let decoded = Receipt::decode(&receipt).map_err(|e| StoreError::Damaged(format!("a receipt: {e}")))?;
            receipts.insert((decoded.answer().entry, device), receipt);
        }
        Ok(receipts)
    }

    /// Goes through what is known of copies of erased entries of a local identity, ascending.
    pub(in crate::store) fn copy_notes(
        &self,
        did: &Did,
        receipts: &Receipts,
        to: &mut dyn FnMut(&CopyNote) -> Result<(), PageError>,
    ) -> Result<(), PageError> {
        let Some(number) = self.identity_number(did)? else { return Ok(()) };
        let answers = self.table(tables::ANSWERS)?;
        for row in answers.iter().map_err(StoreError::from)? {
            let (key, row) = row.map_err(StoreError::from)?;
            let (entry, device) = key.value();
            let (entry, device) = (EntryId(*entry), DeviceId(*device));
            let place = self.place_of_entry(&entry)?;
            let log = place.map(|place| self.log(place.0)).transpose()?.flatten();
            if log.is_none_or(|log| log.author != number) {
                continue;
            }
            let row: AnswerRow = rows::read(row.value())?;
            let answer = row.fate().zip(row.erase);
            let AnswerRow { holder, known, broken, ms, seen_ms, .. } = row;
            let says_so = |receipt: &&Vec<u8>| Receipt::decode(receipt).is_ok_and(|it| says(&it, &holder, answer));
            let receipt = receipts.get(&(entry, device)).filter(says_so).cloned();
            to(&CopyNote { entry, device, holder, known, broken, answer, ms, seen_ms, receipt })?;
        }
        Ok(())
    }
}

impl Batch<'_> {
    fn put_copy_note(&mut self, did: &Did, note: &CopyNote) -> Result<(), StoreError> {
        let Some(place) = self.place_of(&note.entry)? else { return Ok(()) };
        let number = self.identity_number(did)?;
        let key = (&note.entry.0, &note.device.0);
        if self.log_row(place.0)?.author != number || self.answers.get(key)?.is_some() {
            return Ok(());
        }
        let CopyNote { holder, known, broken, ms, seen_ms, .. } = *note;
        let row = AnswerRow { broken, ..AnswerRow::unanswered(holder, known, ms, seen_ms) };
        let row = note.answer.map_or(row, |(fate, erase)| AnswerRow { seen_ms, ..row.answered(fate, erase, ms) });
        self.answers.insert(key, rows::write(&row).as_slice())?;
        // Siblings hear of it again, from here.
        match &note.receipt {
            Some(receipt) => {
                let of = Outgoing::Of { holder, device: note.device, receipt: receipt.clone() };
                self.put_outgoing(number, did, &of)
            }
            None => Ok(()),
        }
    }
}

fn says(receipt: &Receipt, holder: &Did, answer: Option<(Fate, EntryId)>) -> bool {
    let said = receipt.answer();
    said.holder == *holder && answer == Some((said.fate, said.erase))
}
