//! Their requests: each is loaded piece by piece, and every piece goes out as one or more frames.
//!
//! What slows this down is the node, which loads only while its queue of frames has room.

use std::collections::BTreeMap;

use super::ancestry;
use super::applying::entry_bytes;
use super::fork;
use super::input::Aimed;
use super::message::{Message, Range, SaltedId};
use super::output::{Output, RequestId};
use super::receipts;
use super::refusal::Refusal;
use super::set::{Item, LogState, Set};
use crate::entry::{Header, SignedEntry};
use crate::ids::{Digest, EntryId, LogId};
use crate::limits::{
    ANCESTORS_MAX, ANSWER_BYTES, ANSWER_FRAME_BYTES, FORK_BRANCH_HEADERS_MAX, FORK_LEAD, FORK_TRIES_MAX,
    FRAME_BYTES_MAX, IDENTITY_BYTES_MAX, IDENTITY_TRIES_MAX, RANGE_ENTRIES_MAX, REPEATS_MAX, REQUESTS_MAX,
    SIGNATURE_INTERVAL, SINGLES_A_SESSION_MAX,
};

/// One request of theirs.
#[derive(Debug, Clone, Copy)]
enum Serve {
    Identity { request: u64 },
    Run { request: u64, log: LogId, next: u64, to: u64, bytes: u64 },
    Fork { request: u64, log: LogId, from: u64, at: u64 },
    Ancestors { request: u64, log: LogId, from: u64, hash: Digest },
    Singles { request: u64 },
}

/// All requests of theirs that are not answered to the end.
#[derive(Debug, Clone, Default)]
pub(super) struct Serving {
    last_request: u64,
    loads: u64,
    open: BTreeMap<RequestId, Serve>,
    /// Admitted entries that they asked for, by log.
    singles: BTreeMap<LogId, u64>,
}

impl Serving {
    /// Takes a request for a range of one log (`SYN-9`).
    pub(super) fn take_range(
        &mut self,
        set: &mut Set,
        request: u64,
        id: &SaltedId,
        (from, to): (u64, u64),
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        self.admit(request)?;
        let (log, state) = log_in_common(set, id)?;
        Refusal::unless(to <= state.told_height, "SYN-9", "a range beyond what was claimed")?;
        if from < state.served {
            state.repeats += 1;
            Refusal::unless(state.repeats <= REPEATS_MAX, "SYN-9", "the same range again and again")?;
        }
        state.serving += 1;
        self.load(Serve::Run { request, log, next: from, to, bytes: 0 }, out);
        Ok(())
    }

    /// Takes a request for the headers around a place (`SYN-13`).
    pub(super) fn take_fork(
        &mut self,
        set: &mut Set,
        request: u64,
        id: &SaltedId,
        at: u64,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        self.admit(request)?;
        let (log, state) = log_in_common(set, id)?;
        Refusal::unless(at < state.told_height, "SYN-13", "a place beyond what was claimed")?;
        state.fork_serves += 1;
        Refusal::unless(state.fork_serves <= FORK_TRIES_MAX, "SYN-13", "the same fork again and again")?;
        fork::suspected_by_peer(state, at);
        state.serving += 1;
        set.refresh_log(log);
        self.load(Serve::Fork { request, log, from: (at + 1).saturating_sub(FORK_LEAD), at }, out);
        Ok(())
    }

    /// Takes a request for the headers at and below one that is known by its hash (`SYN-23`).
    pub(super) fn take_ancestors(
        &mut self,
        set: &mut Set,
        request: u64,
        id: &SaltedId,
        (at, hash): (u64, Digest),
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        self.admit(request)?;
        let (log, state) = log_in_common(set, id)?;
        Refusal::unless(ancestry::is_told(at, state.told_height), "SYN-23", "a place beyond what was claimed")?;
        Refusal::unless(state.sought.may_ask(state.told_height), "SYN-23", "the same ancestors again and again")?;
        state.serving += 1;
        self.loads += 1;
        let (load, to) = (RequestId(self.loads), at + 1);
        let from = to.saturating_sub(ANCESTORS_MAX as u64);
        self.open.insert(load, Serve::Ancestors { request, log, from, hash });
        out.push(Output::LoadHeaders { request: load, log, from, to });
        Ok(())
    }

    /// Sends the headers, if they are the ones: whoever holds another branch answers with none (`SYN-23`).
    pub(super) fn loaded_headers(
        &mut self,
        set: &mut Set,
        load: RequestId,
        headers: Vec<Vec<u8>>,
        out: &mut Vec<Output>,
    ) {
        let Some(Serve::Ancestors { request, log, from, hash }) = self.open.remove(&load) else { return };
        end_serving(set, log, 0);
        let is_right = headers.last().is_some_and(|last| Header::hash(last) == hash);
        let headers = if is_right { headers } else { Vec::new() };
        let entries = headers.into_iter().map(|header| SignedEntry { header, signature: None, body: None }).collect();
        out.push(Output::Send(Message::Range(Range { request, from, end: true, entries }).encode()));
    }

    /// Takes a request for the objects of an identity (`SYN-8`).
    pub(super) fn take_identity(
        &mut self,
        set: &mut Set,
        request: u64,
        id: &SaltedId,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        self.admit(request)?;
        let unknown = || Refusal::grave("SYN-8", "an identity that is not in common");
        let Some(Item::Identity(did)) = set.item(id) else { return Err(unknown()) };
        let state = set.identities.get_mut(&did).filter(|state| state.told.is_some()).ok_or_else(unknown)?;
        state.serves += 1;
        Refusal::unless(state.serves <= IDENTITY_TRIES_MAX, "SYN-8", "the same identity again and again")?;
        self.loads += 1;
        let load = RequestId(self.loads);
        self.open.insert(load, Serve::Identity { request });
        out.push(Output::LoadIdentity { request: load, did });
        Ok(())
    }

    /// Takes a request for entries that the author of a log has admitted (`ADM-6`).
    pub(super) fn take_singles(
        &mut self,
        set: &mut Set,
        request: u64,
        id: &SaltedId,
        entries: Vec<EntryId>,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        self.admit(request)?;
        let (log, _) = log_in_common(set, id)?;
        let served = self.singles.entry(log).or_default();
        *served += entries.len() as u64;
        Refusal::unless(*served <= SINGLES_A_SESSION_MAX, "ADM-6", "too many admitted entries of one log")?;
        self.loads += 1;
        let load = RequestId(self.loads);
        self.open.insert(load, Serve::Singles { request });
        out.push(Output::LoadSingles { request: load, log, entries });
        Ok(())
    }

    /// Sends the entries that are held (`ADM-6`).
    pub(super) fn loaded_singles(&mut self, load: RequestId, items: Vec<Aimed>, out: &mut Vec<Output>) {
        let Some(Serve::Singles { request }) = self.open.remove(&load) else { return };
        out.push(Output::Send(Message::Singles { request, items }.encode()));
    }

    fn admit(&mut self, request: u64) -> Result<(), Refusal> {
        Refusal::unless(request > self.last_request, "SYN-9", "a request number that does not rise")?;
        self.last_request = request;
        Refusal::unless(self.open.len() < REQUESTS_MAX, "SYN-9", "too many requests at once")
    }

    fn load(&mut self, serve: Serve, out: &mut Vec<Output>) {
        self.loads += 1;
        let request = RequestId(self.loads);
        match serve {
            Serve::Run { log, next: from, to, .. } => {
                out.push(Output::Load { request, log, from, to, bytes_max: ANSWER_FRAME_BYTES, bodies: true });
            }
            Serve::Fork { log, from, .. } => {
                let to = from + FORK_BRANCH_HEADERS_MAX as u64;
                out.push(Output::Load { request, log, from, to, bytes_max: ANSWER_FRAME_BYTES, bodies: false });
            }
            Serve::Identity { .. } | Serve::Ancestors { .. } | Serve::Singles { .. } => return,
        }
        self.open.insert(request, serve);
    }

    /// Sends what was loaded, and loads on or ends the answer (`SYN-10`, `SYN-13`).
    pub(super) fn loaded(
        &mut self,
        set: &mut Set,
        load: RequestId,
        mut entries: Vec<SignedEntry>,
        out: &mut Vec<Output>,
    ) {
        match self.open.remove(&load) {
            Some(Serve::Fork { request, log, from, at }) => {
                end_serving(set, log, 0);
                cut_branch(&mut entries, from, at);
                out.push(Output::Send(Message::Range(Range { request, from, end: true, entries }).encode()));
            }
            Some(Serve::Run { request, log, next, to, bytes }) => {
                entries.truncate(usize::try_from(to - next).unwrap_or(usize::MAX));
                let bytes = bytes + entries.iter().map(entry_bytes).sum::<u64>();
                let end = cut_run(&mut entries, next, to, bytes);
                strip_signatures(&mut entries, next, end);
                let after = next + entries.len() as u64;
                receipts::sends(set, log, next, &entries, out);
                send_run(request, next, end, entries, out);
                if end {
                    end_serving(set, log, after);
                } else {
                    self.load(Serve::Run { request, log, next: after, to, bytes }, out);
                }
            }
            Some(serve @ (Serve::Identity { .. } | Serve::Ancestors { .. } | Serve::Singles { .. })) => {
                self.open.insert(load, serve);
            }
            None => {}
        }
    }

    /// Sends the objects of an identity (`SYN-8`).
    pub(super) fn loaded_identity(&mut self, load: RequestId, objects: Vec<Vec<u8>>, out: &mut Vec<Output>) {
        let Some(Serve::Identity { request }) = self.open.remove(&load) else { return };
        let mut total = 0;
        let fitting = objects.into_iter().take_while(|object| {
            total += object.len();
            total <= IDENTITY_BYTES_MAX
        });
        let mut parts = pack(fitting, |object| object.len() as u64).into_iter().peekable();
        loop {
            let objects = parts.next().unwrap_or_default();
            let end = parts.peek().is_none();
            out.push(Output::Send(Message::IdentityObjects { request, end, objects }.encode()));
            if end {
                return;
            }
        }
    }
}

/// The log of this id, if its head was told (`SYN-9`): what is not in common is as unknown as what is not there.
fn log_in_common<'a>(set: &'a mut Set, id: &SaltedId) -> Result<(LogId, &'a mut LogState), Refusal> {
    let unknown = || Refusal::grave("SYN-9", "a log that is not in common");
    let Some(Item::Log(log)) = set.item(id) else { return Err(unknown()) };
    let state = set.logs.get_mut(&log).filter(|state| state.told.is_some()).ok_or_else(unknown)?;
    Ok((log, state))
}

fn end_serving(set: &mut Set, log: LogId, served: u64) {
    if let Some(state) = set.logs.get_mut(&log) {
        state.serving -= 1;
        state.served = state.served.max(served);
    }
}

/// Decides whether the answer ends with these entries, and cuts them where it does: at the end of
/// the range, where the store has no more, or at a signed entry once the answer is large enough.
fn cut_run(entries: &mut Vec<SignedEntry>, next: u64, to: u64, bytes: u64) -> bool {
    let last_signed = entries.iter().rposition(|entry| entry.signature.is_some());
    if entries.is_empty() {
        return true;
    }
    if next + entries.len() as u64 == to {
        return true;
    }
    match last_signed {
        Some(last) if bytes >= ANSWER_BYTES => {
            entries.truncate(last + 1);
            true
        }
        _ => false,
    }
}

/// Only the signatures that are due travel: at every 32nd place and at the end (`LOG-9`).
fn strip_signatures(entries: &mut [SignedEntry], next: u64, end: bool) {
    let last = if end { entries.len().checked_sub(1) } else { None };
    for (index, entry) in entries.iter_mut().enumerate() {
        let is_due = (next + index as u64).is_multiple_of(SIGNATURE_INTERVAL) || Some(index) == last;
        if !is_due {
            entry.signature = None;
        }
    }
}

/// Keeps the headers up to the first signed one at or after the place; nothing without a signature.
fn cut_branch(entries: &mut Vec<SignedEntry>, from: u64, at: u64) {
    let is_end = |(index, entry): (usize, &SignedEntry)| {
        (from + index as u64 >= at && entry.signature.is_some()).then_some(index + 1)
    };
    let end = entries.iter().enumerate().find_map(is_end).unwrap_or(0);
    entries.truncate(end);
    strip_signatures(entries, from, true);
    for entry in entries {
        entry.body = None;
    }
}

fn send_run(request: u64, from: u64, end: bool, entries: Vec<SignedEntry>, out: &mut Vec<Output>) {
    let mut parts = pack(entries.into_iter(), entry_bytes).into_iter().peekable();
    let mut from = from;
    loop {
        let entries = parts.next().unwrap_or_default();
        let is_last = parts.peek().is_none();
        let count = entries.len() as u64;
        let range = Range { request, from, end: end && is_last, entries };
        out.push(Output::Send(Message::Range(range).encode()));
        from += count;
        if is_last {
            return;
        }
    }
}

/// Splits into parts of about [`ANSWER_FRAME_BYTES`], none of which can exceed a frame.
fn pack<T>(items: impl Iterator<Item = T>, bytes: impl Fn(&T) -> u64) -> Vec<Vec<T>> {
    const _: () = assert!(ANSWER_FRAME_BYTES * 3 < FRAME_BYTES_MAX as u64 + 1);
    let mut parts = Vec::new();
    let mut part = Vec::new();
    let mut filled = 0;
    for item in items {
        let size = bytes(&item);
        let full = filled + size > ANSWER_FRAME_BYTES || part.len() as u64 == RANGE_ENTRIES_MAX;
        if full && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            filled = 0;
        }
        filled += size;
        part.push(item);
    }
    if !part.is_empty() {
        parts.push(part);
    }
    parts
}
