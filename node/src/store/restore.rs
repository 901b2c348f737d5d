//! Filling an empty database from the rows of a backup (`ARC-17`), piece by piece: each piece is durable before the
//! next, so that a restore that was cut short goes on. What follows from other rows is made here.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use redb::{Database, Key, ReadableDatabase, ReadableTable, TableDefinition, Value, WriteTransaction};
use serde::{Deserialize, Serialize};
use xom_protocol::body::Body;
use xom_protocol::entry::Salt;
use xom_protocol::{BlobId, Did, Network};

use super::backup::{numbers, pieces};
use super::batch::HeldEntry;
use super::erasure::attachments;
use super::folder::{Folder, entropy, make_dir_all, replace_file, sync_parent};
use super::open::open_database;
use super::salts::{self, Salts};
use super::tables::{self, BlobRow, BlobState, PlaceKey, flags};
use super::{Store, open};
use crate::backup::{BackupError, Root, records};
use crate::error::{StartError, StoreError};

/// Where a restore works until it is whole, inside the data folder.
pub(crate) const RESTORING: &str = "restoring";
/// Tells whose identities were restored and have no device key here yet.
pub(crate) const RESTORED: &str = "restored";
/// How far a restore is: `chunks` of rows that are durable. Gone when it is whole.
const PROGRESS: TableDefinition<'_, &str, u64> = TableDefinition::new("restore_v1");
/// Longest `restored` that is read, bytes.
const RESTORED_BYTES_MAX: u64 = 1 << 20;

/// Key and value of a row.
type Row<'c> = (&'c [u8], &'c [u8]);

/// An identity whose entries were restored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoredIdentity {
    /// Whose.
    pub did: Did,
    /// What it was called on its node.
    pub username: String,
}

/// The identities that were restored into a folder.
pub(crate) fn restored(folder: &Folder) -> Vec<RestoredIdentity> {
    let path = folder.path().join(RESTORED);
    let whole = fs::metadata(&path).is_ok_and(|found| found.len() <= RESTORED_BYTES_MAX);
    let text = if whole { fs::read(&path).ok() } else { None };
    text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
}

/// True if restored identities wait for a device key: then no other identity is made in their place.
pub(super) fn is_waiting(folder: &Folder) -> bool {
    folder.path().join(RESTORED).exists()
}

/// Notes whose identities were restored.
pub(crate) fn note_restored(folder: &Path, identities: &[RestoredIdentity]) -> Result<(), StoreError> {
    let text = serde_json::to_vec(identities).map_err(|e| StoreError::Storage(e.to_string()))?;
    Ok(replace_file(&folder.join(RESTORED), &text)?)
}

/// Forgets that an identity waits for a device key: it has one now. Failing here only keeps a stale note.
pub(super) fn forget_restored(folder: &Folder, did: &Did) {
    let mut waiting = restored(folder);
    waiting.retain(|restored| restored.did != *did);
    let path = folder.path().join(RESTORED);
    let written = if waiting.is_empty() {
        fs::remove_file(&path).or_else(|e| if e.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(e) })
    } else {
        note_restored(folder.path(), &waiting).map_err(io::Error::other)
    };
    if let Err(cause) = written {
        tracing::warn!(%cause, "could not forget that {did} waits for a device key");
    }
}

/// A database that is being filled.
pub(crate) struct Filling {
    folder: Folder,
    database: Database,
    salts: Salts,
}

impl Filling {
    /// Opens the folder that a restore works in, or makes it.
    pub(crate) fn open(path: &Path) -> Result<Self, BackupError> {
        let folder = Folder::open(path)?;
        let database = open_database(&folder)?;
        let salts = Salts::open(&folder.salts()).map_err(StoreError::from)?;
        Ok(Self { folder, database, salts })
    }

    /// How many chunks of rows are durable; none when all are, and the rest is too.
    pub(crate) fn chunks(&self) -> Result<Option<u64>, BackupError> {
        let txn = self.database.begin_read()?;
        match txn.open_table(PROGRESS) {
            Ok(table) => Ok(Some(table.get("chunks")?.map_or(0, |value| value.value()))),
            Err(redb::TableError::TableDoesNotExist(_)) => match txn.open_table(tables::FACTS) {
                Ok(_) => Ok(None),
                Err(redb::TableError::TableDoesNotExist(_)) => Ok(Some(0)),
                Err(e) => Err(e.into()),
            },
            Err(e) => Err(e.into()),
        }
    }

    /// Adds chunks of rows, durably; `done` is how many there are then.
    pub(crate) fn add(&mut self, chunks: &[Vec<u8>], done: u64) -> Result<(), BackupError> {
        let txn = self.database.begin_write()?;
        let mut salts = Vec::new();
        for chunk in chunks {
            let mut by_table: BTreeMap<u8, Vec<Row<'_>>> = BTreeMap::new();
            for (table, key, value) in records(chunk)? {
                by_table.entry(table).or_default().push((key, value));
            }
            for (table, rows) in by_table {
                fill_table(&txn, table, &rows, &mut salts)?;
            }
        }
        txn.open_table(PROGRESS)?.insert("chunks", done)?;
        self.salts.write(&salts).and_then(|()| self.salts.sync()).map_err(StoreError::from)?;
        Ok(txn.commit()?)
    }

    /// The blobs that should be here, with their sizes.
    pub(crate) fn blobs(&self) -> Result<Vec<(BlobId, u64)>, BackupError> {
        let txn = self.database.begin_read()?;
        let table = match txn.open_table(tables::BLOBS) {
            Err(redb::TableError::TableDoesNotExist(_)) => return Ok(Vec::new()),
            table => table?,
        };
        let mut held = Vec::new();
        for row in table.iter()? {
            let (blob, row) = row?;
            if row.value().state == BlobState::Held {
                held.push((BlobId(*blob.value()), row.value().bytes));
            }
        }
        Ok(held)
    }

    /// True if the file of a blob is whole already.
    pub(crate) fn has_blob(&self, blob: &BlobId) -> bool {
        crate::blob::BlobReader::open(&self.blob_path(blob), blob).is_ok_and(|found| found.is_some())
    }

    /// Writes the file of a blob from its pieces; false where one is missing or it does not hash to its name.
    pub(crate) fn put_blob(
        &self,
        blob: &BlobId,
        bytes: u64,
        mut piece: impl FnMut(u32) -> Result<Option<Vec<u8>>, BackupError>,
    ) -> Result<bool, BackupError> {
        let path = self.blob_path(blob);
        let new = self.folder.incoming().join("restoring");
        let failed = |e| BackupError::File { path: new.clone(), cause: e };
        let mut file = File::create(&new).map_err(failed)?;
        let mut hasher = blake3::Hasher::new();
        for number in pieces(bytes) {
            let Some(piece) = piece(number)? else { return Ok(false) };
            hasher.update(&piece);
            file.write_all(&piece).map_err(failed)?;
        }
        if *hasher.finalize().as_bytes() != blob.0 {
            return Ok(false);
        }
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            make_dir_all(parent).map_err(failed)?;
        }
        let placed = file.sync_all().and_then(|()| fs::rename(&new, &path)).and_then(|()| sync_parent(&path));
        placed.map_err(failed)?;
        Ok(true)
    }

    /// Wants blobs again that the backup does not hold.
    pub(crate) fn lose(&self, blobs: &[(BlobId, u64)]) -> Result<(), BackupError> {
        let txn = self.database.begin_write()?;
        {
            let mut table = txn.open_table(tables::BLOBS)?;
            for (blob, bytes) in blobs {
                table.insert(&blob.0, BlobRow { bytes: *bytes, state: BlobState::Wanted })?;
            }
        }
        Ok(txn.commit()?)
    }

    /// Makes the database whole: counters, and an epoch of its own, since what peers remember of the old
    /// database does not hold of this one.
    pub(crate) fn finish(&self, root: &Root, network: Network) -> Result<(), BackupError> {
        let entropy = entropy()?;
        let txn = self.database.begin_write()?;
        {
            let mut counters = txn.open_table(tables::COUNTERS)?;
            for (name, value) in &root.counters {
                counters.insert(name.as_str(), value)?;
            }
            let mut facts = txn.open_table(tables::FACTS)?;
            facts.insert("epoch", &entropy[..16])?;
            facts.insert("network", network.as_str().as_bytes())?;
        }
        txn.delete_table(PROGRESS)?;
        Ok(txn.commit()?)
    }

    /// Opens what was filled as a store without identities.
    pub(crate) fn into_store(self, network: Network) -> Result<Store, StartError> {
        let Self { folder, database, salts } = self;
        drop((database, salts));
        open::open_without_identity(folder, network)
    }

    fn blob_path(&self, blob: &BlobId) -> PathBuf {
        let name = data_encoding::HEXLOWER.encode(&blob.0);
        self.folder.blobs().join(&name[..2]).join(name)
    }
}

fn fill_table(
    txn: &WriteTransaction,
    number: u8,
    rows: &[Row<'_>],
    salts: &mut Vec<(u64, Salt)>,
) -> Result<(), BackupError> {
    match number {
        numbers::IDENTITIES => {
            fill(txn, tables::IDENTITIES, rows)?;
            let mut dids = txn.open_table(tables::IDENTITY_NUMBERS)?;
            for (key, value) in rows {
                dids.insert(&tables::IdentityRow::from_bytes(value).did.0, u32::from_bytes(key))?;
            }
            Ok(())
        }
        numbers::IDENTITY_OBJECTS => fill(txn, tables::IDENTITY_OBJECTS, rows),
        numbers::IDENTITY_SEEN => fill(txn, tables::IDENTITY_SEEN, rows),
        numbers::LOGS => {
            fill(txn, tables::LOGS, rows)?;
            let mut ids = txn.open_table(tables::LOG_NUMBERS)?;
            let mut of = txn.open_table(tables::LOGS_OF)?;
            for (key, value) in rows {
                let (number, row) = (u32::from_bytes(key), tables::LogRow::from_bytes(value));
                ids.insert(&row.log.0, number)?;
                of.insert((row.author, number), ())?;
            }
            Ok(())
        }
        numbers::OPENINGS => fill(txn, tables::OPENINGS, rows),
        numbers::OPENINGS_OF => fill(txn, tables::OPENINGS_OF, rows),
        numbers::FORK_PROOFS => fill(txn, tables::FORK_PROOFS, rows),
        numbers::CHECKPOINT_FAULTS => fill(txn, tables::CHECKPOINT_FAULTS, rows),
        numbers::COPIES => fill(txn, tables::COPIES, rows),
        numbers::RECEIPTS => fill(txn, tables::RECEIPTS, rows),
        numbers::RECEIPTS_GIVEN => fill(txn, tables::RECEIPTS_GIVEN, rows),
        numbers::ANSWERS => fill(txn, tables::ANSWERS, rows),
        numbers::PURGES_OWED => fill(txn, tables::PURGES_OWED, rows),
        numbers::SETTINGS => {
            let is_key = |key: &[u8]| key.get(4..).is_some_and(|name| std::str::from_utf8(name).is_ok());
            if rows.iter().any(|(key, _)| !is_key(key)) {
                return Err(damaged("a setting whose name is no text"));
            }
            fill(txn, tables::SETTINGS, rows)
        }
        numbers::STOPPED_LOGS => fill(txn, tables::STOPPED_LOGS, rows),
        numbers::ERASURES => fill(txn, tables::ERASURES, rows),
        numbers::BODIES_LACKED => fill(txn, tables::BODIES_LACKED, rows),
        numbers::PURGES_DUE => fill(txn, tables::PURGES_DUE, rows),
        numbers::FREE_SLOTS => fill(txn, tables::FREE_SLOTS, rows),
        numbers::BLOBS => fill(txn, tables::BLOBS, rows),
        numbers::PEERS => fill(txn, tables::PEERS, rows),
        numbers::BACKUP_KEYS => fill(txn, tables::BACKUP_KEYS, rows),
        numbers::RECOVERY_REQUESTS => fill(txn, tables::RECOVERY_REQUESTS, rows),
        numbers::KEEPS => fill(txn, tables::KEEPS, rows),
        numbers::KEEPERS_ASKED => fill(txn, tables::KEEPERS_ASKED, rows),
        numbers::AIMED => fill(txn, tables::AIMED, rows),
        numbers::OWN_PROFILES => fill(txn, tables::OWN_PROFILES, rows),
        numbers::ADMITTED => fill(txn, tables::ADMITTED, rows),
        numbers::ADMISSIONS => fill(txn, tables::ADMISSIONS, rows),
        numbers::ADMITTED_LACKED => fill(txn, tables::ADMITTED_LACKED, rows),
        numbers::ADMISSIONS_DUE => fill(txn, tables::ADMISSIONS_DUE, rows),
        numbers::ARRIVALS => fill(txn, tables::ARRIVALS, rows),
        numbers::ENTRIES => fill_entries(txn, rows),
        numbers::BODIES => fill_bodies(txn, rows, salts),
        other => Err(damaged(&format!("rows of table {other}, which this xom does not know"))),
    }
}

/// Inserts rows as they are, if they can be rows of the table.
fn fill<K: Key + 'static, V: Value + 'static>(
    txn: &WriteTransaction,
    table: TableDefinition<'_, K, V>,
    rows: &[Row<'_>],
) -> Result<(), BackupError> {
    let mut table = txn.open_table(table)?;
    for (key, value) in rows {
        let fits = |width: Option<usize>, bytes: &[u8]| width.is_none_or(|width| width == bytes.len());
        if !fits(K::fixed_width(), key) || !fits(V::fixed_width(), value) {
            return Err(damaged("a row of another width"));
        }
        table.insert(K::from_bytes(key), V::from_bytes(value))?;
    }
    Ok(())
}

fn fill_entries(txn: &WriteTransaction, rows: &[Row<'_>]) -> Result<(), BackupError> {
    fill(txn, tables::ENTRIES, rows)?;
    let mut ids = txn.open_table(tables::ENTRY_IDS)?;
    let mut local_ids = txn.open_table(tables::LOCAL_IDS)?;
    for (key, value) in rows {
        let (place, held) = (PlaceKey::from_bytes(key), HeldEntry::read(value.to_vec())?);
        ids.insert(&held.id.0, place)?;
        if held.row().local_id != 0 {
            local_ids.insert(held.row().local_id, place)?;
        }
    }
    Ok(())
}

fn fill_bodies(txn: &WriteTransaction, rows: &[Row<'_>], salts: &mut Vec<(u64, Salt)>) -> Result<(), BackupError> {
    let entries = txn.open_table(tables::ENTRIES)?;
    let mut bodies = txn.open_table(tables::BODIES)?;
    let mut references = txn.open_table(tables::BLOB_REFERENCES)?;
    for (key, value) in rows {
        if PlaceKey::fixed_width() != Some(key.len()) {
            return Err(damaged("a row of another width"));
        }
        let place = PlaceKey::from_bytes(key);
        let (salt, sealed) = value.split_first_chunk::<32>().ok_or_else(|| damaged("a body without a salt"))?;
        let held = entries.get(place)?.map(|row| HeldEntry::read(row.value().to_vec())).transpose()?;
        let held = held.filter(|held| held.row().is(flags::BODY)).ok_or_else(|| damaged("a body without an entry"))?;
        let slot = held.row().slot;
        let body = salts::unseal(salt, slot, sealed).ok_or_else(|| damaged("a body under another salt"))?;
        if let Ok(body) = Body::decode(&held.header.kind, &body) {
            for attachment in attachments(&body) {
                references.insert((&attachment.blob.0, place.0, place.1), ())?;
            }
        }
        bodies.insert(place, sealed)?;
        salts.push((slot, *salt));
    }
    Ok(())
}

fn damaged(what: &str) -> BackupError {
    BackupError::Damaged(format!("{what} (ARC-13)"))
}
