//! Counters since the start, for one peer or for all: what came, what went, what was refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use xom_protocol::{DeviceId, Did, Digest, Rule};

use super::clocks::PeerClock;

/// What is counted. Shared between tasks; never locked across an await.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    entries_received: AtomicU64,
    entries_sent: AtomicU64,
    refusals: Mutex<BTreeMap<Rule, u64>>,
}

/// What is shown of one peer besides its addresses.
#[derive(Debug, Default)]
pub(super) struct PeerTally {
    /// Its counters.
    pub(super) counts: Tally,
    /// Its clock.
    pub(super) clock: PeerClock,
    in_sync: AtomicBool,
    proven: Mutex<BTreeSet<(Did, DeviceId)>>,
    agreed: Mutex<Vec<(Did, Digest)>>,
}

impl Tally {
    /// Entries that were new.
    pub(crate) fn received(&self, entries: u64) {
        self.entries_received.fetch_add(entries, Ordering::Relaxed);
    }

    /// Entries that went out.
    pub(crate) fn sent(&self, entries: u64) {
        self.entries_sent.fetch_add(entries, Ordering::Relaxed);
    }

    /// A broken rule.
    pub(crate) fn refused(&self, rule: Rule) {
        self.refused_often(rule, 1);
    }

    /// A rule that was broken so often.
    pub(super) fn refused_often(&self, rule: Rule, times: u64) {
        let mut refusals = self.refusals.lock().unwrap_or_else(|broken| broken.into_inner());
        let count = refusals.entry(rule).or_default();
        *count = count.saturating_add(times);
    }

    /// How many entries were new.
    pub(crate) fn entries_received(&self) -> u64 {
        self.entries_received.load(Ordering::Relaxed)
    }

    /// How many entries went out.
    pub(crate) fn entries_sent(&self) -> u64 {
        self.entries_sent.load(Ordering::Relaxed)
    }

    /// How often each rule was broken.
    pub(crate) fn refusals(&self) -> Vec<(String, u64)> {
        let refusals = self.refusals.lock().unwrap_or_else(|broken| broken.into_inner());
        refusals.iter().map(|(rule, count)| (rule.to_string(), *count)).collect()
    }
}

impl PeerTally {
    /// Nothing is left to exchange, or something is again.
    pub(super) fn set_in_sync(&self, in_sync: bool) {
        self.in_sync.store(in_sync, Ordering::Relaxed);
    }

    /// Nothing is left to exchange.
    pub(super) fn in_sync(&self) -> bool {
        self.in_sync.load(Ordering::Relaxed)
    }

    /// The peer has proved to hold the key of a device that may sign.
    pub(super) fn speaks_for(&self, did: Did, device: DeviceId) {
        self.proven.lock().unwrap_or_else(|broken| broken.into_inner()).insert((did, device));
    }

    /// It speaks for an identity by this device no more.
    pub(super) fn ended(&self, did: Did, device: DeviceId) {
        self.proven.lock().unwrap_or_else(|broken| broken.into_inner()).remove(&(did, device));
    }

    /// The identities that it has proved to speak for.
    pub(super) fn dids(&self) -> Vec<Did> {
        let mut dids: Vec<Did> = self.proven().into_iter().map(|(did, _)| did).collect();
        dids.dedup();
        dids
    }

    /// The devices by which it does.
    pub(super) fn proven(&self) -> BTreeSet<(Did, DeviceId)> {
        self.proven.lock().unwrap_or_else(|broken| broken.into_inner()).clone()
    }

    /// Notes of which local identities the peer holds the same objects as this node, with the digest of these.
    pub(super) fn set_agreed(&self, agreed: Vec<(Did, Digest)>) {
        *self.agreed.lock().unwrap_or_else(|broken| broken.into_inner()) = agreed;
    }

    /// True if it was found to hold these objects of this identity.
    pub(super) fn agrees_on(&self, did: &Did, digest: &Digest) -> bool {
        self.agreed.lock().unwrap_or_else(|broken| broken.into_inner()).contains(&(*did, *digest))
    }

    /// Forgets what was proved: proofs hold for one connection.
    pub(super) fn disconnected(&self) {
        self.set_in_sync(false);
        self.set_agreed(Vec::new());
        self.proven.lock().unwrap_or_else(|broken| broken.into_inner()).clear();
    }
}
