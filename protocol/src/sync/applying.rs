//! What the node is storing for this session, and what follows once it is durable.

use std::collections::BTreeMap;

use super::ancestry;
use super::fork;
use super::input::Outcome;
use super::message::ReceiptNews;
use super::output::{Batch, Output, Ticket};
use super::receipts;
use super::refusal::Refusal;
use super::set::Set;
use crate::entry::SignedEntry;
use crate::ids::{Did, Digest, LogId};
use crate::log::Position;
use crate::rule::Rule;

/// What the node answers where a run does not link to what it holds: the mark of a fork.
const UNLINKED: Rule = Rule("LOG-4");

/// What the node answers where entries stand on a branch that counts no more.
const LOST: Rule = Rule("LOG-13");

/// What the node answers where headers of a fork are those that it holds.
const SAME: Rule = Rule("SYN-13");

/// How a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Came {
    /// As a push that is to be acknowledged.
    Pushed,
    /// It was asked for when one of the two sides had moved so often.
    Asked {
        /// See [`super::set::LogState`].
        turns: u64,
    },
}

/// What a ticket stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    Identity(Did),
    Run { log: LogId, bytes: u64, turns: u64, pushed: bool },
    Bodies { log: LogId, bytes: u64 },
    Fork { log: LogId, from: u64, to: u64 },
    Ancestors { log: LogId, hash: Digest },
    Aimed,
    Singles { bytes: u64 },
    Proven,
    Receipts,
}

/// The open tickets.
#[derive(Debug, Clone, Default)]
pub(super) struct Applying {
    issued: u64,
    open: BTreeMap<Ticket, Held>,
    /// Bytes of entries in open tickets.
    pub(super) bytes: u64,
    /// Pushes of theirs that are done with.
    pub(super) pushes_done: u64,
    /// Their last message with receipts is done with, and is not acknowledged yet.
    pub(super) receipts_done: bool,
}

/// Header, signature and body.
pub(super) fn entry_bytes(entry: &SignedEntry) -> u64 {
    let body = entry.body.as_ref().map_or(0, |body| body.bytes.len() + body.salt.len());
    (entry.header.len() + body + if entry.signature.is_some() { 66 } else { 1 }) as u64 + 8
}

impl Applying {
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Hands a run to the node, without what it has by now.
    pub(super) fn run(
        &mut self,
        set: &mut Set,
        log: LogId,
        from: u64,
        mut entries: Vec<SignedEntry>,
        came: Came,
        out: &mut Vec<Output>,
    ) {
        let Some(state) = set.logs.get_mut(&log) else { return };
        let (pushed, turns) = match came {
            Came::Pushed => (true, state.turns),
            Came::Asked { turns } => (false, turns),
        };
        let to = from + entries.len() as u64;
        let from = from.max(state.ours.height.min(to));
        let new = entries.split_off(entries.len() - usize::try_from(to - from).unwrap_or(0));
        receipts::resent(set, log, &std::mem::replace(&mut entries, new), out);
        if entries.is_empty() {
            self.pushes_done += u64::from(pushed);
            return;
        }
        let Some(state) = set.logs.get_mut(&log) else { return };
        state.fetched = state.fetched.max(to);
        state.applying += 1;
        let did = state.did;
        set.refresh_log(log);
        let bytes = entries.iter().map(entry_bytes).sum();
        self.bytes += bytes;
        let batch = Batch::Run { did, log, from, entries, live: pushed };
        self.issue(Held::Run { log, bytes, turns, pushed }, batch, out);
    }

    /// Hands entries to the node whose bodies are lacked.
    pub(super) fn bodies(
        &mut self,
        set: &mut Set,
        log: LogId,
        from: u64,
        entries: Vec<SignedEntry>,
        out: &mut Vec<Output>,
    ) {
        let Some(state) = set.logs.get_mut(&log) else { return };
        state.applying += 1;
        let did = state.did;
        set.refresh_log(log);
        let bytes = entries.iter().map(entry_bytes).sum();
        self.bytes += bytes;
        self.issue(Held::Bodies { log, bytes }, Batch::Bodies { did, log, from, entries }, out);
    }

    /// Hands the objects of an identity to the node.
    pub(super) fn identity(&mut self, did: Did, objects: Vec<Vec<u8>>, out: &mut Vec<Output>) {
        self.issue(Held::Identity(did), Batch::Identity { did, objects }, out);
    }

    /// Hands aimed entries to the node.
    pub(super) fn aimed(&mut self, items: Vec<super::Aimed>, out: &mut Vec<Output>) {
        self.issue(Held::Aimed, Batch::Aimed { items }, out);
    }

    /// Hands entries to the node that the author of a log has admitted.
    pub(super) fn singles(&mut self, set: &Set, log: LogId, items: Vec<super::Aimed>, out: &mut Vec<Output>) {
        let Some(state) = set.logs.get(&log) else { return };
        let bytes = items.iter().flat_map(|item| &item.entries).map(entry_bytes).sum();
        self.bytes += bytes;
        self.issue(Held::Singles { bytes }, Batch::Singles { did: state.did, log, items }, out);
    }

    /// Hands receipts or known copies to the node.
    pub(super) fn receipts(&mut self, news: ReceiptNews, out: &mut Vec<Output>) {
        self.issue(Held::Receipts, Batch::Receipts(news), out);
    }

    /// Hands the headers of their branch to the node.
    pub(super) fn fork(
        &mut self,
        set: &mut Set,
        log: LogId,
        from: u64,
        entries: Vec<SignedEntry>,
        out: &mut Vec<Output>,
    ) {
        let Some(state) = set.logs.get_mut(&log) else { return };
        state.applying += 1;
        let did = state.did;
        let to = from + entries.len() as u64;
        self.issue(Held::Fork { log, from, to }, Batch::Fork { did, log, from, entries }, out);
    }

    /// Hands the ancestors of a header to the node.
    pub(super) fn ancestors(
        &mut self,
        set: &mut Set,
        log: LogId,
        head: (u64, Digest),
        headers: Vec<Vec<u8>>,
        out: &mut Vec<Output>,
    ) {
        let Some(state) = set.logs.get(&log) else { return };
        let did = state.did;
        self.issue(Held::Ancestors { log, hash: head.1 }, Batch::Ancestors { did, log, head, headers }, out);
    }

    /// Hands a proof to the node.
    pub(super) fn proof(&mut self, did: Did, log: LogId, proof: super::Proof, out: &mut Vec<Output>) {
        self.issue(Held::Proven, Batch::Proven { did, log, proof }, out);
    }

    fn issue(&mut self, held: Held, batch: Batch, out: &mut Vec<Output>) {
        self.issued += 1;
        let ticket = Ticket(self.issued);
        self.open.insert(ticket, held);
        out.push(Output::Apply { ticket, batch });
    }

    /// The log of a run that was asked for and is being stored.
    pub(super) fn log_of(&self, ticket: Ticket) -> Option<LogId> {
        match self.open.get(&ticket) {
            Some(Held::Run { log, pushed: false, .. }) => Some(*log),
            _ => None,
        }
    }

    /// Takes the node's answer.
    pub(super) fn applied(
        &mut self,
        set: &mut Set,
        ticket: Ticket,
        outcome: Outcome,
        position: Position,
    ) -> Result<(), Refusal> {
        let Some(held) = self.open.remove(&ticket) else { return Ok(()) };
        let is_search = matches!(held, Held::Fork { .. }) && outcome == Outcome::Refused(SAME);
        let apart = outcome == Outcome::Refused(UNLINKED)
            || matches!(held, Held::Proven | Held::Receipts | Held::Bodies { .. } | Held::Ancestors { .. })
            || matches!(held, Held::Singles { .. });
        set.has_gap |= outcome != Outcome::Applied && !apart && !is_search;
        match held {
            Held::Run { log, bytes, turns, pushed } => {
                self.bytes -= bytes;
                self.pushes_done += u64::from(pushed);
                applied_run(set, log, turns, outcome, position)
            }
            Held::Bodies { log, bytes } => {
                self.bytes -= bytes;
                if let Some(state) = set.logs.get_mut(&log) {
                    state.applying -= 1;
                }
                set.refresh_log(log);
                blame(outcome, "bodies that were asked for again")
            }
            Held::Identity(did) => {
                if let Some(state) = set.identities.get_mut(&did) {
                    state.busy = false;
                    set.refresh_identity(did);
                }
                blame(outcome, "objects of an identity")
            }
            Held::Aimed => {
                self.pushes_done += 1;
                blame(outcome, "aimed entries")
            }
            Held::Singles { bytes } => {
                self.bytes -= bytes;
                blame(outcome, "admitted entries")
            }
            Held::Ancestors { log, hash } => {
                ancestry::ended(set, log, hash, outcome == Outcome::Applied);
                blame(outcome, "ancestors of a header")
            }
            Held::Proven => blame(outcome, "a proof"),
            Held::Fork { log, from, to } => {
                let Some(state) = set.logs.get_mut(&log) else { return Ok(()) };
                state.applying -= 1;
                match outcome {
                    Outcome::Refused(UNLINKED) => fork::parts_below(state, from),
                    Outcome::Refused(SAME) => fork::parts_above(state, to),
                    Outcome::Refused(_) | Outcome::Applied | Outcome::Dropped => {}
                }
                // A search that comes to nothing is a fault: something was claimed that is not so.
                let goes_on = state.fork_at.is_some();
                set.refresh_log(log);
                if goes_on { Ok(()) } else { blame(outcome, "headers of a fork") }
            }
            Held::Receipts => {
                self.receipts_done = outcome != Outcome::Dropped;
                blame(outcome, "receipts")
            }
        }
    }
}

/// A refusal is the peer's fault; it is told apart from a break of the conversation (`SYN-15`).
fn blame(outcome: Outcome, what: &str) -> Result<(), Refusal> {
    match outcome {
        Outcome::Refused(rule) => Err(Refusal::fault(rule, what)),
        Outcome::Applied | Outcome::Dropped => Ok(()),
    }
}

fn applied_run(set: &mut Set, log: LogId, turns: u64, outcome: Outcome, position: Position) -> Result<(), Refusal> {
    let Some(state) = set.logs.get_mut(&log) else { return Ok(()) };
    state.applying -= 1;
    if position.height >= state.ours.height {
        state.ours = position;
    }
    if state.has_turned_since(turns) {
        set.refresh_log(log);
        return if matches!(outcome, Outcome::Refused(UNLINKED | LOST)) {
            Ok(())
        } else {
            blame(outcome, "a run of a log")
        };
    }
    let was_stopped = state.stopped;
    match outcome {
        Outcome::Applied => state.fetched = state.fetched.max(position.height),
        Outcome::Dropped | Outcome::Refused(_) => (state.stopped, state.fetched) = (true, state.ours.height),
    }
    let is_fork = outcome == Outcome::Refused(UNLINKED) && position.height > 0;
    if is_fork && !was_stopped {
        fork::suspect(state, position.height - 1);
    }
    set.refresh_log(log);
    if is_fork || was_stopped { Ok(()) } else { blame(outcome, "a run of a log") }
}
