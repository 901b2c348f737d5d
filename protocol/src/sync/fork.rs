//! Forks: when two sides hold different headers at one place, each asks for the other's (`SYN-13`).

use super::set::LogState;
use crate::limits::{FORK_LEAD, FORK_TRIES_MAX};

/// Notes that their log differs from ours at a place: no more of it is fetched, but their headers there are.
pub(super) fn suspect(state: &mut LogState, at: u64) {
    state.stopped = true;
    if at < state.their_height() && state.fork_at.is_none() && state.fork_tries < FORK_TRIES_MAX {
        (state.fork_low, state.fork_high) = (0, at);
        ask(state, at);
    }
}

/// Looks for a fork where both sides stand at one height: their head may have been told before our side came
/// to stand there.
pub(super) fn compare(state: &mut LogState) {
    let Some((theirs, _)) = state.theirs else { return };
    let apart = theirs.height == state.ours.height && theirs.head != state.ours.head;
    if apart && state.fork_tries == 0 && theirs.height > 0 {
        suspect(state, theirs.height - 1);
    }
}

/// They asked for our headers at a place because they differ: if we have not asked for theirs, we do.
pub(super) fn suspected_by_peer(state: &mut LogState, at: u64) {
    if state.fork_tries == 0 && at < state.ours.height {
        suspect(state, at);
    }
}

/// Their headers from this place on do not stand on ours: the branches part further below. Each step down is
/// twice as long as the one before.
pub(super) fn parts_below(state: &mut LogState, from: u64) {
    let Some(high) = from.checked_sub(1).filter(|high| *high >= state.fork_low) else { return };
    state.fork_high = high;
    let step = FORK_LEAD << state.fork_tries.min(32);
    ask(state, high.saturating_sub(step).max(state.fork_low));
}

/// Their headers up to this place are ours: the branches part further above, and are looked for half-way.
pub(super) fn parts_above(state: &mut LogState, to: u64) {
    state.fork_low = to;
    let Some(between) = state.fork_high.checked_sub(to) else { return };
    let near = between < FORK_LEAD;
    ask(state, if near { state.fork_high } else { to + between / 2 });
}

fn ask(state: &mut LogState, at: u64) {
    if state.fork_tries < FORK_TRIES_MAX {
        state.fork_tries += 1;
        state.fork_at = Some(at);
    }
}
