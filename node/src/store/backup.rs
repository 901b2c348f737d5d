//! Reading a whole node into a backup, from one consistent state (`ARC-13`). Entries go in the order of their
//! arrival, so that new ones make new chunks and leave the old ones as they are.
//!
//! What follows from other rows is left out and made again by a restore. What was purged by the time that its
//! body is read is written as purged.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use redb::{Key, ReadableTable, TableDefinition, Value};
use xom_protocol::phrase::Phrase;
use xom_protocol::{BlobId, Did};

use super::batch::HeldEntry;
use super::snapshot::Snapshot;
use super::tables::{self, ArrivalRow, BlobRow, BlobState, EntryRow, PlaceKey, flags};
use super::{Store, salts};
use crate::backup::{
    BackupError, Cutter, FrameWriter, Name, NameKey, PIECE_BYTES, ROOT_NAME, Recipient, Root, Written, seal,
};
use crate::error::{CommandError, StoreError};
use crate::keys::{AccessError, ControlAccess};

/// The numbers of tables in the records of a backup. A number is never given to another form.
pub(super) mod numbers {
    pub(crate) const IDENTITIES: u8 = 1;
    pub(crate) const IDENTITY_OBJECTS: u8 = 2;
    pub(crate) const LOGS: u8 = 3;
    pub(crate) const OPENINGS: u8 = 4;
    pub(crate) const OPENINGS_OF: u8 = 5;
    pub(crate) const FORK_PROOFS: u8 = 6;
    pub(crate) const ERASURES: u8 = 7;
    pub(crate) const PURGES_DUE: u8 = 8;
    pub(crate) const FREE_SLOTS: u8 = 9;
    pub(crate) const BLOBS: u8 = 10;
    pub(crate) const PEERS: u8 = 11;
    pub(crate) const AIMED: u8 = 12;
    pub(crate) const OWN_PROFILES: u8 = 13;
    pub(crate) const STOPPED_LOGS: u8 = 14;
    pub(crate) const BACKUP_KEYS: u8 = 15;
    pub(crate) const RECOVERY_REQUESTS: u8 = 16;
    pub(crate) const CHECKPOINT_FAULTS: u8 = 17;
    pub(crate) const COPIES: u8 = 18;
    pub(crate) const RECEIPTS: u8 = 19;
    pub(crate) const RECEIPTS_GIVEN: u8 = 20;
    pub(crate) const ANSWERS: u8 = 21;
    pub(crate) const PURGES_OWED: u8 = 22;
    pub(crate) const SETTINGS: u8 = 23;
    pub(crate) const IDENTITY_SEEN: u8 = 24;
    pub(crate) const BODIES_LACKED: u8 = 25;
    pub(crate) const KEEPS: u8 = 26;
    pub(crate) const KEEPERS_ASKED: u8 = 27;
    pub(crate) const ADMITTED: u8 = 28;
    pub(crate) const ADMISSIONS: u8 = 29;
    pub(crate) const ADMITTED_LACKED: u8 = 30;
    pub(crate) const ADMISSIONS_DUE: u8 = 31;
    pub(crate) const ARRIVALS: u8 = 32;
    pub(crate) const ENTRIES: u8 = 33;
    /// A body with its salt in front.
    pub(crate) const BODIES: u8 = 34;
}

impl Store {
    /// Writes a backup of the whole node to `to`, without the files in `known`. Needs the words of `identity` to
    /// have been here once; they open it, and so do those of all others who live here.
    pub(crate) async fn backup(
        &self,
        identity: Did,
        known: BTreeSet<Name>,
        to: impl Write + Send + 'static,
    ) -> Result<Written, BackupError> {
        let store = self.clone();
        let written = tokio::task::spawn_blocking(move || {
            let snapshot = store.snapshot()?;
            let owned = snapshot.owned()?;
            let keys = snapshot.table(tables::BACKUP_KEYS)?;
            let mut recipients = BTreeSet::new();
            for (did, _) in &owned {
                match keys.get(&did.0)?.map(|key| Recipient(*key.value())) {
                    Some(recipient) => _ = recipients.insert(recipient),
                    None if *did == identity => return Err(BackupError::NoKey(AccessError::BackupKey)),
                    None => {}
                }
            }
            let recipients: Vec<Recipient> = recipients.into_iter().collect();
            Writing::new(&snapshot, recipients, owned, known, to)?.write()
        });
        written.await.unwrap_or(Err(BackupError::Store(StoreError::Stopping)))
    }

    /// True if backups can be sealed for an identity.
    pub(crate) fn has_backup_key(&self, did: &Did) -> Result<bool, StoreError> {
        Ok(self.snapshot()?.table(tables::BACKUP_KEYS)?.get(&did.0)?.is_some())
    }

    /// Keeps the public key of backups of an identity whose words are given (`ARC-11`).
    pub(crate) async fn keep_backup_key(&self, did: Did, phrase: Phrase) -> Result<(), CommandError> {
        self.control_key(&did, &ControlAccess::Words(phrase.clone())).await?;
        let key = Recipient::of(&phrase);
        let kept = self.write(move |batch| {
            batch.backup_keys.insert(&did.0, &key.0)?;
            Ok(())
        });
        Ok(kept.await?)
    }
}

/// A backup that is being written.
struct Writing<'s, W> {
    snapshot: &'s Snapshot,
    recipients: Vec<Recipient>,
    names: NameKey,
    frames: FrameWriter<W>,
    cutter: Cutter,
    root: Root,
}

impl<'s, W: Write> Writing<'s, W> {
    fn new(
        snapshot: &'s Snapshot,
        recipients: Vec<Recipient>,
        locals: Vec<(Did, String)>,
        known: BTreeSet<Name>,
        to: W,
    ) -> io::Result<Self> {
        let names = NameKey::of(&recipients);
        let root = Root::new(snapshot.shared.network, snapshot.shared.now_ms(), names, locals);
        Ok(Self { snapshot, recipients, names, frames: FrameWriter::new(to, known)?, cutter: Cutter::default(), root })
    }

    fn write(mut self) -> Result<Written, BackupError> {
        self.plain(numbers::IDENTITIES, tables::IDENTITIES)?;
        self.plain(numbers::IDENTITY_OBJECTS, tables::IDENTITY_OBJECTS)?;
        self.plain(numbers::IDENTITY_SEEN, tables::IDENTITY_SEEN)?;
        self.plain(numbers::LOGS, tables::LOGS)?;
        self.plain(numbers::OPENINGS, tables::OPENINGS)?;
        self.plain(numbers::OPENINGS_OF, tables::OPENINGS_OF)?;
        self.plain(numbers::FORK_PROOFS, tables::FORK_PROOFS)?;
        self.plain(numbers::CHECKPOINT_FAULTS, tables::CHECKPOINT_FAULTS)?;
        self.plain(numbers::COPIES, tables::COPIES)?;
        self.plain(numbers::RECEIPTS, tables::RECEIPTS)?;
        self.plain(numbers::RECEIPTS_GIVEN, tables::RECEIPTS_GIVEN)?;
        self.plain(numbers::ANSWERS, tables::ANSWERS)?;
        self.plain(numbers::PURGES_OWED, tables::PURGES_OWED)?;
        self.plain(numbers::SETTINGS, tables::SETTINGS)?;
        self.plain(numbers::STOPPED_LOGS, tables::STOPPED_LOGS)?;
        self.plain(numbers::ERASURES, tables::ERASURES)?;
        self.plain(numbers::PURGES_DUE, tables::PURGES_DUE)?;
        self.plain(numbers::BODIES_LACKED, tables::BODIES_LACKED)?;
        self.plain(numbers::FREE_SLOTS, tables::FREE_SLOTS)?;
        self.plain(numbers::FREE_SLOTS, tables::PURGE_INTENTS)?;
        self.plain(numbers::PEERS, tables::PEERS)?;
        self.plain(numbers::BACKUP_KEYS, tables::BACKUP_KEYS)?;
        self.plain(numbers::RECOVERY_REQUESTS, tables::RECOVERY_REQUESTS)?;
        self.plain(numbers::KEEPS, tables::KEEPS)?;
        self.plain(numbers::KEEPERS_ASKED, tables::KEEPERS_ASKED)?;
        self.plain(numbers::AIMED, tables::AIMED)?;
        self.plain(numbers::OWN_PROFILES, tables::OWN_PROFILES)?;
        self.plain(numbers::ADMITTED, tables::ADMITTED)?;
        self.plain(numbers::ADMISSIONS, tables::ADMISSIONS)?;
        self.plain(numbers::ADMITTED_LACKED, tables::ADMITTED_LACKED)?;
        self.plain(numbers::ADMISSIONS_DUE, tables::ADMISSIONS_DUE)?;
        self.blob_rows()?;
        // What changes each time must not move the cuts of what does not.
        self.cut()?;
        self.arrivals()?;
        self.cut()?;
        self.blobs()?;
        for row in self.snapshot.table(tables::COUNTERS)?.iter()? {
            let (name, value) = row?;
            self.root.counters.push((name.value().to_owned(), value.value()));
        }
        self.root.totals.entries = self.snapshot.entry_count()?;
        let sealed = seal(&self.recipients, ROOT_NAME, &self.root.encode())?;
        let totals = self.root.totals;
        Ok(self.frames.finish(&sealed, totals.entries, totals.blobs)?)
    }

    /// Every row of a table as it is.
    fn plain<K: Key + 'static, V: Value + 'static>(
        &mut self,
        number: u8,
        table: TableDefinition<'_, K, V>,
    ) -> Result<(), BackupError> {
        for row in self.snapshot.table(table)?.iter()? {
            let (key, value) = row?;
            self.record(number, K::as_bytes(&key.value()).as_ref(), V::as_bytes(&value.value()).as_ref())?;
        }
        Ok(())
    }

    /// What is known of blobs that entries name; uploads that nobody used are left out.
    fn blob_rows(&mut self) -> Result<(), BackupError> {
        for row in self.snapshot.table(tables::BLOBS)?.iter()? {
            let (blob, row) = row?;
            let (blob, mut row) = (BlobId(*blob.value()), row.value());
            match row.state {
                BlobState::Held if !self.snapshot.is_named(&blob)? => continue,
                BlobState::Dropping => continue,
                BlobState::DroppingForGood => row = BlobRow { bytes: 0, state: BlobState::Refused },
                BlobState::Held | BlobState::Wanted | BlobState::Refused | BlobState::Evicted => {}
            }
            self.record(numbers::BLOBS, &blob.0, BlobRow::as_bytes(&row).as_ref())?;
        }
        Ok(())
    }

    /// Everything in the order of its arrival, entries with their bodies.
    fn arrivals(&mut self) -> Result<(), BackupError> {
        for row in self.snapshot.table(tables::ARRIVALS)?.iter()? {
            let (first, what) = row?;
            let (first, what) = (first.value(), what.value());
            self.record(numbers::ARRIVALS, u64::as_bytes(&first).as_ref(), ArrivalRow::as_bytes(&what).as_ref())?;
            let ArrivalRow::Entries { log, seq, count } = what else { continue };
            for offset in 0..u64::from(count) {
                let place = (log, seq + offset);
                let held = self.snapshot.held(place)?;
                // One that came loose is met again where the chain reached it: it stands at its own counter.
                if let Some(held) = held.filter(|held| held.row().counter == first + offset) {
                    self.entry(place, &held)?;
                }
            }
        }
        Ok(())
    }

    fn entry(&mut self, place: PlaceKey, held: &HeldEntry) -> Result<(), BackupError> {
        let row = held.row();
        // A damaged body does not stop the backup of the rest, and may be had from peers (R-STO-5).
        let body = self.snapshot.whole_body(place, &row)?;
        let kept = match body {
            None if row.is(flags::BODY) && self.snapshot.body_bytes(place, &row).is_err() => {
                EntryRow { flags: row.flags & !flags::BODY, slot: 0, ..row }
            }
            None if row.is(flags::BODY) => EntryRow { flags: row.flags & !flags::BODY | flags::PURGED, slot: 0, ..row },
            _ => row,
        };
        let (key, mut bytes) = (PlaceKey::as_bytes(&place), Vec::new());
        kept.write(&mut bytes);
        self.record(numbers::ENTRIES, key.as_ref(), &bytes)?;
        if let Some((salt, mut body)) = body {
            // Sealed anew under its own salt and slot: the same bytes each time.
            salts::seal(&salt, row.slot, &mut body);
            self.record(numbers::BODIES, key.as_ref(), &[salt.as_slice(), &body].concat())?;
        }
        Ok(())
    }

    /// The bytes of held blobs, piece by piece.
    fn blobs(&mut self) -> Result<(), BackupError> {
        for row in self.snapshot.table(tables::BLOBS)?.iter()? {
            let (blob, row) = row?;
            let (blob, row) = (BlobId(*blob.value()), row.value());
            if row.state == BlobState::Held && self.snapshot.is_named(&blob)? {
                self.blob(&blob, row.bytes)?;
            }
        }
        Ok(())
    }

    fn blob(&mut self, blob: &BlobId, bytes: u64) -> Result<(), BackupError> {
        self.root.totals.blobs += 1;
        self.root.totals.blob_bytes += bytes;
        let names: Vec<Name> = pieces(bytes).map(|piece| self.names.of_piece(&blob.0, piece)).collect();
        if self.frames.has(&names) {
            return names.into_iter().try_for_each(|name| self.frames.file(name, || Ok(Vec::new())));
        }
        let Some((_, mut file)) = self.snapshot.open_blob(blob)?.filter(|(found, _)| *found == bytes) else {
            self.root.push_absent(&blob.0);
            return Ok(());
        };
        for name in names {
            let mut piece = Vec::new();
            (&mut file).take(PIECE_BYTES as u64).read_to_end(&mut piece)?;
            self.frames.file(name, || Ok::<_, BackupError>(seal(&self.recipients, &name.0, &piece)?))?;
        }
        Ok(())
    }

    fn record(&mut self, table: u8, key: &[u8], value: &[u8]) -> Result<(), BackupError> {
        match self.cutter.add(table, key, value) {
            Some(chunk) => self.chunk(&chunk),
            None => Ok(()),
        }
    }

    fn cut(&mut self) -> Result<(), BackupError> {
        match self.cutter.finish() {
            Some(chunk) => self.chunk(&chunk),
            None => Ok(()),
        }
    }

    fn chunk(&mut self, chunk: &[u8]) -> Result<(), BackupError> {
        let name = self.names.of_rows(chunk);
        self.root.push_rows(name, chunk.len());
        self.frames.file(name, || Ok(seal(&self.recipients, &name.0, chunk)?))
    }
}

impl Snapshot {
    /// True if a body that is held names the blob.
    fn is_named(&self, blob: &BlobId) -> Result<bool, StoreError> {
        let references = self.table(tables::BLOB_REFERENCES)?;
        Ok(references.range((&blob.0, 0, 0)..=(&blob.0, u32::MAX, u64::MAX))?.next().transpose()?.is_some())
    }
}

/// The numbers of the pieces of a blob.
pub(crate) fn pieces(bytes: u64) -> impl Iterator<Item = u32> {
    0..u32::try_from(bytes.div_ceil(PIECE_BYTES as u64)).unwrap_or(u32::MAX)
}
