//! Fetching one blob from several peers at once, until it is whole or nobody has more of it (`BLOB-8`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use libp2p::PeerId;
use libp2p_stream::Control;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{interval, sleep_until};
use tokio_util::sync::CancellationToken;
use xom_protocol::Rule;

use super::Missing;
use super::plan::{Plan, Ticket};
use super::transfer::{Cut, GROUP_TIMEOUT, Progress, SharedPace, Transfer, paced};
use super::turns::Turns;
use crate::net::blobs::Connected;
use crate::net::blobs::pace::{Pace, SLOW_AFTER};
use crate::net::shared::Shared;
use crate::net::tally::PeerTally;

/// Peers that bring groups of one blob at the same time.
const SOURCES_MAX: usize = 3;
/// How often it is looked whether somebody is so slow that another could do better.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long a slow source is left alone where all who are free were slow too: each brings a group in that time.
const TURN: Duration = GROUP_TIMEOUT;

/// The task that fetches one blob.
pub(super) struct Job {
    pub(super) shared: Arc<Shared>,
    pub(super) control: Control,
    pub(super) connected: watch::Receiver<Connected>,
    pub(super) missing: Missing,
    /// Who did not have it, or stopped before the end.
    pub(super) tried: BTreeSet<PeerId>,
    /// Who sent other bytes under its id: never asked again for it (`BLOB-8`).
    pub(super) liars: BTreeSet<PeerId>,
    /// Who was slow lately, as all jobs found.
    pub(super) turns: Arc<Mutex<Turns>>,
}

/// How a job ended.
pub(super) struct Outcome {
    /// The blob is stored, or is not wanted any more. Else why not.
    pub(super) result: Result<(), String>,
    /// Who was asked in vain.
    pub(super) tried: BTreeSet<PeerId>,
    /// Who lied.
    pub(super) liars: BTreeSet<PeerId>,
}

/// A transfer that has ended.
type Ended = (PeerId, Ticket, Result<(), Cut>);

/// Who brings something now.
type Busy = BTreeMap<PeerId, Bringing>;

/// What somebody brings now.
struct Bringing {
    tally: Arc<PeerTally>,
    pace: SharedPace,
    /// Ends the transfer: another can do better.
    gives_way: CancellationToken,
}

impl Job {
    /// Fetches and stores; durable when it answers.
    pub(super) async fn run(mut self) -> Outcome {
        let result = self.fetch().await;
        Outcome { result, tried: self.tried, liars: self.liars }
    }

    async fn fetch(&mut self) -> Result<(), String> {
        let Missing { blob, bytes, .. } = self.missing;
        let partial = self.shared.store.open_partial(blob, bytes).await.map_err(|e| e.to_string())?;
        let plan = Plan::new(partial.missing());
        let progress = Arc::new(Mutex::new(Progress { plan, partial: Some(partial) }));
        let mut transfers = JoinSet::new();
        let mut busy = Busy::new();
        let mut look = interval(LOOK_EVERY);
        let mut cause = "nobody who is connected has it".to_owned();
        while !locked(&progress).plan.is_whole() {
            self.begin(&progress, &mut transfers, &mut busy);
            self.make_way(&busy, Instant::now());
            if transfers.is_empty() {
                return Err(cause);
            }
            let (now, slow_at) = (Instant::now(), locked(&progress).plan.slow_at());
            tokio::select! {
                Some(ended) = transfers.join_next() => {
                    let (peer, ticket, result) = ended.map_err(|e| e.to_string())?;
                    let bringing = busy.remove(&peer);
                    locked(&progress).plan.ended(ticket);
                    let Err(cut) = result else {
                        self.on_brought(&peer, bringing, Instant::now());
                        continue;
                    };
                    cause = cut.to_string();
                    self.on_cut(peer, bringing, cut)?;
                }
                _ = look.tick() => {}
                () = sleep_until(slow_at.unwrap_or(now).into()), if slow_at.is_some_and(|at| at > now) => {}
                changed = self.connected.changed() => changed.map_err(|_| "the node stops".to_owned())?,
            }
        }
        // Whoever is slow with what others have brought need not go on.
        transfers.shutdown().await;
        let partial = locked(&progress).partial.take();
        let partial = partial.ok_or("what came was taken already")?;
        let received = self.shared.store.end_partial(partial).await.map_err(|e| e.to_string())?;
        self.shared.store.put_blob(received).await.map(|_| ()).map_err(|e| e.to_string())
    }

    /// Gives ranges to peers that bring nothing: first to the author's own nodes, then to anybody else.
    fn begin(&self, progress: &Arc<Mutex<Progress>>, transfers: &mut JoinSet<Ended>, busy: &mut Busy) {
        let connected = Arc::clone(&self.connected.borrow());
        while transfers.len() < SOURCES_MAX {
            let Some((peer, tally)) = self.next_free(&connected, busy) else { return };
            let Some((ticket, groups)) = locked(progress).plan.take(Instant::now()) else { return };
            let (pace, gives_way) = (SharedPace::default(), CancellationToken::new());
            let transfer = Transfer {
                shared: Arc::clone(&self.shared),
                control: self.control.clone(),
                peer,
                missing: self.missing.clone(),
                groups,
                progress: Arc::clone(progress),
                pace: Arc::clone(&pace),
                gives_way: gives_way.clone(),
            };
            busy.insert(peer, Bringing { tally, pace, gives_way });
            transfers.spawn(async move { (peer, ticket, transfer.run().await) });
        }
    }

    /// Who is asked next: who was slow lately comes last, and before anybody else who speaks for the author.
    fn next_free(&self, connected: &Connected, busy: &Busy) -> Option<(PeerId, Arc<PeerTally>)> {
        let is_free =
            |peer: &PeerId| !busy.contains_key(peer) && !self.tried.contains(peer) && !self.liars.contains(peer);
        let turns = self.turns.lock().unwrap_or_else(|broken| broken.into_inner());
        let free = connected.iter().filter(|(peer, _)| is_free(peer));
        let best = free.max_by_key(|(peer, tally)| (turns.rank(peer), self.is_author(tally)));
        best.map(|(peer, tally)| (*peer, Arc::clone(tally)))
    }

    /// Has the slowest of those who bring something give way where somebody else is free: at once if he was not slow
    /// lately, and after a while if he was. Who speaks for the author gives way only to others who do, so that nobody
    /// takes this source away by coming under ever new names.
    fn make_way(&self, busy: &Busy, now: Instant) {
        if busy.values().any(|bringing| bringing.gives_way.is_cancelled()) {
            return;
        }
        let connected = Arc::clone(&self.connected.borrow());
        let Some((free, tally)) = self.next_free(&connected, busy) else { return };
        let waits = self.turns.lock().unwrap_or_else(|broken| broken.into_inner()).waits(&free);
        let least = if waits { TURN } else { SLOW_AFTER };
        let for_author = self.is_author(&tally);
        let is_slow = |pace: &Pace| pace.is_slow(now) && pace.waited(now) >= least;
        let slow = busy.values().filter(|bringing| is_slow(&paced(&bringing.pace)));
        let slow = slow.filter(|bringing| for_author || !self.is_author(&bringing.tally));
        if let Some(slowest) = slow.min_by_key(|bringing| paced(&bringing.pace).per_second(now)) {
            slowest.gives_way.cancel();
        }
    }

    fn is_author(&self, tally: &PeerTally) -> bool {
        tally.dids().contains(&self.missing.author)
    }

    /// A peer has brought all that it was asked for.
    fn on_brought(&self, peer: &PeerId, bringing: Option<Bringing>, now: Instant) {
        if bringing.is_some_and(|bringing| !paced(&bringing.pace).is_slow(now)) {
            self.turns.lock().unwrap_or_else(|broken| broken.into_inner()).was_quick(peer);
        }
    }

    /// A peer has stopped before the end. Fails where the fault is here.
    fn on_cut(&mut self, peer: PeerId, bringing: Option<Bringing>, cut: Cut) -> Result<(), String> {
        tracing::debug!(blob = %self.missing.blob, %peer, cause = %cut, "a transfer was cut short");
        match cut {
            Cut::Peer(_) => {
                self.tried.insert(peer);
            }
            Cut::Lie(_) => {
                self.liars.insert(peer);
                if let Some(bringing) = bringing {
                    self.shared.ingest.refuse(&bringing.tally, Rule("BLOB-4"));
                }
            }
            Cut::GaveWay => {
                let mut turns = self.turns.lock().unwrap_or_else(|broken| broken.into_inner());
                turns.gave_way(peer, Instant::now());
            }
            Cut::Disk(e) => return Err(e.to_string()),
        }
        Ok(())
    }
}

fn locked(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(|broken| broken.into_inner())
}
