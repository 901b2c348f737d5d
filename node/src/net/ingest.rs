//! The way in: what a peer sent is verified, admitted and handed to the writer, in this order.
//!
//! Nothing is answered as applied before it is durable, and nothing that breaks a rule is stored; what
//! came before it in the same run, up to a verified signature, is (`R-SYN-8`).

mod admitted;
mod aimed;
mod ancestors;
mod budget;
mod proofs;
mod receipts;

pub(super) use budget::Budget;

use std::sync::Arc;

use xom_protocol::entry::{Header, SignedEntry};
use xom_protocol::keys::PublicKey;
use xom_protocol::log::{Position, Run, verify_run};
use xom_protocol::sync::{Batch, Outcome};
use xom_protocol::{DeviceId, Did, LogId, Network, Rule};

use super::clocks::now_ms;
use super::identities::Identities;
use super::tally::{PeerTally, Tally};
use crate::error::StoreError;
use crate::store::{Appended, NewRun, Store};

/// Takes batches for one node.
#[derive(Clone)]
pub(super) struct Ingest {
    store: Store,
    network: Network,
    identities: Arc<Identities>,
    totals: Arc<Tally>,
    admitted: Arc<admitted::Shares>,
}

/// What came of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Taken {
    /// How it was taken.
    pub(super) outcome: Outcome,
    /// Where the log stands now; empty for what is no run.
    pub(super) position: Position,
}

impl Taken {
    fn of(outcome: Outcome) -> Self {
        Self { outcome, position: Position::EMPTY }
    }
}

/// A stretch of one log as it came.
struct Stretch {
    did: Did,
    log: LogId,
    from: u64,
    entries: Vec<SignedEntry>,
    live: bool,
    /// Bare headers, to be compared and not stored.
    shown: bool,
}

/// A stretch after all that can be checked without the writer.
enum Checked {
    /// It can be appended up to the first broken rule.
    Run { run: Run, device: DeviceId, refused: Option<Rule> },
    /// Nothing of it can be taken.
    Not(Outcome),
}

impl Ingest {
    /// Takes batches into `store`.
    pub(super) fn new(store: Store, identities: Arc<Identities>, totals: Arc<Tally>) -> Self {
        Self { network: store.network(), store, identities, totals, admitted: Arc::default() }
    }

    /// Takes one batch; durable when it answers. Fails only where the store does.
    pub(super) async fn take(&self, peer: &PeerTally, budget: &Budget, batch: Batch) -> Result<Taken, StoreError> {
        match batch {
            Batch::Identity { did, objects } => self.take_identity(peer, did, objects).await,
            Batch::Run { did, log, from, entries, live } => {
                self.take_stretch(peer, Stretch { did, log, from, entries, live, shown: false }).await
            }
            Batch::Bodies { did, log, from, entries } => {
                // Entries that are held: what of them does not count any more is nobody's fault.
                let again = Arc::new(PeerTally::default());
                let taken =
                    self.take_stretch(&again, Stretch { did, log, from, entries, live: false, shown: false }).await?;
                Ok(Taken { outcome: Outcome::Applied, ..taken })
            }
            Batch::Singles { did, items, .. } => self.take_singles(peer, did, items).await.map(Taken::of),
            Batch::Receipts(news) => self.take_receipts(peer, budget, news).await,
            Batch::Fork { did, log, from, entries } => {
                self.take_branch(peer, Stretch { did, log, from, entries, live: false, shown: true }).await
            }
            Batch::Ancestors { did, log, head, headers } => {
                self.take_ancestors(peer, (did, log), head, headers).await.map(Taken::of)
            }
            Batch::Proven { did, log, proof } => self.take_proof(peer, did, log, proof).await.map(Taken::of),
            Batch::Aimed { items } => {
                // What one author sent says nothing of the others.
                let mut outcome = Outcome::Applied;
                for item in items {
                    let taken = self.take_aimed(peer, budget, item).await?;
                    outcome = if outcome == Outcome::Applied { taken } else { outcome };
                }
                Ok(Taken::of(outcome))
            }
        }
    }

    /// Counts a broken rule for the peer and in total.
    pub(super) fn refuse(&self, peer: &PeerTally, rule: Rule) {
        peer.counts.refused(rule);
        self.totals.refused(rule);
    }

    async fn take_identity(&self, peer: &PeerTally, did: Did, objects: Vec<Vec<u8>>) -> Result<Taken, StoreError> {
        // Unrequested identities are not taken (`R-SYN-6`): only followed ones are ever asked for.
        if !self.store.wants().contains(&did) {
            return Ok(Taken::of(Outcome::Dropped));
        }
        let inserted = self.store.insert_identity(did, objects).await?;
        inserted.refused.iter().for_each(|rule| self.refuse(peer, *rule));
        let outcome = inserted.refused.first().map_or(Outcome::Applied, |rule| Outcome::Refused(*rule));
        Ok(Taken::of(outcome))
    }

    /// Takes headers of a fork: nothing new in them means that the branches part elsewhere (`SYN-13`), which is
    /// a step of a search and no fault of the peer.
    async fn take_branch(&self, peer: &PeerTally, stretch: Stretch) -> Result<Taken, StoreError> {
        let (log, to) = (stretch.log, stretch.from + stretch.entries.len() as u64);
        let store = self.store.clone();
        let last = stretch.entries.last().map(|entry| Header::hash(&entry.header));
        let is_held = blocking(move || Ok(last.is_some() && store.snapshot()?.hash_at(&log, to.max(1) - 1)? == last));
        if is_held.await? {
            return self.standing(log, Outcome::Refused(Rule("SYN-13"))).await;
        }
        let search = Arc::new(PeerTally::default());
        let taken = self.take_stretch(&search, stretch).await?;
        let unlinked = taken.outcome == Outcome::Refused(Rule("LOG-4"));
        if let Outcome::Refused(rule) = taken.outcome
            && !unlinked
        {
            peer.counts.refused(rule);
        }
        Ok(taken)
    }

    async fn take_stretch(&self, peer: &PeerTally, stretch: Stretch) -> Result<Taken, StoreError> {
        let (did, log, live, shown) = (stretch.did, stretch.log, stretch.live, stretch.shown);
        if !self.store.wants().contains(&did) {
            return self.standing(log, Outcome::Dropped).await;
        }
        let ingest = self.clone();
        let checked = blocking(move || ingest.check(stretch)).await?;
        let (run, device, refused) = match checked {
            Checked::Run { run, device, refused } => (run, device, refused),
            Checked::Not(outcome) => {
                if let Outcome::Refused(rule) = outcome {
                    self.refuse(peer, rule);
                }
                return self.standing(log, outcome).await;
            }
        };
        run.body_mismatches.iter().for_each(|_| self.refuse(peer, Rule("LOG-6")));
        refused.iter().for_each(|rule| self.refuse(peer, *rule));
        let outcome = refused.map_or(Outcome::Applied, Outcome::Refused);
        if run.accepted.is_empty() {
            return self.standing(log, outcome).await;
        }
        if let Some(newest) = run.accepted.last().filter(|_| live && peer.dids().contains(&did)) {
            // Pushed by its author's own node, so just signed.
            peer.clock.note(newest.header().time_ms, now_ms());
        }
        let new = NewRun { log, author: did, device, entries: run.accepted, live };
        let appended = if shown { self.store.compare_branch(new).await? } else { self.store.append(new).await? };
        match appended {
            Appended::Stored { position, new } => {
                peer.counts.received(new);
                self.totals.received(new);
                Ok(Taken { outcome, position })
            }
            Appended::Full { position } => {
                self.totals.refused(Rule("KEEP-2"));
                Ok(Taken { outcome: Outcome::Dropped, position })
            }
            Appended::Gap { position } => Ok(Taken { outcome: Outcome::Dropped, position }),
            // The proof is kept, and the peer that passed it on is not to blame (`LOG-13`).
            Appended::Forked { .. } => {
                self.totals.refused(Rule("LOG-13"));
                self.standing(log, outcome).await
            }
            Appended::Refused { rule } => {
                self.refuse(peer, rule);
                self.standing(log, Outcome::Refused(rule)).await
            }
        }
    }

    /// The outcome, with where the log stands without any change.
    async fn standing(&self, log: LogId, outcome: Outcome) -> Result<Taken, StoreError> {
        let store = self.store.clone();
        let position = blocking(move || store.snapshot()?.position(&log)).await?;
        Ok(Taken { outcome, position })
    }

    /// Verifies a stretch on top of what is held. Blocking: signatures and hashes.
    fn check(&self, stretch: Stretch) -> Result<Checked, StoreError> {
        let Stretch { did, log, from, entries, .. } = stretch;
        let snapshot = self.store.snapshot()?;
        let device = match entries.first().map(|entry| Header::decode(&entry.header)) {
            Some(Ok(header)) => header.device,
            Some(Err(e)) => return Ok(Checked::Not(Outcome::Refused(e.rule()))),
            None => return Ok(Checked::Not(Outcome::Applied)),
        };
        let known = self.identities.get(&snapshot, &did)?;
        let Some(record) = known.and_then(|known| known.record) else {
            return Ok(Checked::Not(Outcome::Dropped));
        };
        let Some(key) = record.state().devices.get(&device).map(|device| device.key) else {
            return Ok(Checked::Not(Outcome::Refused(Rule("LOG-7"))));
        };
        let Some(position) = position_at(&snapshot, &log, from)? else {
            return Ok(Checked::Not(Outcome::Dropped));
        };
        let mut run = verify_run(self.network, &key, did, log, position, entries);
        let mut refused = run.refused.as_ref().map(|refusal| refusal.rule());
        let admits = |entry: &xom_protocol::entry::VerifiedEntry| {
            record.state().admits(&device, &log, entry.header().seq, &entry.hash())
        };
        // What a removed device wrote above its accepted head does not count (`ID-7`, `R-SIG-5`).
        if let Some((at, not)) =
            run.accepted.iter().enumerate().find_map(|(at, entry)| admits(entry).err().map(|not| (at, not)))
        {
            run.accepted.truncate(at);
            refused = Some(not.rule());
        }
        Ok(Checked::Run { run, device, refused })
    }

    fn device_key(&self, state: &xom_protocol::identity::IdentityState, device: &DeviceId) -> Option<PublicKey> {
        state.devices.get(device).map(|device| device.key)
    }
}

/// Where a log stands just below `from`; none where that much is not held.
fn position_at(snapshot: &crate::store::Snapshot, log: &LogId, from: u64) -> Result<Option<Position>, StoreError> {
    let Some(below) = from.checked_sub(1) else { return Ok(Some(Position::EMPTY)) };
    if snapshot.position(log)?.height < from {
        return Ok(None);
    }
    let head = snapshot.hash_at(log, below)?;
    Ok(head.map(|head| Position { height: from, head: Some(head) }))
}

/// Runs what would hold a thread up on the threads for that.
pub(super) async fn blocking<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, StoreError> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Stopping))
}
