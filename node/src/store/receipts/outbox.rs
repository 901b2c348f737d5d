//! What a peer is given: receipts and known copies that it may have and was not given (`RCP-4` to `RCP-6`).

use std::collections::BTreeMap;

use xom_protocol::limits::{COPIES_MAX, RECEIPT_OBJECTS_BYTES, RECEIPTS_MAX};
use xom_protocol::receipt::{Answer, Fate, Receipt};
use xom_protocol::sync::message::{HolderReceipts, KnownCopy, ReceiptNews};
use xom_protocol::{DeviceId, Did};

use super::rows::{self, Outgoing};
use crate::error::StoreError;
use crate::store::batch::Batch;
use crate::store::tables::{self, flags};
use crate::store::{Snapshot, Store};

/// Rows looked at for one message: most of those that a peer may not have are passed over at once.
const ROWS_MAX: usize = 4_096;
/// Bytes of identity objects in one message.
const OBJECTS_BYTES_MAX: u64 = 512 << 10;
/// Authors for whom a carrier is looked for at once.
const CARRIED_AUTHORS_MAX: usize = 64;

/// Why a peer may have receipts for an author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is a device of the author.
    Author,
    /// It has a log of the author in common with this node, and passes receipts on.
    Carrier,
}

/// A peer that may have receipts for an author.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Recipient {
    /// The author.
    pub(crate) author: Did,
    /// The peer's device.
    pub(crate) device: DeviceId,
    /// Why.
    pub(crate) role: Role,
}

/// One message for a peer, and what is noted once it is durable there.
#[derive(Debug, Clone)]
pub(crate) struct Parcel {
    /// What is sent; empty if there is nothing, then this is noted at once.
    pub(crate) news: ReceiptNews,
    /// For whom.
    pub(crate) to: Recipient,
    /// All up to here is given with it.
    pub(crate) counter: u64,
}

/// What a row means to a recipient.
enum Due {
    /// Not for it.
    Nothing,
    /// It can't be signed now; what comes after it waits too.
    Later,
    /// A receipt of this holder.
    Receipt(Did, Vec<u8>),
}

impl Snapshot {
    /// Authors elsewhere to whom this node owes something that a carrier may take.
    pub(crate) fn authors_owed(&self) -> Result<Vec<Did>, StoreError> {
        let receipts = self.table(tables::RECEIPTS)?;
        let locals = self.locals()?;
        let (mut authors, mut from) = (Vec::new(), 0);
        while authors.len() < CARRIED_AUTHORS_MAX {
            let Some(row) = receipts.range((from, 0)..)?.next().transpose()? else { break };
            let number = row.0.value().0;
            let author = self.identity(number)?.map(|row| row.did);
            authors.extend(author.filter(|author| locals.iter().all(|local| local.did != *author)));
            let Some(next) = number.checked_add(1) else { break };
            from = next;
        }
        Ok(authors)
    }

    /// What a recipient is given next; none if nothing is new.
    pub(crate) fn parcel(&self, store: &Store, to: Recipient) -> Result<Option<Parcel>, StoreError> {
        let Some(number) = self.identity_number(&to.author)? else { return Ok(None) };
        let given = self.table(tables::RECEIPTS_GIVEN)?.get((number, &to.device.0))?.map_or(0, |row| row.value());
        let is_sibling = self.locals()?.iter().any(|local| local.did == to.author);
        let (mut by_holder, mut copies) = (BTreeMap::<Did, Vec<Vec<u8>>>::new(), Vec::new());
        let (mut count, mut counter) = (0, given);
        let table = self.table(tables::RECEIPTS)?;
        for row in table.range((number, given + 1)..=(number, u64::MAX))?.take(ROWS_MAX) {
            let (key, row) = row?;
            match rows::read(row.value())? {
                Outgoing::Copy { entry, holder, device, seen_ms } if is_sibling && device != to.device => {
                    if count > 0 || copies.len() == COPIES_MAX {
                        break;
                    }
                    copies.push(KnownCopy { entry, holder, device, seen_ms });
                }
                Outgoing::Copy { .. } => {}
                outgoing => match self.due(store, &to, outgoing)? {
                    Due::Nothing => {}
                    Due::Later => break,
                    Due::Receipt(..) if !copies.is_empty() || count == RECEIPTS_MAX => break,
                    Due::Receipt(holder, receipt) => {
                        count += 1;
                        by_holder.entry(holder).or_default().push(receipt);
                    }
                },
            }
            counter = key.value().1;
        }
        if counter == given {
            return Ok(None);
        }
        let news = match copies.is_empty() {
            true => ReceiptNews::Receipts(self.with_objects(by_holder)?),
            false => ReceiptNews::Copies(copies),
        };
        Ok(Some(Parcel { news, to, counter }))
    }

    /// The receipt that a row stands for, for this recipient.
    fn due(&self, store: &Store, to: &Recipient, outgoing: Outgoing) -> Result<Due, StoreError> {
        match outgoing {
            Outgoing::Of { holder, device, receipt } => {
                let may = to.role == Role::Author && device != to.device;
                Ok(if may { Due::Receipt(holder, receipt) } else { Due::Nothing })
            }
            Outgoing::Own { entry, erase, purged } => {
                if !purged && !self.is_hidden(&entry)? {
                    return Ok(Due::Nothing);
                }
                let Some(me) = self.locals()?.into_iter().next() else { return Ok(Due::Later) };
                let fate = if purged { Fate::Purged } else { Fate::Hidden };
                let answer = Answer { holder: me.did, device: me.device, author: to.author, entry, erase, fate };
                let Some(key) = store.device_key(&me.did) else { return Ok(Due::Later) };
                Ok(Due::Receipt(me.did, Receipt::sign(store.network(), answer, &key).encode()))
            }
            Outgoing::Copy { .. } => Ok(Due::Nothing),
        }
    }

    fn is_hidden(&self, entry: &xom_protocol::EntryId) -> Result<bool, StoreError> {
        let Some(place) = self.place_of_entry(entry)? else { return Ok(false) };
        Ok(self.with_entry(place, |row| row.is(flags::HIDDEN))?.unwrap_or(false))
    }

    /// Puts the objects of each holder's identity beside its receipts, as far as they fit (`RCP-5`).
    fn with_objects(&self, by_holder: BTreeMap<Did, Vec<Vec<u8>>>) -> Result<Vec<HolderReceipts>, StoreError> {
        let mut left = OBJECTS_BYTES_MAX;
        let mut items = Vec::with_capacity(by_holder.len());
        for (holder, receipts) in by_holder {
            let objects = self.identity_objects(&holder)?;
            let bytes: u64 = objects.iter().map(|object| object.len() as u64 + 5).sum();
            let fits = bytes <= RECEIPT_OBJECTS_BYTES.min(left);
            left -= if fits { bytes } else { 0 };
            items.push(HolderReceipts { objects: if fits { objects } else { Vec::new() }, receipts });
        }
        Ok(items)
    }
}

impl Batch<'_> {
    /// Notes what a recipient has durably. What the author has is let go, unless the author lives here.
    pub(in crate::store) fn note_given(&mut self, to: &Recipient, counter: u64) -> Result<(), StoreError> {
        let number = self.identity_number(&to.author)?;
        self.receipts_given.insert((number, &to.device.0), counter)?;
        if to.role == Role::Carrier || self.own.contains_key(&to.author) {
            return Ok(());
        }
        let delivered = self.receipts.range((number, 0)..=(number, counter))?;
        let delivered: Vec<_> = delivered.map(|row| row.map(|row| row.0.value())).collect::<Result<_, _>>()?;
        for key in delivered {
            self.receipts.remove(key)?;
        }
        Ok(())
    }
}
