//! What is compared with peers: which identities and logs, how far they are held, which are wanted.

use std::collections::BTreeSet;
use std::sync::Arc;

use xom_protocol::identity::{DeviceStatus, IdentityState};
use xom_protocol::log::Position;
use xom_protocol::sync::{Frontier, IdentitySummary, LogSummary, Resume};
use xom_protocol::{Did, LogId};

use super::identities::Identities;
use crate::error::StoreError;
use crate::store::{Held, Snapshot, Store};

/// Logs up to which every comparison is a full one; above it, one a day.
const FULL_LOGS_MAX: usize = 2_000;

/// Reads the summaries for one comparison, or for one change.
pub(super) struct FrontierReader<'a> {
    snapshot: &'a Snapshot,
    identities: &'a Identities,
    wants: Arc<BTreeSet<Did>>,
    full: BTreeSet<Did>,
}

impl<'a> FrontierReader<'a> {
    /// Reads from `snapshot`, with what is wanted now.
    pub(super) fn new(store: &Store, snapshot: &'a Snapshot, identities: &'a Identities) -> Self {
        Self { snapshot, identities, wants: store.wants(), full: store.full() }
    }

    /// Everything (`SYN-5`). `resume` is only given back where there is much to compare.
    pub(super) fn all(&self, resume: Option<Resume>) -> Result<Frontier, StoreError> {
        let counter = self.snapshot.counter()?;
        let (held, _) = self.snapshot.changed_since(0)?;
        let served = held.iter().filter(|log| log.position.height > 0).map(|log| log.author);
        let offered: BTreeSet<Did> = self.wants.iter().copied().chain(served).collect();
        let mut frontier = Frontier { counter, ..Frontier::default() };
        for did in offered {
            let (identity, logs) = self.of(&did)?;
            frontier.identities.push(identity);
            frontier.logs.extend(logs);
        }
        frontier.resume = resume.filter(|_| frontier.logs.len() > FULL_LOGS_MAX);
        Ok(frontier)
    }

    /// One identity with its logs.
    pub(super) fn of(&self, did: &Did) -> Result<(IdentitySummary, Vec<LogSummary>), StoreError> {
        let counter = self.snapshot.counter()?;
        let known = self.identities.get(self.snapshot, did)?;
        let record = known.as_ref().and_then(|known| known.record.as_ref());
        let changed = known.as_ref().map_or(counter, |known| known.changed);
        let summary = IdentitySummary {
            did: *did,
            digest: record.map(|record| record.digest()),
            counter: if record.is_some() { changed } else { counter },
        };
        let held = self.snapshot.heads_of(did)?;
        // Of whom has used up his share nothing more is taken, and all is served (`KEEP-2`).
        let is_full = self.full.contains(did);
        let mut logs: Vec<LogSummary> = Vec::new();
        for log in &held {
            let wanted = !is_full && self.is_wanted(did, log, record.map(|record| record.state()));
            if wanted || log.position.height > 0 {
                let position = if log.ends { self.snapshot.signed_position(&log.log)? } else { log.position };
                logs.push(LogSummary { did: *did, log: log.log, position, counter: log.changed, wanted });
            }
        }
        if let Some(state) = record.map(|record| record.state()).filter(|_| self.wants.contains(did)) {
            let held: BTreeSet<LogId> = held.iter().map(|held| held.log).collect();
            for device in state.devices.keys() {
                let root = state.root_log(device);
                let opened = if held.contains(&root) { self.snapshot.opened_logs(&root)? } else { Vec::new() };
                let missing = opened.into_iter().chain([root]).filter(|log| !held.contains(log));
                let position = Position::EMPTY;
                logs.extend(missing.map(|log| LogSummary { did: *did, log, position, counter, wanted: !is_full }));
            }
        }
        Ok((summary, logs))
    }

    /// Wanted are logs of wanted identities, but not those of ended devices that are held up to their
    /// accepted head (`ID-7`). Those that this node writes itself are wanted too: whoever has more of one than
    /// this node must be noticed (`LOG-17`).
    fn is_wanted(&self, did: &Did, log: &Held, state: Option<&IdentityState>) -> bool {
        let device = state.and_then(|state| state.devices.get(&log.device));
        let ended = match device.map(|device| &device.status) {
            Some(DeviceStatus::Ended { accepted }) => {
                accepted.get(&log.log).is_none_or(|head| log.position.height >= head.height)
            }
            _ => false,
        };
        self.wants.contains(did) && !ended
    }
}
