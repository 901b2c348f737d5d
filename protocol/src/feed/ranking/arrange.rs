//! Caps and mixes (`ALG-9`): position by position, whom the rules let stand there.

use std::collections::BTreeMap;

use super::{Candidate, Ranked};
use crate::feed::document::{Cap, CapBy, Mix};
use crate::limits::FEED_POSITIONS_MAX;

/// Puts items, which are in the order of their score, into the order in which they are shown.
pub(super) fn arrange(items: Vec<Ranked>, candidates: &[Candidate], caps: &[Cap], mixes: &[Mix]) -> Vec<Ranked> {
    if caps.is_empty() && mixes.is_empty() {
        return items;
    }
    let mut table = Table::new(items, candidates, caps, mixes);
    while table.placed.len() < FEED_POSITIONS_MAX && table.place_next() {}
    table.finish()
}

/// Items that wait, and those that have their place.
struct Table<'a> {
    items: Vec<Ranked>,
    /// Which of them still wait.
    waits: Vec<bool>,
    /// The first item that waits.
    first: usize,
    /// Which sources each item came from.
    sources: Vec<u8>,
    placed: Vec<usize>,
    caps: Vec<Counted<'a>>,
    mixes: &'a [Mix],
}

/// A cap, with the number of the author or thread of each item, and how many of each stand in the window.
struct Counted<'a> {
    cap: &'a Cap,
    groups: Vec<usize>,
    in_window: Vec<u32>,
}

impl<'a> Table<'a> {
    fn new(items: Vec<Ranked>, candidates: &[Candidate], caps: &'a [Cap], mixes: &'a [Mix]) -> Self {
        let candidates = || items.iter().map(|item| &candidates[item.candidate]);
        let counted = |cap: &'a Cap| {
            let groups = match cap.by {
                CapBy::Author => number(candidates().map(|candidate| *candidate.author.as_bytes())),
                CapBy::Thread => number(candidates().map(|candidate| *candidate.thread.as_bytes())),
            };
            let in_window = vec![0; groups.iter().max().map_or(0, |group| group + 1)];
            Counted { cap, groups, in_window }
        };
        let caps = caps.iter().map(counted).collect();
        let sources = candidates().map(|candidate| candidate.sources).collect();
        let waits = vec![true; items.len()];
        Self { items, waits, first: 0, sources, placed: Vec::new(), caps, mixes }
    }

    /// Fills the next position; false where nothing waits.
    fn place_next(&mut self) -> bool {
        while self.waits.get(self.first).is_some_and(|waits| !waits) {
            self.first += 1;
        }
        if self.first == self.items.len() {
            return false;
        }
        let (at, lifted_by, against_cap) = self.choose();
        self.hold_before(at);
        self.put(at, lifted_by, against_cap);
        true
    }

    /// What stands at the next position, the mix that brought it before another, and whether a cap speaks against it.
    fn choose(&self) -> (usize, Option<usize>, bool) {
        let free = self.waiting().find(|at| self.holding(*at).is_none());
        for (place, mix) in self.mixes.iter().enumerate().filter(|(_, mix)| self.is_due(mix)) {
            let found = self.waiting().find(|at| self.is_from(*at, mix) && self.holding(*at).is_none());
            if let Some(at) = found {
                return (at, (Some(at) != free).then_some(place), false);
            }
        }
        (free.unwrap_or(self.first), None, free.is_none())
    }

    fn waiting(&self) -> impl Iterator<Item = usize> {
        (self.first..self.items.len()).filter(|at| self.waits[*at])
    }

    /// True where the share of a mix wants one of its items at the next position: after k of a block of `of`,
    /// k * min / of must stand there, rounded down.
    fn is_due(&self, mix: &Mix) -> bool {
        let of = mix.of as usize;
        let in_block = self.placed.len() % of;
        let block = &self.placed[self.placed.len() - in_block..];
        let taken = block.iter().filter(|at| self.is_from(**at, mix)).count();
        taken < (in_block + 1) * mix.min as usize / of
    }

    fn is_from(&self, at: usize, mix: &Mix) -> bool {
        self.sources[at] >> mix.source & 1 == 1
    }

    /// The first cap that an item would break at the next position.
    fn holding(&self, at: usize) -> Option<usize> {
        self.caps.iter().position(|counted| counted.in_window[counted.groups[at]] >= counted.cap.max)
    }

    /// Notes on everything that waits before an item why it is held back.
    fn hold_before(&mut self, at: usize) {
        for held in self.first..at {
            let by = self.holding(held);
            let moved = &mut self.items[held].moved;
            if self.waits[held] && moved.held_by.is_none() {
                moved.held_by = by;
            }
        }
    }

    fn put(&mut self, at: usize, lifted_by: Option<usize>, against_cap: bool) {
        let moved = &mut self.items[at].moved;
        (moved.lifted_by, moved.against_cap) = (lifted_by, against_cap);
        self.waits[at] = false;
        self.placed.push(at);
        for counted in &mut self.caps {
            counted.in_window[counted.groups[at]] += 1;
            // What stands `of` positions before the next one leaves the window of those that come.
            let leaves = self.placed.len().checked_sub(counted.cap.of as usize);
            if let Some(leaving) = leaves.map(|before| self.placed[before]) {
                counted.in_window[counted.groups[leaving]] -= 1;
            }
        }
    }

    /// The placed items, and what still waits behind them.
    fn finish(self) -> Vec<Ranked> {
        let rest = (0..self.items.len()).filter(|at| self.waits[*at]);
        let order: Vec<usize> = self.placed.iter().copied().chain(rest).collect();
        let mut items: Vec<_> = self.items.into_iter().map(Some).collect();
        order.into_iter().filter_map(|at| items[at].take()).collect()
    }
}

/// Numbers equal keys equally, from 0.
fn number(keys: impl Iterator<Item = [u8; 32]>) -> Vec<usize> {
    let mut known = BTreeMap::new();
    keys.map(|key| {
        let next = known.len();
        *known.entry(key).or_insert(next)
    })
    .collect()
}
