//! Blob files: `blobs/<2 hex>/<hex>`, named by their BLAKE3 and by nothing else (R-BLB-6).
//!
//! A blob grows under a number in `incoming` and is moved to its name when it is whole and checked. A note
//! under the blob's name in `incoming` stands from before the move until after the commit that says the blob is
//! held, so that a crash in between leaves no file that nobody knows of (R-STO-10). What comes in groups grows in
//! `partial`.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use tokio::task::spawn_blocking;
use xom_protocol::BlobId;

use super::batch::Batch;
use super::folder::{make_dir_all, private_options, sync_parent};
use super::snapshot::Snapshot;
use super::tables::{self, BlobRow, BlobState};
use super::{Notice, Shared, Store};
use crate::blob::{BlobReader, BlobWriter, Partial, ReceivedBlob, forget_partial, tidy_partials};
use crate::error::StoreError;

/// Bytes of blobs that are not whole, kept to go on from (`BLOB-7`).
const PARTIAL_BYTES_MAX: u64 = 256 << 20;
/// Blobs of which a part is kept.
const PARTIALS_MAX: usize = 64;

/// The logs that name a blob, one after another: who names it a million times is one of them (R-BLB-7).
/// `next` answers the first such log from a number on.
fn distinct(mut next: impl FnMut(u32) -> Result<Option<u32>, StoreError>) -> Result<Vec<u32>, StoreError> {
    let (mut logs, mut from) = (Vec::new(), Some(0));
    while let Some(log) = from.map(&mut next).transpose()?.flatten() {
        logs.push(log);
        from = log.checked_add(1);
    }
    Ok(logs)
}

impl Batch<'_> {
    /// The logs with entries that name a blob.
    pub(super) fn logs_naming(&self, blob: &BlobId) -> Result<Vec<u32>, StoreError> {
        distinct(|from| {
            let row = self.blob_references.range((&blob.0, from, 0)..=(&blob.0, u32::MAX, u64::MAX))?.next();
            Ok(row.transpose()?.map(|row| row.0.value().1))
        })
    }
}

impl Snapshot {
    /// The logs with entries that name a blob.
    pub(super) fn logs_naming(&self, blob: &BlobId) -> Result<Vec<u32>, StoreError> {
        let references = self.table(tables::BLOB_REFERENCES)?;
        distinct(|from| {
            let row = references.range((&blob.0, from, 0)..=(&blob.0, u32::MAX, u64::MAX))?.next();
            Ok(row.transpose()?.map(|row| row.0.value().1))
        })
    }
}

impl Shared {
    pub(super) fn blob_path(&self, blob: &BlobId) -> PathBuf {
        let name = HEXLOWER.encode(&blob.0);
        self.folder.blobs().join(&name[..2]).join(name)
    }

    fn note_path(&self, blob: &BlobId) -> PathBuf {
        self.folder.incoming().join(HEXLOWER.encode(&blob.0))
    }

    /// Moves the file of a whole blob to its name, durably. Done again it does nothing.
    pub(super) fn place_blob_file(&self, blob: &BlobId, from: &Path) -> io::Result<()> {
        let path = self.blob_path(blob);
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            make_dir_all(parent)?;
        }
        let note = self.note_path(blob);
        private_options().write(true).create(true).truncate(true).open(&note)?;
        sync_parent(&note)?;
        match fs::rename(from, &path) {
            Err(e) if e.kind() == io::ErrorKind::NotFound && path.exists() => {}
            moved => moved?,
        }
        sync_parent(&path)
    }

    /// Takes the note of a placed blob away, once its row is durable.
    pub(super) fn forget_placing(&self, blob: &BlobId) -> io::Result<()> {
        fs::remove_file(self.note_path(blob))
    }

    /// Clears what a crash has left in `incoming`; of blobs that were being placed it keeps those that are held.
    pub(super) fn clear_incoming(
        &self,
        is_held: impl Fn(&BlobId) -> Result<bool, StoreError>,
    ) -> Result<(), StoreError> {
        for item in fs::read_dir(self.folder.incoming())? {
            let item = item?;
            let name = item.file_name();
            let blob = name.to_str().and_then(|name| HEXLOWER.decode(name.as_bytes()).ok());
            if let Some(blob) = blob.and_then(|bytes| bytes.try_into().ok()).map(BlobId)
                && !is_held(&blob)?
            {
                self.delete_blob_file(&blob)?;
            }
            fs::remove_file(item.path())?;
        }
        Ok(())
    }

    /// Deletes the file of a blob, its small picture, and what has come of it.
    pub(super) fn delete_blob_file(&self, blob: &BlobId) -> io::Result<()> {
        self.trees.forget(blob);
        self.forget_partial(blob)?;
        self.delete_preview(blob)?;
        let path = self.blob_path(blob);
        match fs::remove_file(&path) {
            Ok(()) => sync_parent(&path)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        self.delete_tree(blob)
    }

    /// True if a file of a whole blob, or its small picture, is there, damaged or not.
    pub(super) fn has_files_of(&self, blob: &BlobId) -> io::Result<bool> {
        Ok(self.blob_path(blob).try_exists()? || self.preview_path(blob).try_exists()?)
    }

    /// Opens the file of a blob and checks it against its id (`BLOB-1`, R-STO-5); none where there is none.
    pub(super) fn open_blob_file(&self, blob: &BlobId) -> Result<Option<BlobReader>, StoreError> {
        match BlobReader::open(&self.blob_path(blob), blob) {
            Ok(Some(reader)) => Ok(Some(reader)),
            Ok(None) => Err(StoreError::Damaged(format!("blob {blob} does not hash to its name"))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    /// The same for one whose tree may be known: then only what is read of it is checked, when it is read.
    fn open_known_blob(&self, blob: &BlobId) -> Result<Option<BlobReader>, StoreError> {
        let (path, known) = (self.blob_path(blob), self.trees.get(blob));
        let opened = match known {
            Some(known) => BlobReader::open_known(&path, known),
            None => {
                let bytes = fs::metadata(&path).map_or(0, |file| file.len());
                self.read_tree(blob, bytes).map_or(Ok(None), |tree| BlobReader::open_with(&path, tree))
            }
        };
        if let Ok(Some(reader)) = opened {
            self.trees.put(*blob, reader.known());
            return Ok(Some(reader));
        }
        let opened = self.open_blob_file(blob)?;
        if let Some(reader) = &opened {
            self.trees.put(*blob, reader.known());
            if let Err(cause) = self.write_tree(blob, reader.tree()) {
                tracing::warn!(%blob, %cause, "the tree of a blob could not be kept; it is read whole again");
            }
        }
        Ok(opened)
    }

    /// Deletes the file of a blob that makes room; its small picture stays.
    pub(super) fn evict_blob_file(&self, blob: &BlobId) -> io::Result<()> {
        self.trees.forget(blob);
        match fs::remove_file(self.blob_path(blob)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => self.delete_tree(blob),
        }
    }

    /// Deletes what has come of a blob that is not whole.
    pub(super) fn forget_partial(&self, blob: &BlobId) -> io::Result<()> {
        forget_partial(&self.folder.partial(), blob)
    }

    /// Reads the file of a blob into memory, checked.
    #[cfg(test)]
    pub(super) fn read_blob_file(&self, blob: &BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        if self.open_blob_file(blob)?.is_none() {
            return Ok(None);
        }
        Ok(Some(fs::read(self.blob_path(blob))?))
    }
}

impl Store {
    /// A blob that begins to come in.
    pub(crate) fn blob_writer(&self) -> BlobWriter {
        BlobWriter::new(&self.shared.folder.incoming())
    }

    /// A blob that comes in groups: what came of it earlier is there already.
    pub(crate) async fn open_partial(&self, blob: BlobId, bytes: u64) -> Result<Partial, StoreError> {
        let folder = self.shared.folder.partial();
        let opened = spawn_blocking(move || Partial::open(&folder, &blob, bytes)).await;
        Ok(opened.map_err(|_| StoreError::Stopping)??)
    }

    /// Ends a blob that came in groups: it is durable, and checked.
    pub(crate) async fn end_partial(&self, partial: Partial) -> Result<ReceivedBlob, StoreError> {
        Ok(spawn_blocking(move || partial.end()).await.map_err(|_| StoreError::Stopping)??)
    }

    /// Bounds what is kept of blobs that are not whole; those of `spared` are under way.
    pub(crate) async fn tidy_partials(&self, spared: BTreeSet<BlobId>) -> Result<(), StoreError> {
        let store = self.clone();
        let tidied = spawn_blocking(move || {
            let snapshot = store.snapshot()?;
            let blobs = snapshot.table(tables::BLOBS)?;
            let is_wanted = |blob: &BlobId| {
                let row = blobs.get(&blob.0).ok().flatten();
                row.is_some_and(|row| row.value().state == BlobState::Wanted)
            };
            let most = (PARTIAL_BYTES_MAX, PARTIALS_MAX);
            Ok(tidy_partials(&store.shared.folder.partial(), most, &spared, is_wanted)?)
        });
        tidied.await.unwrap_or(Err(StoreError::Stopping))
    }

    /// Stores a blob that a live entry names. False where none does, where it was purged by order, or where nobody who
    /// names it has room for it (`KEEP-2`).
    pub(crate) async fn put_blob(&self, received: ReceivedBlob) -> Result<bool, StoreError> {
        match self.blob_row(&received.blob)?.map(|row| row.state) {
            Some(BlobState::Wanted) => {
                let bytes = received.bytes;
                let is_kept = self.keep_blob(received, false).await?;
                self.make_room_after(bytes).await?;
                Ok(is_kept)
            }
            Some(BlobState::Held) => Ok(true),
            Some(BlobState::Refused | BlobState::Dropping | BlobState::DroppingForGood | BlobState::Evicted) | None => {
                Ok(false)
            }
        }
    }

    pub(super) fn blob_row(&self, blob: &BlobId) -> Result<Option<BlobRow>, StoreError> {
        Ok(self.snapshot()?.table(tables::BLOBS)?.get(&blob.0)?.map(|row| row.value()))
    }

    /// Moves the file to its place, then writes the row. `own` makes the row where there is none.
    pub(super) async fn keep_blob(&self, received: ReceivedBlob, own: bool) -> Result<bool, StoreError> {
        // In the writer, so that no purge of the same blob comes between file and row.
        self.write(move |batch| {
            let ReceivedBlob { blob, bytes, ref scratch } = received;
            let state = batch.blobs.get(&blob.0)?.map(|row| row.value().state);
            if !own && state != Some(BlobState::Wanted) {
                return Ok(state == Some(BlobState::Held));
            }
            if !own && !batch.has_room_for_blob(&blob, bytes)? {
                return Ok(false);
            }
            batch.shared.place_blob_file(&blob, scratch.path())?;
            batch.after.placed.push(blob);
            batch.after.drop_blobs.retain(|dropped| *dropped != blob);
            if state != Some(BlobState::Held) {
                batch.charge_blob(&blob, bytes, true)?;
            }
            batch.blobs.insert(&blob.0, BlobRow { bytes, state: BlobState::Held })?;
            batch.blob_uses.insert(&blob.0, batch.now_ms)?;
            batch.after.notices.push(Notice::BlobHeld(blob));
            Ok(true)
        })
        .await
    }

    /// Drops a blob for good, whoever names it: it is never taken again from peers, served or shown (`BLOB-12`).
    pub(crate) async fn refuse_blob(&self, blob: BlobId) -> Result<(), StoreError> {
        self.write(move |batch| {
            let row = batch.blobs.get(&blob.0)?.map(|row| row.value());
            if let Some(row) = row.filter(|row| row.state == BlobState::Held) {
                batch.charge_blob(&blob, row.bytes, false)?;
            }
            if row.is_none() {
                batch.blobs.insert(&blob.0, BlobRow { bytes: 0, state: BlobState::Refused })?;
            }
            batch.drop_blob(&blob, true)
        })
        .await
    }

    /// Opens a blob that is held. One whose file is missing or damaged is none, and is wanted again.
    pub(crate) async fn open_blob(&self, blob: BlobId) -> Result<Option<BlobReader>, StoreError> {
        let store = self.clone();
        let opened = spawn_blocking(move || {
            let held = store.blob_row(&blob)?.is_some_and(|row| row.state == BlobState::Held);
            Ok(held.then(|| store.shared.open_known_blob(&blob)))
        });
        match opened.await.unwrap_or(Err(StoreError::Stopping))? {
            None => Ok(None),
            Some(Ok(Some(reader))) => Ok(Some(reader)),
            Some(Ok(None) | Err(StoreError::Damaged(_))) => {
                tracing::error!(%blob, "the file of a blob is missing or damaged; it is fetched again where an entry names it");
                self.lose_blob(blob).await.map(|()| None)
            }
            Some(Err(e)) => Err(e),
        }
    }

    /// Wants a blob again that is no longer here, or forgets it where nothing names it.
    async fn lose_blob(&self, blob: BlobId) -> Result<(), StoreError> {
        self.write(move |batch| {
            let Some(row) = batch.blobs.get(&blob.0)?.map(|row| row.value()) else { return Ok(()) };
            if row.state != BlobState::Held || batch.after.placed.contains(&blob) {
                return Ok(());
            }
            batch.charge_blob(&blob, row.bytes, false)?;
            let named = batch.blob_references.range((&blob.0, 0, 0)..=(&blob.0, u32::MAX, u64::MAX))?.next().is_some();
            if named {
                batch.blobs.insert(&blob.0, BlobRow { state: BlobState::Wanted, ..row })?;
                batch.after.notices.push(Notice::BlobWanted(blob));
            } else {
                batch.blobs.remove(&blob.0)?;
            }
            Ok(())
        })
        .await
    }
}
