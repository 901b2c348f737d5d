//! Own heads: what the peer knows of the logs that our own devices write is heard and fetched before all
//! else, so that no place is signed a second time (`SYN-18`).

use std::collections::BTreeSet;

use super::input::SessionConfig;
use super::ranges::Fetches;
use super::set::Set;
use crate::ids::LogId;
use crate::log::root_log_id;

/// The root logs of our own devices, and whether it is known where the peer stands in them.
#[derive(Debug, Clone, Default)]
pub(super) struct OwnHeads {
    logs: BTreeSet<LogId>,
    is_known: bool,
}

impl OwnHeads {
    /// The logs of the devices of a session.
    pub(super) fn new(config: &SessionConfig) -> Self {
        let log =
            |device: &super::LocalDevice| root_log_id(config.network, &device.did, &device.key.public().device_id());
        Self { logs: config.devices.iter().map(log).collect(), is_known: false }
    }

    /// The first own log that is due: it goes before all others.
    pub(super) fn first_due(&self, set: &Set) -> Option<LogId> {
        self.logs.iter().find(|log| set.due_logs.contains(log)).copied()
    }

    /// True once, when the peer has compared and nothing of an own log is left to be fetched or stored.
    pub(super) fn become_known(&mut self, is_compared: bool, set: &Set, fetches: &Fetches) -> bool {
        let settled = |log: &LogId| {
            let Some(state) = set.logs.get(log) else { return true };
            let due = set.due_logs.contains(log) || set.due_forks.contains(log);
            !due && !state.fetching && state.applying == 0 && !fetches.has_fork(log)
        };
        let now = !self.is_known && is_compared && self.logs.iter().all(settled);
        self.is_known |= now;
        now
    }
}
