//! What all conversations of a node share, and what they read from the store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use libp2p::PeerId;
use xom_protocol::entry::{Header, SignedEntry};
use xom_protocol::limits::AIMED_ENTRIES_MAX;
use xom_protocol::sync::{Aimed, Frontier, LocalDevice, Resume};
use xom_protocol::{DeviceId, Did, LogId, Network};

use super::frontier::FrontierReader;
use super::identities::Identities;
use super::ingest::Ingest;
use super::line::Line;
use super::own_heads::OwnHeads;
use super::tally::{PeerTally, Tally};
use crate::error::StoreError;
use crate::store::{Snapshot, Store};

/// Shared by all tasks of the network.
pub(super) struct Shared {
    /// The store.
    pub(super) store: Store,
    /// The network.
    pub(super) network: Network,
    /// Our peer id.
    pub(super) own: PeerId,
    /// Our database's epoch, as the conversation tells it.
    pub(super) epoch: u64,
    /// Verified identities.
    pub(super) identities: Arc<Identities>,
    /// The way in.
    pub(super) ingest: Ingest,
    /// How fast this node may send and receive.
    pub(super) line: Line,
    /// Counters of all peers together.
    pub(super) totals: Arc<Tally>,
    own_heads: Mutex<OwnHeads>,
    began: Instant,
}

impl Shared {
    /// For the node with this peer id.
    pub(super) fn new(
        store: Store,
        own: PeerId,
        own_heads: OwnHeads,
        line: Line,
        totals: Arc<Tally>,
    ) -> Result<Self, StoreError> {
        let network = store.network();
        let identities = Arc::new(Identities::new(network));
        let ingest = Ingest::new(store.clone(), Arc::clone(&identities), Arc::clone(&totals));
        let epoch = epoch_number(&store.snapshot()?.epoch()?);
        let (own_heads, began) = (Mutex::new(own_heads), Instant::now());
        Ok(Self { store, network, own, epoch, identities, ingest, line, totals, own_heads, began })
    }

    /// Milliseconds since the start, by a clock that never goes back.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Whom the signer waits for.
    pub(super) fn own_heads(&self) -> MutexGuard<'_, OwnHeads> {
        self.own_heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A reader of summaries. Blocking.
    pub(super) fn reader<'a>(&'a self, snapshot: &'a Snapshot) -> FrontierReader<'a> {
        FrontierReader::new(&self.store, snapshot, &self.identities)
    }

    /// Everything that is compared with a peer. Blocking.
    pub(super) fn frontier(&self, peer: &PeerId) -> Result<Frontier, StoreError> {
        let snapshot = self.store.snapshot()?;
        let resume = snapshot.resume(&peer.to_bytes())?;
        let resume = resume.map(|(epoch, their_counter)| Resume { their_epoch: epoch_number(&epoch), their_counter });
        self.reader(&snapshot).all(resume)
    }

    /// Entries of a log for a peer, which has proven live devices of the identities in `siblings`. Blocking.
    pub(super) fn load(
        &self,
        log: &LogId,
        from: u64,
        to: u64,
        bytes_max: u64,
        bodies: bool,
        siblings: &BTreeSet<Did>,
    ) -> Result<Vec<SignedEntry>, StoreError> {
        let count = usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX);
        let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
        let mut entries = self.store.snapshot()?.range(log, from, count, bytes_max, siblings)?;
        if !bodies {
            entries.iter_mut().for_each(|entry| entry.body = None);
        }
        Ok(entries)
    }

    /// Whether an identity admits a device now; none where the identity is not known. Blocking.
    pub(super) fn admits(&self, did: &Did, device: &DeviceId) -> Result<Option<bool>, StoreError> {
        let known = self.identities.get(&self.store.snapshot()?, did)?;
        let record = known.and_then(|known| known.record);
        Ok(record.map(|record| record.state().live_device(device).is_some()))
    }

    /// Whether receipts of an identity's entries go to a device: one that may sign, or that its retirement ended
    /// (`RCP-4`). Blocking.
    pub(super) fn takes_receipts(&self, did: &Did, device: &DeviceId) -> Result<bool, StoreError> {
        let known = self.identities.get(&self.store.snapshot()?, did)?;
        let record = known.and_then(|known| known.record);
        Ok(record.is_some_and(|record| {
            record.state().live_device(device).is_some() || record.retired_devices().contains(device)
        }))
    }

    /// The devices of this node that may sign, or take receipts, to be proven to peers (`SYN-4`). Blocking.
    pub(super) fn devices(&self) -> Result<Vec<LocalDevice>, StoreError> {
        let mut devices = Vec::new();
        for local in self.store.locals() {
            let is_proven = self.takes_receipts(&local.did, &local.device)?;
            let key = self.store.device_key(&local.did).filter(|_| is_proven);
            devices.extend(key.map(|key| LocalDevice { did: local.did, key }));
        }
        Ok(devices)
    }

    /// What local identities aimed at `did` after a counter, by author, oldest first. Blocking.
    pub(super) fn aimed(
        &self,
        snapshot: &Snapshot,
        did: &Did,
        since: u64,
        bytes_max: u64,
    ) -> Result<Vec<Aimed>, StoreError> {
        let mut left = bytes_max;
        let mut by_author: BTreeMap<Did, Vec<SignedEntry>> = BTreeMap::new();
        for entry in snapshot.aimed_at(did, since, AIMED_ENTRIES_MAX)? {
            let bytes = entry.header.len() + entry.body.as_ref().map_or(0, |body| body.bytes.len());
            let Some(rest) = left.checked_sub(u64::try_from(bytes).unwrap_or(u64::MAX)) else { break };
            left = rest;
            if let Ok(header) = Header::decode(&entry.header) {
                by_author.entry(header.author).or_default().push(entry);
            }
        }
        let mut items = Vec::new();
        for (author, mut entries) in by_author {
            entries.reverse();
            items.push(Aimed { objects: snapshot.identity_objects(&author)?, entries });
        }
        Ok(items)
    }

    /// Remembers how far a peer's changes are durable here.
    pub(super) async fn save_resume(&self, peer: &PeerId, resume: Resume) -> Result<(), StoreError> {
        let mut epoch = [0; 16];
        epoch[..8].copy_from_slice(&resume.their_epoch.to_be_bytes());
        self.store.put_resume(peer.to_bytes(), epoch, resume.their_counter).await
    }

    /// Counts entries that go out.
    pub(super) fn count_sent(&self, peer: &PeerTally, entries: usize) {
        let entries = u64::try_from(entries).unwrap_or(u64::MAX);
        peer.counts.sent(entries);
        self.totals.sent(entries);
    }
}

/// An epoch as it is told: the first bytes, as a number that is exact in every language.
fn epoch_number(epoch: &[u8; 16]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&epoch[..8]);
    u64::from_be_bytes(first) & xom_protocol::limits::SEQ_MAX
}
