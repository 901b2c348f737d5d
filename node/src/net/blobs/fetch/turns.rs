//! Who was slow lately, with whatever blob: such a peer waits its turn, behind all who were not (`BLOB-8`). Pure: time
//! comes in.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Instant;

use libp2p::PeerId;

/// Peers that are remembered: twice as many as can be connected.
const SLOW_MAX: usize = 512;

/// Peers that gave way to others, and when.
#[derive(Debug, Default)]
pub(super) struct Turns {
    slow: BTreeMap<PeerId, Instant>,
}

impl Turns {
    /// A peer gave way.
    pub(super) fn gave_way(&mut self, peer: PeerId, now: Instant) {
        if self.slow.len() >= SLOW_MAX
            && let Some(oldest) = self.slow.iter().min_by_key(|(_, since)| **since).map(|(peer, _)| *peer)
        {
            self.slow.remove(&oldest);
        }
        self.slow.insert(peer, now);
    }

    /// A peer has brought a range and was not slow with it.
    pub(super) fn was_quick(&mut self, peer: &PeerId) {
        self.slow.remove(peer);
    }

    /// Whether a peer waits its turn.
    pub(super) fn waits(&self, peer: &PeerId) -> bool {
        self.slow.contains_key(peer)
    }

    /// Whose turn is sooner: the greater, who was not slow first, then who waits longest.
    pub(super) fn rank(&self, peer: &PeerId) -> impl Ord + use<> {
        Reverse(self.slow.get(peer).copied())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn blob_8_who_was_slow_comes_after_all_who_were_not_and_the_longest_ago_first() {
        let (mut turns, begin) = (Turns::default(), Instant::now());
        let [slow, slower, quick] = [(); 3].map(|()| PeerId::random());
        turns.gave_way(slow, begin);
        turns.gave_way(slower, begin + Duration::from_secs(1));
        assert!(turns.rank(&quick) > turns.rank(&slow) && turns.rank(&slow) > turns.rank(&slower));
        turns.gave_way(slow, begin + Duration::from_secs(2));
        assert!(turns.rank(&slower) > turns.rank(&slow));
        turns.was_quick(&slow);
        assert!(!turns.waits(&slow) && turns.waits(&slower));
        for number in 0..2_000 {
            turns.gave_way(PeerId::random(), begin + Duration::from_secs(number));
            assert!(turns.slow.len() <= SLOW_MAX);
        }
    }
}
