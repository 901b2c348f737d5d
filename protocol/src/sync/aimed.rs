//! Aimed entries: what one of our identities says to the identity at the other side, without being followed.

use std::collections::{BTreeSet, VecDeque};

use super::applying::{Applying, entry_bytes};
use super::comparison::Comparison;
use super::input::Aimed;
use super::message::{AimedPush, Claim, Message, place};
use super::output::{Output, RequestId};
use super::push::Pushes;
use super::refusal::Refusal;
use crate::entry::SignedEntry;
use crate::ids::Did;
use crate::limits::{
    AIMED_BYTES, AIMED_ENTRIES_MAX, AIMED_OBJECTS_BYTES, ANSWER_FRAME_BYTES, FRAME_BYTES_MAX, PROOFS_MAX, PUSHES_MAX,
};

/// The first number of our loads, far from those for the peer's requests.
const FIRST_LOAD: u64 = 1 << 63;
/// Bytes from which on a message takes no more: objects of one author and entries beside them fit.
const PART_BYTES: u64 = AIMED_OBJECTS_BYTES + ANSWER_FRAME_BYTES;
/// Messages that may wait for the window: the first ones, one of each author at worst, and what is made meanwhile.
const WAITING_MAX: u64 = AIMED_ENTRIES_MAX as u64 * PROOFS_MAX as u64 + PUSHES_MAX;

/// Entries of one or more authors for one message, and how much of the window they take.
type Part = (Vec<Aimed>, u64);

/// Both directions of aimed entries.
#[derive(Debug, Clone, Default)]
pub(super) struct AimedExchange {
    /// What they have proven.
    claims: Vec<Claim>,
    /// The loads that have not been answered; none before the comparison is done.
    loading: Option<BTreeSet<RequestId>>,
    /// What they are to be sent first, until the window has room; what is newer stands behind it.
    waiting: VecDeque<Part>,
    /// They have sent all that they had when the comparison was done.
    their_first_done: bool,
    /// Entries that they have sent.
    received: u64,
}

impl AimedExchange {
    /// Notes who they are (`SYN-4`).
    pub(super) fn set_claims(&mut self, claims: Vec<Claim>) {
        self.claims = claims;
    }

    /// True if they have proven a device of this identity.
    pub(super) fn is_claimed(&self, did: &Did) -> bool {
        self.claims.iter().any(|claim| claim.did == *did)
    }

    /// What they have proven.
    pub(super) fn claims(&self) -> &[Claim] {
        &self.claims
    }

    /// True if they have sent all first entries, or owe us none.
    pub(super) fn is_complete(&self, we_proved: bool) -> bool {
        self.their_first_done || !we_proved
    }

    /// Once the comparison is done: asks the node for what is aimed at them (`SYN-12`).
    pub(super) fn start(&mut self, since: u64, out: &mut Vec<Output>) {
        if self.loading.is_some() || self.claims.is_empty() {
            return;
        }
        let mut loading = BTreeSet::new();
        for (number, claim) in (0..).zip(&self.claims) {
            let request = RequestId(FIRST_LOAD + number);
            loading.insert(request);
            let (peer, device) = (claim.did, claim.device);
            out.push(Output::LoadAimed { request, peer, device, since, bytes_max: AIMED_BYTES });
        }
        self.loading = Some(loading);
    }

    /// Takes what was loaded; the last of it says that it is the last (`SYN-12`).
    pub(super) fn loaded(&mut self, request: RequestId, items: Vec<Aimed>) {
        let Some(loading) = &mut self.loading else { return };
        if !loading.remove(&request) {
            return;
        }
        let is_last = loading.is_empty();
        self.waiting.extend(pack(items));
        if is_last && self.waiting.is_empty() {
            self.waiting.push_back(Part::default());
        }
    }

    /// Sends what waits, as far as the window has room (`SYN-11`).
    pub(super) fn send_waiting(&mut self, pushes: &mut Pushes, counter: u64, now_ms: u64, out: &mut Vec<Output>) {
        let Some(loading) = &self.loading else { return };
        while pushes.has_room() {
            let Some(part) = self.waiting.pop_front() else { return };
            let more = !loading.is_empty() || !self.waiting.is_empty();
            send(part, more, pushes, counter, now_ms, out);
        }
    }

    /// Sends what is new; false if the window is full (`SYN-11`, `SYN-12`). Nothing is acknowledged before the
    /// first are all sent, so what is newer may wait behind them; later it may not.
    pub(super) fn push(
        &mut self,
        items: Vec<Aimed>,
        pushes: &mut Pushes,
        counter: u64,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(loading) = &self.loading else { return true };
        let parts = pack(items);
        if !loading.is_empty() || !self.waiting.is_empty() {
            self.waiting.extend(parts);
            return self.waiting.len() as u64 <= WAITING_MAX;
        }
        for part in parts {
            if !pushes.has_room() {
                return false;
            }
            send(part, false, pushes, counter, now_ms, out);
        }
        true
    }

    /// Takes aimed entries of theirs, of which so many are `allowed` by now (`SYN-12`).
    pub(super) fn take(
        &mut self,
        message: AimedPush,
        allowed: u64,
        pushes: &mut Pushes,
        comparison: &mut Comparison,
        applying: &mut Applying,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        Refusal::unless(allowed > 0, "SYN-12", "aimed entries at nobody")?;
        pushes.count(message.number, applying)?;
        comparison.take_counter(message.counter)?;
        self.received += message.items.iter().map(|item| item.entries.len() as u64).sum::<u64>();
        Refusal::unless(self.received <= allowed, "SYN-12", "too many aimed entries")?;
        let whole = |entry: &SignedEntry| entry.signature.is_some() && place(&entry.header).is_some();
        let right = message.items.iter().all(|item| !item.entries.is_empty() && item.entries.iter().all(whole));
        Refusal::unless(right, "SYN-12", "an aimed entry without signature")?;
        self.their_first_done |= !message.more;
        if message.items.is_empty() {
            applying.pushes_done += 1;
        } else {
            applying.aimed(message.items, out);
        }
        Ok(())
    }
}

fn send((items, bytes): Part, more: bool, pushes: &mut Pushes, counter: u64, now_ms: u64, out: &mut Vec<Output>) {
    let number = pushes.reserve(bytes, now_ms, None);
    out.push(Output::Send(Message::Aimed(AimedPush { number, more, counter, items }).encode()));
}

/// Splits into messages that fit a frame, each with as many authors as it takes; an author whose entries need more
/// than one comes with the objects in each.
fn pack(items: Vec<Aimed>) -> Vec<Part> {
    const _: () = assert!(PART_BYTES + ANSWER_FRAME_BYTES < FRAME_BYTES_MAX as u64);
    let mut parts = Vec::new();
    let (mut part, mut bytes): Part = Part::default();
    for Aimed { objects, entries } in items {
        let objects_bytes: u64 = objects.iter().map(|object| object.len() as u64 + 5).sum();
        let fits = objects_bytes <= AIMED_OBJECTS_BYTES;
        let (objects, objects_bytes) = if fits { (objects, objects_bytes) } else { (Vec::new(), 0) };
        let mut is_begun = false;
        for entry in entries {
            let size = entry_bytes(&entry);
            let needed = if is_begun { size } else { objects_bytes + size };
            if bytes + needed > PART_BYTES && !part.is_empty() {
                parts.push((std::mem::take(&mut part), std::mem::take(&mut bytes)));
                is_begun = false;
            }
            if !is_begun {
                part.push(Aimed { objects: objects.clone(), entries: Vec::new() });
                (bytes, is_begun) = (bytes + objects_bytes, true);
            }
            bytes += size;
            if let Some(author) = part.last_mut() {
                author.entries.push(entry);
            }
        }
    }
    if !part.is_empty() {
        parts.push((part, bytes));
    }
    parts
}
