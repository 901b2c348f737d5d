//! Room for what others' pictures take (`BLOB-11`): where it is used up, those that nobody has looked at longest
//! make room, and come again when they are asked for. What is kept or one's own is never among them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use redb::ReadableTable;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use xom_protocol::{BlobId, Did};

use super::snapshot::Snapshot;
use super::tables::{self, BlobRow, BlobState};
use super::{Batch, Notice, Shared, Store};
use crate::blob::BlobReader;
use crate::error::StoreError;

/// Looks at blobs that are remembered until they are written.
const USES_MAX: usize = 4_096;
/// Who waits at the same time for blobs that are fetched again.
const WAITING_MAX: usize = 16;

/// How much room there is, and what was looked at lately.
#[derive(Debug)]
pub(super) struct Room {
    bytes_max: AtomicU64,
    /// What came since the room was measured, bytes.
    came: AtomicU64,
    uses: Mutex<BTreeMap<BlobId, u64>>,
    /// Blobs that were asked for and are on their way again.
    asked: Mutex<BTreeSet<BlobId>>,
    waiting: Semaphore,
}

impl Default for Room {
    fn default() -> Self {
        let (bytes_max, came) = (AtomicU64::new(u64::MAX), AtomicU64::new(0));
        Self { bytes_max, came, uses: Mutex::default(), asked: Mutex::default(), waiting: Semaphore::new(WAITING_MAX) }
    }
}

impl Room {
    /// Blobs have come. True where it is time to measure: they are a sixteenth of the room.
    fn is_due(&self, bytes: u64) -> bool {
        let came = self.came.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        came >= self.bytes_max.load(Ordering::Relaxed) / 16
    }

    fn note_use(&self, blob: BlobId, now_ms: u64) {
        let mut uses = locked(&self.uses);
        if uses.len() < USES_MAX || uses.contains_key(&blob) {
            uses.insert(blob, now_ms);
        }
    }
}

/// A blob that somebody waits for; forgotten when this is dropped.
struct Asked<'r> {
    room: &'r Room,
    blob: BlobId,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        locked(&self.room.asked).remove(&self.blob);
    }
}

/// What must be done to what is held.
#[derive(Debug, Default)]
struct Measured {
    /// Blobs that make room, those that were looked at longest ago first.
    evicted: Vec<BlobId>,
    /// Blobs that made room, and are now of somebody who is kept or lives here.
    again: Vec<BlobId>,
    /// Authors whose blobs stay.
    protected: BTreeSet<u32>,
}

impl Store {
    /// Sets how much others' blobs may take, of authors who are neither kept nor live here.
    pub(crate) fn set_media_room(&self, bytes: u64) {
        self.shared.room.bytes_max.store(bytes, Ordering::Relaxed);
    }

    /// A blob has come from a peer: measures if there may be too much by now.
    pub(super) async fn make_room_after(&self, bytes: u64) -> Result<(), StoreError> {
        if self.shared.room.is_due(bytes) { self.make_room().await } else { Ok(()) }
    }

    /// Measures what others' blobs take, and makes room where it is too much.
    pub(crate) async fn make_room(&self) -> Result<(), StoreError> {
        self.shared.room.came.store(0, Ordering::Relaxed);
        let (store, uses) = (self.clone(), std::mem::take(&mut *locked(&self.shared.room.uses)));
        let noted = uses.clone();
        let measured = spawn_blocking(move || {
            let most = store.shared.room.bytes_max.load(Ordering::Relaxed);
            store.snapshot()?.measure(&noted, most)
        });
        let measured = measured.await.unwrap_or(Err(StoreError::Stopping))?;
        if uses.is_empty() && measured.evicted.is_empty() && measured.again.is_empty() {
            return Ok(());
        }
        self.write(move |batch| {
            for (blob, used_ms) in &uses {
                batch.note_use(blob, *used_ms)?;
            }
            measured.again.iter().try_for_each(|blob| batch.want_again(blob).map(drop))?;
            measured.evicted.iter().try_for_each(|blob| batch.evict(blob, &measured.protected))
        })
        .await
    }

    /// Somebody looks at a blob: it is not among the next that make room.
    pub(crate) fn note_use(&self, blob: BlobId) {
        self.shared.room.note_use(blob, self.shared.now_ms());
    }

    /// Fetches a blob again that made room, and waits for it so long. None where it did not come, or is not one of
    /// those.
    pub(crate) async fn bring_again(&self, blob: BlobId, wait: Duration) -> Result<Option<BlobReader>, StoreError> {
        let room = &self.shared.room;
        let mut notices = self.notices();
        let is_asked = locked(&room.asked).contains(&blob);
        let Some(_turn) = room.waiting.try_acquire().ok().filter(|_| is_asked || self.is_evicted(blob)) else {
            return Ok(None);
        };
        let first = locked(&room.asked).insert(blob);
        // Also where whoever asked does not wait any more.
        let _asked = Asked { room, blob };
        if first {
            self.write(move |batch| batch.want_again(&blob)).await?;
        }
        let came = async {
            loop {
                match notices.recv().await {
                    Ok(Notice::BlobHeld(held)) if held == blob => break,
                    // Perhaps it was among those that were missed.
                    Err(_) => break,
                    Ok(_) => {}
                }
            }
        };
        if timeout(wait, came).await.is_err() {
            tracing::debug!(%blob, "a blob that made room did not come again in time");
        }
        self.open_blob(blob).await
    }

    fn is_evicted(&self, blob: BlobId) -> bool {
        self.blob_row(&blob).ok().flatten().is_some_and(|row| row.state == BlobState::Evicted)
    }
}

impl Snapshot {
    /// What must be done so that others' blobs take at most so much; then a tenth is free.
    fn measure(&self, uses: &BTreeMap<BlobId, u64>, bytes_max: u64) -> Result<Measured, StoreError> {
        let protected = self.protected()?;
        let mut measured = Measured { protected, ..Measured::default() };
        let (mut bytes, mut candidates) = (0_u64, Vec::new());
        let (last_uses, mut authors) = (self.table(tables::BLOB_USES)?, BTreeMap::new());
        for row in self.table(tables::BLOBS)?.iter()? {
            let (blob, row) = row?;
            let (blob, row) = (BlobId(*blob.value()), row.value());
            if !matches!(row.state, BlobState::Held | BlobState::Evicted) {
                continue;
            }
            let stays = self.stays(&blob, &measured.protected, &mut authors)?;
            match row.state {
                BlobState::Evicted if stays => measured.again.push(blob),
                BlobState::Held if !stays => {
                    let noted = last_uses.get(&blob.0)?.map_or(0, |used| used.value());
                    candidates.push((noted.max(uses.get(&blob).copied().unwrap_or(0)), blob, row.bytes));
                    bytes += row.bytes;
                }
                _ => {}
            }
        }
        if bytes <= bytes_max {
            return Ok(measured);
        }
        candidates.sort_unstable();
        for (_, blob, size) in candidates {
            if bytes <= bytes_max / 10 * 9 {
                break;
            }
            bytes -= size;
            measured.evicted.push(blob);
        }
        Ok(measured)
    }

    /// The numbers of authors whose blobs are never evicted.
    fn protected(&self) -> Result<BTreeSet<u32>, StoreError> {
        let mut numbers = BTreeSet::new();
        for did in self.shared.protected() {
            numbers.extend(self.identity_number(&did)?);
        }
        Ok(numbers)
    }

    /// True where no entry names a blob, so that it is an upload, or one of somebody whose blobs stay.
    fn stays(
        &self,
        blob: &BlobId,
        protected: &BTreeSet<u32>,
        authors: &mut BTreeMap<u32, u32>,
    ) -> Result<bool, StoreError> {
        let mut is_named = false;
        for log in self.logs_naming(blob)? {
            let known = authors.get(&log).copied();
            let author = match known {
                Some(author) => author,
                None => self.log(log)?.map_or(u32::MAX, |row| row.author),
            };
            authors.insert(log, author);
            if protected.contains(&author) {
                return Ok(true);
            }
            is_named = true;
        }
        Ok(!is_named)
    }
}

impl Batch<'_> {
    /// Notes when a blob was looked at last.
    pub(super) fn note_use(&mut self, blob: &BlobId, used_ms: u64) -> Result<(), StoreError> {
        if self.blobs.get(&blob.0)?.is_some_and(|row| row.value().state == BlobState::Held) {
            self.blob_uses.insert(&blob.0, used_ms)?;
        }
        Ok(())
    }

    /// Lets a blob make room, unless it has become one that stays. Its file goes at once: should this not be
    /// committed, it is found missing and is fetched again.
    fn evict(&mut self, blob: &BlobId, protected: &BTreeSet<u32>) -> Result<(), StoreError> {
        let row = self.blobs.get(&blob.0)?.map(|row| row.value()).filter(|row| row.state == BlobState::Held);
        let Some(row) = row.filter(|_| !self.after.placed.contains(blob)) else { return Ok(()) };
        let logs = self.logs_naming(blob)?;
        for log in &logs {
            if protected.contains(&self.log_row(*log)?.author) {
                return Ok(());
            }
        }
        if logs.is_empty() || self.is_uploaded(blob)? {
            return Ok(());
        }
        self.charge_blob(blob, row.bytes, false)?;
        self.blobs.insert(&blob.0, BlobRow { state: BlobState::Evicted, ..row })?;
        self.blob_uses.remove(&blob.0)?;
        Ok(self.shared.evict_blob_file(blob)?)
    }

    /// Wants a blob again that made room.
    fn want_again(&mut self, blob: &BlobId) -> Result<(), StoreError> {
        let row = self.blobs.get(&blob.0)?.map(|row| row.value()).filter(|row| row.state == BlobState::Evicted);
        if let Some(row) = row {
            self.blobs.insert(&blob.0, BlobRow { state: BlobState::Wanted, ..row })?;
            self.after.notices.push(Notice::BlobWanted(*blob));
        }
        Ok(())
    }
}

impl Shared {
    /// Who lives here, is to live here, or is kept.
    fn protected(&self) -> BTreeSet<Did> {
        let mut dids: BTreeSet<Did> = self.locals().into_iter().map(|local| local.did).collect();
        let shares = self.shares();
        dids.extend(shares.unlimited.iter().chain(shares.kept.keys()));
        dids
    }
}

fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(|broken| broken.into_inner())
}
