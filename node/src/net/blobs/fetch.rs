//! Fetching blobs that live entries of followed identities name: from whoever has them, a few at a time.
//!
//! What is missing is read from the store, so nothing is forgotten over a restart; nothing is fetched
//! for strangers (`R-BLB-9`).

mod transfer;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::PeerId;
use libp2p_stream::Control;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use xom_protocol::{BlobId, Did, EntryId};

use self::transfer::{Failure, Transfer};
use super::Connected;
use crate::blob::BlobWriter;
use crate::error::StoreError;
use crate::net::backoff::{Before, delay};
use crate::net::ingest::blocking;
use crate::net::shared::Shared;
use crate::store::Notice;

/// Blobs that are fetched at the same time.
const FETCHED_MAX: usize = 4;
/// How often the store is asked for what is missing, besides each notice.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How often at most, where waits after failures are over: who had a blob not yet may have it soon.
const LOOK_LEAST: Duration = Duration::from_secs(1);
/// Bytes of unfinished blobs that are kept on disk until the next start, to go on from.
const PARTIAL_BYTES_MAX: u64 = 256 << 20;
/// Unfinished blobs that are kept: each holds a file open.
const PARTIALS_MAX: usize = 64;
/// Blobs whose failures are remembered; of others the waits start anew.
const ATTEMPTS_MAX: usize = 4_096;

/// A blob that is missing, and what its entry says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Missing {
    /// Which.
    pub(super) blob: BlobId,
    /// A live entry that names it.
    pub(super) entry: EntryId,
    /// Its author.
    pub(super) author: Did,
    /// Its size as the entry says.
    pub(super) bytes: u64,
}

/// What was tried for a blob.
#[derive(Debug, Default)]
struct Attempt {
    /// Who did not have it since the last wait.
    tried: BTreeSet<PeerId>,
    /// Who sent other bytes under its id: never asked again (`BLOB-4`).
    liars: BTreeSet<PeerId>,
    /// How often everybody was asked in vain.
    failures: u32,
    not_before: Option<Instant>,
    /// What has come so far.
    partial: Option<BlobWriter>,
    running: bool,
}

/// The task that fetches.
pub(in crate::net) struct Fetcher {
    shared: Arc<Shared>,
    control: Control,
    connected: watch::Receiver<Connected>,
    stop: CancellationToken,
    queue: VecDeque<BlobId>,
    attempts: BTreeMap<BlobId, Attempt>,
    transfers: JoinSet<(BlobId, PeerId, Result<(), Failure>)>,
    /// When the store was last asked for what is missing.
    looked: Instant,
}

impl Fetcher {
    /// Fetches into the store.
    pub(in crate::net) fn new(
        shared: Arc<Shared>,
        control: Control,
        connected: watch::Receiver<Connected>,
        stop: CancellationToken,
    ) -> Self {
        let (queue, attempts, transfers) = (VecDeque::new(), BTreeMap::new(), JoinSet::new());
        Self { shared, control, connected, stop, queue, attempts, transfers, looked: Instant::now() }
    }

    /// Runs until the node stops.
    pub(in crate::net) async fn run(mut self) {
        let mut notices = self.shared.store.notices();
        self.look().await;
        loop {
            self.begin_transfers().await;
            let next_look = self.next_look().into();
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep_until(next_look) => self.look().await,
                heard = hear(&mut notices) => match heard {
                    Heard::Wanted(blob) => self.want(blob),
                    Heard::Missed => self.look().await,
                    Heard::Nothing => continue,
                    Heard::Closed => break,
                },
                changed = self.connected.changed() => match changed {
                    Ok(()) => self.look().await,
                    Err(_) => break,
                },
                Some(done) = self.transfers.join_next() => match done {
                    Ok((blob, peer, result)) => self.on_done(blob, peer, result),
                    Err(cause) => tracing::error!(%cause, "the transfer of a blob broke down"),
                },
            }
        }
        self.transfers.shutdown().await;
    }

    fn want(&mut self, blob: BlobId) {
        if !self.queue.contains(&blob) && !self.attempts.get(&blob).is_some_and(|attempt| attempt.running) {
            self.queue.push_back(blob);
        }
    }

    /// When the store is to be asked again: as soon as a wait is over.
    fn next_look(&self) -> Instant {
        let waiting = self.attempts.values().filter(|attempt| !attempt.running);
        let due = waiting.filter_map(|attempt| attempt.not_before).min();
        let latest = self.looked + LOOK_EVERY;
        due.map_or(latest, |due| due.clamp(self.looked + LOOK_LEAST, latest))
    }

    /// Reads what is missing from the store, without what must wait.
    async fn look(&mut self) {
        self.looked = Instant::now();
        let store = self.shared.store.clone();
        let missing = match blocking(move || store.snapshot()?.blobs_wanted()).await {
            Ok(missing) => missing,
            Err(cause) => return tracing::error!(%cause, "could not read which blobs are missing"),
        };
        let wanted: BTreeSet<BlobId> = missing.iter().copied().collect();
        self.attempts.retain(|blob, attempt| attempt.running || wanted.contains(blob));
        let now = Instant::now();
        let connected = Arc::clone(&self.connected.borrow_and_update());
        self.queue.clear();
        for blob in missing {
            let attempt = self.attempts.get(&blob);
            // Somebody new may have it: that is worth asking before the wait is over.
            let is_due = attempt.is_none_or(|attempt| {
                let waited = attempt.not_before.is_none_or(|at| at <= now);
                !attempt.running && (waited || connected.keys().any(|peer| !attempt.has_tried(peer)))
            });
            if is_due {
                self.queue.push_back(blob);
            }
        }
    }

    async fn begin_transfers(&mut self) {
        while self.transfers.len() < FETCHED_MAX {
            let connected = Arc::clone(&self.connected.borrow());
            if connected.is_empty() {
                return;
            }
            let Some(blob) = self.queue.pop_front() else { return };
            let shared = Arc::clone(&self.shared);
            let missing = match blocking(move || find(&shared, &blob)).await {
                Ok(Some(missing)) => missing,
                Ok(None) => continue,
                Err(cause) => {
                    tracing::error!(%cause, "could not read who names a blob");
                    continue;
                }
            };
            self.begin(missing, &connected);
        }
    }

    fn begin(&mut self, missing: Missing, connected: &Connected) {
        if self.attempts.len() >= ATTEMPTS_MAX {
            self.attempts.retain(|_, attempt| attempt.running);
        }
        let attempt = self.attempts.entry(missing.blob).or_default();
        if attempt.running {
            return;
        }
        // First the author's own nodes, then anybody else.
        let untried = connected.iter().filter(|(peer, _)| !attempt.has_tried(peer));
        let best = untried.max_by_key(|(_, tally)| tally.dids().contains(&missing.author));
        let Some((peer, tally)) = best else { return attempt.give_up(Instant::now()) };
        attempt.running = true;
        let transfer = Transfer {
            shared: Arc::clone(&self.shared),
            control: self.control.clone(),
            peer: *peer,
            tally: Arc::clone(tally),
            missing,
            partial: attempt.partial.take().unwrap_or_else(|| self.shared.store.blob_writer()),
        };
        let (blob, peer) = (transfer.missing.blob, *peer);
        self.transfers.spawn(async move { (blob, peer, transfer.run().await) });
    }

    fn on_done(&mut self, blob: BlobId, peer: PeerId, result: Result<(), Failure>) {
        let Some(attempt) = self.attempts.get_mut(&blob) else { return };
        attempt.running = false;
        match result {
            Ok(()) => {
                self.attempts.remove(&blob);
            }
            Err(failure) => {
                tracing::debug!(%blob, %peer, cause = %failure.cause, "blob not fetched");
                let kept = self.attempts.values().filter_map(|attempt| attempt.partial.as_ref());
                let (count, bytes) = kept.fold((0, 0), |(count, bytes), partial| (count + 1, bytes + partial.bytes()));
                let has_room =
                    |partial: &BlobWriter| count < PARTIALS_MAX && bytes + partial.bytes() <= PARTIAL_BYTES_MAX;
                let Some(attempt) = self.attempts.get_mut(&blob) else { return };
                attempt.partial = failure.partial.filter(has_room);
                attempt.tried.insert(peer);
                if failure.lied {
                    attempt.liars.insert(peer);
                }
                if self.connected.borrow().keys().all(|peer| attempt.has_tried(peer)) {
                    attempt.give_up(Instant::now());
                } else {
                    self.queue.push_back(blob);
                }
            }
        }
    }
}

impl Attempt {
    fn has_tried(&self, peer: &PeerId) -> bool {
        self.tried.contains(peer) || self.liars.contains(peer)
    }

    /// Everybody was asked: waits before asking them again.
    fn give_up(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        if self.not_before.is_none_or(|at| at <= now) {
            self.not_before = Some(now + delay(self.failures.saturating_add(2), Before::Known));
            self.tried.clear();
        }
    }
}

/// What a notice means for blobs.
enum Heard {
    Wanted(BlobId),
    Missed,
    Nothing,
    Closed,
}

async fn hear(notices: &mut broadcast::Receiver<Notice>) -> Heard {
    match notices.recv().await {
        Ok(Notice::BlobWanted(blob)) => Heard::Wanted(blob),
        Ok(Notice::Wants) | Err(RecvError::Lagged(_)) => Heard::Missed,
        Ok(_) => Heard::Nothing,
        Err(RecvError::Closed) => Heard::Closed,
    }
}

/// Who names a missing blob; none if no live entry of a followed identity does. Blocking.
fn find(shared: &Shared, blob: &BlobId) -> Result<Option<Missing>, StoreError> {
    let wants = shared.store.wants();
    let snapshot = shared.store.snapshot()?;
    for (entry, author, bytes) in snapshot.blob_named_by(blob)? {
        if wants.contains(&author) && snapshot.has_room_for_blob(&author, bytes)? {
            return Ok(Some(Missing { blob: *blob, entry, author, bytes }));
        }
    }
    Ok(None)
}
