//! Forks: when two sides hold different headers at one place, each asks for the other's (`SYN-13`).

use super::set::LogState;
use crate::limits::FORK_TRIES_MAX;

/// Notes that their log differs from ours at a place: no more of it is fetched, but their headers there are.
pub(super) fn suspect(state: &mut LogState, at: u64) {
    state.stopped = true;
    let theirs_reaches = at < state.their_height();
    if theirs_reaches && state.fork_at.is_none() && state.fork_tries < FORK_TRIES_MAX {
        state.fork_tries += 1;
        state.fork_at = Some(at);
    }
}

/// They asked for our headers at a place because they differ: if we have not asked for theirs, we do.
pub(super) fn suspected_by_peer(state: &mut LogState, at: u64) {
    if state.fork_tries == 0 && at < state.ours.height {
        suspect(state, at);
    }
}
