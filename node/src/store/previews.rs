//! Small pictures of held blobs: made when they are first asked for, one at a time, and gone with their blob.
//!
//! `previews/<2 hex>/<hex>`, named by the blob; an empty file says that there is none, so that nobody tries again.

use std::fs;
use std::io::{self, BufReader};
use std::path::PathBuf;

use data_encoding::HEXLOWER;
use tokio::task::spawn_blocking;
use xom_protocol::BlobId;

use super::folder::make_dir_all;
use super::media::sniff;
use super::tables::BlobState;
use super::{Shared, Store};
use crate::blob::Scratch;
use crate::error::StoreError;
use crate::picture::{NoPreview, Preview, preview};

impl Shared {
    pub(super) fn preview_path(&self, blob: &BlobId) -> PathBuf {
        let name = HEXLOWER.encode(&blob.0);
        self.folder.previews().join(&name[..2]).join(name)
    }

    /// Deletes the small picture of a blob.
    pub(super) fn delete_preview(&self, blob: &BlobId) -> io::Result<()> {
        match fs::remove_file(self.preview_path(blob)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }

    /// Decodes a blob whose bytes were all checked; none where it is no picture, or none that can be decoded.
    fn decode(&self, blob: &BlobId) -> Result<Option<Preview>, StoreError> {
        let Some(reader) = self.open_blob_file(blob)? else { return Ok(None) };
        let Some(media_type) = sniff(reader.head()) else { return Ok(None) };
        match preview(media_type, BufReader::new(reader.into_file()?)) {
            Ok(preview) => Ok(Some(preview)),
            Err(NoPreview::NoPicture) => Ok(None),
            Err(cause) => {
                tracing::info!(%blob, %cause, "there is no small picture of a picture");
                Ok(None)
            }
        }
    }
}

impl Store {
    /// The small picture of a blob that is held; makes it where it was not made yet. None where there is none.
    pub(crate) async fn preview(&self, blob: BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        let store = self.clone();
        let made = spawn_blocking(move || {
            let state = store.blob_row(&blob)?.map(|row| row.state);
            match fs::read(store.shared.preview_path(&blob)) {
                Ok(bytes) => Ok((state, Some(bytes))),
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok((state, None)),
                Err(e) => Err(StoreError::from(e)),
            }
        });
        match made.await.map_err(|_| StoreError::Stopping)?? {
            // It stays when its blob makes room.
            (Some(BlobState::Held | BlobState::Evicted), Some(bytes)) => {
                self.note_use(blob);
                Ok(Some(bytes).filter(|bytes| !bytes.is_empty()))
            }
            (Some(BlobState::Held), None) => Ok(self.make_preview(blob).await?.map(|preview| preview.bytes)),
            _ => Ok(None),
        }
    }

    /// Makes the small picture of a blob that is held, and keeps it.
    pub(super) async fn make_preview(&self, blob: BlobId) -> Result<Option<Preview>, StoreError> {
        // A decoded picture takes much memory: one at a time.
        let turn = self.shared.decoding.acquire().await.map_err(|_| StoreError::Stopping)?;
        let store = self.clone();
        let decoded = spawn_blocking(move || -> Result<_, StoreError> {
            let preview = store.shared.decode(&blob)?;
            let (file, scratch) = Scratch::make(&store.shared.folder.incoming())?;
            io::Write::write_all(&mut &file, preview.as_ref().map_or(&[], |preview| preview.bytes.as_slice()))?;
            Ok((preview, scratch))
        });
        let (preview, scratch) = match decoded.await {
            Ok(decoded) => decoded?,
            // A decoder broke down: nothing is shown of this picture.
            Err(cause) => {
                tracing::warn!(%blob, %cause, "a picture could not be decoded");
                (None, Scratch::make(&self.shared.folder.incoming())?.1)
            }
        };
        drop(turn);
        // In the writer, so that no purge of the blob comes between.
        self.write(move |batch| {
            if batch.blobs.get(&blob.0)?.is_some_and(|row| row.value().state == BlobState::Held) {
                let path = batch.shared.preview_path(&blob);
                if let Some(parent) = path.parent() {
                    make_dir_all(parent)?;
                }
                match fs::rename(scratch.path(), &path) {
                    // It was moved when this was tried before.
                    Err(e) if e.kind() == io::ErrorKind::NotFound && path.exists() => {}
                    moved => moved?,
                }
            }
            Ok(())
        })
        .await?;
        Ok(preview)
    }
}
