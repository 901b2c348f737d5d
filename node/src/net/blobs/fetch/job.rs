//! Fetching one blob from several peers at once, until it is whole or nobody has more of it (`BLOB-8`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use libp2p::PeerId;
use libp2p_stream::Control;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep_until;
use xom_protocol::Rule;

use super::Missing;
use super::plan::{Plan, Ticket};
use super::transfer::{Cut, Progress, Transfer};
use crate::net::blobs::Connected;
use crate::net::shared::Shared;
use crate::net::tally::PeerTally;

/// Peers that bring groups of one blob at the same time.
const SOURCES_MAX: usize = 3;

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
type Busy = BTreeMap<PeerId, Arc<PeerTally>>;

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
        let mut cause = "nobody who is connected has it".to_owned();
        while !locked(&progress).plan.is_whole() {
            self.begin(&progress, &mut transfers, &mut busy);
            if transfers.is_empty() {
                return Err(cause);
            }
            let (now, slow_at) = (Instant::now(), locked(&progress).plan.slow_at());
            tokio::select! {
                Some(ended) = transfers.join_next() => {
                    let (peer, ticket, result) = ended.map_err(|e| e.to_string())?;
                    let tally = busy.remove(&peer);
                    locked(&progress).plan.ended(ticket);
                    if let Err(cut) = result {
                        cause = cut.to_string();
                        self.on_cut(peer, tally.as_deref(), cut)?;
                    }
                }
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
            let is_free =
                |peer: &PeerId| !busy.contains_key(peer) && !self.tried.contains(peer) && !self.liars.contains(peer);
            let free = connected.iter().filter(|(peer, _)| is_free(peer));
            let best = free.max_by_key(|(_, tally)| tally.dids().contains(&self.missing.author));
            let Some((peer, tally)) = best else { return };
            let Some((ticket, groups)) = locked(progress).plan.take(Instant::now()) else { return };
            let (peer, missing) = (*peer, self.missing.clone());
            let transfer =
                Transfer { control: self.control.clone(), peer, missing, groups, progress: Arc::clone(progress) };
            busy.insert(peer, Arc::clone(tally));
            transfers.spawn(async move { (peer, ticket, transfer.run().await) });
        }
    }

    /// A peer has stopped before the end. Fails where the fault is here.
    fn on_cut(&mut self, peer: PeerId, tally: Option<&PeerTally>, cut: Cut) -> Result<(), String> {
        tracing::debug!(blob = %self.missing.blob, %peer, cause = %cut, "a transfer was cut short");
        match cut {
            Cut::Peer(_) => {
                self.tried.insert(peer);
            }
            Cut::Lie(_) => {
                self.liars.insert(peer);
                if let Some(tally) = tally {
                    self.shared.ingest.refuse(tally, Rule("BLOB-4"));
                }
            }
            Cut::Disk(e) => return Err(e.to_string()),
        }
        Ok(())
    }
}

fn locked(progress: &Mutex<Progress>) -> MutexGuard<'_, Progress> {
    progress.lock().unwrap_or_else(|broken| broken.into_inner())
}
