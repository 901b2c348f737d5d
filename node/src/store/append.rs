//! Storing entries: runs on top of what is held, loose ones, and the proof of forks.

use std::collections::BTreeMap;
use std::sync::Arc;

use xom_protocol::body::Body;
use xom_protocol::entry::{Kind, VerifiedEntry};
use xom_protocol::identity::IdentityState;
use xom_protocol::keys::Signature;
use xom_protocol::log::Position;
use xom_protocol::{DeviceId, Did, Digest, EntryId, LogId, Rule};

use super::batch::{Batch, HeldEntry};
use super::forks::{SignedHeader, headers_of};
use super::shares::run_bytes;
use super::standing::is_shown_disputed;
use super::tables::{ArrivalRow, EntryRow, LogRow, PlaceKey, flags};
use super::{Appended, NewRun, Notice, Stored};
use crate::error::StoreError;
use crate::views::{Arrival, NewEntry, Place};

/// An entry shown this much before its arrival gets the local id of its time, milliseconds.
const BACKLOG_MS: u64 = 60_000;
/// Entries that are kept in memory to be pushed on; peers fetch longer runs themselves.
const PUSHED_ENTRIES_MAX: usize = 64;
/// Local ids of one millisecond.
pub(crate) const IDS_A_MS: u64 = 1 << 16;

/// A run on its way into the tables.
#[derive(Debug, Clone)]
pub(super) struct Stretch {
    pub(super) log: LogId,
    pub(super) author: Did,
    pub(super) device: DeviceId,
    pub(super) entries: Vec<Arc<VerifiedEntry>>,
    /// Neither backlog nor import.
    pub(super) live: bool,
    /// Peers are sent the entries at once; otherwise they are told the new head.
    pub(super) pushed: bool,
    /// Signed here, just now; everything else that is new in an own log was signed by a copy of this folder.
    pub(super) is_own: bool,
    /// Headers that a peer shows where it suspects a fork: compared with what is held and never stored, since they
    /// come without their bodies (`SYN-13`).
    pub(super) is_shown: bool,
}

impl From<NewRun> for Stretch {
    fn from(run: NewRun) -> Self {
        let NewRun { log, author, device, entries, live } = run;
        let pushed = live || entries.len() <= PUSHED_ENTRIES_MAX;
        let entries = entries.into_iter().map(Arc::new).collect();
        Self { log, author, device, entries, live, pushed, is_own: false, is_shown: false }
    }
}

/// How entries came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coming {
    /// Arrival counter of the first of them.
    pub(super) counter: u64,
    /// While they were new.
    pub(super) live: bool,
    /// Extra flags of the row.
    pub(super) flags: u8,
}

impl Batch<'_> {
    /// Appends a run (`LOG-4`, `LOG-7`, `LOG-13`).
    pub(super) fn append(&mut self, run: &Stretch) -> Result<Appended, StoreError> {
        let Some(record) = self.identity(&run.author)? else { return Ok(refused(Rule("LOG-7"))) };
        let state = record.state();
        let held = self.log_numbers.get(&run.log.0)?.map(|number| number.value());
        let held_row = held.map(|number| self.log_row(number)).transpose()?;
        let position = held_row.map_or(Position::EMPTY, |row| position_of(&row));
        if !self.owns_log(state, &run.log, &run.device)? {
            return Ok(refused(Rule("LOG-7")));
        }
        let Some(first) = run.entries.first() else { return Ok(Appended::Stored { position, new: 0 }) };
        if first.header().seq > position.height {
            return Ok(Appended::Gap { position });
        }
        let (log, mut row) = self.log(&run.log, &run.author, &run.device)?;
        let overlap = run.entries.partition_point(|entry| entry.header().seq < row.height);
        let parts = self.compare(log, &run.entries[..overlap])?;
        let shown = run.entries.get(parts.unwrap_or(overlap)).filter(|_| !run.is_own && self.writes(&run.log));
        if let Some(shown) = shown {
            self.stop_signing(&row, shown.header().seq, shown.hash())?;
        }
        if let Some(parts) = parts {
            return self.keep_fork(log, &headers_of(run.entries[parts..].iter().map(Arc::as_ref)));
        }
        if run.is_shown {
            return Ok(Appended::Stored { position, new: 0 });
        }
        let new = &run.entries[overlap..];
        if new.first().is_some_and(|entry| entry.header().prev != position.head) {
            return Ok(Appended::Gap { position });
        }
        let rungs = self.rungs(log, &row)?;
        let mut admitted = count_admitted(state, run, new, &row, &rungs);
        if let Some(first) = new.first()
            && self.is_lost(log, &row, state, first.header().seq, first.hash())?
        {
            admitted = (0, Some(Rule("LOG-13")));
        }
        if !self.has_room(&run.author, run_bytes(new[..admitted.0].iter().map(Arc::as_ref)))? {
            return Ok(Appended::Full { position: position_of(&row) });
        }
        let stored = self.extend(log, &mut row, &new[..admitted.0], run)?;
        if !rungs.is_empty() {
            self.climb(log)?;
            let stands_apart = |at: &Arc<VerifiedEntry>| rungs.contains_key(&(at.header().seq + 1));
            if let Some(apart) = new.get(admitted.0).filter(|apart| stands_apart(apart)) {
                // What is held below it may be what leads astray.
                self.doubt(log, apart.header().seq)?;
            }
        }
        if stored > 0 {
            self.follow_up(log, &new[..admitted.0])?;
            let is_cut = new[..admitted.0].last().is_some_and(|last| last.signature().is_none());
            if is_cut {
                // At a head that is named: the log ends there, and is served up to its last signature (`LOG-9`).
                self.stand(log, state)?;
            }
            row = self.log_row(log)?;
        }
        match admitted.1 {
            Some(rule) => Ok(refused(rule)),
            None => Ok(Appended::Stored { position: position_of(&row), new: stored }),
        }
    }

    /// Keeps an entry of its own (`LOG-9`). True if it is new.
    pub(super) fn insert_loose(&mut self, entry: &Arc<VerifiedEntry>, live: bool) -> Result<bool, StoreError> {
        let header = entry.header();
        let Some(record) = self.identity(&header.author)? else { return Ok(false) };
        let hash = entry.hash();
        if record.state().admits(&header.device, &header.log, header.seq, &hash).is_err() {
            return Ok(false);
        }
        if !self.owns_log(record.state(), &header.log, &header.device)? {
            return Ok(false);
        }
        let (log, mut row) = self.log(&header.log, &header.author, &header.device)?;
        let place = (log, header.seq);
        if let Some(held) = self.held(place)? {
            self.fill_body(place, &held, entry)?;
            self.fill_signature(place, &held, entry)?;
            if held.id != entry.id() && row.height > header.seq {
                self.keep_fork(log, &headers_of([entry.as_ref()]))?;
            }
            return Ok(false);
        }
        if !self.has_room(&header.author, run_bytes([entry.as_ref()]))? {
            return Ok(false);
        }
        let counter = self.arrive(ArrivalRow::Entries { log, seq: header.seq, count: 1 })?;
        let coming = Coming { counter, live, flags: flags::LOOSE };
        row.loose += 1;
        row.changed = counter;
        self.logs.insert(log, row)?;
        self.store_entry(place, &row, entry, coming)?;
        Ok(true)
    }

    /// What new entries change beyond their own places: a fork above which they stand may be decided now, and a
    /// checkpoint may decide the forks of its siblings (`LOG-13`).
    fn follow_up(&mut self, log: u32, new: &[Arc<VerifiedEntry>]) -> Result<(), StoreError> {
        let has_checkpoint = new.iter().any(|entry| entry.header().kind == Kind::Checkpoint);
        let row = self.log_row(log)?;
        if has_checkpoint {
            self.audit(log)?;
        }
        let found_void = self.audit_waiting(&row)?;
        if has_checkpoint || found_void || self.fork_proofs.get(log)?.is_some() {
            self.stand_forked(row.author)?;
        }
        Ok(())
    }

    /// True where the identity has the device and the device has the log (`LOG-1`, `LOG-7`).
    pub(super) fn owns_log(&self, state: &IdentityState, log: &LogId, device: &DeviceId) -> Result<bool, StoreError> {
        if !state.devices.contains_key(device) {
            return Ok(false);
        }
        if *log == state.root_log(device) {
            return Ok(true);
        }
        self.is_opened(log, device)
    }

    /// Compares entries with those held at their places; the index of the first that differs.
    fn compare(&mut self, log: u32, entries: &[Arc<VerifiedEntry>]) -> Result<Option<usize>, StoreError> {
        for (index, entry) in entries.iter().enumerate() {
            let place = (log, entry.header().seq);
            let Some(held) = self.held(place)? else {
                return Err(StoreError::Damaged(format!("entry {} of log {log} is missing", place.1)));
            };
            if held.id != entry.id() {
                return Ok(Some(index));
            }
            self.fill_body(place, &held, entry)?;
        }
        Ok(None)
    }

    /// Takes the body of an entry that is held without one, unless it was purged (`LOG-12`).
    fn fill_body(&mut self, place: PlaceKey, held: &HeldEntry, entry: &VerifiedEntry) -> Result<(), StoreError> {
        let row = held.row();
        let same = entry.body().filter(|_| held.id == entry.id());
        if row.is(flags::BODY) && row.is_live() && same.map_or(Ok(false), |body| self.mend_body(place, held, body))? {
            return Ok(());
        }
        let wanted = row.flags & (flags::BODY | flags::PURGED | flags::HIDDEN) == 0;
        let Some(body) = entry.body().filter(|_| wanted && held.id == entry.id()) else { return Ok(()) };
        if !self.has_room(&held.header.author, body.bytes.len() as u64)? {
            return Ok(());
        }
        self.shared.audits().forget(place.0);
        let slot = self.put_body(place, &body.salt, &body.bytes)?;
        let decoded = Body::decode(&held.header.kind, &body.bytes).ok();
        let local_id = self.local_id(decoded.as_ref(), held.header.time_ms, place)?;
        self.put_row(place, &EntryRow { flags: row.flags | flags::BODY, slot, local_id, ..row })?;
        self.bodies_lacked.remove(place)?;
        // Where its author lives here, what is kept of it in memory was made without this body.
        self.after.reload_own |= self.own.contains_key(&held.header.author);
        let Some(held) = self.held(place)?.filter(|held| held.row().is_live()) else { return Ok(()) };
        self.enter_views(place, &held, decoded.as_ref())
    }

    /// Takes the signature of an entry that came without it, since the one of a later entry covers it: with its own it
    /// can be shown alone, and so be admitted (`ADM-6`).
    fn fill_signature(&mut self, place: PlaceKey, held: &HeldEntry, entry: &VerifiedEntry) -> Result<(), StoreError> {
        let row = held.row();
        let signature = entry.signature().filter(|_| held.id == entry.id() && !row.is(flags::SIGNED));
        let Some(signature) = signature else { return Ok(()) };
        self.put_row(place, &EntryRow { signature: Some(&signature.0), ..row })?;
        let Some(held) = self.held(place)?.filter(|held| held.row().is_live()) else { return Ok(()) };
        match self.read_body(place, &held)?.0 {
            Some(body) => self.wait_at_door(&held.for_views(place, Some(&body)), &body),
            None => Ok(()),
        }
    }

    /// Stores entries right above the height.
    fn extend(
        &mut self,
        log: u32,
        row: &mut LogRow,
        entries: &[Arc<VerifiedEntry>],
        run: &Stretch,
    ) -> Result<u64, StoreError> {
        let Some(last) = entries.last() else { return Ok(0) };
        let seq = row.height;
        let count = u32::try_from(entries.len()).map_err(|_| StoreError::Storage("run is too long".into()))?;
        let counter = self.arrive(ArrivalRow::Entries { log, seq, count })?;
        row.height = last.header().seq + 1;
        row.head = last.hash();
        row.time_ms = last.header().time_ms;
        row.changed = counter + u64::from(count) - 1;
        let (mut stored, mut other) = (0, None);
        for (counter, entry) in (counter..).zip(entries) {
            let place = (log, entry.header().seq);
            if row.loose > 0 && self.take_loose(place, row, entry, &mut other)? {
                continue;
            }
            self.store_entry(place, row, entry, Coming { counter, live: run.live, flags: 0 })?;
            stored += 1;
        }
        self.logs.insert(log, *row)?;
        self.tell_stored(Stored {
            log: run.log,
            author: run.author,
            from: seq,
            position: position_of(row),
            counter: row.changed,
            entries: if run.pushed { entries.to_vec() } else { Vec::new() },
        });
        if let Some(other) = other {
            self.keep_fork(log, &[other])?;
        }
        Ok(stored)
    }

    /// Tells what was stored; one notice for neighbours of one transaction.
    fn tell_stored(&mut self, stored: Stored) {
        if let Some(Notice::Entries(last)) = self.after.notices.last_mut() {
            let next = last.log == stored.log && last.position.height == stored.from;
            if let Some(last) = Arc::get_mut(last).filter(|_| next) {
                let whole = last.entries.len() as u64 == last.position.height - last.from;
                let few = last.entries.len() + stored.entries.len() <= PUSHED_ENTRIES_MAX;
                last.position = stored.position;
                last.counter = stored.counter;
                if whole && few && !stored.entries.is_empty() {
                    last.entries.extend(stored.entries);
                } else {
                    last.entries.clear();
                }
                return;
            }
        }
        self.after.notices.push(Notice::Entries(Arc::new(stored)));
    }

    /// Where a loose entry waits at this place: keeps it if it is the same, and takes it out if not, as one
    /// branch of a fork. True if kept.
    fn take_loose(
        &mut self,
        place: PlaceKey,
        row: &mut LogRow,
        entry: &VerifiedEntry,
        other: &mut Option<SignedHeader>,
    ) -> Result<bool, StoreError> {
        let Some(held) = self.held(place)? else { return Ok(false) };
        row.loose -= 1;
        if held.id == entry.id() {
            self.set_flags(place, 0, flags::LOOSE)?;
            let held = self.held(place)?;
            if let Some(held) = held {
                self.fill_body(place, &held, entry)?;
                self.own_meets(place, entry)?;
            }
            return Ok(true);
        }
        other.get_or_insert((held.row().header.to_vec(), held.row().signature.copied().map(Signature)));
        self.forget_entry(place, &held)?;
        Ok(false)
    }

    /// Shows an entry that came loose to the identity that it is of, if that lives here by now: the chain covers it.
    fn own_meets(&mut self, place: PlaceKey, entry: &VerifiedEntry) -> Result<(), StoreError> {
        let Some(held) = self.held(place)?.filter(|held| self.own.contains_key(&held.header.author)) else {
            return Ok(());
        };
        let (row, kind) = (held.row(), &held.header.kind);
        match entry.body() {
            None if row.is(flags::BODY) => self.after.reload_own = true,
            body => {
                let decoded = body.and_then(|body| Body::decode(kind, &body.bytes).ok());
                self.own_sees(row.local_id, entry, decoded.as_ref(), row.flags);
            }
        }
        Ok(())
    }

    /// Stores one entry that is not held: its row, its body, its place in the views.
    pub(super) fn store_entry(
        &mut self,
        place: PlaceKey,
        log: &LogRow,
        entry: &VerifiedEntry,
        coming: Coming,
    ) -> Result<(), StoreError> {
        let header = entry.header();
        let (hidden, ordered) = self.erased(&entry.id(), log.author, &header.kind)?;
        let void = if place.1 >= log.void_from { flags::VOID } else { 0 };
        let mut row = EntryRow {
            flags: coming.flags | void | if coming.live { flags::LIVE } else { 0 },
            ms: self.now_ms,
            counter: coming.counter,
            local_id: 0,
            slot: 0,
            signature: entry.signature().map(|signature| &signature.0),
            header: entry.header_bytes(),
        };
        let mut decoded = None;
        match entry.body() {
            _ if ordered => row.flags |= flags::PURGED,
            Some(body) => {
                row.slot = self.put_body(place, &body.salt, &body.bytes)?;
                row.flags |= flags::BODY;
                decoded = Body::decode(&header.kind, &body.bytes).ok();
                row.local_id = self.local_id(decoded.as_ref(), header.time_ms, place)?;
            }
            None => {}
        }
        if let Some(due) = hidden {
            row.flags |= flags::HIDDEN;
            if row.is(flags::BODY) {
                self.purges_due.insert((due, place.0, place.1), ())?;
                if let Some(erase) = self.erase_of(&entry.id(), log.author)? {
                    self.owe_hidden(&header.author, entry.id(), erase)?;
                }
            }
        }
        self.put_row(place, &row)?;
        self.note_lacking(place, &row)?;
        self.entry_ids.insert(&entry.id().0, place)?;
        self.charge_header(place.0, entry.header_bytes());
        self.counters.entries += 1;
        self.own_sees(row.local_id, entry, decoded.as_ref(), row.flags);
        if !row.is_live() {
            return self.refer_hidden(place, &row, header, decoded.as_ref());
        }
        let entry = NewEntry {
            place: Place { log: place.0, seq: place.1 },
            id: entry.id(),
            header,
            body: decoded.as_ref(),
            arrival: Arrival { ms: row.ms, counter: row.counter, local_id: row.local_id, live: row.is(flags::LIVE) },
            disputed: false,
        };
        self.enter(&entry)
    }

    /// Takes a live entry into the views and into what the store itself derives.
    pub(super) fn enter_views(
        &mut self,
        place: PlaceKey,
        held: &HeldEntry,
        body: Option<&Body>,
    ) -> Result<(), StoreError> {
        self.enter(&held.for_views(place, body))
    }

    fn enter(&mut self, entry: &NewEntry<'_>) -> Result<(), StoreError> {
        let place = (entry.place.log, entry.place.seq);
        let Some(body) = entry.body else { return self.views.apply(entry) };
        self.index_aimed(entry)?;
        let disputed = self.is_disputed(place)?;
        if disputed && !is_shown_disputed(body) {
            return Ok(());
        }
        match body {
            Body::Erase(erase) => self.take_erase(place, entry.header, entry.arrival.ms, erase)?,
            Body::LogOpen(opening) => self.open_log(place, entry.header, opening)?,
            Body::Admit(admit) => self.take_admission(place, entry.header, entry.arrival.counter, admit)?,
            _ => self.refer_blobs(place, body)?,
        }
        if !disputed {
            self.wait_at_door(entry, body)?;
        }
        self.views.apply(&NewEntry { disputed, ..*entry })
    }

    /// The local id of a new status: by its arrival, or by its time where it is from a backlog or an import.
    fn local_id(&mut self, body: Option<&Body>, claimed_ms: u64, place: PlaceKey) -> Result<u64, StoreError> {
        let original_ms = match body {
            Some(Body::Post(post)) => post.published,
            Some(Body::Repost(_)) => None,
            _ => return Ok(0),
        };
        let shown_ms = original_ms.unwrap_or(claimed_ms).min(self.now_ms);
        let id = if self.now_ms - shown_ms > BACKLOG_MS {
            self.free_local_id(shown_ms.max(1) * IDS_A_MS)?
        } else {
            let next = (self.now_ms * IDS_A_MS).max(self.counters.local + 1);
            let id = self.free_local_id(next)?;
            self.counters.local = self.counters.local.max(id);
            id
        };
        self.local_ids.insert(id, place)?;
        Ok(id)
    }

    /// The first free id after those taken in the millisecond of `from`.
    fn free_local_id(&self, from: u64) -> Result<u64, StoreError> {
        let mut from = from;
        loop {
            let end = from | (IDS_A_MS - 1);
            let last = self.local_ids.range(from..=end)?.next_back().transpose()?;
            match last.map(|(id, _)| id.value()) {
                None => return Ok(from),
                Some(last) if last < end => return Ok(last + 1),
                Some(_) => from = end + 1,
            }
        }
    }

    /// Takes an entry out of every table but its log's; the body goes as in a purge.
    pub(super) fn forget_entry(&mut self, place: PlaceKey, held: &HeldEntry) -> Result<(), StoreError> {
        if held.row().is_live() {
            self.leave_views(place, held)?;
        }
        self.purge_body(place, held, false)?;
        self.entries.remove(place)?;
        self.bodies_lacked.remove(place)?;
        self.entry_ids.remove(&held.id.0)?;
        if held.row().local_id != 0 {
            self.local_ids.remove(held.row().local_id)?;
        }
        self.discharge_header(place.0, held);
        self.counters.entries -= 1;
        Ok(())
    }

    /// Whether an entry is erased by one of the same identity: when its body is due, and whether a
    /// control key ordered it to go at once (`LOG-12`).
    fn erased(&self, id: &EntryId, author: u32, kind: &Kind) -> Result<(Option<u64>, bool), StoreError> {
        let (mut due, mut ordered) = (None, false);
        if !xom_protocol::log::is_erasable(kind) {
            return Ok((due, ordered));
        }
        for erasure in self.erasures.range((&id.0, 0, 0)..=(&id.0, u32::MAX, u64::MAX))? {
            let erasure = erasure?.1.value();
            if erasure.author == author {
                let at = xom_protocol::log::purge_at_ms(erasure.seen_ms, erasure.ordered);
                due = Some(due.map_or(at, |due: u64| due.min(at)));
                ordered |= erasure.ordered;
            }
        }
        Ok((due, ordered))
    }
}

/// How many of the new entries the identity admits, and the rule that ends them (`LOG-7`, `ID-7`, `ID-8`).
fn count_admitted(
    state: &IdentityState,
    run: &Stretch,
    new: &[Arc<VerifiedEntry>],
    row: &LogRow,
    rungs: &BTreeMap<u64, Digest>,
) -> (usize, Option<Rule>) {
    let anchor = state.anchors.get(&run.log).map(|anchor| (anchor.height, anchor.head));
    let other = |height: u64, hash: Digest| {
        let named = anchor.filter(|(at, _)| *at == height).map(|(_, head)| head);
        named.is_some_and(|head| head != hash) || rungs.get(&height).is_some_and(|rung| *rung != hash)
    };
    for (index, entry) in new.iter().enumerate() {
        let seq = entry.header().seq;
        if let Err(not_admitted) = state.admits(&run.device, &run.log, seq, &entry.hash()) {
            return (index, Some(not_admitted.rule()));
        }
        if other(seq + 1, entry.hash()) || seq >= row.void_from {
            return (index, Some(Rule("LOG-13")));
        }
    }
    (new.len(), None)
}

pub(super) fn refused(rule: Rule) -> Appended {
    Appended::Refused { rule }
}

/// How far a log is held.
pub(super) fn position_of(row: &LogRow) -> Position {
    Position { height: row.height, head: (row.height > 0).then_some(row.head) }
}
