//! Going on with an archive on a new node (`ARC-18`): its entries, bodies and blobs are taken in by the rules, as
//! from a peer. The identity gets no device key here; see [`crate::backup`] for what a restore leaves.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use tokio::runtime::Handle;
use xom_protocol::log::{FaultProof, ForkProof};
use xom_protocol::{BlobId, Did, Network};

use super::check::{Taker, check};
use super::evidence::CopyNote;
use super::manifest::Settings;
use super::tar::invalid;
use super::verify_archive;
use crate::backup::{BackupError, Progress, Restored, RestoredIdentity, begin, check_restored, put_in_place};
use crate::error::StoreError;
use crate::model::VerifyReport;
use crate::store::folder::{Folder, replace_file};
use crate::store::restore::note_restored;
use crate::store::{Appended, NewRun, Store, open_without_identity};

/// What is known of copies, durable together.
const COPIES: usize = 256;
/// Bytes of a blob handed on at a time.
const PIECE: usize = 64 << 10;
/// Whose archive it is that was begun with.
const ROOT_FILE: &str = "root";

/// Makes a data folder of an archive. Goes on where an earlier call was cut short; fails, and leaves no data folder
/// behind, where the archive has a fault.
pub async fn take_over(
    source: PathBuf,
    data_dir: PathBuf,
    mut progress: impl FnMut(Progress) + Send + 'static,
) -> Result<Restored, BackupError> {
    let open = |path: &Path| File::open(path).map_err(|cause| BackupError::File { path: path.to_owned(), cause });
    let total = open(&source)?.metadata()?.len();
    let path = source.clone();
    let file = open(&source)?;
    let checked = tokio::task::spawn_blocking(move || {
        progress(Progress::Checking);
        let report = verify_archive(BufReader::new(file));
        (report, progress)
    });
    let (report, mut progress) = checked.await.map_err(|_| StoreError::Stopping)?;
    refuse_faults(&report)?;
    let (network, did) = super::check::whose(BufReader::new(open(&path)?))?;
    let work = begin(&data_dir)?;
    let store = begin_with(&work, network, did)?;
    let (taking, file) = (store.clone(), open(&path)?);
    let taken = tokio::task::spawn_blocking(move || {
        let reader = Telling { file: BufReader::new(file), done: 0, total, progress: &mut progress };
        let (runtime, username) = (Handle::current(), String::new());
        let mut taker = Into { store: taking, runtime, username, copies: Vec::new(), blobs: 0 };
        let report = check(reader, &mut taker);
        progress(Progress::Checking);
        (report, taker.username, taker.blobs)
    });
    let taken = taken.await;
    let checked = check_restored(&store).await;
    store.stop().await;
    let (report, username, blobs) = taken.map_err(|_| StoreError::Stopping)?;
    refuse_faults(&report)?;
    checked?;
    let identities = vec![RestoredIdentity { did, username }];
    note_restored(&work, &identities)?;
    drop(store);
    put_in_place(&work, &data_dir)?;
    Ok(Restored { identities, time_ms: None, entries: report.entries, blobs, missing_blobs: 0 })
}

/// Opens the store that is filled, for this identity alone.
fn begin_with(work: &Path, network: Network, did: Did) -> Result<Store, BackupError> {
    let folder = Folder::open(work)?;
    let root = work.join(ROOT_FILE);
    match std::fs::read(&root) {
        Ok(begun) if begun != did.0 => return Err(crate::backup::other(work)),
        Ok(_) => {}
        Err(_) => replace_file(&root, &did.0).map_err(|cause| BackupError::File { path: root, cause })?,
    }
    Ok(open_without_identity(folder, network)?)
}

fn refuse_faults(report: &VerifyReport) -> Result<(), BackupError> {
    match report.faults.first() {
        Some(first) => Err(BackupError::Faults { count: report.faults.len(), first: first.clone() }),
        None => Ok(()),
    }
}

/// Stores what was checked.
struct Into {
    store: Store,
    runtime: Handle,
    username: String,
    /// Waiting to become durable together.
    copies: Vec<CopyNote>,
    blobs: u64,
}

impl Into {
    fn put_copies(&mut self, did: Did) -> io::Result<()> {
        let copies = std::mem::take(&mut self.copies);
        self.runtime.block_on(self.store.put_copy_notes(did, copies)).map_err(io::Error::other)
    }
}

impl Taker for Into {
    fn identity(&mut self, did: Did, objects: &[Vec<u8>]) -> io::Result<()> {
        let inserted = self.runtime.block_on(self.store.insert_identity(did, objects.to_vec()));
        let inserted = inserted.map_err(io::Error::other)?;
        match inserted.refused.first() {
            Some(rule) => Err(invalid(format!("identity object ({rule})"))),
            None => Ok(()),
        }
    }

    fn run(&mut self, run: NewRun) -> io::Result<()> {
        match self.runtime.block_on(self.store.append(run)).map_err(io::Error::other)? {
            // What lies above an accepted head is void, and so is what comes after it.
            Appended::Stored { .. } | Appended::Refused { .. } | Appended::Gap { .. } => Ok(()),
            Appended::Full { position } => {
                Err(io::Error::other(format!("no room is left for the author above {} (KEEP-2)", position.height)))
            }
            Appended::Forked { seq } => Err(invalid(format!("another branch is held from {seq} on (LOG-13)"))),
        }
    }

    fn blob(&mut self, _blob: BlobId, from: &mut dyn Read) -> io::Result<()> {
        let mut writer = self.store.blob_writer();
        let mut piece = vec![0; PIECE];
        loop {
            match from.read(&mut piece)? {
                0 => break,
                read => self.runtime.block_on(writer.write(&piece[..read])).map_err(io::Error::other)?,
            }
        }
        let received = self.runtime.block_on(writer.end()).map_err(io::Error::other)?;
        // One that only void or purged bodies name is not wanted.
        self.blobs += u64::from(self.runtime.block_on(self.store.put_blob(received)).map_err(io::Error::other)?);
        Ok(())
    }

    fn fork(&mut self, proof: ForkProof) -> io::Result<()> {
        self.runtime.block_on(self.store.insert_fork(proof)).map(drop).map_err(io::Error::other)
    }

    fn fault(&mut self, proof: FaultProof) -> io::Result<()> {
        self.runtime.block_on(self.store.insert_fault(proof)).map(drop).map_err(io::Error::other)
    }

    fn copy(&mut self, did: Did, copy: CopyNote) -> io::Result<()> {
        self.copies.push(copy);
        if self.copies.len() == COPIES { self.put_copies(did) } else { Ok(()) }
    }

    fn settings(&mut self, did: Did, settings: Settings) -> io::Result<()> {
        self.put_copies(did)?;
        let items = settings.settings().unwrap_or_default();
        self.runtime.block_on(self.store.take_settings(did, items)).map(drop).map_err(io::Error::other)?;
        self.username = settings.username;
        Ok(())
    }
}

/// Tells how much has been read.
struct Telling<'p, P> {
    file: BufReader<File>,
    done: u64,
    total: u64,
    progress: &'p mut P,
}

impl<P: FnMut(Progress)> Read for Telling<'_, P> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(bytes)?;
        let before = self.done;
        self.done += read as u64;
        // Once a MiB is often enough.
        if before >> 20 != self.done >> 20 {
            (self.progress)(Progress::Bytes { done: self.done, total: self.total });
        }
        Ok(read)
    }
}
