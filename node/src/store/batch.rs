//! One group commit: all tables open in one write transaction, the counters in memory, and what is
//! to be done after the commit.

use std::collections::BTreeMap;
use std::sync::Arc;

use redb::{ReadableTable, WriteTransaction};
use xom_protocol::entry::{Header, Salt};
use xom_protocol::identity::{IdentityRecord, SignedObject};
use xom_protocol::{BlobId, DeviceId, Did, Digest, EntryId, LogId};

use super::lazy::{Lazy, Tables};
use super::own::Own;
use super::tables::{self, ArrivalRow, BlobRow, EntryRow, ErasureRow, IdentityRow, LogRow, PlaceKey, flags};
use super::{Notice, Shared, salts};
use crate::error::StoreError;
use crate::model::Event;
use crate::views::{Arrival, NewEntry, Place, Views};

/// All that one transaction works with.
pub(super) struct Batch<'t> {
    pub(super) shared: &'t Shared,
    pub(super) own: &'t mut BTreeMap<Did, Own>,
    pub(super) now_ms: u64,
    pub(super) counters: Counters,
    counters_before: Counters,
    pub(super) counters_table: Lazy<'t, &'static str, u64>,
    pub(super) identity_numbers: Lazy<'t, &'static [u8; 32], u32>,
    pub(super) identities: Lazy<'t, u32, IdentityRow>,
    pub(super) identity_objects: Lazy<'t, (u32, u32), &'static [u8]>,
    pub(super) identity_seen: Lazy<'t, (u32, &'static [u8; 32]), u64>,
    pub(super) locals: Lazy<'t, u32, &'static [u8]>,
    pub(super) backup_keys: Lazy<'t, &'static [u8; 32], &'static [u8; 32]>,
    pub(super) settings: Lazy<'t, tables::SettingKey<'static>, &'static [u8]>,
    pub(super) client_records: Lazy<'t, (&'static str, &'static [u8]), &'static [u8]>,
    pub(super) log_numbers: Lazy<'t, &'static [u8; 32], u32>,
    pub(super) logs: Lazy<'t, u32, LogRow>,
    pub(super) logs_of: Lazy<'t, (u32, u32), ()>,
    pub(super) openings: Lazy<'t, &'static [u8; 32], PlaceKey>,
    pub(super) openings_of: Lazy<'t, PlaceKey, ()>,
    pub(super) entries: Lazy<'t, PlaceKey, &'static [u8]>,
    pub(super) bodies: Lazy<'t, PlaceKey, &'static [u8]>,
    pub(super) bodies_lacked: Lazy<'t, PlaceKey, ()>,
    pub(super) entry_ids: Lazy<'t, &'static [u8; 32], PlaceKey>,
    pub(super) local_ids: Lazy<'t, u64, PlaceKey>,
    pub(super) arrivals: Lazy<'t, u64, ArrivalRow>,
    pub(super) stopped_logs: Lazy<'t, &'static [u8; 32], (u64, [u8; 32])>,
    pub(super) fork_proofs: Lazy<'t, u32, &'static [u8]>,
    pub(super) ladders: Lazy<'t, u32, &'static [u8]>,
    pub(super) checkpoint_faults: Lazy<'t, PlaceKey, &'static [u8]>,
    pub(super) erasures: Lazy<'t, (&'static [u8; 32], u32, u64), ErasureRow>,
    pub(super) purges_due: Lazy<'t, (u64, u32, u64), ()>,
    pub(super) purge_intents: Lazy<'t, u64, ()>,
    pub(super) free_slots: Lazy<'t, u64, ()>,
    pub(super) purges_owed: Lazy<'t, PlaceKey, &'static [u8]>,
    pub(super) copies: Lazy<'t, (u32, &'static [u8; 32]), &'static [u8]>,
    pub(super) receipts: Lazy<'t, (u32, u64), &'static [u8]>,
    pub(super) receipts_given: Lazy<'t, (u32, &'static [u8; 32]), u64>,
    pub(super) answers: Lazy<'t, (&'static [u8; 32], &'static [u8; 32]), &'static [u8]>,
    pub(super) blobs: Lazy<'t, &'static [u8; 32], BlobRow>,
    pub(super) blob_references: Lazy<'t, (&'static [u8; 32], u32, u64), ()>,
    pub(super) blob_uses: Lazy<'t, &'static [u8; 32], u64>,
    pub(super) media: Lazy<'t, u64, &'static [u8]>,
    pub(super) idempotency_keys: Lazy<'t, &'static [u8; 32], (u64, u64)>,
    pub(super) recovery_requests: Lazy<'t, &'static [u8; 32], &'static [u8]>,
    pub(super) keeps: Lazy<'t, &'static [u8; 32], &'static [u8]>,
    pub(super) keep_wishes: Lazy<'t, &'static [u8; 32], &'static [u8]>,
    pub(super) keepers_asked: Lazy<'t, &'static [u8; 64], &'static [u8]>,
    pub(super) holdings_heard: Lazy<'t, &'static [u8; 64], &'static [u8]>,
    pub(super) bytes_held: Lazy<'t, (u32, u32), u64>,
    pub(super) peers: Lazy<'t, &'static [u8], &'static [u8]>,
    pub(super) resumes: Lazy<'t, &'static [u8], ([u8; 16], u64)>,
    pub(super) aimed: Lazy<'t, (u32, u64), PlaceKey>,
    pub(super) own_profiles: Lazy<'t, (u32, u64), PlaceKey>,
    pub(super) admitted: Lazy<'t, (&'static [u8; 32], u32, u64), ()>,
    pub(super) admissions: Lazy<'t, (u32, u64), PlaceKey>,
    pub(super) admitted_lacked: Lazy<'t, PlaceKey, ()>,
    pub(super) admissions_due: Lazy<'t, (u32, u64), PlaceKey>,
    pub(super) admission_counts: Lazy<'t, (u32, u32), (u64, u64)>,
    pub(super) views: Views<'t>,
    pub(super) after: After,
    /// By log: how many bytes came and went.
    pub(super) charges: BTreeMap<u32, i64>,
    /// What comes now waits at no door: its peer has brought too much (`ADM-3`).
    pub(super) is_turned_away: bool,
    row_buffer: Vec<u8>,
    body_buffer: Vec<u8>,
}

/// The next number of everything that is numbered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// The next arrival counter; the first is 1.
    pub(super) arrival: u64,
    /// The next identity number.
    pub(super) identity: u64,
    /// The next log number.
    pub(super) log: u64,
    /// The greatest live local id.
    pub(super) local: u64,
    /// The last counter of receipts.
    pub(super) receipt: u64,
    /// Salt slots in use or free.
    pub(super) slot: u64,
    /// The greatest id of an upload.
    pub(super) media: u64,
    /// Entries stored.
    pub(super) entries: u64,
}

/// What is to be done before and after the commit.
#[derive(Default)]
pub(super) struct After {
    /// Salts to be durable before the commit.
    pub(super) salts: Vec<(u64, Salt)>,
    /// Slots to be zeroed after it.
    pub(super) zero: Vec<u64>,
    /// A purge of this transaction is to be answered once its bytes are gone.
    pub(super) owes_purged: bool,
    /// Blob files to be deleted after it.
    pub(super) drop_blobs: Vec<BlobId>,
    /// Blobs of which a part may be here, to be deleted after it.
    pub(super) drop_partials: Vec<BlobId>,
    /// Blobs whose files were moved to their places.
    pub(super) placed: Vec<BlobId>,
    /// Identities that changed.
    pub(super) identities: BTreeMap<Did, Arc<IdentityRecord>>,
    /// What others are told.
    pub(super) notices: Vec<Notice>,
    /// What the views tell.
    pub(super) events: Vec<Event>,
    /// The state kept of local identities must be made anew from the entries.
    pub(super) reload_own: bool,
    /// Whom local identities follow has changed.
    pub(super) wants_changed: bool,
}

impl Counters {
    fn read(table: &Lazy<'_, &'static str, u64>) -> Result<Self, StoreError> {
        let get = |name: &str| -> Result<u64, StoreError> { Ok(table.get(name)?.map_or(0, |value| value.value())) };
        Ok(Self {
            arrival: get("arrival")?.max(1),
            identity: get("identity")?,
            log: get("log")?,
            local: get("local")?,
            receipt: get("receipt")?,
            slot: get("slot")?,
            media: get("media")?,
            entries: get("entries")?,
        })
    }

    /// Writes those that are not as they were `before`.
    fn write(&self, before: &Self, table: &mut Lazy<'_, &'static str, u64>) -> Result<(), StoreError> {
        for ((name, value), (_, old)) in self.named().into_iter().zip(before.named()) {
            if value != old {
                table.insert(name, value)?;
            }
        }
        Ok(())
    }

    fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("arrival", self.arrival),
            ("identity", self.identity),
            ("log", self.log),
            ("local", self.local),
            ("receipt", self.receipt),
            ("slot", self.slot),
            ("media", self.media),
            ("entries", self.entries),
        ]
    }
}

impl<'t> Batch<'t> {
    /// Opens each table when it is first used.
    pub(super) fn open(
        txn: &'t WriteTransaction,
        shared: &'t Shared,
        own: &'t mut BTreeMap<Did, Own>,
        now_ms: u64,
    ) -> Result<Self, StoreError> {
        Self::with(Tables::when_used(txn), shared, own, now_ms)
    }

    /// Opens all tables, and makes those that are not there.
    pub(super) fn open_all(
        txn: &'t WriteTransaction,
        shared: &'t Shared,
        own: &'t mut BTreeMap<Did, Own>,
        now_ms: u64,
    ) -> Result<Self, StoreError> {
        Self::with(Tables::at_once(txn), shared, own, now_ms)
    }

    fn with(
        tables: Tables<'t>,
        shared: &'t Shared,
        own: &'t mut BTreeMap<Did, Own>,
        now_ms: u64,
    ) -> Result<Self, StoreError> {
        let counters_table = tables.table(tables::COUNTERS)?;
        let dids: Vec<Did> = shared.locals().iter().map(|local| local.did).collect();
        let counters = Counters::read(&counters_table)?;
        Ok(Self {
            counters,
            counters_before: counters,
            counters_table,
            identity_numbers: tables.table(tables::IDENTITY_NUMBERS)?,
            identities: tables.table(tables::IDENTITIES)?,
            identity_objects: tables.table(tables::IDENTITY_OBJECTS)?,
            identity_seen: tables.table(tables::IDENTITY_SEEN)?,
            locals: tables.table(tables::LOCALS)?,
            backup_keys: tables.table(tables::BACKUP_KEYS)?,
            settings: tables.table(tables::SETTINGS)?,
            client_records: tables.table(tables::CLIENT_RECORDS)?,
            log_numbers: tables.table(tables::LOG_NUMBERS)?,
            logs: tables.table(tables::LOGS)?,
            logs_of: tables.table(tables::LOGS_OF)?,
            openings: tables.table(tables::OPENINGS)?,
            openings_of: tables.table(tables::OPENINGS_OF)?,
            entries: tables.table(tables::ENTRIES)?,
            bodies: tables.table(tables::BODIES)?,
            bodies_lacked: tables.table(tables::BODIES_LACKED)?,
            entry_ids: tables.table(tables::ENTRY_IDS)?,
            local_ids: tables.table(tables::LOCAL_IDS)?,
            arrivals: tables.table(tables::ARRIVALS)?,
            stopped_logs: tables.table(tables::STOPPED_LOGS)?,
            fork_proofs: tables.table(tables::FORK_PROOFS)?,
            ladders: tables.table(tables::LADDERS)?,
            checkpoint_faults: tables.table(tables::CHECKPOINT_FAULTS)?,
            erasures: tables.table(tables::ERASURES)?,
            purges_due: tables.table(tables::PURGES_DUE)?,
            purge_intents: tables.table(tables::PURGE_INTENTS)?,
            free_slots: tables.table(tables::FREE_SLOTS)?,
            purges_owed: tables.table(tables::PURGES_OWED)?,
            copies: tables.table(tables::COPIES)?,
            receipts: tables.table(tables::RECEIPTS)?,
            receipts_given: tables.table(tables::RECEIPTS_GIVEN)?,
            answers: tables.table(tables::ANSWERS)?,
            blobs: tables.table(tables::BLOBS)?,
            blob_references: tables.table(tables::BLOB_REFERENCES)?,
            blob_uses: tables.table(tables::BLOB_USES)?,
            media: tables.table(tables::MEDIA)?,
            idempotency_keys: tables.table(tables::IDEMPOTENCY_KEYS)?,
            recovery_requests: tables.table(tables::RECOVERY_REQUESTS)?,
            keeps: tables.table(tables::KEEPS)?,
            keep_wishes: tables.table(tables::KEEP_WISHES)?,
            keepers_asked: tables.table(tables::KEEPERS_ASKED)?,
            holdings_heard: tables.table(tables::HOLDINGS_HEARD)?,
            bytes_held: tables.table(tables::BYTES_HELD)?,
            peers: tables.table(tables::PEERS)?,
            resumes: tables.table(tables::RESUMES)?,
            aimed: tables.table(tables::AIMED)?,
            own_profiles: tables.table(tables::OWN_PROFILES)?,
            admitted: tables.table(tables::ADMITTED)?,
            admissions: tables.table(tables::ADMISSIONS)?,
            admitted_lacked: tables.table(tables::ADMITTED_LACKED)?,
            admissions_due: tables.table(tables::ADMISSIONS_DUE)?,
            admission_counts: tables.table(tables::ADMISSION_COUNTS)?,
            views: Views::open(tables, &dids)?,
            after: After::default(),
            charges: BTreeMap::new(),
            is_turned_away: false,
            row_buffer: Vec::new(),
            body_buffer: Vec::new(),
            shared,
            own,
            now_ms,
        })
    }

    /// Writes what is still in memory; afterwards the transaction can be committed.
    pub(super) fn finish(mut self) -> Result<After, StoreError> {
        self.write_charges()?;
        self.fill_index()?;
        self.counters.write(&self.counters_before, &mut self.counters_table)?;
        self.after.events.extend(self.views.finish()?);
        Ok(self.after)
    }

    /// The number of an identity; given now if it has none.
    pub(super) fn identity_number(&mut self, did: &Did) -> Result<u32, StoreError> {
        if let Some(number) = self.identity_numbers.get(&did.0)? {
            return Ok(number.value());
        }
        let number = number32(self.counters.identity)?;
        self.counters.identity += 1;
        self.identity_numbers.insert(&did.0, number)?;
        let row = IdentityRow { did: *did, first_seen_ms: self.now_ms, changed: 0, objects: 0 };
        self.identities.insert(number, row)?;
        Ok(number)
    }

    /// A log with its number; interned now if it is new.
    pub(super) fn log(&mut self, log: &LogId, author: &Did, device: &DeviceId) -> Result<(u32, LogRow), StoreError> {
        if let Some(number) = self.log_numbers.get(&log.0)?.map(|number| number.value()) {
            return Ok((number, self.log_row(number)?));
        }
        let author = self.identity_number(author)?;
        let number = number32(self.counters.log)?;
        self.counters.log += 1;
        let row = LogRow::empty(*log, author, *device);
        self.log_numbers.insert(&log.0, number)?;
        self.logs.insert(number, row)?;
        self.logs_of.insert((author, number), ())?;
        Ok((number, row))
    }

    /// A log that must be there.
    pub(super) fn log_row(&self, number: u32) -> Result<LogRow, StoreError> {
        let row = self.logs.get(number)?.map(|row| row.value());
        row.ok_or_else(|| StoreError::Damaged(format!("log {number} is numbered but not there")))
    }

    /// What is known of an identity's keys and devices; none if no genesis is held.
    pub(super) fn identity(&mut self, did: &Did) -> Result<Option<Arc<IdentityRecord>>, StoreError> {
        if let Some(record) = self.after.identities.get(did) {
            return Ok(Some(Arc::clone(record)));
        }
        if let Some(record) = self.shared.cached_identity(did) {
            return Ok(Some(record));
        }
        let Some(number) = self.identity_numbers.get(&did.0)?.map(|number| number.value()) else { return Ok(None) };
        let record = load_identity(self.shared, self.identity_objects.open()?, number)?;
        if let Some(record) = &record {
            self.shared.cache_identity(Arc::clone(record));
        }
        Ok(record)
    }

    /// The next arrival counters: the first of `count`.
    pub(super) fn arrive(&mut self, what: ArrivalRow) -> Result<u64, StoreError> {
        let first = self.counters.arrival;
        self.counters.arrival += match what {
            ArrivalRow::Entries { count, .. } => u64::from(count),
            ArrivalRow::Identity(_) | ArrivalRow::Log(_) => 1,
        };
        self.arrivals.insert(first, what)?;
        Ok(first)
    }

    /// Writes the row of an entry.
    pub(super) fn put_row(&mut self, place: PlaceKey, row: &EntryRow<'_>) -> Result<(), StoreError> {
        let mut buffer = std::mem::take(&mut self.row_buffer);
        row.write(&mut buffer);
        let put = self.entries.insert(place, buffer.as_slice()).map(|_| ());
        self.row_buffer = buffer;
        put
    }

    /// Sets and clears flags of an entry.
    pub(super) fn set_flags(&mut self, place: PlaceKey, set: u8, clear: u8) -> Result<(), StoreError> {
        let Some(held) = self.held(place)? else { return Ok(()) };
        let row = held.row();
        self.put_row(place, &EntryRow { flags: (row.flags | set) & !clear, ..row })
    }

    /// An entry's row and header, copied out.
    pub(super) fn held(&self, place: PlaceKey) -> Result<Option<HeldEntry>, StoreError> {
        let Some(bytes) = self.entries.get(place)?.map(|row| row.value().to_vec()) else { return Ok(None) };
        HeldEntry::read(bytes).map(Some)
    }

    /// Seals a body under its salt in a fresh slot; answers the slot.
    pub(super) fn put_body(&mut self, place: PlaceKey, salt: &Salt, body: &[u8]) -> Result<u64, StoreError> {
        let slot = self.take_slot(salt)?;
        let mut buffer = std::mem::take(&mut self.body_buffer);
        buffer.clear();
        buffer.extend_from_slice(body);
        salts::seal(salt, slot, &mut buffer);
        let put = self.bodies.insert(place, buffer.as_slice()).map(|_| ());
        self.charge(place.0, buffer.len() as u64);
        self.body_buffer = buffer;
        put?;
        Ok(slot)
    }

    /// Gives a salt a slot; it is written before the commit.
    pub(super) fn take_slot(&mut self, salt: &Salt) -> Result<u64, StoreError> {
        let free = self.free_slots.pop_first()?.map(|(slot, _)| slot.value());
        let slot = free.unwrap_or(self.counters.slot);
        if free.is_none() {
            self.counters.slot += 1;
        }
        self.after.salts.push((slot, *salt));
        Ok(slot)
    }

    /// The bytes of a body that is held, whether or not it is hidden.
    pub(super) fn body_bytes(
        &self,
        place: PlaceKey,
        row: &EntryRow<'_>,
    ) -> Result<Option<(Salt, Vec<u8>)>, StoreError> {
        if !row.is(flags::BODY) {
            return Ok(None);
        }
        let fresh = self.after.salts.iter().rev().find(|(slot, _)| *slot == row.slot).map(|(_, salt)| *salt);
        let salt = match fresh {
            Some(salt) => Some(salt),
            None => self.shared.salts.read(row.slot)?,
        };
        let opened = self.bodies.get(place)?.and_then(|sealed| salts::open_body(salt, row.slot, sealed.value()));
        opened.map(Some).ok_or_else(|| damaged_body(place))
    }
}

/// An entry read out of its table.
pub(super) struct HeldEntry {
    bytes: Vec<u8>,
    /// The decoded header.
    pub(super) header: Header,
    /// The id.
    pub(super) id: EntryId,
}

impl HeldEntry {
    /// Reads the bytes of a row.
    pub(super) fn read(bytes: Vec<u8>) -> Result<Self, StoreError> {
        let row = EntryRow::read(&bytes).ok_or_else(|| StoreError::Damaged("entry is too short".into()))?;
        let header = Header::decode(row.header).map_err(|e| StoreError::Damaged(format!("header: {e}")))?;
        let id = EntryId(Header::hash(row.header).0);
        Ok(Self { bytes, header, id })
    }

    /// The row.
    pub(super) fn row(&self) -> EntryRow<'_> {
        EntryRow::read(&self.bytes).expect("read at construction")
    }

    /// What its place stands for.
    pub(super) fn hash(&self) -> Digest {
        Digest(self.id.0)
    }

    /// As the views want it.
    pub(super) fn for_views<'a>(&'a self, place: PlaceKey, body: Option<&'a xom_protocol::body::Body>) -> NewEntry<'a> {
        let row = self.row();
        NewEntry {
            place: Place { log: place.0, seq: place.1 },
            id: self.id,
            header: &self.header,
            body,
            arrival: Arrival { ms: row.ms, counter: row.counter, local_id: row.local_id, live: row.is(flags::LIVE) },
            disputed: false,
        }
    }
}

/// Reads and verifies the objects of an identity; they were verified before, so a fault is damage.
pub(super) fn load_identity(
    shared: &Shared,
    objects: &impl ReadableTable<(u32, u32), &'static [u8]>,
    number: u32,
) -> Result<Option<Arc<IdentityRecord>>, StoreError> {
    let damaged = |e: &dyn std::fmt::Display| StoreError::Damaged(format!("identity {number}: {e}"));
    let mut decoded = Vec::new();
    for object in objects.range((number, 0)..=(number, u32::MAX))? {
        let (_, bytes) = object?;
        decoded.push(SignedObject::decode(bytes.value()).map_err(|e| damaged(&e))?);
    }
    if decoded.is_empty() {
        return Ok(None);
    }
    IdentityRecord::from_objects(shared.network, decoded).map(|record| Some(Arc::new(record))).map_err(|e| damaged(&e))
}

pub(super) fn damaged_body(place: PlaceKey) -> StoreError {
    StoreError::Damaged(format!("body of entry {} of log {}", place.1, place.0))
}

fn number32(number: u64) -> Result<u32, StoreError> {
    u32::try_from(number).map_err(|_| StoreError::Storage("no number is left for another log or identity".into()))
}
