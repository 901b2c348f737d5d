//! Blobs that came in and that nothing names: a crash between an upload and what was to be done with it leaves them.

use xom_protocol::BlobId;

use super::Store;
use super::tables::{self, BlobState};
use crate::error::StoreError;

/// Blobs that are looked at in one commit.
const BLOBS_AT_ONCE: usize = 256;

impl Store {
    /// Drops blobs that are held, came before `before_ms`, and are neither named by an entry nor wait as an upload.
    /// Called once after a start, with its time: what comes later may still be named.
    pub(crate) async fn forget_unnamed(&self, before_ms: u64) -> Result<(), StoreError> {
        let store = self.clone();
        let unnamed = tokio::task::spawn_blocking(move || store.unnamed(before_ms)).await;
        let unnamed = unnamed.map_err(|_| StoreError::Stopping)??;
        for blobs in unnamed.chunks(BLOBS_AT_ONCE) {
            let blobs = blobs.to_vec();
            self.write(move |batch| {
                for blob in &blobs {
                    // An upload of the same bytes may have come meanwhile.
                    if batch.blob_uses.get(&blob.0)?.is_none_or(|used| used.value() < before_ms) {
                        batch.drop_unused(blob, false)?;
                    }
                }
                Ok(())
            })
            .await?;
        }
        Ok(())
    }

    fn unnamed(&self, before_ms: u64) -> Result<Vec<BlobId>, StoreError> {
        let snapshot = self.snapshot()?;
        let (blobs, uses) = (snapshot.table(tables::BLOBS)?, snapshot.table(tables::BLOB_USES)?);
        let references = snapshot.table(tables::BLOB_REFERENCES)?;
        let mut unnamed = Vec::new();
        for row in blobs.range::<&[u8; 32]>(..)? {
            let (id, row) = row?;
            let id = *id.value();
            let is_named =
                || references.range((&id, 0, 0)..=(&id, u32::MAX, u64::MAX)).map(|mut rows| rows.next().is_some());
            let is_older = uses.get(&id)?.is_none_or(|used| used.value() < before_ms);
            if row.value().state == BlobState::Held && is_older && !is_named()? {
                unnamed.push(BlobId(id));
            }
        }
        Ok(unnamed)
    }
}
