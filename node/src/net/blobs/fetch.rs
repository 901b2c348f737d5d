//! Fetching blobs that live entries of followed identities name: from whoever has them, a few at a time.
//!
//! What is missing is read from the store, so nothing is forgotten over a restart; nothing is fetched
//! for strangers (`R-BLB-9`).

mod job;
mod plan;
mod queue;
mod transfer;
mod turns;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use libp2p_stream::Control;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use xom_protocol::{BlobId, Did, EntryId};

use self::job::{Job, Outcome};
use self::queue::Queue;
use self::turns::Turns;
use super::Connected;
use crate::error::StoreError;
use crate::net::ingest::blocking;
use crate::net::shared::Shared;
use crate::store::Notice;

/// Blobs that are fetched at the same time.
const FETCHED_MAX: usize = 4;
/// How often the store is asked for what is missing, besides each notice.
const LOOK_EVERY: Duration = Duration::from_secs(30);
/// How often at most, where there is more than was read at once.
const LOOK_LEAST: Duration = Duration::from_secs(1);
/// Missing blobs that are read from the store at once.
const LOOK_BLOBS_MAX: usize = 1_024;
/// Rows of the store that are looked at for them.
const LOOK_ROWS_MAX: usize = 65_536;

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

/// The task that fetches.
pub(in crate::net) struct Fetcher {
    shared: Arc<Shared>,
    control: Control,
    connected: watch::Receiver<Connected>,
    stop: CancellationToken,
    queue: Queue,
    turns: Arc<Mutex<Turns>>,
    jobs: JoinSet<(BlobId, Outcome)>,
    /// When the store was last asked for what is missing.
    looked: Instant,
    /// Where to go on, if not all of it was read.
    rest: Option<BlobId>,
}

impl Fetcher {
    /// Fetches into the store.
    pub(in crate::net) fn new(
        shared: Arc<Shared>,
        control: Control,
        connected: watch::Receiver<Connected>,
        stop: CancellationToken,
    ) -> Self {
        let (queue, jobs) = (Queue::default(), JoinSet::new());
        let turns = Arc::default();
        Self { shared, control, connected, stop, queue, turns, jobs, looked: Instant::now(), rest: None }
    }

    /// Runs until the node stops.
    pub(in crate::net) async fn run(mut self) {
        let mut notices = self.shared.store.notices();
        self.tidy().await;
        self.look().await;
        loop {
            self.begin_jobs().await;
            let next_look = self.next_look().into();
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep_until(next_look) => self.wake().await,
                heard = hear(&mut notices) => match heard {
                    Heard::Wanted(blob) => self.queue.push_fresh(blob),
                    Heard::Missed => self.look_again().await,
                    Heard::Nothing => continue,
                    Heard::Closed => break,
                },
                changed = self.connected.changed() => match changed {
                    Ok(()) => {
                        let connected = Arc::clone(&self.connected.borrow_and_update());
                        self.queue.met(connected.keys());
                    }
                    Err(_) => break,
                },
                Some(done) = self.jobs.join_next() => match done {
                    Ok((blob, outcome)) => self.on_done(blob, outcome).await,
                    Err(cause) => tracing::error!(%cause, "the fetching of a blob broke down"),
                },
            }
        }
        self.jobs.shutdown().await;
    }

    /// When there is something to do at the latest.
    fn next_look(&self) -> Instant {
        let latest = self.looked + LOOK_EVERY;
        let goes_on = self.rest.is_some() && self.queue.is_empty() && !self.queue.is_tired();
        let look = if goes_on { self.looked + LOOK_LEAST } else { latest };
        self.queue.next_due().map_or(look, |due| due.min(look))
    }

    async fn wake(&mut self) {
        let now = Instant::now();
        self.queue.wake(now);
        if now >= self.looked + LOOK_LEAST && self.queue.is_empty() {
            self.look().await;
        }
    }

    /// Reads from the beginning again what is missing: much may be new.
    async fn look_again(&mut self) {
        self.rest = None;
        self.look().await;
    }

    /// Reads a part of what is missing from the store.
    async fn look(&mut self) {
        self.looked = Instant::now();
        let (store, from) = (self.shared.store.clone(), self.rest.take());
        let read = move || store.snapshot()?.blobs_wanted_from(from, LOOK_BLOBS_MAX, LOOK_ROWS_MAX);
        match blocking(read).await {
            Ok((missing, rest)) => {
                missing.into_iter().for_each(|blob| self.queue.push(blob));
                self.rest = rest;
            }
            Err(cause) => tracing::error!(%cause, "could not read which blobs are missing"),
        }
    }

    async fn begin_jobs(&mut self) {
        while self.jobs.len() < FETCHED_MAX && !self.connected.borrow().is_empty() {
            let Some(blob) = self.queue.pop() else { return };
            let attempt = self.queue.begin(blob);
            let (shared, failures) = (Arc::clone(&self.shared), attempt.failures);
            let missing = match blocking(move || find(&shared, &blob, failures)).await {
                Ok(Some(missing)) => missing,
                Ok(None) => {
                    self.queue.done(&blob);
                    continue;
                }
                Err(cause) => {
                    tracing::error!(%cause, "could not read who names a blob");
                    self.queue.done(&blob);
                    continue;
                }
            };
            let (shared, control, connected) = (Arc::clone(&self.shared), self.control.clone(), self.connected.clone());
            let (tried, liars, turns) = (attempt.tried, attempt.liars, Arc::clone(&self.turns));
            let job = Job { shared, control, connected, missing, tried, liars, turns };
            self.jobs.spawn(async move { (blob, job.run().await) });
        }
    }

    async fn on_done(&mut self, blob: BlobId, outcome: Outcome) {
        let Outcome { result, tried, liars } = outcome;
        match result {
            Ok(()) => self.queue.done(&blob),
            Err(cause) => {
                tracing::debug!(%blob, cause, "blob not fetched");
                self.queue.failed(blob, (tried, liars), Instant::now());
                self.tidy().await;
            }
        }
    }

    /// Bounds what is kept of blobs that are not whole.
    async fn tidy(&self) {
        if let Err(cause) = self.shared.store.tidy_partials(self.queue.running().clone()).await {
            tracing::warn!(%cause, "parts of blobs could not be tidied up");
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

/// Who names a missing blob; none if no live entry of a followed identity does. Entries may differ in what they say of
/// its size: each is believed in turn, authors before entries of one author. Blocking.
fn find(shared: &Shared, blob: &BlobId, turn: u32) -> Result<Option<Missing>, StoreError> {
    let wants = shared.store.wants();
    let snapshot = shared.store.snapshot()?;
    let mut named = Vec::new();
    for (entry, author, bytes) in snapshot.blob_named_by(blob)? {
        if bytes > 0 && wants.contains(&author) && snapshot.has_room_for_blob(&author, bytes)? {
            named.push(Missing { blob: *blob, entry, author, bytes });
        }
    }
    Ok(believed(named, turn))
}

/// Whom to believe this time.
fn believed(named: Vec<Missing>, turn: u32) -> Option<Missing> {
    let mut authors: BTreeMap<Did, Vec<Missing>> = BTreeMap::new();
    named.into_iter().for_each(|missing| authors.entry(missing.author).or_default().push(missing));
    let (turn, count) = (turn as usize, authors.len());
    let mut entries = authors.into_values().nth(turn.checked_rem(count)?)?;
    Some(entries.swap_remove((turn / count).checked_rem(entries.len())?))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn r_blb_7_who_names_a_blob_often_and_wrongly_does_not_keep_back_who_names_it_rightly() {
        let missing = |author: u8, bytes: u64| Missing {
            blob: BlobId([7; 32]),
            entry: EntryId([author; 32]),
            author: Did([author; 32]),
            bytes,
        };
        let named: Vec<Missing> = (1..=8).map(|bytes| missing(1, bytes)).chain([missing(2, 100)]).collect();
        let mut wrong = BTreeSet::new();
        for turn in 0..16 {
            match believed(named.clone(), turn) {
                Some(Missing { author: Did([1, ..]), bytes, .. }) => {
                    assert_eq!((turn % 2, wrong.insert(bytes)), (0, true))
                }
                right => assert_eq!((turn % 2, right), (1, Some(missing(2, 100)))),
            }
        }
        assert_eq!((wrong.len(), believed(Vec::new(), 3)), (8, None));
    }
}
