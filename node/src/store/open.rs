//! Opening the store: the folder, the database, what a crash has left undone, the local identities.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use redb::{Builder, Database, ReadableTable};
use tokio::sync::mpsc;
use xom_protocol::body::Profile;
use xom_protocol::{BlobId, Network};

use super::folder::{Folder, unreadable};
use super::salts::Salts;
use super::shared::{Machine, Shared};
use super::snapshot::read_locals;
use super::tables::{self, BlobState};
use super::writer::{QUEUE_MAX, Task, Writer};
use super::{Store, identities};
use crate::command::Command;
use crate::config::NodeConfig;
use crate::error::{StartError, StoreError};
use crate::keys::seal::Cost;
use crate::views::Views;

/// Bytes of the database that are kept in memory: little enough for a machine with 1 GB.
const CACHE_BYTES: usize = 64 << 20;

/// Bytes that a disk must take before a database is opened again on it.
const PROBE_BYTES: usize = 256 << 10;

/// Opens the store of a node; makes the folder, and the first identity where there is none and one is wanted.
pub(crate) fn open(config: &NodeConfig) -> Result<Store, StartError> {
    let folder = Folder::open(&config.data_dir)?;
    let store = start(folder, config.network, config.first_username.as_deref(), system())?;
    store.shared.set_recovery_delay(config.recovery_delay);
    store.set_author_quota(config.author_quota_bytes);
    store.set_media_room(config.media_room_bytes);
    Ok(store)
}

/// Opens a store that is there already, for commands that need no running node. Makes no identity.
pub(crate) fn open_existing(path: &Path, network: Network) -> Result<Store, StartError> {
    if !Folder::exists(path) && !path.join(super::restore::RESTORING).is_dir() {
        return Err(unreadable(path, &"is not a data folder; make one with xom init or xom run"));
    }
    let store = start(Folder::open(path)?, network, None, system())?;
    store.set_author_quota(u64::MAX);
    Ok(store)
}

/// Opens the store of a folder that is filled from elsewhere. Makes no identity.
pub(crate) fn open_without_identity(folder: Folder, network: Network) -> Result<Store, StartError> {
    let store = start(folder, network, None, system())?;
    // It is the owner's own that comes.
    store.set_author_quota(u64::MAX);
    Ok(store)
}

/// The real clock and the real files.
fn system() -> Machine {
    Machine {
        cost: Cost::USUAL,
        clock: Box::new(system_ms),
        probe: Box::new(probe),
        open_database: Box::new(open_database),
    }
}

/// Writes a little, durably, and takes it away again.
pub(super) fn probe(folder: &Folder) -> std::io::Result<()> {
    let path = folder.path().join("probe");
    let written = super::folder::replace_file(&path, &[1; PROBE_BYTES]);
    let removed = std::fs::remove_file(&path);
    written.and(removed)
}

/// Milliseconds since 1970 by the system's clock.
fn system_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Opens everything in a folder and starts the writer.
pub(super) fn start(
    folder: Folder,
    network: Network,
    first_username: Option<&str>,
    machine: Machine,
) -> Result<Store, StartError> {
    let path = folder.path().to_owned();
    let salts = Salts::open(&folder.salts()).map_err(|e| unreadable(&folder.salts(), &e))?;
    let shared = Shared::open(folder, network, salts, machine);
    let shared = Arc::new(shared.map_err(|e| unreadable(&path.join("xom.redb"), &e))?);
    let lacking = recover(&shared).map_err(|e| unreadable(&path, &e))?;
    let locals = {
        let txn = shared.database().and_then(|database| Ok(redb::ReadableDatabase::begin_read(&*database)?));
        let rows = txn.and_then(|txn| read_locals(&txn.open_table(tables::LOCALS)?));
        rows.map_err(|e| unreadable(&path, &e))?
    };
    let keys = identities::recover(&shared.folder, &locals)?;
    for (row, key) in locals.into_iter().zip(keys) {
        shared.add_local(row, key);
    }
    let mut writer = Writer::new(Arc::clone(&shared));
    if lacking.favourites {
        writer.do_now(|batch| batch.views.fill_favourites()).map_err(|e| unreadable(&path, &e))?;
    }
    if lacking.index {
        writer.do_now(|batch| batch.views.fill_index()).map_err(|e| unreadable(&path, &e))?;
    }
    let damaged = writer.load_own().map_err(|e| unreadable(&path, &e))?;
    if let Err(cause) = writer.do_now(move |batch| batch.lack_bodies(&damaged)) {
        tracing::warn!(%cause, "damaged bodies are not asked for again in this run");
    }
    if let Err(cause) = writer.do_now(|batch| batch.seek_named_heads()) {
        tracing::warn!(%cause, "could not judge the forks that are held again");
    }
    let is_free = shared.locals().is_empty() && !super::restore::is_waiting(&shared.folder);
    if let Some(username) = first_username.filter(|_| is_free) {
        writer.make_identity(username)?;
    }
    writer.set_wants();
    let (jobs, queue) = mpsc::channel(QUEUE_MAX);
    let thread = std::thread::Builder::new().name("xom-writer".into()).spawn(move || writer.run(queue));
    let thread = thread.map_err(|e| unreadable(&path, &e))?;
    Ok(Store { shared, jobs, writer: Arc::new(std::sync::Mutex::new(Some(thread))) })
}

/// Opens or makes the database file.
pub(super) fn open_database(folder: &Folder) -> Result<Database, StoreError> {
    let path = folder.database();
    let file = super::folder::private_options().read(true).write(true).create(true).truncate(false).open(&path)?;
    drop(file);
    Ok(Builder::new().set_cache_size(CACHE_BYTES).create(&path)?)
}

/// What a version before this one, which wrote the folder, did not keep.
#[derive(Clone, Copy)]
struct Lacking {
    favourites: bool,
    index: bool,
}

/// Makes the tables, and carries out what a crash has left undone: purges first of all. Answers what is to be made out
/// of what is held.
fn recover(shared: &Shared) -> Result<Lacking, StoreError> {
    let database = shared.database()?;
    let (intents, drops, lacking) = {
        let txn = database.begin_write()?;
        let lacking = Lacking { favourites: Views::lacks_favourites(&txn)?, index: Views::lacks_index(&txn)? };
        name_database(shared, &txn)?;
        let mut none = std::collections::BTreeMap::new();
        let mut batch = super::Batch::open_all(&txn, shared, &mut none, shared.now_ms())?;
        batch.migrate_forks(&txn)?;
        batch.count_held()?;
        let intents: Vec<u64> =
            batch.purge_intents.iter()?.map(|row| row.map(|row| row.0.value())).collect::<Result<_, _>>()?;
        let mut drops = Vec::new();
        for row in batch.blobs.iter()? {
            let (blob, row) = row?;
            if matches!(row.value().state, BlobState::Dropping | BlobState::DroppingForGood) {
                drops.push(BlobId(*blob.value()));
            }
        }
        shared.salts.truncate(batch.counters.slot)?;
        batch.finish()?;
        txn.commit()?;
        (intents, drops, lacking)
    };
    if !intents.is_empty() {
        shared.salts.zero(&intents)?;
    }
    for blob in &drops {
        shared.delete_blob_file(blob)?;
    }
    {
        let blobs = redb::ReadableDatabase::begin_read(&*database)?.open_table(tables::BLOBS)?;
        let is_held = |blob: &BlobId| {
            let row = blobs.get(&blob.0)?.map(|row| row.value());
            Ok(row.is_some_and(|row| row.state == BlobState::Held))
        };
        shared.clear_incoming(is_held)?;
    }
    let txn = database.begin_write()?;
    let mut none = std::collections::BTreeMap::new();
    let mut batch = super::Batch::open(&txn, shared, &mut none, shared.now_ms())?;
    batch.note_zeroed(&intents)?;
    batch.note_dropped(&drops)?;
    batch.answer_purged()?;
    batch.finish()?;
    txn.commit()?;
    Ok(lacking)
}

/// Gives a new database its epoch and network, and refuses one of another network.
fn name_database(shared: &Shared, txn: &redb::WriteTransaction) -> Result<(), StoreError> {
    let mut facts = txn.open_table(tables::FACTS)?;
    let network = facts.get("network")?.map(|network| network.value().to_vec());
    match network {
        Some(network) if network != shared.network.as_str().as_bytes() => {
            let network = String::from_utf8_lossy(&network).into_owned();
            Err(StoreError::Storage(format!("belongs to network {network}, not to {}", shared.network)))
        }
        Some(_) => Ok(()),
        None => {
            let entropy = super::folder::entropy().map_err(|e| StoreError::Storage(e.to_string()))?;
            facts.insert("epoch", &entropy[..16])?;
            facts.insert("network", shared.network.as_str().as_bytes())?;
            Ok(())
        }
    }
}

impl Writer {
    /// Makes an identity: keys, genesis, and a profile with its user name.
    pub(super) fn make_identity(&mut self, username: &str) -> Result<(), StartError> {
        let place = self.shared.folder.identity(username);
        if self.shared.locals().iter().any(|row| row.username == username) {
            return Err(unreadable(&place, &"is there already"));
        }
        let fresh = identities::make(&self.shared.folder, self.shared.network, username)?;
        let (row, genesis) = (fresh.row, fresh.genesis.encode());
        let number = u32::try_from(self.shared.locals().len()).map_err(|_| unreadable(&place, &"is one too many"))?;
        let stored = row.clone();
        self.do_now(move |batch| {
            batch.insert_identity(stored.did, std::slice::from_ref(&genesis))?;
            batch.locals.insert(number, xom_protocol::encoding::encode(&stored).as_slice())?;
            batch.backup_keys.insert(&stored.did.0, &fresh.backup.0)?;
            Ok(())
        })
        .map_err(|e| unreadable(&place, &e))?;
        identities::finish(&self.shared.folder, &row)?;
        self.shared.add_local(row.clone(), Some(fresh.key));
        self.load_own().map_err(|e| unreadable(&place, &e))?;
        let profile = Profile { username: Some(row.username), ..Profile::default() };
        let named = self.do_now(move |batch| {
            let answer = batch.command(&row.did, Command::Profile(Box::new(profile.clone())));
            answer.map_err(|e| StoreError::Storage(e.to_string()))
        });
        named.map(|_| ()).map_err(|e| unreadable(&place, &e))
    }

    /// Carries something out alone, outside the queue.
    pub(super) fn do_now<T: Send + 'static>(
        &mut self,
        work: impl FnMut(&mut super::Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (job, mut answer) = Task::job(work);
        if let super::Job::Write(job) = job {
            self.carry_out(vec![job]);
        }
        answer.try_recv().map_err(|_| StoreError::Stopping)?
    }
}
