//! Receipts and copies in a conversation: whom the peer is given receipts for, and what it is known to hold.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use xom_protocol::body::Body;
use xom_protocol::entry::{Header, Kind, Reference, VerifiedEntry};
use xom_protocol::sync::Input;
use xom_protocol::sync::message::{KnownCopy, ReceiptNews};
use xom_protocol::{DeviceId, Did, EntryId, LogId};

use super::Talk;
use crate::error::StoreError;
use crate::net::clocks::now_ms;
use crate::net::ingest::blocking;
use crate::store::{Holding, Parcel, Recipient, Role};

/// How often what a peer holds is written, while it changes.
const WRITE_EVERY: Duration = Duration::from_secs(5);
/// How often it is written that a peer that changes nothing is still there.
const SEEN_EVERY: Duration = Duration::from_secs(300);

/// Bodies of local identities that were sent last: more than can be on their way unacknowledged, so that an
/// erase that overtakes the acknowledgement finds its target here.
const SENT_MAX: usize = 4_096;

/// What this conversation knows of the peer as a holder of copies.
#[derive(Debug)]
pub(super) struct Copies {
    /// The first identity and device that the peer has proven: as what it is counted (`RCP-6`).
    first: Option<(Did, DeviceId)>,
    /// Logs of local identities that it holds, up to a height.
    heights: BTreeMap<LogId, u64>,
    /// Entries of local identities whose bodies it was sent in this conversation, the newest last.
    sent: VecDeque<(LogId, u64)>,
    changed: bool,
    written: Option<Instant>,
    /// What was sent last and is not acknowledged.
    given: Option<(Recipient, u64)>,
}

impl Copies {
    /// Nothing is known.
    pub(super) fn new() -> Self {
        Self {
            first: None,
            heights: BTreeMap::new(),
            sent: VecDeque::new(),
            changed: false,
            written: None,
            given: None,
        }
    }

    /// The peer has proven a device.
    pub(super) fn proven(&mut self, did: Did, device: DeviceId) {
        self.first.get_or_insert((did, device));
    }

    /// The peer was sent the bodies of these entries.
    pub(super) fn sent_bodies(&mut self, log: LogId, places: Vec<u64>) {
        self.sent.extend(places.into_iter().map(|place| (log, place)));
        let surplus = self.sent.len().saturating_sub(SENT_MAX);
        self.sent.drain(..surplus);
    }

    fn was_sent(&self, target: &Reference) -> bool {
        self.sent.iter().rev().any(|(log, place)| (*log, *place) == (target.log, target.seq))
    }

    fn is_due(&self) -> bool {
        let every = if self.changed { WRITE_EVERY } else { SEEN_EVERY };
        !self.heights.is_empty() && self.written.is_none_or(|written| written.elapsed() > every)
    }

    fn holdings(&self, did: Did) -> Vec<(LogId, Holding)> {
        let seen_ms = now_ms();
        self.heights.iter().map(|(log, height)| (*log, Holding { did, height: *height, seen_ms })).collect()
    }
}

impl Talk<'_> {
    /// Loads what the peer may have and was not given.
    pub(super) async fn load_receipts(&mut self) -> Result<Input, StoreError> {
        let shared = Arc::clone(&self.with.shared);
        let owed = blocking(move || shared.store.snapshot()?.authors_owed()).await?;
        let carried: Vec<Did> = owed.into_iter().filter(|author| self.session.shares(author)).collect();
        let (shared, first) = (Arc::clone(&self.with.shared), self.copies.first);
        let claims: Vec<(Did, DeviceId)> = self.claims.keys().copied().collect();
        let parcel = blocking(move || {
            let mut recipients = Vec::new();
            for (author, device) in claims {
                if shared.takes_receipts(&author, &device)? {
                    recipients.push(Recipient { author, device, role: Role::Author });
                }
            }
            if let Some((_, device)) = first {
                let is_author = |author: &Did| recipients.iter().any(|to| to.author == *author);
                let carried: Vec<Did> = carried.into_iter().filter(|author| !is_author(author)).collect();
                recipients.extend(carried.into_iter().map(|author| Recipient { author, device, role: Role::Carrier }));
            }
            let snapshot = shared.store.snapshot()?;
            let mut passed = Vec::new();
            for to in recipients {
                match snapshot.parcel(&shared.store, to)? {
                    Some(parcel) if !parcel.news.is_empty() => return Ok((Some(parcel), passed)),
                    Some(Parcel { to, counter, .. }) => passed.push((to, counter)),
                    None => {}
                }
            }
            Ok((None, passed))
        });
        let (parcel, passed) = parcel.await?;
        for (to, counter) in passed {
            self.with.shared.store.note_given(to, counter).await?;
        }
        self.copies.given = parcel.as_ref().map(|parcel| (parcel.to, parcel.counter));
        Ok(Input::LoadedReceipts(parcel.map_or(ReceiptNews::Receipts(Vec::new()), |parcel| parcel.news)))
    }

    /// What was given last is durable at the peer.
    pub(super) async fn receipts_taken(&mut self) -> Result<(), StoreError> {
        match self.copies.given.take() {
            Some((to, counter)) => self.with.shared.store.note_given(to, counter).await,
            None => Ok(()),
        }
    }

    /// The peer holds a log of a local identity so far.
    pub(super) fn peer_holds(&mut self, log: LogId, height: u64) {
        self.copies.heights.insert(log, height);
        self.copies.changed = true;
        if let Some((did, device)) = self.admitted_copy() {
            self.with.shared.store.note_holdings(device, &self.copies.holdings(did));
        }
    }

    /// A local identity has erased something: where the peer was sent the body before it hears of that, it
    /// holds a copy, whether or not it has acknowledged it by now (`RCP-6`).
    pub(super) async fn know_what_was_sent(
        &mut self,
        author: Did,
        entries: &[Arc<VerifiedEntry>],
    ) -> Result<(), StoreError> {
        let Some((holder, device)) = self.admitted_copy() else { return Ok(()) };
        let targets = entries.iter().filter_map(|entry| erased(entry));
        let targets: Vec<Reference> = targets.filter(|target| self.copies.was_sent(target)).collect();
        if targets.is_empty() {
            return Ok(());
        }
        let shared = Arc::clone(&self.with.shared);
        let unknown = blocking(move || {
            let snapshot = shared.store.snapshot()?;
            let mut unknown = Vec::new();
            for entry in targets.into_iter().map(|target| target.entry) {
                if !snapshot.is_known_copy(&entry, &device)? {
                    unknown.push(KnownCopy { entry, holder, device, seen_ms: now_ms() });
                }
            }
            Ok(unknown)
        })
        .await?;
        if unknown.is_empty() { Ok(()) } else { self.with.shared.store.take_copies(author, unknown).await }
    }

    /// Writes down what the peer holds, where that is due; at the end of a conversation in any case.
    pub(super) async fn keep_copies(&mut self, at_end: bool) -> Result<(), StoreError> {
        let due = self.copies.is_due() || at_end && !self.copies.heights.is_empty();
        let Some((did, device)) = self.admitted_copy().filter(|_| due) else { return Ok(()) };
        self.copies.changed = false;
        self.copies.written = Some(Instant::now());
        let holdings = self.copies.holdings(did);
        self.with.shared.store.note_holdings(device, &holdings);
        self.with.shared.store.put_holdings(device, holdings).await
    }

    /// As what the peer is counted, once the identity is known to admit the device.
    fn admitted_copy(&self) -> Option<(Did, DeviceId)> {
        self.copies.first.filter(|(did, _)| self.with.tally.dids().contains(did))
    }

    /// The peer sent bodies of entries of a local identity that are held here.
    pub(super) async fn heard_again(&self, headers: &[Vec<u8>]) -> Result<(), StoreError> {
        let entries = headers.iter().map(|header| EntryId(Header::hash(header).0)).collect();
        let devices = self.claims.keys().map(|(_, device)| *device).collect();
        let broken = self.with.shared.store.note_resent(devices, entries).await?;
        if broken > 0 {
            tracing::warn!(peer = %self.with.peer, broken, "a peer sent what it had promised to have purged");
        }
        Ok(())
    }
}

/// What an entry erases, if it is an erase.
fn erased(entry: &VerifiedEntry) -> Option<Reference> {
    let body = entry.body().filter(|_| entry.header().kind == Kind::Erase)?;
    match Body::decode(&entry.header().kind, &body.bytes) {
        Ok(Body::Erase(erase)) => Some(erase.target),
        _ => None,
    }
}
