//! Bodies that we lack of entries that we hold: the ranges they stand in are asked for once more (`SYN-21`).

use std::collections::BTreeSet;

use super::set::{LogState, Set};
use crate::ids::{Digest, LogId};
use crate::limits::{BODY_TRIES_MAX, RANGE_ENTRIES_MAX, SIGNATURE_INTERVAL};

/// What is lacked of one log.
#[derive(Debug, Clone, Default)]
pub(super) struct Lacked {
    /// Places that were not asked for.
    due: BTreeSet<u64>,
    /// Places that were, while both sides knew the same objects of the identity.
    asked: BTreeSet<u64>,
    /// The digest of those objects.
    under: Option<Digest>,
    /// How often was asked.
    tries: u64,
}

impl LogState {
    /// True if something is lacked that they may have. They may hide it for an erase that does not count, as
    /// long as they know other objects of the identity than we do.
    pub(super) fn lacks_bodies(&self) -> bool {
        let Some(first) = self.lacked.due.first() else { return false };
        let is_idle = !self.stopped && !self.fetching && self.applying == 0;
        is_idle && self.lacked.tries < BODY_TRIES_MAX && *first < self.their_height().min(self.ours.height)
    }
}

/// Notes what is lacked of a log; it stands in place of what was noted before.
pub(super) fn note(set: &mut Set, log: LogId, places: Vec<u64>) {
    let Some(state) = set.logs.get_mut(&log) else { return };
    let digest = set.identities.get(&state.did).and_then(|identity| identity.ours);
    if state.lacked.under != digest {
        (state.lacked.under, state.lacked.asked) = (digest, BTreeSet::new());
    }
    let asked = &state.lacked.asked;
    state.lacked.due = places.into_iter().filter(|place| !asked.contains(place)).collect();
    set.refresh_log(log);
}

/// The first log of which bodies can be asked for.
pub(super) fn next_log(set: &Set) -> Option<LogId> {
    let agree = |log: &&LogId| {
        let did = set.logs.get(log).map(|state| state.did);
        let identity = did.and_then(|did| set.identities.get(&did));
        identity.is_some_and(|identity| identity.ours.is_some() && identity.theirs == Some(identity.ours))
    };
    set.due_bodies.iter().find(agree).copied()
}

/// The range to ask for: from the first place that is lacked, as far as one request takes.
pub(super) fn take_range(state: &mut LogState) -> Option<(u64, u64)> {
    let height = state.their_height().min(state.ours.height);
    let from = *state.lacked.due.first().filter(|first| **first < height)?;
    let last = *state.lacked.due.range(from..height.min(from + RANGE_ENTRIES_MAX - SIGNATURE_INTERVAL)).next_back()?;
    let signed = last.div_ceil(SIGNATURE_INTERVAL) * SIGNATURE_INTERVAL + 1;
    let to = signed.min(state.their_height());
    let rest = state.lacked.due.split_off(&to);
    let asked = std::mem::replace(&mut state.lacked.due, rest);
    state.lacked.asked.extend(asked);
    state.lacked.tries += 1;
    Some((from, to))
}

/// The answer ended before this place: what stands from there on is due again.
pub(super) fn ended(set: &mut Set, log: LogId, next: u64, to: u64) {
    let Some(state) = set.logs.get_mut(&log) else { return };
    state.fetching = false;
    let again: Vec<u64> = state.lacked.asked.range(next..to.max(next)).copied().collect();
    for place in again {
        state.lacked.asked.remove(&place);
        state.lacked.due.insert(place);
    }
    set.refresh_log(log);
}
