//! Restoring a backup (`ARC-17`): in a folder of its own inside the data folder, durably piece by piece, and put
//! in place only when all of it has been checked. No device key comes back; each identity needs a new one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use xom_protocol::Network;
use xom_protocol::phrase::Phrase;

use super::root::ROOT_NAME;
use super::seal::open;
use super::source::Source;
use super::{BackupError, Name, NameKey, Root};
use crate::error::StoreError;
use crate::store::Store;
use crate::store::folder::{make_dir_all, replace_file, sync_parent};
use crate::store::restore::{Filling, RESTORED, RESTORING, note_restored};

pub use crate::store::restore::RestoredIdentity;

/// Chunks of rows that become durable together.
const CHUNKS: usize = 8;
/// The hash of the root that a restore has begun with.
const ROOT_FILE: &str = "root";
/// Stands in the working folder once everything has been checked.
const CHECKED_FILE: &str = "checked";
/// What is moved into place, in this order; the format last, which makes it a data folder.
const MOVED: [&str; 7] = ["salts", "blobs", "incoming", "identities", "xom.redb", RESTORED, "format"];

/// What a restore is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes of so many are in place.
    Bytes {
        /// Done.
        done: u64,
        /// In all.
        total: u64,
    },
    /// Everything is being checked.
    Checking,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Whose identities; each needs a new device key.
    pub identities: Vec<RestoredIdentity>,
    /// When the backup was made, by its node's clock, milliseconds since 1970; none of an archive.
    pub time_ms: Option<u64>,
    /// Entries.
    pub entries: u64,
    /// Blobs.
    pub blobs: u64,
    /// Blobs that are missing or damaged; they are asked for from peers.
    pub missing_blobs: u64,
}

/// Restores the newest backup in `source` that the words open. Goes on where an earlier call was cut short.
///
/// Fails, and leaves no data folder behind, where anything breaks a rule.
pub async fn restore(
    source: PathBuf,
    data_dir: PathBuf,
    phrase: Phrase,
    progress: impl FnMut(Progress) + Send + 'static,
) -> Result<Restored, BackupError> {
    let mut progress = progress;
    let work = begin(&data_dir)?;
    let filled = tokio::task::spawn_blocking(move || {
        let filled = fill(&source, &work, &phrase, &mut progress)?;
        progress(Progress::Checking);
        Ok::<_, BackupError>((work, filled))
    });
    let (work, (restored, ready)) = filled.await.map_err(|_| StoreError::Stopping)??;
    if let Some((filling, network)) = ready {
        let store = filling.into_store(network)?;
        let checked = check(&store).await;
        store.stop().await;
        drop(store);
        checked?;
        note_restored(&work, &restored.identities)?;
        replace_file(&work.join(CHECKED_FILE), b"\n").map_err(BackupError::file(&work))?;
    }
    put_in_place(&work, &data_dir)?;
    Ok(restored)
}

/// The folder to work in; refuses a data folder that holds anything else.
pub(crate) fn begin(data_dir: &Path) -> Result<PathBuf, BackupError> {
    make_dir_all(data_dir).map_err(BackupError::file(data_dir))?;
    let work = data_dir.join(RESTORING);
    let moving = work.join(CHECKED_FILE).exists();
    for item in fs::read_dir(data_dir).map_err(BackupError::file(data_dir))? {
        let name = item.map_err(BackupError::file(data_dir))?.file_name();
        if name != RESTORING && !(moving && MOVED.iter().any(|moved| name == *moved)) {
            return Err(BackupError::NotEmpty(data_dir.to_owned()));
        }
    }
    Ok(work)
}

/// A database that is whole and not checked yet, and its network.
type Ready = Option<(Filling, Network)>;

fn fill(
    source: &Path,
    work: &Path,
    phrase: &Phrase,
    progress: &mut impl FnMut(Progress),
) -> Result<(Restored, Ready), BackupError> {
    let mut reading = Reading::open(source, work, phrase)?;
    let mut restored = reading.restored();
    if work.join(CHECKED_FILE).exists() {
        return Ok((restored, None));
    }
    let mut filling = Filling::open(work)?;
    let total = reading.root.totals.row_bytes + reading.root.totals.blob_bytes;
    let mut done = 0;
    let mut tell = |bytes: u64| {
        done += bytes;
        progress(Progress::Bytes { done, total });
    };
    if let Some(chunks) = filling.chunks()? {
        let rows: Vec<Name> = reading.root.rows().collect();
        let mut waiting = Vec::new();
        for (number, name) in (1..).zip(&rows) {
            let chunk = reading.rows(name)?;
            tell(chunk.len() as u64);
            // Read again where it is durable already, so that progress is told from what is there.
            if number > chunks {
                waiting.push(chunk);
            }
            if waiting.len() == CHUNKS || number == rows.len() as u64 {
                filling.add(&std::mem::take(&mut waiting), number)?;
            }
        }
    }
    let mut lost = Vec::new();
    for (blob, bytes) in filling.blobs()? {
        let held = filling.has_blob(&blob) || filling.put_blob(&blob, bytes, |piece| reading.piece(&blob.0, piece))?;
        if !held {
            lost.push((blob, bytes));
        }
        tell(bytes);
    }
    filling.lose(&lost)?;
    restored.missing_blobs = lost.len() as u64;
    filling.finish(&reading.root, reading.network)?;
    Ok((restored, Some((filling, reading.network))))
}

/// Nothing counts before all of it obeys the rules: a sealed file does not tell who sealed it.
pub(crate) async fn check(store: &Store) -> Result<(), BackupError> {
    store.rebuild_views().await?;
    let report = store.verify().await?;
    match report.faults.first() {
        Some(first) => Err(BackupError::Faults { count: report.faults.len(), first: first.clone() }),
        None => Ok(()),
    }
}

/// Moves what was restored into the data folder. Cut short, it goes on.
pub(crate) fn put_in_place(work: &Path, data_dir: &Path) -> Result<(), BackupError> {
    for name in MOVED {
        let (from, to) = (work.join(name), data_dir.join(name));
        match fs::rename(&from, &to) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            moved => moved.and_then(|()| sync_parent(&to)).map_err(BackupError::file(&to))?,
        }
    }
    fs::remove_dir_all(work).map_err(BackupError::file(work))
}

/// A backup that is being read.
struct Reading<'p> {
    source: Source,
    phrase: &'p Phrase,
    root: Root,
    network: Network,
    names: NameKey,
}

impl<'p> Reading<'p> {
    /// Opens the newest root that the words open, or the one that the restore has begun with.
    fn open(source: &Path, work: &Path, phrase: &'p Phrase) -> Result<Self, BackupError> {
        let mut source = Source::open(source)?;
        let begun = work.join(ROOT_FILE);
        let wanted = match fs::read(&begun) {
            Ok(hash) => Some(hash),
            Err(e) if e.kind() == io::ErrorKind::NotFound => None,
            Err(e) => return Err(BackupError::file(&begun)(e)),
        };
        let roots = source.roots()?;
        if roots.is_empty() {
            return Err(BackupError::Damaged("holds no backup yet (ARC-15)".into()));
        }
        for sealed in roots {
            let hash = blake3::hash(&sealed);
            if wanted.as_ref().is_some_and(|wanted| wanted != hash.as_bytes()) {
                continue;
            }
            let Some(bytes) = open(phrase, ROOT_NAME, &sealed) else { continue };
            let (root, network, names) = Root::decode(&bytes)?;
            if wanted.is_none() {
                make_dir_all(work).map_err(BackupError::file(work))?;
                crate::store::folder::Folder::open(work)?;
                replace_file(&begun, hash.as_bytes()).map_err(BackupError::file(&begun))?;
            }
            return Ok(Self { source, phrase, root, network, names });
        }
        Err(if wanted.is_some() { other(work) } else { BackupError::Words })
    }

    /// A chunk of rows; one that is missing or damaged ends the restore.
    fn rows(&mut self, name: &Name) -> Result<Vec<u8>, BackupError> {
        let sealed = self.source.read(name)?;
        let sealed = sealed.ok_or_else(|| BackupError::Damaged(format!("file {name} is missing (ARC-15)")))?;
        let chunk = open(self.phrase, &name.0, &sealed).filter(|chunk| self.names.of_rows(chunk) == *name);
        chunk.ok_or_else(|| BackupError::Damaged(format!("file {name} is damaged (ARC-12)")))
    }

    /// A piece of a blob; none if it is missing or damaged.
    fn piece(&mut self, blob: &[u8; 32], piece: u32) -> Result<Option<Vec<u8>>, BackupError> {
        let name = self.names.of_piece(blob, piece);
        Ok(self.source.read(&name)?.and_then(|sealed| open(self.phrase, &name.0, &sealed)))
    }

    fn restored(&self) -> Restored {
        let identity = |(did, username): &(_, String)| RestoredIdentity { did: *did, username: username.clone() };
        Restored {
            identities: self.root.locals.iter().map(identity).collect(),
            time_ms: Some(self.root.time_ms),
            entries: self.root.totals.entries,
            blobs: self.root.totals.blobs,
            missing_blobs: 0,
        }
    }
}

/// Another restore was begun in this working folder.
pub(crate) fn other(work: &Path) -> BackupError {
    BackupError::OtherRestore(work.parent().unwrap_or(work).to_owned())
}
