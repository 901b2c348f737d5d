//! What is live of one identity: a pure function of the set of its entries, in any order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use super::erase::{check_erase, is_erasable};
use super::register::{Rank, RegisterKey, register_keys, rev};
use crate::body::{Body, LogHead};
use crate::entry::{Header, VerifiedEntry};
use crate::ids::{Did, Digest, EntryId, LogId};

/// The live entries and registers of one identity (`LOG-10`, `LOG-12`).
///
/// Holds what a node must know of each entry to judge it, no bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveSet {
    author: Did,
    entries: BTreeMap<EntryId, Known>,
    registers: BTreeMap<RegisterKey, BTreeSet<Rank>>,
    /// The same of live entries only, so that no value is looked for among erased ones.
    standing: BTreeMap<RegisterKey, BTreeSet<Rank>>,
    /// By target: the erases of it.
    erases: BTreeMap<EntryId, BTreeSet<EntryId>>,
}

/// What is known of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    log: LogId,
    seq: u64,
    erasable: bool,
    registers: Vec<(RegisterKey, Rank)>,
    erases: Option<EntryId>,
}

impl LiveSet {
    /// Nothing of `author` is known yet.
    pub fn new(author: Did) -> Self {
        let (registers, standing) = (BTreeMap::new(), BTreeMap::new());
        Self { author, entries: BTreeMap::new(), registers, standing, erases: BTreeMap::new() }
    }

    /// Takes an entry in. One whose body is not held or is opaque counts by its id alone, and what was
    /// once read from a body stays known without it; others' entries are ignored.
    pub fn insert(&mut self, entry: &VerifiedEntry) {
        let body = entry.body().and_then(|body| Body::decode(&entry.header().kind, &body.bytes).ok());
        self.insert_read(entry.header(), entry.id(), body.as_ref(), entry.body().is_some());
    }

    /// The same for an entry whose body was decoded already; `is_held` tells an opaque body from a missing one.
    pub fn insert_read(&mut self, header: &Header, id: EntryId, body: Option<&Body>, is_held: bool) {
        let is_known = self.entries.contains_key(&id);
        if header.author != self.author || (is_known && !is_held) {
            return;
        }
        let registers: Vec<_> = body.into_iter().flat_map(|body| ranks(body, id)).collect();
        let erases = match body {
            Some(Body::Erase(erase)) if check_erase(&self.author, erase, None).is_ok() => Some(erase.target.entry),
            _ => None,
        };
        let erasable = is_erasable(&header.kind);
        self.insert_known(id, Known { log: header.log, seq: header.seq, erasable, registers, erases });
    }

    /// Takes over what another set of the same identity knows of an entry.
    pub fn insert_from(&mut self, other: &Self, id: &EntryId) {
        if let Some(known) = other.entries.get(id).filter(|_| self.author == other.author) {
            self.insert_known(*id, known.clone());
        }
    }

    fn insert_known(&mut self, id: EntryId, known: Known) {
        self.remove(&id);
        for (key, rank) in &known.registers {
            self.registers.entry(*key).or_default().insert(*rank);
        }
        let erases = known.erases;
        if let Some(target) = erases {
            self.erases.entry(target).or_default().insert(id);
        }
        self.entries.insert(id, known);
        self.restand(&id);
        if let Some(target) = erases {
            self.restand(&target);
        }
    }

    /// Notes whether an entry stands in its registers.
    fn restand(&mut self, id: &EntryId) {
        let is_live = self.is_live(id);
        let Some(known) = self.entries.get(id) else { return };
        for (key, rank) in &known.registers {
            if is_live {
                self.standing.entry(*key).or_default().insert(*rank);
            } else {
                take_rank(&mut self.standing, key, rank);
            }
        }
    }

    /// Takes an entry out, such as one voided by a `device-remove`; an erasure voided so is undone.
    pub fn remove(&mut self, id: &EntryId) {
        let Some(known) = self.entries.remove(id) else { return };
        for (key, rank) in &known.registers {
            take_rank(&mut self.registers, key, rank);
            take_rank(&mut self.standing, key, rank);
        }
        let Some(target) = known.erases else { return };
        if let Some(erases) = self.erases.get_mut(&target) {
            erases.remove(id);
            if erases.is_empty() {
                self.erases.remove(&target);
            }
        }
        self.restand(&target);
    }

    /// Whose entries these are.
    pub fn author(&self) -> &Did {
        &self.author
    }

    /// The log of an entry.
    pub fn log_of(&self, id: &EntryId) -> Option<LogId> {
        self.entries.get(id).map(|known| known.log)
    }

    /// The registers that an entry writes.
    pub fn registers_of(&self, id: &EntryId) -> Vec<RegisterKey> {
        let known = self.entries.get(id).map_or(&[][..], |known| &known.registers);
        known.iter().map(|(key, _)| *key).collect()
    }

    /// What an entry erases.
    pub fn target_of(&self, id: &EntryId) -> Option<EntryId> {
        self.entries.get(id)?.erases
    }

    /// True for an entry that is held and not erased.
    pub fn is_live(&self, id: &EntryId) -> bool {
        self.entries.get(id).is_some_and(|known| !(known.erasable && self.erases.contains_key(id)))
    }

    /// The erases of an entry, held or not; empty where it stands.
    pub fn erased_by(&self, id: &EntryId) -> Vec<EntryId> {
        let structural = self.entries.get(id).is_some_and(|known| !known.erasable);
        let erases = self.erases.get(id).filter(|_| !structural);
        erases.map(|erases| erases.iter().copied().collect()).unwrap_or_default()
    }

    /// The value of a register: the live entry of greatest rank (`LOG-10`).
    pub fn value(&self, key: &RegisterKey) -> Option<EntryId> {
        self.standing.get(key)?.last().map(|rank| rank.entry)
    }

    /// All live values of a register, the one that stands first.
    pub fn live_values(&self, key: &RegisterKey) -> impl Iterator<Item = EntryId> + '_ {
        self.standing.get(key).into_iter().flatten().rev().map(|rank| rank.entry)
    }

    /// The highest revision ever seen of a register, erased or not: what [`super::next_rev`] takes.
    pub fn highest_rev(&self, key: &RegisterKey) -> Option<u64> {
        self.registers.get(key)?.last().map(|rank| rank.rev)
    }

    /// Every register that has a live value, with it.
    pub fn values(&self) -> impl Iterator<Item = (RegisterKey, EntryId)> + '_ {
        self.standing.keys().filter_map(|key| Some((*key, self.value(key)?)))
    }

    /// What the Merkle map of a checkpoint of `log` at `height` holds (`LOG-8`): the live entries of
    /// this log below the height, by register or by id. Erases count that stand in this log below the
    /// height, or in a sibling below the height that `siblings` names.
    pub fn checkpoint_items(&self, log: LogId, height: u64, siblings: &[LogHead]) -> Vec<(Digest, EntryId)> {
        let mut heights: BTreeMap<LogId, u64> = siblings.iter().map(|head| (head.log, head.height)).collect();
        heights.insert(log, height);
        let counts = |id: &EntryId| {
            let known = self.entries.get(id);
            known.is_some_and(|known| heights.get(&known.log).is_some_and(|height| known.seq < *height))
        };
        let is_live =
            |id: &EntryId, known: &Known| !known.erasable || !self.erases.get(id).is_some_and(|e| e.iter().any(counts));
        let mut registers: BTreeMap<RegisterKey, Rank> = BTreeMap::new();
        let mut items = Vec::new();
        for (id, known) in &self.entries {
            if known.log != log || known.seq >= height || !is_live(id, known) {
                continue;
            }
            if known.registers.is_empty() {
                items.push((Digest(id.0), *id));
            }
            for (key, rank) in &known.registers {
                let greatest = registers.entry(*key).or_insert(*rank);
                *greatest = (*greatest).max(*rank);
            }
        }
        items.extend(registers.iter().map(|(key, rank)| (key.digest(&self.author), rank.entry)));
        items
    }
}

fn take_rank(registers: &mut BTreeMap<RegisterKey, BTreeSet<Rank>>, key: &RegisterKey, rank: &Rank) {
    if let Some(ranks) = registers.get_mut(key) {
        ranks.remove(rank);
        if ranks.is_empty() {
            registers.remove(key);
        }
    }
}

fn ranks(body: &Body, entry: EntryId) -> Vec<(RegisterKey, Rank)> {
    let Some(rev) = rev(body) else { return Vec::new() };
    register_keys(body).into_iter().map(|key| (key, Rank { rev, entry })).collect()
}
