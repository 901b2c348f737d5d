//! Forks: two headers of one log at one place. Kept as proof, shown as disputed, decided by anchors.
//!
//! Everything below the fork stands; nobody's account is lost for it, and no other log is touched.

mod proof;

pub use proof::{Branch, Fork, ForkError, ForkProof};

use crate::body::LogHead;
use crate::entry::VerifiedEntry;
use crate::ids::{Digest, LogId};

/// Where a log forks: the lowest place that has two headers (`LOG-13`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForkPoint {
    /// The log.
    pub log: LogId,
    /// The place.
    pub seq: u64,
    /// The header that both branches stand on; none at 0.
    pub prev: Option<Digest>,
}

/// Compares an offered entry with the one held at its place. A fork point comes out where both stand
/// on one predecessor; where they differ further below, the fork is further below too (`LOG-13`).
///
/// Both must be verified, so that nobody can make another's log look forked.
pub fn detect(held: &VerifiedEntry, offered: &VerifiedEntry) -> Option<ForkPoint> {
    let (ours, theirs) = (held.header(), offered.header());
    let same_place = ours.log == theirs.log && ours.seq == theirs.seq && ours.prev == theirs.prev;
    let forked = same_place && held.id() != offered.id();
    forked.then_some(ForkPoint { log: ours.log, seq: ours.seq, prev: ours.prev })
}

/// How much an anchor weighs: control keys outrank sibling devices.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum AnchorStrength {
    /// A valid checkpoint of another live device of the identity.
    Sibling,
    /// A `settle` or `device-remove` of the identity log.
    Control,
}

/// A head that someone of weight named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Anchor {
    /// Who named it.
    pub strength: AnchorStrength,
    /// What was named.
    pub head: LogHead,
}

/// A branch, as far as it is held.
pub trait BranchHashes {
    /// The hash of the branch's header at `seq`, at or above the fork.
    fn hash_at(&self, seq: u64) -> Option<Digest>;
}

/// What is to be made of a forked log, from the fork up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No anchor decides: the branch seen first is shown as disputed, and enters no count or receipt.
    Disputed,
    /// This branch stands below `height`; nothing else from the fork up counts.
    Decided {
        /// Its index.
        branch: usize,
        /// How many entries of the log stand.
        height: u64,
    },
    /// An anchor decides for a branch that is not held: it must be fetched; until then it is as disputed.
    Elsewhere {
        /// The head to fetch.
        head: LogHead,
    },
}

/// Decides a fork of the log at `point` by the anchors known (`LOG-13`); their order does not matter.
///
/// The strongest anchors above the fork decide, if all of them that are held lie on one branch.
pub fn resolve(point: &ForkPoint, branches: &[&dyn BranchHashes], anchors: &[Anchor]) -> Verdict {
    let bears = |anchor: &&Anchor| anchor.head.log == point.log && anchor.head.height > point.seq;
    let bearing: Vec<&Anchor> = anchors.iter().filter(bears).collect();
    let Some(strongest) = bearing.iter().map(|anchor| anchor.strength).max() else {
        return Verdict::Disputed;
    };
    let named = |branch: usize, head: &LogHead| {
        head.height.checked_sub(1).and_then(|seq| branches[branch].hash_at(seq)) == Some(head.head)
    };
    let (mut decided, mut missing) = (None, None);
    for anchor in bearing.iter().filter(|anchor| anchor.strength == strongest) {
        match (0..branches.len()).find(|branch| named(*branch, &anchor.head)) {
            Some(branch) if decided.is_some_and(|other| other != branch) => return Verdict::Disputed,
            Some(branch) => decided = Some(branch),
            None => missing = missing.max(Some((anchor.head.height, anchor.head.head))),
        }
    }
    let Some(branch) = decided else {
        let elsewhere = |(height, head)| Verdict::Elsewhere { head: LogHead { log: point.log, height, head } };
        return missing.map_or(Verdict::Disputed, elsewhere);
    };
    let on_branch = bearing.iter().filter(|anchor| named(branch, &anchor.head));
    let height = on_branch.map(|anchor| anchor.head.height).max().unwrap_or(point.seq);
    Verdict::Decided { branch, height }
}
