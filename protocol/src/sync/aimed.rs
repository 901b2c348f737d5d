//! Aimed entries: what one of our identities says to the identity at the other side, without being followed.

use std::collections::BTreeSet;

use super::applying::{Applying, entry_bytes};
use super::comparison::Comparison;
use super::input::Aimed;
use super::message::{AimedPush, Claim, Message, place};
use super::output::{Output, RequestId};
use super::push::Pushes;
use super::refusal::Refusal;
use crate::entry::SignedEntry;
use crate::ids::Did;
use crate::limits::{AIMED_BYTES, AIMED_OBJECTS_BYTES, ANSWER_FRAME_BYTES};

/// The first number of our loads, far from those for the peer's requests.
const FIRST_LOAD: u64 = 1 << 63;

/// Both directions of aimed entries.
#[derive(Debug, Clone, Default)]
pub(super) struct AimedExchange {
    /// What they have proven.
    claims: Vec<Claim>,
    /// The loads that have not been answered; none before the comparison is done.
    loading: Option<BTreeSet<RequestId>>,
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

    /// Sends what was loaded; the last of it says that it is the last (`SYN-12`).
    pub(super) fn loaded(
        &mut self,
        request: RequestId,
        items: Vec<Aimed>,
        pushes: &mut Pushes,
        counter: u64,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) {
        let Some(loading) = &mut self.loading else { return };
        if !loading.remove(&request) {
            return;
        }
        let more = !loading.is_empty();
        send(items, more, pushes, counter, now_ms, out);
    }

    /// Sends what is new; false if the window is full (`SYN-11`, `SYN-12`).
    pub(super) fn push(
        &self,
        items: Vec<Aimed>,
        pushes: &mut Pushes,
        counter: u64,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(loading) = &self.loading else { return true };
        if !pushes.has_room() {
            return false;
        }
        send(items, !loading.is_empty(), pushes, counter, now_ms, out);
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

fn send(items: Vec<Aimed>, more: bool, pushes: &mut Pushes, counter: u64, now_ms: u64, out: &mut Vec<Output>) {
    let mut parts = pack(items).into_iter().peekable();
    loop {
        let (items, bytes) = parts.next().unwrap_or_default();
        let is_last = parts.peek().is_none();
        let number = pushes.reserve(bytes, now_ms, None);
        let message = AimedPush { number, more: more || !is_last, counter, items };
        out.push(Output::Send(Message::Aimed(message).encode()));
        if is_last {
            return;
        }
    }
}

/// Splits into messages that fit a frame; each repeats the objects of its authors.
fn pack(items: Vec<Aimed>) -> Vec<(Vec<Aimed>, u64)> {
    let mut parts = Vec::new();
    for Aimed { objects, entries } in items {
        let objects_bytes: u64 = objects.iter().map(|object| object.len() as u64 + 5).sum();
        let objects = if objects_bytes <= AIMED_OBJECTS_BYTES { objects } else { Vec::new() };
        let mut part = Aimed { objects: objects.clone(), entries: Vec::new() };
        let mut bytes = 0;
        for entry in entries {
            let size = entry_bytes(&entry);
            if bytes + size > ANSWER_FRAME_BYTES && !part.entries.is_empty() {
                let full = std::mem::replace(&mut part, Aimed { objects: objects.clone(), entries: Vec::new() });
                parts.push((vec![full], bytes));
                bytes = 0;
            }
            bytes += size;
            part.entries.push(entry);
        }
        if !part.entries.is_empty() {
            parts.push((vec![part], bytes));
        }
    }
    parts
}
