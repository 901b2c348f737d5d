//! Entries that an author has admitted to a thread: asked for one by one, by id, where his log is in common (`ADM-6`).

use std::collections::{BTreeMap, BTreeSet};

use super::applying::Applying;
use super::input::Aimed;
use super::message::{SaltedId, place};
use super::output::Output;
use super::refusal::Refusal;
use super::set::Set;
use crate::entry::Header;
use crate::ids::{EntryId, LogId};
use crate::limits::{
    ADMITTED_BODY_BYTES, ADMITTED_OBJECTS_BYTES, SINGLES_A_SESSION_MAX, SINGLES_MAX, SINGLES_PAUSE_MS,
    SINGLES_PAUSE_MS_MAX,
};

/// What is lacked of what the author of one log has admitted.
#[derive(Debug, Clone, Default)]
struct Lacked {
    /// Entries that can be asked for, with the place of the admission that names each.
    due: BTreeMap<EntryId, u64>,
    /// Entries that came, or are on their way: they are not asked for again.
    done: BTreeSet<EntryId>,
    /// How many were asked for.
    asked: u64,
    /// Nothing is asked for before this time.
    pause_until_ms: u64,
    /// Answers one after another that lacked something.
    misses: u32,
}

/// What is lacked of all logs.
#[derive(Debug, Clone, Default)]
pub(super) struct Singles(BTreeMap<LogId, Lacked>);

impl Singles {
    /// Notes what is lacked of a log; it stands in place of what was noted before.
    pub(super) fn note(&mut self, log: LogId, entries: Vec<(u64, EntryId)>) {
        let lacked = self.0.entry(log).or_default();
        let due = entries.into_iter().filter(|(_, entry)| !lacked.done.contains(entry));
        lacked.due = due.map(|(seq, entry)| (entry, seq)).collect();
    }

    /// The entries to ask for next, and the log whose author has admitted them.
    pub(super) fn take(&mut self, set: &Set, now_ms: u64) -> Option<(LogId, SaltedId, Vec<EntryId>)> {
        self.0.iter_mut().find_map(|(log, lacked)| {
            if lacked.due.is_empty() || now_ms < lacked.pause_until_ms || lacked.asked >= SINGLES_A_SESSION_MAX {
                return None;
            }
            let state = set.logs.get(log).filter(|state| state.wanted)?;
            let height = state.their_height();
            let told = lacked.due.iter().filter(|(_, seq)| **seq < height);
            let entries: Vec<EntryId> = told.map(|(entry, _)| *entry).take(SINGLES_MAX).collect();
            if entries.is_empty() {
                return None;
            }
            lacked.asked += entries.len() as u64;
            Some((*log, state.salted, entries))
        })
    }

    /// Notes that entries are on their way.
    pub(super) fn asked(&mut self, log: LogId, entries: &[EntryId]) -> Vec<(EntryId, u64)> {
        let Some(lacked) = self.0.get_mut(&log) else { return Vec::new() };
        lacked.done.extend(entries);
        entries.iter().filter_map(|entry| lacked.due.remove_entry(entry)).collect()
    }

    /// Takes an answer: what it lacks is asked for again after a pause.
    pub(super) fn answered(
        &mut self,
        (log, asked): (LogId, Vec<(EntryId, u64)>),
        items: Vec<Aimed>,
        (set, applying, now_ms): (&Set, &mut Applying, u64),
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let wanted: BTreeSet<EntryId> = asked.iter().map(|(entry, _)| *entry).collect();
        let came = check(&items, &wanted)?;
        let Some(lacked) = self.0.get_mut(&log) else { return Ok(()) };
        for (entry, seq) in asked.into_iter().filter(|(entry, _)| !came.contains(entry)) {
            lacked.done.remove(&entry);
            lacked.due.insert(entry, seq);
        }
        if came.len() < wanted.len() {
            let pause_ms = SINGLES_PAUSE_MS.saturating_mul(1 << lacked.misses.min(16)).min(SINGLES_PAUSE_MS_MAX);
            lacked.pause_until_ms = now_ms.saturating_add(pause_ms);
            lacked.misses += 1;
        } else {
            lacked.misses = 0;
        }
        if !items.is_empty() {
            applying.singles(set, log, items, out);
        }
        Ok(())
    }
}

/// Only what was asked for, each once, signed and within its bounds; answers what came.
fn check(items: &[Aimed], wanted: &BTreeSet<EntryId>) -> Result<BTreeSet<EntryId>, Refusal> {
    let mut came = BTreeSet::new();
    for item in items {
        let objects: u64 = item.objects.iter().map(|object| object.len() as u64).sum();
        Refusal::unless(objects <= ADMITTED_OBJECTS_BYTES, "ADM-6", "an identity that is too large")?;
        Refusal::unless(!item.entries.is_empty(), "ADM-6", "an identity without entries")?;
        for entry in &item.entries {
            let id = EntryId(Header::hash(&entry.header).0);
            Refusal::unless(wanted.contains(&id) && came.insert(id), "ADM-6", "an entry that was not asked for")?;
            let body = entry.body.as_ref().map_or(0, |body| body.bytes.len());
            let is_whole = entry.signature.is_some() && place(&entry.header).is_some();
            Refusal::unless(is_whole && body <= ADMITTED_BODY_BYTES, "ADM-6", "not a single entry within its bounds")?;
        }
    }
    Ok(came)
}
