//! What this node owes to authors whose entries it hides and purges (`RCP-2`).
//!
//! *Purged* is written only in a transaction after the zeros of the salt are durable and the blobs are
//! deleted, so no crash can make a receipt of it that is not true (R-STO-11).

use xom_protocol::body::Body;
use xom_protocol::limits::RECEIPTS_WAITING_MAX;
use xom_protocol::{BlobId, Did, EntryId};

use super::rows::{self, Outgoing, OwedRow};
use crate::error::StoreError;
use crate::store::Notice;
use crate::store::batch::Batch;
use crate::store::erasure::attachments;
use crate::store::tables::{BlobState, PlaceKey};

/// How often the outgoing of an author is looked at for what is too much.
const TRIM_EVERY: u64 = 256;

impl Batch<'_> {
    /// The body of an entry that is held was hidden: its author is owed an answer.
    pub(in crate::store) fn owe_hidden(
        &mut self,
        author: &Did,
        entry: EntryId,
        erase: EntryId,
    ) -> Result<(), StoreError> {
        let number = self.identity_number(author)?;
        self.put_outgoing(number, author, &Outgoing::Own { entry, erase, purged: false })
    }

    /// The body of an erased entry is being dropped: its author is owed an answer once it is gone.
    pub(in crate::store) fn owe_purged(
        &mut self,
        place: PlaceKey,
        entry: EntryId,
        slot: u64,
        body: Option<&Body>,
    ) -> Result<(), StoreError> {
        let author = self.log_row(place.0)?.author;
        let Some(erase) = self.erase_of(&entry, author)? else { return Ok(()) };
        let blobs = body.into_iter().flat_map(attachments).map(|attachment| attachment.blob).collect();
        let owed = OwedRow { entry, erase, author, slot, blobs };
        self.purges_owed.insert(place, rows::write(&owed).as_slice())?;
        self.after.owes_purged = true;
        Ok(())
    }

    /// Answers for what is gone by now: the zeros of its slot are noted, and so are its deleted blobs.
    pub(in crate::store) fn answer_purged(&mut self) -> Result<(), StoreError> {
        let mut gone = Vec::new();
        for row in self.purges_owed.iter()? {
            let (place, owed) = row?;
            let owed: OwedRow = rows::read(owed.value())?;
            if self.purge_intents.get(owed.slot)?.is_none() && !self.is_dropping(&owed.blobs)? {
                gone.push((place.value(), owed));
            }
        }
        for (place, owed) in gone {
            self.purges_owed.remove(place)?;
            let Some(author) = self.identities.get(owed.author)?.map(|row| row.value().did) else { continue };
            let answer = Outgoing::Own { entry: owed.entry, erase: owed.erase, purged: true };
            self.put_outgoing(owed.author, &author, &answer)?;
        }
        Ok(())
    }

    /// True while a file of one of these blobs is still to be deleted.
    fn is_dropping(&self, blobs: &[BlobId]) -> Result<bool, StoreError> {
        for blob in blobs {
            let state = self.blobs.get(&blob.0)?.map(|row| row.value().state);
            if matches!(state, Some(BlobState::Dropping | BlobState::DroppingForGood)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// An erase of this entry by its author, the first that is held.
    pub(in crate::store) fn erase_of(&self, entry: &EntryId, author: u32) -> Result<Option<EntryId>, StoreError> {
        for row in self.erasures.range((&entry.0, 0, 0)..=(&entry.0, u32::MAX, u64::MAX))? {
            let (key, erasure) = row?;
            let (_, log, seq) = key.value();
            if erasure.value().author == author {
                return Ok(self.held((log, seq))?.map(|erase| erase.id));
            }
        }
        Ok(None)
    }

    /// Puts something behind all that waits for the devices of an author (`RCP-4`).
    pub(super) fn put_outgoing(&mut self, number: u32, author: &Did, what: &Outgoing) -> Result<(), StoreError> {
        self.counters.receipt += 1;
        self.receipts.insert((number, self.counters.receipt), rows::write(what).as_slice())?;
        if self.counters.receipt.is_multiple_of(TRIM_EVERY) && !self.own.contains_key(author) {
            self.trim_outgoing(number)?;
        }
        if !self.after.notices.iter().any(|notice| matches!(notice, Notice::Receipts(did) if did == author)) {
            self.after.notices.push(Notice::Receipts(*author));
        }
        Ok(())
    }

    /// Lets the oldest go where more waits than is kept (`RCP-4`).
    fn trim_outgoing(&mut self, number: u32) -> Result<(), StoreError> {
        let waiting: Vec<_> = self
            .receipts
            .range((number, 0)..=(number, u64::MAX))?
            .map(|row| row.map(|row| row.0.value()))
            .collect::<Result<_, _>>()?;
        for key in waiting.iter().take(waiting.len().saturating_sub(RECEIPTS_WAITING_MAX)) {
            self.receipts.remove(*key)?;
        }
        Ok(())
    }
}
