//! A blob that comes in as one piece after another: an upload, or a member of an archive.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::spawn_blocking;
use xom_protocol::BlobId;
use xom_protocol::limits::BLOB_BYTES_MAX;

use super::PIECE_BYTES;
use super::reader::read_head;
use crate::error::{CommandError, StoreError};
use crate::store::folder::private_options;

/// A blob that comes in: grows in a temporary file, which goes away unless the blob is stored.
#[derive(Debug)]
pub struct BlobWriter {
    folder: PathBuf,
    state: State,
    bytes: u64,
}

#[derive(Debug)]
enum State {
    Open(Box<Growing>),
    /// A write was given up half-way, or has failed.
    Lost,
}

/// What has come so far.
#[derive(Debug, Default)]
struct Growing {
    /// Made with the first piece.
    file: Option<(File, Scratch)>,
    hasher: blake3::Hasher,
    /// Not written yet.
    buffer: Vec<u8>,
}

/// A whole blob in a temporary file, durable there and hashed.
#[derive(Debug)]
pub(crate) struct ReceivedBlob {
    pub(crate) blob: BlobId,
    pub(crate) bytes: u64,
    pub(crate) scratch: Scratch,
}

/// A temporary file, deleted when this is dropped.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(super) path: PathBuf,
}

impl BlobWriter {
    /// A blob of which nothing has come; its file will be in `folder`.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), state: State::Open(Box::default()), bytes: 0 }
    }

    /// How many bytes have come.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// False once a write has failed or was given up: then what has come is lost.
    pub fn is_whole(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// Takes the next bytes. Refuses more than a blob may have (`BLOB-2`).
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), CommandError> {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > BLOB_BYTES_MAX {
            self.state = State::Lost;
            return Err(CommandError::Blob(format!("more than {} MiB", BLOB_BYTES_MAX >> 20)));
        }
        let State::Open(growing) = &mut self.state else { return Err(lost().into()) };
        growing.buffer.extend_from_slice(bytes);
        if growing.buffer.len() < PIECE_BYTES {
            return Ok(());
        }
        // While the piece is written it is not here: a caller that gives up leaves this lost, not torn.
        let State::Open(mut growing) = std::mem::replace(&mut self.state, State::Lost) else { return Ok(()) };
        let folder = self.folder.clone();
        let written = spawn_blocking(move || growing.write_out(&folder).map(|()| growing)).await;
        self.state = State::Open(written.map_err(|_| StoreError::Stopping)?.map_err(StoreError::from)?);
        Ok(())
    }

    /// Ends it: what has come is durable, in a temporary file still.
    pub(crate) async fn end(self) -> Result<ReceivedBlob, StoreError> {
        let State::Open(growing) = self.state else { return Err(lost()) };
        let (folder, bytes) = (self.folder, self.bytes);
        let ended = spawn_blocking(move || growing.end(&folder, bytes));
        Ok(ended.await.map_err(|_| StoreError::Stopping)??)
    }
}

/// The same where blocking is allowed.
#[derive(Debug)]
pub(crate) struct BlobSink {
    folder: PathBuf,
    growing: Growing,
    bytes: u64,
}

impl BlobSink {
    /// A blob of which nothing has come; its file will be in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), growing: Growing::default(), bytes: 0 }
    }

    /// Ends it: what has come is durable, in a temporary file still.
    pub(crate) fn end(self) -> io::Result<ReceivedBlob> {
        self.growing.end(&self.folder, self.bytes)
    }
}

impl Write for BlobSink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes = self.bytes.saturating_add(bytes.len() as u64);
        if self.bytes > BLOB_BYTES_MAX {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.growing.buffer.extend_from_slice(bytes);
        if self.growing.buffer.len() >= PIECE_BYTES {
            self.growing.write_out(&self.folder)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.growing.write_out(&self.folder)
    }
}

impl Growing {
    /// Writes what is buffered to the file.
    fn write_out(&mut self, folder: &Path) -> io::Result<()> {
        let (file, _) = match &mut self.file {
            Some(open) => open,
            none => none.insert(Scratch::make(folder)?),
        };
        file.write_all(&self.buffer)?;
        self.hasher.update(&self.buffer);
        self.buffer.clear();
        Ok(())
    }

    /// Ends it.
    fn end(mut self, folder: &Path, bytes: u64) -> io::Result<ReceivedBlob> {
        self.write_out(folder)?;
        let blob = BlobId(*self.hasher.finalize().as_bytes());
        let (file, scratch) = self.file.ok_or(io::ErrorKind::NotFound)?;
        file.sync_all()?;
        Ok(ReceivedBlob { blob, bytes, scratch })
    }
}

impl ReceivedBlob {
    /// The first bytes, by which its type is told.
    pub(crate) fn head(&self) -> io::Result<Vec<u8>> {
        read_head(&File::open(&self.scratch.path)?)
    }
}

impl Scratch {
    /// Makes a file under a name of its own. The folder is this process's alone and empty at its start.
    pub(crate) fn make(folder: &Path) -> io::Result<(File, Self)> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let path = folder.join(NEXT.fetch_add(1, Ordering::Relaxed).to_string());
        let file = private_options().read(true).write(true).create_new(true).open(&path)?;
        Ok((file, Self { path }))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        match fs::remove_file(&self.path) {
            Ok(()) => {}
            // It was moved to its place.
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => tracing::warn!(error = %e, "a temporary file stays until the next start"),
        }
    }
}

fn lost() -> StoreError {
    StoreError::Storage("a part of the blob could not be written".into())
}
