//! What this side and the peer hold and want: one record for each identity and log of our frontier.
//!
//! Keeps the sets of what is due up to date, so that no step walks over all logs.

use std::collections::{BTreeMap, BTreeSet};

use super::ancestry::Sought;
use super::bodies::Lacked;
use super::handshake::Salter;
use super::input::{Frontier, IdentitySummary, LogSummary};
use super::message::SaltedId;
use crate::ids::{Did, Digest, LogId};
use crate::limits::{FORK_TRIES_MAX, IDENTITY_TRIES_MAX};
use crate::log::Position;
use crate::network::Network;

/// Entries of one log that are counted as left to be fetched, at most.
const LEFT_MAX: u64 = 1 << 40;

/// What a salted id stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Item {
    Identity(Did),
    Log(LogId),
}

/// How far an item has come in being compared.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Meeting {
    /// We have offered the id.
    pub(super) offered: bool,
    /// They have offered the id.
    pub(super) matched: bool,
    /// Both were found to hold the same of it, and something (`SYN-26`).
    pub(super) equal: bool,
}

impl Meeting {
    /// The peer may speak of it.
    pub(super) fn has_begun(self) -> bool {
        self.offered || self.matched
    }
}

#[derive(Debug, Clone)]
pub(super) struct IdentityState {
    pub(super) salted: SaltedId,
    pub(super) counter: u64,
    pub(super) meeting: Meeting,
    pub(super) ours: Option<Digest>,
    /// What we last said of ours.
    pub(super) told: Option<Option<Digest>>,
    /// What they last said of theirs.
    pub(super) theirs: Option<Option<Digest>>,
    /// The digest of theirs for which the objects were fetched already.
    pub(super) tried: Option<Digest>,
    /// How often they were fetched.
    pub(super) tries: u64,
    /// How often they asked for ours.
    pub(super) serves: u64,
    /// Asked for, or being stored.
    pub(super) busy: bool,
}

impl IdentityState {
    fn is_due(&self) -> bool {
        let theirs = self.theirs.flatten();
        theirs.is_some() && theirs != self.ours && theirs != self.tried && !self.busy && self.tries < IDENTITY_TRIES_MAX
    }
}

/// Where a log of ours and theirs stand.
#[derive(Debug, Clone)]
pub(super) struct LogState {
    pub(super) did: Did,
    pub(super) salted: SaltedId,
    pub(super) counter: u64,
    pub(super) meeting: Meeting,
    pub(super) ours: Position,
    pub(super) wanted: bool,
    /// What we last said of ours.
    pub(super) told: Option<(Position, bool)>,
    /// The greatest height that we ever told: what they may ask for.
    pub(super) told_height: u64,
    /// We told at least once that we want it: so they may push.
    pub(super) told_wanted: bool,
    /// What they last said of theirs.
    pub(super) theirs: Option<(Position, bool)>,
    /// Up to here entries were handed on to be stored.
    pub(super) fetched: u64,
    /// Asked for just now.
    pub(super) fetching: bool,
    /// Batches that are being stored.
    pub(super) applying: u64,
    /// Nothing more of it is asked for, until one of the two sides moves otherwise than by growing.
    pub(super) stopped: bool,
    /// How often one of the two sides moved so: what was asked for before says nothing of where it stands now.
    pub(super) turns: u64,
    /// Something that was asked for before the last turn is on its way; afterwards fetching begins anew.
    anew: bool,
    /// A place where the two sides differ, to be asked for.
    pub(super) fork_at: Option<u64>,
    /// How often headers of a fork were asked for.
    pub(super) fork_tries: u64,
    /// The fork parts at or above this place.
    pub(super) fork_low: u64,
    /// The two sides differ at this place.
    pub(super) fork_high: u64,
    /// Requests of theirs that are being answered.
    pub(super) serving: u64,
    /// Up to here they were served.
    pub(super) served: u64,
    /// How often they asked for headers of a fork.
    pub(super) fork_serves: u64,
    /// How often they asked for what they were served already.
    pub(super) repeats: u64,
    /// Of an own log: how far the peer is known to hold it.
    pub(super) held_by_peer: u64,
    /// Bodies that we should have and don't.
    pub(super) lacked: Lacked,
    /// A header whose ancestry we lack.
    pub(super) sought: Sought,
    /// Entries that they have and we don't.
    left: u64,
}

impl LogState {
    pub(super) fn their_height(&self) -> u64 {
        self.theirs.map_or(0, |(position, _)| position.height)
    }

    /// True if we hold what they hold, after a time in which we did not say so.
    pub(super) fn has_caught_up(&self) -> bool {
        let told = self.told.map_or(0, |(told, _)| told.height);
        !self.fetching && self.applying == 0 && self.ours.height >= self.their_height() && self.ours.height > told
    }

    /// One of the two sides has moved otherwise than by growing.
    pub(super) fn turned(&mut self) {
        self.turns += 1;
        self.stopped = false;
        self.anew = true;
        self.sought.turned();
        self.fetch_anew();
    }

    /// True if one of the two sides has moved otherwise than by growing since something was asked for: then it is
    /// nobody's fault that it comes to nothing (`SYN-13`).
    pub(super) fn has_turned_since(&self, turns: u64) -> bool {
        self.turns != turns && self.turns <= FORK_TRIES_MAX
    }

    /// Fetching goes on from what we hold, once nothing that was asked for before a turn is on its way.
    fn fetch_anew(&mut self) {
        if self.anew && !self.fetching && self.applying == 0 {
            self.fetched = self.ours.height;
            self.anew = false;
        }
    }

    fn is_due(&self) -> bool {
        self.wanted && !self.stopped && !self.anew && !self.fetching && self.their_height() > self.fetched
    }

    /// True if a push from `from` on continues what we have and no request is on its way.
    pub(super) fn takes_push(&self, from: u64) -> bool {
        self.wanted && !self.stopped && !self.anew && !self.fetching && self.fetched == from
    }
}

/// Every identity and log of our frontier.
#[derive(Debug, Clone)]
pub(super) struct Set {
    network: Network,
    /// The identities that we prove.
    pub(super) own: BTreeSet<Did>,
    /// Their logs.
    pub(super) own_logs: BTreeSet<LogId>,
    salter: Option<Salter>,
    index: BTreeMap<SaltedId, Item>,
    pub(super) identities: BTreeMap<Did, IdentityState>,
    pub(super) logs: BTreeMap<LogId, LogState>,
    pub(super) due_identities: BTreeSet<Did>,
    pub(super) due_logs: BTreeSet<LogId>,
    pub(super) due_forks: BTreeSet<LogId>,
    /// Logs of which they may have ancestors of a header that we seek.
    pub(super) due_ancestry: BTreeSet<LogId>,
    /// Logs of which bodies are lacked; due once both sides know the same of the identity.
    pub(super) due_bodies: BTreeSet<LogId>,
    /// Items that they offered and of which they have not yet said where they stand.
    pub(super) awaited: u64,
    /// Something that they have could not be had: nothing more is acknowledged in this session.
    pub(super) has_gap: bool,
    pub(super) logs_left: u64,
    pub(super) entries_left: u64,
}

impl Set {
    pub(super) fn new(network: Network, own: BTreeSet<Did>) -> Self {
        Self {
            network,
            own,
            own_logs: BTreeSet::new(),
            salter: None,
            index: BTreeMap::new(),
            identities: BTreeMap::new(),
            logs: BTreeMap::new(),
            due_identities: BTreeSet::new(),
            due_logs: BTreeSet::new(),
            due_forks: BTreeSet::new(),
            due_ancestry: BTreeSet::new(),
            due_bodies: BTreeSet::new(),
            awaited: 0,
            has_gap: false,
            logs_left: 0,
            entries_left: 0,
        }
    }

    pub(super) fn fill(&mut self, frontier: Frontier) {
        for identity in frontier.identities {
            self.put_identity(identity);
        }
        for log in frontier.logs {
            self.put_log(log);
        }
    }

    /// Gives every item its salted id.
    pub(super) fn salt(&mut self, salter: Salter) {
        self.salter = Some(salter);
        for (did, state) in &mut self.identities {
            state.salted = salter.identity(self.network, did);
            self.index.insert(state.salted, Item::Identity(*did));
        }
        for (log, state) in &mut self.logs {
            state.salted = salter.log(log);
            self.index.insert(state.salted, Item::Log(*log));
        }
    }

    /// The network of all ids.
    pub(super) fn network(&self) -> Network {
        self.network
    }

    /// Identities and logs together.
    pub(super) fn len(&self) -> usize {
        self.identities.len() + self.logs.len()
    }

    /// The identities that we prove, and their logs.
    pub(super) fn own_items(&self) -> Vec<Item> {
        let identities = self.own.iter().filter(|did| self.identities.contains_key(did));
        let logs = self.own_logs.iter().map(|log| Item::Log(*log));
        identities.map(|did| Item::Identity(*did)).chain(logs).collect()
    }

    pub(super) fn item(&self, id: &SaltedId) -> Option<Item> {
        self.index.get(id).copied()
    }

    /// Adds or updates an identity.
    pub(super) fn put_identity(&mut self, summary: IdentitySummary) {
        let IdentitySummary { did, digest, counter } = summary;
        if let Some(state) = self.identities.get_mut(&did) {
            (state.ours, state.counter) = (digest, counter);
            return self.refresh_identity(did);
        }
        let salted = self.salter.map_or([0; _], |salter| salter.identity(self.network, &did));
        let state = IdentityState {
            salted,
            counter,
            meeting: Meeting::default(),
            ours: digest,
            told: None,
            theirs: None,
            tried: None,
            tries: 0,
            serves: 0,
            busy: false,
        };
        self.identities.insert(did, state);
        self.index_item(salted, Item::Identity(did));
    }

    /// Adds a log, or puts it where the summary says, even lower.
    pub(super) fn put_log(&mut self, summary: LogSummary) {
        let LogSummary { did, log, position, counter, wanted } = summary;
        if let Some(state) = self.logs.get_mut(&log) {
            (state.ours, state.counter, state.wanted) = (position, counter, wanted);
            state.turned();
            state.fork_at = None;
            return self.refresh_log(log);
        }
        let salted = self.salter.map_or([0; _], |salter| salter.log(&log));
        let state = LogState {
            did,
            salted,
            counter,
            meeting: Meeting::default(),
            ours: position,
            wanted,
            told: None,
            told_height: 0,
            told_wanted: false,
            theirs: None,
            fetched: position.height,
            fetching: false,
            applying: 0,
            stopped: false,
            turns: 0,
            anew: false,
            fork_at: None,
            fork_tries: 0,
            fork_low: 0,
            fork_high: 0,
            serving: 0,
            served: 0,
            fork_serves: 0,
            repeats: 0,
            held_by_peer: 0,
            lacked: Lacked::default(),
            sought: Sought::default(),
            left: 0,
        };
        if self.own.contains(&did) {
            self.own_logs.insert(log);
        }
        self.logs.insert(log, state);
        self.index_item(salted, Item::Log(log));
    }

    /// Our side of a log has grown.
    pub(super) fn grow(&mut self, log: LogId, position: Position, counter: u64) {
        if let Some(state) = self.logs.get_mut(&log) {
            state.counter = counter;
            if position.height >= state.ours.height {
                state.ours = position;
            }
            state.fetched = state.fetched.max(state.ours.height);
            self.refresh_log(log);
        }
    }

    /// Brings the due sets and totals up to date after a change of one identity.
    pub(super) fn refresh_identity(&mut self, did: Did) {
        let due = self.identities.get(&did).is_some_and(IdentityState::is_due);
        keep(&mut self.due_identities, did, due);
    }

    /// Brings the due sets and totals up to date after a change of one log.
    pub(super) fn refresh_log(&mut self, log: LogId) {
        let Some(state) = self.logs.get_mut(&log) else { return };
        state.fetch_anew();
        super::fork::compare(state);
        // What they claim is no measure: heights of many logs can add up to more than a number holds.
        let ahead = state.their_height().saturating_sub(state.ours.height).min(LEFT_MAX);
        let left = if state.wanted && !state.stopped { ahead } else { 0 };
        self.entries_left = self.entries_left + left - state.left;
        self.logs_left = self.logs_left + u64::from(left > 0) - u64::from(state.left > 0);
        state.left = left;
        keep(&mut self.due_logs, log, state.is_due());
        keep(&mut self.due_forks, log, state.fork_at.is_some());
        keep(&mut self.due_ancestry, log, state.sought.is_due(state.their_height()));
        keep(&mut self.due_bodies, log, state.lacks_bodies());
    }

    /// True while newer objects of this identity are on their way: its logs wait for them.
    pub(super) fn is_identity_busy(&self, did: &Did) -> bool {
        self.due_identities.contains(did) || self.identities.get(did).is_some_and(|state| state.busy)
    }

    fn index_item(&mut self, salted: SaltedId, item: Item) {
        if self.salter.is_some() {
            self.index.insert(salted, item);
        }
    }
}

fn keep<T: Ord>(set: &mut BTreeSet<T>, item: T, due: bool) {
    if due {
        set.insert(item);
    } else {
        set.remove(&item);
    }
}
