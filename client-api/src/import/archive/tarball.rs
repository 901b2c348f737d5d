//! An archive in a `.tar.gz` file, unpacked in one pass: a compressed stream has no places to jump to.
//!
//! Only what an import reads is written, each file under a number of our own in a temporary folder.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use flate2::read::MultiGzDecoder;
use tar::{Entry, EntryType};
use tempfile::TempDir;
use xom_protocol::limits::BLOB_BYTES_MAX;

use super::{ACTOR, ArchiveError, ArchiveLimits, Listing, OUTBOX, SCRATCH_PREFIX, from_media};

/// Most bytes between two files: headers, long names and padding.
const HEADERS_BYTES_MAX: u64 = 1 << 20;

/// The files of a `.tar.gz`; the temporary folder goes with it.
#[derive(Debug)]
pub(super) struct Tarball {
    folder: TempDir,
}

impl Tarball {
    pub(super) fn unpack(path: &Path, scratch: &Path, limits: &ArchiveLimits) -> Result<(Listing, Self), ArchiveError> {
        let file = File::open(path)?;
        let mut listing = Listing::new(Some(file.metadata()?.len()), limits);
        let tarball = Self { folder: tempfile::Builder::new().prefix(SCRATCH_PREFIX).tempdir_in(scratch)? };
        let allowance = Rc::new(Cell::new(HEADERS_BYTES_MAX));
        let unpacked = Metered { inner: MultiGzDecoder::new(BufReader::new(file)), allowance: Rc::clone(&allowance) };
        let mut archive = tar::Archive::new(unpacked);
        for (number, entry) in archive.entries().map_err(damaged)?.enumerate() {
            let mut entry = entry.map_err(damaged)?;
            tarball.take(&mut entry, number, &mut listing, &allowance)?;
            allowance.set(HEADERS_BYTES_MAX);
        }
        Ok((listing, tarball))
    }

    fn take<R: Read>(
        &self,
        entry: &mut Entry<'_, R>,
        number: usize,
        listing: &mut Listing,
        allowance: &Cell<u64>,
    ) -> Result<(), ArchiveError> {
        let kind = entry.header().entry_type();
        if kind == EntryType::XGlobalHeader {
            return Ok(());
        }
        let raw = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let Some(name) = listing.name(&raw)? else { return Ok(()) };
        if kind.is_dir() {
            return Ok(());
        }
        if !matches!(kind, EntryType::Regular | EntryType::Continuous) {
            return Err(ArchiveError::NotAFile { name });
        }
        let bytes = entry.size();
        listing.count(&name, bytes)?;
        allowance.set(bytes.saturating_add(HEADERS_BYTES_MAX));
        if is_read(&name, bytes) {
            let mut file = File::create_new(self.path(number))?;
            let written = io::copy(entry, &mut file).map_err(damaged)?;
            listing.add(name, written, number);
        } else {
            io::copy(entry, &mut io::sink()).map_err(damaged)?;
            listing.add(name, bytes, number);
        }
        Ok(())
    }

    pub(super) fn reader(&self, number: usize) -> io::Result<File> {
        File::open(self.path(number))
    }

    fn path(&self, number: usize) -> PathBuf {
        self.folder.path().join(number.to_string())
    }
}

/// Whether an import may read the file `name`.
fn is_read(name: &str, bytes: u64) -> bool {
    let own_name = name.rsplit('/').next().unwrap_or(name);
    let picture = own_name.starts_with("avatar.") || own_name.starts_with("header.");
    let json = own_name == OUTBOX || own_name == ACTOR;
    json || ((picture || from_media(name).is_some()) && bytes <= BLOB_BYTES_MAX)
}

/// A cut or garbled stream is the archive's fault, the rest the disk's.
fn damaged(error: io::Error) -> ArchiveError {
    match error.kind() {
        io::ErrorKind::StorageFull
        | io::ErrorKind::QuotaExceeded
        | io::ErrorKind::FileTooLarge
        | io::ErrorKind::PermissionDenied => ArchiveError::Disk(error),
        _ => ArchiveError::Damaged(error.to_string()),
    }
}

/// Fails a read beyond the allowance, so that not even a header can be endless.
struct Metered<R> {
    inner: R,
    allowance: Rc<Cell<u64>>,
}

impl<R: Read> Read for Metered<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buf)?;
        match self.allowance.get().checked_sub(read as u64) {
            Some(rest) => self.allowance.set(rest),
            None => return Err(io::Error::other("a header is larger than any should be")),
        }
        Ok(read)
    }
}
