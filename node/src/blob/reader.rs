//! A blob that is read: each group of it is checked against the id before it is handed on (`BLOB-4`, R-STO-5).

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::task::spawn_blocking;
use xom_protocol::BlobId;
use xom_protocol::blob::{Tree, TreeBuilder, group_length};
use xom_protocol::limits::BLOB_GROUP_BYTES;

use super::PIECE_BYTES;

/// Bytes by which a type is told.
const HEAD_BYTES: usize = 64;
/// Trees that are kept in memory: 5 MiB of the largest blobs.
const TREES_MAX: usize = 64;

/// A blob of which every group is checked when it is read.
#[derive(Debug)]
pub struct BlobReader {
    file: Arc<File>,
    known: Arc<KnownTree>,
    head: Vec<u8>,
    next: u64,
    left: u64,
}

/// The tree of a blob whose bytes were read whole once.
#[derive(Debug)]
pub(crate) struct KnownTree {
    tree: Tree,
    /// Bytes on the disk were not those of the tree any more.
    is_damaged: AtomicBool,
}

/// The trees of blobs that were read lately: who reads a part of a blob need not read all of it.
#[derive(Debug, Default)]
pub(crate) struct Trees(Mutex<VecDeque<(BlobId, Arc<KnownTree>)>>);

impl BlobReader {
    /// Opens the file of a blob and checks all of it, in pieces. None where its bytes are not those of the id.
    /// Blocking.
    pub(crate) fn open(path: &Path, blob: &BlobId) -> io::Result<Option<Self>> {
        let mut file = File::open(path)?;
        let (mut tree, mut piece) = (TreeBuilder::default(), vec![0; PIECE_BYTES]);
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => tree.update(&piece[..count]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        let tree = tree.finish();
        if tree.id() != *blob {
            return Ok(None);
        }
        Self::over(file, Arc::new(KnownTree { tree, is_damaged: AtomicBool::new(false) })).map(Some)
    }

    /// Opens the file of a blob whose tree is known; its beginning is checked at once. None where that is not right.
    /// Blocking.
    pub(crate) fn open_known(path: &Path, known: Arc<KnownTree>) -> io::Result<Option<Self>> {
        let file = File::open(path)?;
        let is_whole = file.metadata()?.len() == known.tree.bytes();
        if !is_whole || known.is_damaged.load(Ordering::Relaxed) {
            return Ok(None);
        }
        match Self::over(file, known) {
            Err(e) if e.kind() == io::ErrorKind::InvalidData => Ok(None),
            opened => opened.map(Some),
        }
    }

    fn over(file: File, known: Arc<KnownTree>) -> io::Result<Self> {
        let mut head = known.read(&file, 0, 1)?;
        head.truncate(HEAD_BYTES);
        let left = known.tree.bytes();
        Ok(Self { file: Arc::new(file), known, head, next: 0, left })
    }

    /// The open file, at its beginning. All of it was checked only if it was opened so.
    pub(crate) fn into_file(self) -> io::Result<File> {
        let mut file = Arc::try_unwrap(self.file).or_else(|shared| shared.try_clone())?;
        file.seek(SeekFrom::Start(0))?;
        Ok(file)
    }

    /// Its size.
    pub fn bytes(&self) -> u64 {
        self.known.tree.bytes()
    }

    /// Opens the file of a blob whose tree was kept, and was checked against the id. Blocking.
    pub(crate) fn open_with(path: &Path, tree: Tree) -> io::Result<Option<Self>> {
        Self::open_known(path, Arc::new(KnownTree { tree, is_damaged: AtomicBool::new(false) }))
    }

    /// Its tree.
    pub(crate) fn tree(&self) -> &Tree {
        &self.known.tree
    }

    /// What is known of it for the next who opens it.
    pub(crate) fn known(&self) -> Arc<KnownTree> {
        Arc::clone(&self.known)
    }

    /// Its first bytes, by which its type is told.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// Reads `count` bytes from `first` on, at most those that there are, instead of all.
    pub fn narrow(&mut self, first: u64, count: u64) {
        self.next = first.min(self.bytes());
        self.left = count.min(self.bytes() - self.next);
    }

    /// The next piece, checked; none at the end. Fails with [`io::ErrorKind::InvalidData`] where the bytes on the
    /// disk are not those of the blob.
    pub async fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        if self.left == 0 {
            return Ok(None);
        }
        let group_bytes = BLOB_GROUP_BYTES as u64;
        let skipped = usize::try_from(self.next % group_bytes).map_err(io::Error::other)?;
        let first = u32::try_from(self.next / group_bytes).map_err(io::Error::other)?;
        let most = (self.left + skipped as u64).min(PIECE_BYTES as u64);
        let count = u32::try_from(most.div_ceil(group_bytes)).map_err(io::Error::other)?;
        let (file, known) = (Arc::clone(&self.file), Arc::clone(&self.known));
        let piece = spawn_blocking(move || known.read(&file, first, count)).await;
        let mut piece = piece.map_err(io::Error::other)??;
        piece.drain(..skipped);
        piece.truncate(usize::try_from(self.left).unwrap_or(usize::MAX));
        self.next += piece.len() as u64;
        self.left -= piece.len() as u64;
        Ok(Some(piece))
    }
}

impl KnownTree {
    /// Reads `count` groups from `first` on and checks them.
    fn read(&self, mut file: &File, first: u32, count: u32) -> io::Result<Vec<u8>> {
        let mut piece = Vec::with_capacity(count as usize * BLOB_GROUP_BYTES);
        file.seek(SeekFrom::Start(u64::from(first) * BLOB_GROUP_BYTES as u64))?;
        for number in first..(first.saturating_add(count)).min(self.tree.count()) {
            let (begin, length) = (piece.len(), group_length(self.tree.bytes(), number));
            piece.resize(begin + length, 0);
            let read = file.read_exact(&mut piece[begin..]);
            if read.as_ref().is_err_and(|e| e.kind() != io::ErrorKind::UnexpectedEof) {
                return read.map(|()| piece);
            }
            if read.is_err() || !self.tree.has(number, &piece[begin..]) {
                self.is_damaged.store(true, Ordering::Relaxed);
                return Err(io::Error::new(io::ErrorKind::InvalidData, "the file of a blob is damaged"));
            }
        }
        Ok(piece)
    }
}

impl Trees {
    /// The tree of a blob, if it was read lately.
    pub(crate) fn get(&self, blob: &BlobId) -> Option<Arc<KnownTree>> {
        let mut trees = self.locked();
        let at = trees.iter().position(|(known, _)| known == blob)?;
        let found = trees.remove(at)?;
        let tree = Arc::clone(&found.1);
        trees.push_back(found);
        Some(tree)
    }

    /// Remembers a tree, in place of the one that was asked for longest ago.
    pub(crate) fn put(&self, blob: BlobId, tree: Arc<KnownTree>) {
        let mut trees = self.locked();
        trees.retain(|(known, _)| *known != blob);
        if trees.len() >= TREES_MAX {
            trees.pop_front();
        }
        trees.push_back((blob, tree));
    }

    /// Forgets a blob that is no longer here.
    pub(crate) fn forget(&self, blob: &BlobId) {
        self.locked().retain(|(known, _)| known != blob);
    }

    fn locked(&self) -> MutexGuard<'_, VecDeque<(BlobId, Arc<KnownTree>)>> {
        self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

/// The first bytes of a file.
pub(super) fn read_head(mut file: &File) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    file.seek(SeekFrom::Start(0))?;
    file.take(HEAD_BYTES as u64).read_to_end(&mut head)?;
    Ok(head)
}
