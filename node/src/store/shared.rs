//! What the writer and all readers share.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use std::time::Duration;

use redb::Database;
use tokio::sync::{Semaphore, broadcast, watch};
use xom_protocol::identity::IdentityRecord;
use xom_protocol::keys::SecretKey;
use xom_protocol::limits::RECOVERY_DELAY_MS;
use xom_protocol::{DeviceId, Did, LogId, Network};

use super::Notice;
use super::ahead::Signing;
use super::audits::Audits;
use super::evict::Room;
use super::folder::Folder;
use super::keep::{KeepRow, Kept};
use super::keyring::KeyDesk;
use super::opened::Opened;
use super::own::Own;
use super::receipts::Holding;
use super::salts::Salts;
use super::shares::Shares;
use super::tables::LocalRow;
use crate::blob::Trees;
use crate::error::StoreError;
use crate::keys::seal::Cost;
use crate::model::Event;

/// Notices that a slow receiver may be behind: it compares anew when it lags.
const NOTICES_MAX: usize = 1_024;
/// Events that a slow receiver may be behind.
const EVENTS_MAX: usize = 4_096;
/// Verified identities kept in memory; more are read again when they are needed.
const IDENTITIES_MAX: usize = 4_096;
/// Pictures that are decoded at the same time (`BLOB-10`).
const DECODED_AT_ONCE: usize = 1;
/// Holdings kept in memory; they are written within seconds.
const HOLDINGS_MAX: usize = 65_536;
/// How often the database is tried to be opened again, before the next write does.
const REOPEN_TRIES: u32 = 50;
/// Between two tries.
const REOPEN_WAIT: Duration = Duration::from_millis(20);

/// Tells the time, milliseconds since 1970.
pub(super) type Clock = Box<dyn Fn() -> u64 + Send + Sync>;
/// Fails where the disk takes no writes.
pub(super) type Probe = Box<dyn Fn(&Folder) -> std::io::Result<()> + Send + Sync>;
/// Opens or makes the database of a folder.
pub(super) type OpenDatabase = Box<dyn Fn(&Folder) -> Result<Database, StoreError> + Send + Sync>;

/// What the store has of the machine; tests put their own in its place.
pub(super) struct Machine {
    pub(super) cost: Cost,
    pub(super) clock: Clock,
    pub(super) probe: Probe,
    pub(super) open_database: OpenDatabase,
}

/// Everything but the writer's own state.
pub(crate) struct Shared {
    pub(super) folder: Folder,
    pub(super) network: Network,
    pub(super) salts: Salts,
    database: RwLock<Option<Database>>,
    identities: Mutex<HashMap<Did, Arc<IdentityRecord>>>,
    locals: RwLock<Vec<(LocalRow, Option<SecretKey>)>>,
    pub(super) key_desk: KeyDesk,
    wants: RwLock<Arc<BTreeSet<Did>>>,
    /// Identities that are to live here and are looked for; wanted like followed ones.
    sought: RwLock<BTreeSet<Did>>,
    machine: Machine,
    clock_offset_ms: Mutex<Option<i64>>,
    /// How long guardians who live here wait (`REC-5`).
    recovery_delay_ms: AtomicU64,
    /// By log of a local identity and device: what was heard since the last time that it was written.
    holdings: Mutex<BTreeMap<(LogId, DeviceId), Holding>>,
    notices: broadcast::Sender<Notice>,
    events: broadcast::Sender<Event>,
    /// Whether commands are carried out now, or wait for what peers know of the own logs.
    pub(super) signing: watch::Sender<Signing>,
    audits: Mutex<Audits>,
    kept: RwLock<Kept>,
    policy_turn: Mutex<()>,
    shares: Mutex<Shares>,
    pub(super) opened: Opened,
    pub(super) trees: Trees,
    pub(super) room: Room,
    /// Who has its permit may decode a picture: each takes much memory.
    pub(super) decoding: Semaphore,
}

/// The database, for as long as no compaction may run.
pub(super) struct DatabaseGuard<'a>(RwLockReadGuard<'a, Option<Database>>);

impl Deref for DatabaseGuard<'_> {
    type Target = Database;

    fn deref(&self) -> &Database {
        self.0.as_ref().expect("only made of a guard that holds one")
    }
}

impl Shared {
    /// Opens the database of an open folder.
    pub(super) fn open(folder: Folder, network: Network, salts: Salts, machine: Machine) -> Result<Self, StoreError> {
        let database = (machine.open_database)(&folder)?;
        Ok(Self {
            folder,
            network,
            salts,
            database: RwLock::new(Some(database)),
            identities: Mutex::default(),
            locals: RwLock::default(),
            key_desk: KeyDesk::default(),
            wants: RwLock::default(),
            sought: RwLock::default(),
            machine,
            clock_offset_ms: Mutex::default(),
            recovery_delay_ms: AtomicU64::new(RECOVERY_DELAY_MS),
            holdings: Mutex::default(),
            notices: broadcast::Sender::new(NOTICES_MAX),
            events: broadcast::Sender::new(EVENTS_MAX),
            signing: watch::Sender::new(Signing::Allowed),
            audits: Mutex::default(),
            kept: RwLock::default(),
            policy_turn: Mutex::default(),
            shares: Mutex::default(),
            opened: Opened::default(),
            trees: Trees::default(),
            room: Room::default(),
            decoding: Semaphore::new(DECODED_AT_ONCE),
        })
    }

    /// The database; it can't be compacted until the guard is gone.
    pub(super) fn database(&self) -> Result<DatabaseGuard<'_>, StoreError> {
        let guard = self.database.read().unwrap_or_else(PoisonError::into_inner);
        if guard.is_some() { Ok(DatabaseGuard(guard)) } else { Err(StoreError::Stopping) }
    }

    /// The database, alone.
    fn database_mut(&self) -> RwLockWriteGuard<'_, Option<Database>> {
        self.database.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Closes the database, then lets the folder go: whoever gets its lock can open the database. Reads that
    /// still go on, and later ones, fail.
    pub(super) fn close(&self) -> Result<(), StoreError> {
        let database = self.database_mut().take();
        let closed = database.map_or(Ok(()), Database::close);
        self.folder.unlock();
        Ok(closed?)
    }

    /// Gives space back. Fails while a read goes on.
    pub(super) fn compact(&self) -> Result<(), redb::CompactionError> {
        let mut guard = self.database_mut();
        if let Some(database) = guard.as_mut() {
            while database.compact()? {}
        }
        Ok(())
    }

    /// A database whose write has failed takes no more writes, but can be read. Opens it again where the
    /// disk takes writes, so that one that has room again needs no restart (R-STO-3).
    pub(super) fn reopen(&self) -> Result<(), StoreError> {
        (self.machine.probe)(&self.folder)?;
        let mut guard = self.database_mut();
        let works = guard.as_ref().is_some_and(|database| database.begin_write().is_ok_and(|txn| txn.abort().is_ok()));
        if works {
            return Ok(());
        }
        *guard = None;
        let mut tries = 0;
        loop {
            match (self.machine.open_database)(&self.folder) {
                Ok(database) => break *guard = Some(database),
                // A read that goes on holds the file.
                Err(_) if tries < REOPEN_TRIES => std::thread::sleep(REOPEN_WAIT),
                Err(e) => return Err(e),
            }
            tries += 1;
        }
        Ok(())
    }

    /// What a guess at a passphrase is to cost, where one is set.
    pub(super) fn cost(&self) -> Cost {
        self.machine.cost
    }

    /// What is kept to audit checkpoints; the writer's alone.
    pub(super) fn audits(&self) -> MutexGuard<'_, Audits> {
        self.audits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Milliseconds since 1970.
    pub(super) fn now_ms(&self) -> u64 {
        (self.machine.clock)()
    }

    /// A verified identity, if it is in memory.
    pub(super) fn cached_identity(&self, did: &Did) -> Option<Arc<IdentityRecord>> {
        self.identities.lock().unwrap_or_else(PoisonError::into_inner).get(did).cloned()
    }

    /// Keeps a verified identity in memory.
    pub(super) fn cache_identity(&self, record: Arc<IdentityRecord>) {
        let mut identities = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        if identities.len() >= IDENTITIES_MAX {
            identities.clear();
        }
        identities.insert(record.did(), record);
    }

    /// Forgets the identities in memory.
    pub(super) fn forget_identities(&self) {
        self.identities.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    pub(super) fn locals(&self) -> Vec<LocalRow> {
        let locals = self.locals.read().unwrap_or_else(PoisonError::into_inner);
        locals.iter().map(|(row, _)| row.clone()).collect()
    }

    /// The local identities with their device keys, as far as those are open.
    pub(super) fn local_keys(&self) -> Vec<(LocalRow, Option<SecretKey>)> {
        self.locals.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn add_local(&self, row: LocalRow, key: Option<SecretKey>) {
        self.locals.write().unwrap_or_else(PoisonError::into_inner).push((row, key));
    }

    /// Puts another device in the place of the one that an identity had here.
    pub(super) fn replace_local(&self, row: LocalRow, key: SecretKey) {
        let mut locals = self.locals.write().unwrap_or_else(PoisonError::into_inner);
        for local in locals.iter_mut().filter(|(old, _)| old.did == row.did) {
            *local = (row.clone(), Some(key.clone()));
        }
    }

    pub(super) fn device_key(&self, did: &Did) -> Option<SecretKey> {
        let locals = self.locals.read().unwrap_or_else(PoisonError::into_inner);
        locals.iter().find(|(row, _)| row.did == *did).and_then(|(_, key)| key.clone())
    }

    /// Keeps the opened device key of a local identity in memory.
    pub(super) fn open_device(&self, did: &Did, key: &SecretKey) {
        let mut locals = self.locals.write().unwrap_or_else(PoisonError::into_inner);
        for (row, kept) in locals.iter_mut() {
            if row.did == *did {
                *kept = Some(key.clone());
            }
        }
    }

    pub(super) fn wants(&self) -> Arc<BTreeSet<Did>> {
        Arc::clone(&self.wants.read().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn set_wants(&self, own: &BTreeMap<Did, Own>) {
        let mut wants: BTreeSet<Did> = own.keys().copied().collect();
        // What was restored is kept up to date while it waits for a device key.
        wants.extend(super::restore::restored(&self.folder).iter().map(|waiting| waiting.did));
        wants.extend(self.sought.read().unwrap_or_else(PoisonError::into_inner).iter().copied());
        let followed: BTreeSet<Did> = own.values().flat_map(Own::following).collect();
        let keeps = self.keeps();
        let quota = |(did, row): (&Did, &KeepRow)| (*did, (row.quota_bytes, followed.contains(did)));
        let mut shares = self.shares();
        shares.unlimited = wants.clone();
        shares.kept = keeps.iter().map(quota).collect();
        drop(shares);
        wants.extend(followed);
        wants.extend(keeps.keys().copied());
        *self.wants.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(wants);
    }

    /// Wants an identity from now on, until the end of this run.
    pub(super) fn seek(&self, did: Did) {
        self.sought.write().unwrap_or_else(PoisonError::into_inner).insert(did);
        self.shares().unlimited.insert(did);
        let mut wants = self.wants.write().unwrap_or_else(PoisonError::into_inner);
        *wants = Arc::new(wants.iter().copied().chain([did]).collect());
    }

    /// Sets which identities are kept.
    pub(super) fn set_kept(&self, kept: Kept) {
        *self.kept.write().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    /// The keeps that hold.
    pub(super) fn keeps(&self) -> Arc<BTreeMap<Did, KeepRow>> {
        Arc::clone(&self.kept.read().unwrap_or_else(PoisonError::into_inner).holding)
    }

    /// True while something is held for a keep that has ended.
    pub(super) fn has_ended_keeps(&self) -> bool {
        self.kept.read().unwrap_or_else(PoisonError::into_inner).has_ended
    }

    /// The turn of whoever changes the policy for keepers: one at a time.
    pub(super) fn policy_turn(&self) -> MutexGuard<'_, ()> {
        self.policy_turn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who may take how much of the disk. Never locked for long.
    pub(super) fn shares(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long guardians who live here wait, milliseconds (`REC-5`).
    pub(super) fn recovery_delay_ms(&self) -> u64 {
        self.recovery_delay_ms.load(Ordering::Relaxed)
    }

    pub(super) fn set_recovery_delay(&self, delay: Duration) {
        let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        self.recovery_delay_ms.store(delay_ms, Ordering::Relaxed);
    }

    /// By how much peers' clocks are ahead, milliseconds.
    pub(super) fn clock_offset(&self) -> Option<i64> {
        *self.clock_offset_ms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn set_clock_offset(&self, median_ms: Option<i64>) {
        *self.clock_offset_ms.lock().unwrap_or_else(PoisonError::into_inner) = median_ms;
    }

    /// Notes how far a device holds logs of local identities.
    pub(super) fn note_holdings(&self, device: DeviceId, holdings: &[(LogId, Holding)]) {
        let mut known = self.holdings.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= HOLDINGS_MAX {
            known.clear();
        }
        known.extend(holdings.iter().map(|(log, holding)| ((*log, device), *holding)));
    }

    /// The devices of which was heard lately that they hold this log.
    pub(super) fn holdings(&self, log: &LogId) -> Vec<(DeviceId, Holding)> {
        let known = self.holdings.lock().unwrap_or_else(PoisonError::into_inner);
        let range = (*log, DeviceId([0; 32]))..=(*log, DeviceId([0xff; 32]));
        known.range(range).map(|((_, device), holding)| (*device, *holding)).collect()
    }

    pub(super) fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    pub(super) fn events(&self) -> broadcast::Receiver<Event> {
        self.events.subscribe()
    }

    pub(super) fn tell(&self, notice: Notice) {
        // Nobody may be listening.
        drop(self.notices.send(notice));
    }

    pub(super) fn tell_event(&self, event: Event) {
        drop(self.events.send(event));
    }
}
