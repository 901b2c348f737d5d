//! A blob while it moves: a file that grows or is read piece by piece, never whole in memory.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::task::spawn_blocking;
use xom_protocol::BlobId;
use xom_protocol::limits::BLOB_BYTES_MAX;

use crate::error::{CommandError, StoreError};
use crate::store::folder::private_options;

/// Bytes that are written or read at once; as much of a blob is in memory.
const PIECE_BYTES: usize = 256 << 10;
/// Bytes by which a type is told.
const HEAD_BYTES: usize = 64;

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
    path: PathBuf,
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
        let State::Open(mut growing) = self.state else { return Err(lost()) };
        let (folder, bytes) = (self.folder, self.bytes);
        let ended = spawn_blocking(move || -> io::Result<ReceivedBlob> {
            growing.write_out(&folder)?;
            let blob = BlobId(*growing.hasher.finalize().as_bytes());
            let (file, scratch) = growing.file.ok_or(io::ErrorKind::NotFound)?;
            file.sync_all()?;
            Ok(ReceivedBlob { blob, bytes, scratch })
        });
        Ok(ended.await.map_err(|_| StoreError::Stopping)??)
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
}

impl ReceivedBlob {
    /// The first bytes, by which its type is told.
    pub(crate) fn head(&self) -> io::Result<Vec<u8>> {
        read_head(&File::open(&self.scratch.path)?)
    }
}

impl Scratch {
    /// Makes a file under a name of its own. The folder is this process's alone and empty at its start.
    fn make(folder: &Path) -> io::Result<(File, Self)> {
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

/// A blob that is read: its bytes were checked against its id when it was opened (`BLOB-1`).
#[derive(Debug)]
pub struct BlobReader {
    file: Arc<File>,
    bytes: u64,
    head: Vec<u8>,
    left: u64,
}

impl BlobReader {
    /// Opens the file of a blob and checks it, in pieces. None where its bytes are not those of the id.
    /// Blocking.
    pub(crate) fn open(path: &Path, blob: &BlobId) -> io::Result<Option<Self>> {
        let mut file = File::open(path)?;
        let head = read_head(&file)?;
        file.seek(SeekFrom::Start(0))?;
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(&file)?;
        if hasher.finalize().as_bytes() != &blob.0 {
            return Ok(None);
        }
        file.seek(SeekFrom::Start(0))?;
        let bytes = hasher.count();
        Ok(Some(Self { file: Arc::new(file), bytes, head, left: bytes }))
    }

    /// The open file, at its beginning if nothing was read.
    pub(crate) fn into_file(self) -> io::Result<File> {
        Arc::try_unwrap(self.file).or_else(|shared| shared.try_clone())
    }

    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Its first bytes, by which its type is told.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Reads `count` bytes from `first` on, at most those that there are, instead of all.
    pub fn narrow(&mut self, first: u64, count: u64) -> io::Result<()> {
        let first = first.min(self.bytes);
        (&*self.file).seek(SeekFrom::Start(first))?;
        self.left = count.min(self.bytes - first);
        Ok(())
    }

    /// The next piece; none at the end.
    pub async fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(size) = usize::try_from(self.left.min(PIECE_BYTES as u64)).ok().filter(|size| *size > 0) else {
            return Ok(None);
        };
        let file = Arc::clone(&self.file);
        let piece = spawn_blocking(move || {
            let mut piece = vec![0; size];
            (&*file).read_exact(&mut piece).map(|()| piece)
        });
        let piece = piece.await.map_err(io::Error::other)??;
        self.left -= piece.len() as u64;
        Ok(Some(piece))
    }
}

fn read_head(mut file: &File) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.seek(SeekFrom::Start(0))?;
    file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}

fn lost() -> StoreError {
    StoreError::Storage("a part of the blob could not be written".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[tokio::test]
    async fn what_is_written_in_pieces_reads_back_whole_and_in_part() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..700_000_u32).map(|number| u8::try_from(number % 251).unwrap()).collect();
        let mut writer = BlobWriter::new(folder.path());
        for piece in bytes.chunks(99_999) {
            writer.write(piece).await.unwrap();
        }
        assert_eq!(writer.bytes(), 700_000);
        let received = writer.end().await.unwrap();
        assert_eq!((received.blob, received.bytes), (BlobId::of(&bytes), 700_000));
        assert_eq!(received.head().unwrap(), bytes[..HEAD_BYTES]);
        let mut reader = BlobReader::open(received.scratch.path(), &received.blob).unwrap().unwrap();
        let mut back = Vec::new();
        while let Some(piece) = reader.read().await.unwrap() {
            assert!(piece.len() <= PIECE_BYTES);
            back.extend(piece);
        }
        assert_eq!(back, bytes);
        reader.narrow(300_000, 7).unwrap();
        assert_eq!(reader.read().await.unwrap().unwrap(), bytes[300_000..300_007]);
        assert_eq!(reader.read().await.unwrap(), None);
        reader.narrow(699_999, u64::MAX).unwrap();
        assert_eq!(reader.read().await.unwrap().unwrap().len(), 1);
        reader.narrow(u64::MAX, 1).unwrap();
        assert_eq!(reader.read().await.unwrap(), None);
        assert!(BlobReader::open(received.scratch.path(), &BlobId([0; 32])).unwrap().is_none());
    }

    #[tokio::test]
    async fn a_blob_that_is_not_stored_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = BlobWriter::new(folder.path());
        writer.write(&vec![1; PIECE_BYTES]).await.unwrap();
        assert_eq!(files(folder.path()), 1);
        drop(writer);
        assert_eq!(files(folder.path()), 0);
    }

    #[tokio::test]
    async fn r_blb_2_an_endless_blob_is_refused_at_the_limit_and_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = BlobWriter::new(folder.path());
        let piece = vec![1; PIECE_BYTES];
        for _ in 0..BLOB_BYTES_MAX / PIECE_BYTES as u64 {
            writer.write(&piece).await.unwrap();
        }
        assert!(matches!(writer.write(&[1]).await, Err(CommandError::Blob(_))));
        assert!(!writer.is_whole());
        assert_eq!(files(folder.path()), 0);
        assert!(writer.end().await.is_err());
    }

    #[tokio::test]
    async fn r_sto_3_a_folder_that_takes_no_file_is_a_typed_error() {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = BlobWriter::new(&folder.path().join("gone"));
        assert!(matches!(writer.write(&vec![1; PIECE_BYTES]).await, Err(CommandError::Store(_))));
        assert!(!writer.is_whole());
        assert!(matches!(writer.write(&[1]).await, Err(CommandError::Store(_))));
    }
}
