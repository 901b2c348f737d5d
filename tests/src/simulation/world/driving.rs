//! Who is dialled, and when: a model of what the driver of a node does, by `SYN-20`, `SYN-22`, `FIND-5`, `KEEP-4`.

use super::World;
use super::queue::Event;
use crate::simulation::dice::between;
use crate::simulation::plan::Mallory;

/// Connections in each direction, as in a node.
pub(super) const PLACES: usize = 128;
/// How often a node looks whom it misses.
const REVIEW_MS: u64 = 60_000;
/// How often the table is asked for one author.
const SEARCH_MS: u64 = 600_000;
/// So many of those whom the table names are dialled (`FIND-5`).
const NAMED_MAX: usize = 8;

impl World {
    pub(super) fn wake(&mut self, node: u32) {
        let woken = &mut self.nodes[node as usize];
        if woken.is_awake {
            return;
        }
        woken.is_awake = true;
        woken.round += 1;
        woken.searched_ms.clear();
        let round = woken.round;
        self.review(node, round);
    }

    /// Half of those who stop say so; of the others the peers find out by silence.
    pub(super) fn sleep(&mut self, node: u32) {
        if !self.nodes[node as usize].is_awake {
            return;
        }
        self.nodes[node as usize].is_awake = false;
        let says_so = self.random.chance(50);
        let ends: Vec<_> = self.nodes[node as usize].streams.values().copied().collect();
        for end in ends {
            self.lose(end, says_so);
        }
    }

    /// Has a node look again soon, such as after a stream has ended.
    pub(super) fn review_soon(&mut self, node: u32) {
        let woken = &self.nodes[node as usize];
        if woken.is_awake {
            let (round, wait) = (woken.round, between(&mut self.random, 1_000, 5_000));
            self.schedule(self.now_ms + wait, Event::Dial { node, round });
        }
    }

    pub(super) fn review(&mut self, node: u32, round: u64) {
        if self.nodes[node as usize].is_awake && self.nodes[node as usize].round == round {
            self.dial_missing(node, round);
            let wait = between(&mut self.random, REVIEW_MS / 2, REVIEW_MS * 3 / 2);
            self.schedule(self.now_ms + wait, Event::Review { node, round });
        }
    }

    pub(super) fn dial_missing(&mut self, node: u32, round: u64) {
        let here = &self.nodes[node as usize];
        if !here.is_awake || here.round != round {
            return;
        }
        let wanted: Vec<u32> = here.follows.iter().chain(&here.keeps).copied().collect();
        for author in wanted {
            if !self.dial(node, author) {
                self.search(node, author);
            }
        }
        if self.nodes[node as usize].mallory == Some(Mallory::Eclipses) {
            self.crowd_victims(node);
        }
    }

    /// Looks for an author who is not there, unless one of its keepers is connected.
    fn search(&mut self, node: u32, author: u32) {
        let named = &self.nodes[author as usize].keepers;
        let here = &self.nodes[node as usize];
        let is_due = here.searched_ms.get(&author).is_none_or(|at| self.now_ms >= at + SEARCH_MS);
        if !is_due {
            return;
        }
        let mut named: Vec<u32> = named.iter().copied().filter(|named| *named != node).collect();
        for at in (1..named.len()).rev() {
            named.swap(at, self.random.below(at as u64 + 1) as usize);
        }
        self.nodes[node as usize].searched_ms.insert(author, self.now_ms);
        for named in named.into_iter().take(NAMED_MAX) {
            self.dial(node, named);
        }
    }

    /// Dials, where that may come to something; true if there is or will be a stream.
    pub(super) fn dial(&mut self, from: u32, to: u32) -> bool {
        if self.nodes[from as usize].streams.contains_key(&to) {
            return true;
        }
        if !self.may_meet(from, to) {
            return false;
        }
        let (here, there) = (self.nodes[from as usize].spot, self.nodes[to as usize].spot);
        // Connecting and encrypting take two ways there and back.
        let takes: u64 = (0..4).map(|_| here.delay_ms(there, 0, &mut self.random)).sum();
        self.schedule(self.now_ms + takes, Event::Dialled { from, to });
        true
    }

    pub(super) fn dialled(&mut self, from: u32, to: u32) {
        if self.may_meet(from, to) && !self.nodes[from as usize].streams.contains_key(&to) {
            self.open(from, to);
        }
    }

    fn may_meet(&self, from: u32, to: u32) -> bool {
        let (here, there) = (&self.nodes[from as usize], &self.nodes[to as usize]);
        let taken = there.streams.len() - there.dialled;
        from != to
            && here.is_awake
            && there.is_awake
            && here.dialled < PLACES
            && taken < PLACES
            && !here.shuns(to, self.now_ms)
            && !there.shuns(from, self.now_ms)
    }
}
