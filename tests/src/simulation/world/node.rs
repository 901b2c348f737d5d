//! One node: whom it wants, when it is awake, what it holds, with whom it has streams.

use std::collections::BTreeMap;

use super::super::links::Spot;
use super::super::plan::Mallory;
use super::super::rhythm::Rhythm;
use super::super::store::Store;
use super::streams::EndId;

/// How long a peer that broke a rule is not spoken to, the first time (`SYN-22`).
const PENALTY_MS: u64 = 30_000;
/// And at most.
const PENALTY_MS_MAX: u64 = 3_600_000;

/// A node.
pub(in crate::simulation) struct Node {
    pub(in crate::simulation) number: u32,
    pub(in crate::simulation) mallory: Option<Mallory>,
    /// Mallory tries to cut it off from the others.
    pub(in crate::simulation) is_victim: bool,
    pub(in crate::simulation) follows: Vec<u32>,
    pub(in crate::simulation) keeps: Vec<u32>,
    /// Who is named in the table for its author, besides itself: keepers, and who says so.
    pub(in crate::simulation) keepers: Vec<u32>,
    pub(in crate::simulation) rhythm: Rhythm,
    pub(in crate::simulation) spot: Spot,
    pub(in crate::simulation) epoch: u64,
    pub(in crate::simulation) store: Store,
    pub(in crate::simulation) is_awake: bool,
    /// How often it has woken.
    pub(in crate::simulation) round: u64,
    /// The stream with each peer.
    pub(in crate::simulation) streams: BTreeMap<u32, EndId>,
    /// How many of them it dialled itself.
    pub(in crate::simulation) dialled: usize,
    /// Peers that broke rules: until when they are not spoken to, and how often it was so.
    penalties: BTreeMap<u32, (u64, u32)>,
    /// When the table was last asked for an author.
    pub(in crate::simulation) searched_ms: BTreeMap<u32, u64>,
}

impl Node {
    pub(super) fn new(number: u32, follows: Vec<u32>, rhythm: Rhythm, spot: Spot, epoch: u64) -> Self {
        Self {
            number,
            mallory: None,
            is_victim: false,
            follows,
            keeps: Vec::new(),
            keepers: Vec::new(),
            rhythm,
            spot,
            epoch,
            store: Store::default(),
            is_awake: false,
            round: 0,
            streams: BTreeMap::new(),
            dialled: 0,
            penalties: BTreeMap::new(),
            searched_ms: BTreeMap::new(),
        }
    }

    /// Notes that a peer broke a rule.
    pub(super) fn punish(&mut self, peer: u32, now_ms: u64) {
        let (until, times) = self.penalties.entry(peer).or_default();
        *until = now_ms + (PENALTY_MS << (*times).min(20)).min(PENALTY_MS_MAX);
        *times += 1;
    }

    /// True if this peer is not spoken to now.
    pub(super) fn shuns(&self, peer: u32, now_ms: u64) -> bool {
        self.penalties.get(&peer).is_some_and(|(until, _)| now_ms < *until)
    }
}
