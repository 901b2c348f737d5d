//! Blob files: `blobs/<2 hex>/<hex>`, named by their BLAKE3 and by nothing else (R-BLB-6).

use std::fs;
use std::io;
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use xom_protocol::BlobId;

use super::export::hashes_to;
use super::folder::{make_dir_all, replace_file, sync_parent};
use super::{Shared, Store};
use crate::error::StoreError;

use super::tables::{BlobRow, BlobState};
use redb::ReadableTable;

impl Shared {
    fn blob_path(&self, blob: &BlobId) -> PathBuf {
        let name = HEXLOWER.encode(&blob.0);
        self.folder.blobs().join(&name[..2]).join(name)
    }

    /// Writes the file of a blob durably, if it is not there.
    pub(super) fn write_blob_file(&self, blob: &BlobId, bytes: &[u8]) -> io::Result<()> {
        let path = self.blob_path(blob);
        if fs::metadata(&path).is_ok_and(|found| found.len() == bytes.len() as u64) {
            return Ok(());
        }
        if let Some(parent) = path.parent().filter(|parent| !parent.exists()) {
            make_dir_all(parent)?;
        }
        replace_file(&path, bytes)
    }

    /// Deletes the file of a blob.
    pub(super) fn delete_blob_file(&self, blob: &BlobId) -> io::Result<()> {
        let path = self.blob_path(blob);
        match fs::remove_file(&path) {
            Ok(()) => sync_parent(&path),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Opens the file of a blob; none where it is not there or does not hash to its name. Answers its length too.
    pub(super) fn open_blob_file(&self, blob: &BlobId) -> Result<Option<(u64, fs::File)>, StoreError> {
        let mut file = match fs::File::open(self.blob_path(blob)) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        if !hashes_to(&file, blob)? {
            return Ok(None);
        }
        io::Seek::rewind(&mut file)?;
        Ok(Some((file.metadata()?.len(), file)))
    }

    /// Reads the file of a blob and checks it against its id (`BLOB-1`, R-STO-5).
    pub(super) fn read_blob_file(&self, blob: &BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        let bytes = match fs::read(self.blob_path(blob)) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e.into()),
        };
        if BlobId::of(&bytes) == *blob {
            return Ok(Some(bytes));
        }
        Err(StoreError::Damaged(format!("blob {blob} does not hash to its name")))
    }
}

impl Store {
    /// Stores a blob that a live entry names. False where none does, or where it was purged by order.
    pub(crate) async fn put_blob(&self, blob: BlobId, bytes: Vec<u8>) -> Result<bool, StoreError> {
        if BlobId::of(&bytes) != blob {
            return Ok(false);
        }
        let snapshot = self.snapshot()?;
        let state = snapshot.table(super::tables::BLOBS)?.get(&blob.0)?.map(|row| row.value().state);
        drop(snapshot);
        match state {
            Some(BlobState::Wanted) => self.keep_blob(blob, bytes, false).await,
            Some(BlobState::Held) => Ok(true),
            Some(BlobState::Refused | BlobState::Dropping | BlobState::DroppingForGood) | None => Ok(false),
        }
    }

    /// Writes the file, then the row. `own` makes the row where there is none.
    pub(super) async fn keep_blob(&self, blob: BlobId, bytes: Vec<u8>, own: bool) -> Result<bool, StoreError> {
        let size = bytes.len() as u64;
        let bytes: std::sync::Arc<[u8]> = bytes.into();
        // In the writer, so that no purge of the same blob comes between file and row.
        self.write(move |batch| {
            let state = batch.blobs.get(&blob.0)?.map(|row| row.value().state);
            if !own && state != Some(BlobState::Wanted) {
                return Ok(state == Some(BlobState::Held));
            }
            batch.shared.write_blob_file(&blob, &bytes)?;
            batch.after.drop_blobs.retain(|dropped| *dropped != blob);
            batch.blobs.insert(&blob.0, BlobRow { bytes: size, state: BlobState::Held })?;
            Ok(true)
        })
        .await
    }

    /// A blob's bytes, checked. Blocking.
    pub(crate) fn blob(&self, blob: &BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        self.shared.read_blob_file(blob)
    }
}
