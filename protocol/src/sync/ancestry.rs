//! The way from a named head down to what we hold: which peer is asked for the next part of it (`SYN-23`).

use super::message::Range;
use super::ranges::check_places;
use super::refusal::Refusal;
use super::set::Set;
use crate::ids::{Digest, LogId};
use crate::limits::{ANCESTORS_MAX, ANCESTRY_SHARE, FORK_TRIES_MAX, SIGNATURE_INTERVAL};

/// What is sought in one log, and what this peer was asked of it.
#[derive(Debug, Clone, Default)]
pub(super) struct Sought {
    /// The place and the hash of the header whose ancestors we lack.
    head: Option<(u64, Digest)>,
    /// Asked for, or being looked at.
    busy: bool,
    /// The hash that this peer was asked for last: to no avail, or all that follows from the answer is not told yet.
    asked: Option<Digest>,
    /// How often it had nothing.
    misses: u64,
    /// How often it asked us.
    serves: u64,
}

impl Sought {
    /// True if they may have what we seek and were not asked for it while they stood where they stand.
    pub(super) fn is_due(&self, their_height: u64) -> bool {
        let wanted = self.head.is_some_and(|(at, hash)| is_told(at, their_height) && self.asked != Some(hash));
        wanted && !self.busy && self.misses < FORK_TRIES_MAX
    }

    /// Takes what is asked for next.
    pub(super) fn take(&mut self) -> Option<(u64, Digest)> {
        self.busy = self.head.is_some();
        self.head
    }

    /// One of the two sides has moved otherwise than by growing: they may have it now.
    pub(super) fn turned(&mut self) {
        self.asked = None;
    }

    /// Counts a request of theirs; false for one too many.
    pub(super) fn may_ask(&mut self, told_height: u64) -> bool {
        self.serves += 1;
        self.serves <= FORK_TRIES_MAX + told_height / ANCESTORS_MAX as u64 * ANCESTRY_SHARE
    }
}

/// True for a place that may be held by who told this height: one that ends at a named head tells its last signature
/// below that (`LOG-9`).
pub(super) fn is_told(at: u64, height: u64) -> bool {
    height > 0 && at < height + SIGNATURE_INTERVAL
}

/// Notes what is sought in a log from now on.
pub(super) fn note(set: &mut Set, log: LogId, head: Option<(u64, Digest)>) {
    let Some(state) = set.logs.get_mut(&log) else { return };
    state.sought.head = head;
    if head.is_none() {
        state.sought.asked = None;
    }
    set.refresh_log(log);
}

/// The answer has been looked at, or there was none.
pub(super) fn ended(set: &mut Set, log: LogId, hash: Digest, found: bool) {
    let Some(state) = set.logs.get_mut(&log) else { return };
    state.sought.busy = false;
    state.sought.misses += u64::from(!found);
    if state.sought.head.is_some_and(|(_, sought)| sought == hash) {
        state.sought.asked = Some(hash);
    }
    set.refresh_log(log);
}

/// Headers up to the place, unbroken, and nothing but headers.
pub(super) fn check(range: &Range, log: LogId, at: u64) -> Result<(), Refusal> {
    let count = range.entries.len();
    let fits = range.end && count <= ANCESTORS_MAX && (count == 0 || range.from + count as u64 == at + 1);
    Refusal::unless(fits, "SYN-23", "other headers than were asked for")?;
    check_places(&range.entries, log, range.from, "SYN-23")?;
    let bare = range.entries.iter().all(|entry| entry.signature.is_none() && entry.body.is_none());
    Refusal::unless(bare, "SYN-23", "more than headers")
}
