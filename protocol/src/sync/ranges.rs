//! Our requests: what we are behind in is asked for in ranges, several logs at a time, one request a log.

use std::collections::BTreeMap;

use super::ancestry;
use super::applying::{Applying, Came, entry_bytes};
use super::bodies;
use super::input::Aimed;
use super::message::{Message, Place, Range, is_of_another_version, place};
use super::output::Output;
use super::own::OwnHeads;
use super::refusal::Refusal;
use super::set::Set;
use super::singles::Singles;
use crate::entry::SignedEntry;
use crate::ids::{Did, Digest, EntryId, LogId};
use crate::limits::{
    ANSWER_BYTES_PER_SECOND, ANSWER_MS, APPLYING_BYTES, FORK_BRANCH_HEADERS_MAX, IDENTITY_BYTES_MAX,
    IDENTITY_OBJECTS_MAX, IDENTITY_TRIES_MAX, RANGE_ENTRIES_MAX, REQUESTS_MAX, SIGNATURE_INTERVAL,
};
use crate::rule::Rule;

/// One request of ours.
#[derive(Debug, Clone)]
struct Fetch {
    wanted: Wanted,
    asked_ms: u64,
    bytes: u64,
}

/// What it asked for, and what has come of it.
#[derive(Debug, Clone)]
enum Wanted {
    Identity {
        did: Did,
        objects: Vec<Vec<u8>>,
    },
    Run {
        log: LogId,
        first: u64,
        next: u64,
        to: u64,
        /// It is held already, and asked for again because of bodies (`SYN-21`).
        again: bool,
        /// How often one of the two sides had moved when it was asked for.
        turns: u64,
        /// Entries that no signature covers yet.
        uncovered: Vec<SignedEntry>,
    },
    Fork {
        log: LogId,
        at: u64,
    },
    Ancestors {
        log: LogId,
        head: (u64, Digest),
    },
    Singles {
        log: LogId,
        asked: Vec<(EntryId, u64)>,
    },
}

/// All requests of ours that are not answered to the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Fetches {
    issued: u64,
    open: BTreeMap<u64, Fetch>,
}

impl Fetches {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// True while headers of a fork of this log are on their way.
    pub(super) fn has_fork(&self, log: &LogId) -> bool {
        self.open.values().any(|fetch| matches!(&fetch.wanted, Wanted::Fork { log: asked, .. } if asked == log))
    }

    /// Asks for what is due, as far as the windows allow (`SYN-8`, `SYN-9`, `SYN-13`).
    pub(super) fn schedule(
        &mut self,
        set: &mut Set,
        singles: &mut Singles,
        own: &OwnHeads,
        applying: &Applying,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) {
        while self.open.len() < REQUESTS_MAX && applying.bytes < APPLYING_BYTES {
            let asked = if let Some(did) = set.due_identities.first().copied() {
                self.ask_identity(set, did)
            } else if let Some(log) = set.due_forks.first().copied() {
                self.ask_fork(set, log)
            } else if let Some(log) = set.due_ancestry.first().copied() {
                self.ask_ancestors(set, log)
            } else if let Some(log) = next_log(set, own) {
                self.ask_range(set, log)
            } else if let Some(log) = bodies::next_log(set) {
                self.ask_bodies(set, log)
            } else {
                self.ask_singles(set, singles, now_ms)
            };
            let Some((wanted, message)) = asked else { return };
            self.open.insert(self.issued, Fetch { wanted, asked_ms: now_ms, bytes: 0 });
            out.push(Output::Send(message.encode()));
        }
    }

    fn ask_identity(&mut self, set: &mut Set, did: Did) -> Option<(Wanted, Message)> {
        let state = set.identities.get_mut(&did)?;
        state.busy = true;
        state.tried = state.theirs.flatten();
        state.tries += 1;
        set.has_gap |= state.tries == IDENTITY_TRIES_MAX;
        let id = state.salted;
        set.refresh_identity(did);
        self.issued += 1;
        Some((Wanted::Identity { did, objects: Vec::new() }, Message::IdentityRequest { request: self.issued, id }))
    }

    fn ask_fork(&mut self, set: &mut Set, log: LogId) -> Option<(Wanted, Message)> {
        let state = set.logs.get_mut(&log)?;
        let at = state.fork_at.take()?;
        let id = state.salted;
        set.refresh_log(log);
        self.issued += 1;
        Some((Wanted::Fork { log, at }, Message::ForkRequest { request: self.issued, id, at }))
    }

    /// Asks for what stands at and below a header that is known by its hash (`SYN-23`).
    fn ask_ancestors(&mut self, set: &mut Set, log: LogId) -> Option<(Wanted, Message)> {
        let state = set.logs.get_mut(&log)?;
        let (at, hash) = state.sought.take()?;
        let id = state.salted;
        set.refresh_log(log);
        self.issued += 1;
        let message = Message::AncestorsRequest { request: self.issued, id, at, hash };
        Some((Wanted::Ancestors { log, head: (at, hash) }, message))
    }

    /// A range ends at their head or right after a place where a signature is kept.
    fn ask_range(&mut self, set: &mut Set, log: LogId) -> Option<(Wanted, Message)> {
        let state = set.logs.get_mut(&log)?;
        let (from, height) = (state.fetched, state.their_height());
        let furthest = from + RANGE_ENTRIES_MAX;
        let to = if height <= furthest { height } else { (furthest - 1) / SIGNATURE_INTERVAL * SIGNATURE_INTERVAL + 1 };
        state.fetching = true;
        let (id, turns) = (state.salted, state.turns);
        set.refresh_log(log);
        self.issued += 1;
        let message = Message::RangeRequest { request: self.issued, id, from, to };
        let uncovered = Vec::new();
        Some((Wanted::Run { log, first: from, next: from, to, again: false, turns, uncovered }, message))
    }

    /// Asks once more for entries whose bodies are lacked (`SYN-21`).
    fn ask_bodies(&mut self, set: &mut Set, log: LogId) -> Option<(Wanted, Message)> {
        let state = set.logs.get_mut(&log)?;
        let (from, to) = bodies::take_range(state)?;
        state.fetching = true;
        let (id, turns) = (state.salted, state.turns);
        set.refresh_log(log);
        self.issued += 1;
        let message = Message::RangeRequest { request: self.issued, id, from, to };
        let uncovered = Vec::new();
        Some((Wanted::Run { log, first: from, next: from, to, again: true, turns, uncovered }, message))
    }

    /// Asks for entries that the author of a log has admitted (`ADM-6`).
    fn ask_singles(&mut self, set: &Set, singles: &mut Singles, now_ms: u64) -> Option<(Wanted, Message)> {
        let (log, id, entries) = singles.take(set, now_ms)?;
        let asked = singles.asked(log, &entries);
        self.issued += 1;
        Some((Wanted::Singles { log, asked }, Message::SinglesRequest { request: self.issued, id, entries }))
    }

    /// Takes the answer to it.
    pub(super) fn take_singles(
        &mut self,
        singles: &mut Singles,
        (request, items): (u64, Vec<Aimed>),
        with: (&Set, &mut Applying, u64),
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let unasked = || Refusal::grave("ADM-6", "an answer that was not asked for");
        let Some(Fetch { wanted: Wanted::Singles { log, asked }, .. }) = self.open.get(&request) else {
            return Err(unasked());
        };
        let asked = (*log, asked.clone());
        self.open.remove(&request);
        singles.answered(asked, items, with, out)
    }

    /// Takes a part of an answer (`SYN-10`).
    pub(super) fn take_range(
        &mut self,
        set: &mut Set,
        applying: &mut Applying,
        range: Range,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let unasked = || Refusal::grave("SYN-10", "an answer that was not asked for");
        let fetch = self.open.get_mut(&range.request).ok_or_else(unasked)?;
        fetch.bytes += range.entries.iter().map(entry_bytes).sum::<u64>();
        let end = range.end;
        let request = range.request;
        match &mut fetch.wanted {
            Wanted::Run { log, first, next, to, again, turns, uncovered } => {
                let (log, to, again, turns) = (*log, *to, *again, *turns);
                check_run(&range, log, *next, to)?;
                let from = *next - uncovered.len() as u64;
                *next += range.entries.len() as u64;
                uncovered.extend(range.entries);
                let rest = uncovered.split_off(covered(uncovered));
                let run = std::mem::replace(uncovered, rest);
                let (is_empty, is_cut) = (*next == *first, !uncovered.is_empty());
                let next = *next;
                if !run.is_empty() && again {
                    applying.bodies(set, log, from, run, out);
                } else if !run.is_empty() {
                    applying.run(set, log, from, run, Came::Asked { turns }, out);
                }
                if end {
                    self.open.remove(&request);
                    if again {
                        bodies::ended(set, log, next, to);
                    }
                    return end_run(set, log, turns, is_empty, is_cut);
                }
                Ok(())
            }
            Wanted::Fork { log, at } => {
                let (log, at) = (*log, *at);
                check_fork(&range, log, at)?;
                self.open.remove(&request);
                take_fork(set, applying, log, range, out)
            }
            Wanted::Ancestors { log, head } => {
                let (log, head) = (*log, *head);
                ancestry::check(&range, log, head.0)?;
                self.open.remove(&request);
                if range.entries.is_empty() {
                    // They hold another branch, which is no fault.
                    ancestry::ended(set, log, head.1, false);
                } else {
                    let headers = range.entries.into_iter().map(|entry| entry.header).collect();
                    applying.ancestors(set, log, head, headers, out);
                }
                Ok(())
            }
            Wanted::Identity { .. } | Wanted::Singles { .. } => Err(unasked()),
        }
    }

    /// Takes a part of an answer (`SYN-8`).
    pub(super) fn take_objects(
        &mut self,
        set: &mut Set,
        applying: &mut Applying,
        request: u64,
        end: bool,
        part: Vec<Vec<u8>>,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let unasked = || Refusal::grave("SYN-8", "an answer that was not asked for");
        let fetch = self.open.get_mut(&request).ok_or_else(unasked)?;
        fetch.bytes += part.iter().map(|object| object.len() as u64).sum::<u64>();
        let Wanted::Identity { did, objects } = &mut fetch.wanted else { return Err(unasked()) };
        objects.extend(part);
        let fits = fetch.bytes <= IDENTITY_BYTES_MAX as u64 && objects.len() <= IDENTITY_OBJECTS_MAX;
        Refusal::unless(fits, "SYN-8", "an identity that is too large")?;
        if !end {
            return Ok(());
        }
        let (did, objects) = (*did, std::mem::take(objects));
        self.open.remove(&request);
        if objects.is_empty() {
            if let Some(state) = set.identities.get_mut(&did) {
                state.busy = false;
            }
            set.has_gap = true;
            set.refresh_identity(did);
            return Err(Refusal::fault(Rule("SYN-8"), "nothing of an identity that was claimed"));
        }
        applying.identity(did, objects, out);
        Ok(())
    }

    /// False once an answer has taken longer than its bytes excuse (`SYN-14`).
    pub(super) fn are_in_time(&self, now_ms: u64) -> bool {
        self.open.values().all(|fetch| {
            let allowed_ms = ANSWER_MS + fetch.bytes * 1_000 / ANSWER_BYTES_PER_SECOND;
            now_ms.saturating_sub(fetch.asked_ms) <= allowed_ms
        })
    }
}

/// The first log that is due and whose identity is not on its way; own ones go first.
fn next_log(set: &Set, own: &OwnHeads) -> Option<LogId> {
    let is_ready = |log: &&LogId| set.logs.get(log).is_some_and(|state| !set.is_identity_busy(&state.did));
    own.first_due(set).filter(|log| is_ready(&log)).or_else(|| set.due_logs.iter().find(is_ready).copied())
}

/// How many of these entries a signature covers.
fn covered(entries: &[SignedEntry]) -> usize {
    entries.iter().rposition(|entry| entry.signature.is_some()).map_or(0, |last| last + 1)
}

/// The entries stand at the places from `from` on in this log, as far as their version says where they stand.
pub(super) fn check_places(entries: &[SignedEntry], log: LogId, from: u64, rule: &'static str) -> Result<(), Refusal> {
    let stands = |header: &[u8], seq| place(header) == Some(Place { log, seq }) || is_of_another_version(header);
    let in_order = entries.iter().zip(from..).all(|(entry, seq)| stands(&entry.header, seq));
    Refusal::unless(in_order, rule, "entries of another log or out of order")
}

fn check_run(range: &Range, log: LogId, next: u64, to: u64) -> Result<(), Refusal> {
    Refusal::unless(range.from == next, "SYN-10", "a part out of order")?;
    Refusal::unless(range.entries.len() as u64 <= to - next, "SYN-10", "more than was asked for")?;
    Refusal::unless(range.end || !range.entries.is_empty(), "SYN-10", "an empty part")?;
    check_places(&range.entries, log, next, "SYN-10")?;
    let signed = range
        .entries
        .iter()
        .zip(next..)
        .all(|(entry, seq)| entry.signature.is_some() || !seq.is_multiple_of(SIGNATURE_INTERVAL));
    Refusal::unless(signed, "SYN-10", "an entry without the signature that is due")
}

/// The answer is over; one that brought nothing, or ended without a signature, is a fault: unless what was asked
/// for is not there any more, since another branch counts by now.
fn end_run(set: &mut Set, log: LogId, turns: u64, is_empty: bool, is_cut: bool) -> Result<(), Refusal> {
    if let Some(state) = set.logs.get_mut(&log) {
        state.fetching = false;
        if state.has_turned_since(turns) {
            set.refresh_log(log);
            return Ok(());
        }
        state.stopped |= is_empty || is_cut;
        set.has_gap |= is_empty || is_cut;
        set.refresh_log(log);
    }
    match (is_empty, is_cut) {
        (true, _) => Err(Refusal::fault(Rule("SYN-10"), "nothing of a range that was claimed")),
        (_, true) => Err(Refusal::fault(Rule("SYN-10"), "an answer that ends without a signature")),
        (false, false) => Ok(()),
    }
}

/// Headers around the place, unbroken, without bodies, the last one signed (`SYN-13`).
fn check_fork(range: &Range, log: LogId, at: u64) -> Result<(), Refusal> {
    let count = range.entries.len();
    let bounded = range.end && count <= FORK_BRANCH_HEADERS_MAX && range.from <= at;
    Refusal::unless(bounded || count == 0, "SYN-13", "the wrong part of a branch")?;
    check_places(&range.entries, log, range.from, "SYN-13")?;
    let bare = range.entries.iter().all(|entry| entry.body.is_none());
    Refusal::unless(bare, "SYN-13", "bodies in the proof of a fork")?;
    let signed = range.entries.last().is_none_or(|entry| entry.signature.is_some());
    Refusal::unless(signed, "SYN-13", "a branch without signature")
}

fn take_fork(
    set: &mut Set,
    applying: &mut Applying,
    log: LogId,
    range: Range,
    out: &mut Vec<Output>,
) -> Result<(), Refusal> {
    if range.entries.is_empty() {
        return Err(Refusal::fault(Rule("SYN-13"), "nothing of a branch that was claimed"));
    }
    applying.fork(set, log, range.from, range.entries, out);
    Ok(())
}
