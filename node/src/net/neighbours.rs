//! Which of those that announce themselves on the local network are dialled (`FIND-6`).
//!
//! A pure machine: time comes in. Announcements are not signed and cost nothing, so places are few; and since whoever
//! makes neighbours up could hold all of them, one that did not connect in time makes room for another.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;

/// Neighbours that are dialled at the same time; a home has few (`FIND-6`).
const PLACES: usize = 32;
/// How long a neighbour has to connect before it may have to make room (`FIND-6`).
const TIME_TO_CONNECT: Duration = Duration::from_secs(30);
/// How often those are looked at again for whom there was no room.
pub(super) const AGAIN_EVERY: Duration = Duration::from_secs(10);

/// The neighbours that are dialled.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    since: BTreeMap<PeerId, Instant>,
    /// Where the next look at all that announce themselves begins, so that everybody comes first at some time.
    turn: usize,
}

impl Neighbours {
    /// Whether an announcement is followed. `connected` says who has come so far.
    pub(super) fn admit(&mut self, peer: PeerId, now: Instant, connected: impl Fn(&PeerId) -> bool) -> bool {
        if self.since.contains_key(&peer) {
            return true;
        }
        if self.since.len() >= PLACES {
            let late = |since: &Instant| now.saturating_duration_since(*since) >= TIME_TO_CONNECT;
            let in_vain = self.since.iter().filter(|(peer, since)| late(since) && !connected(peer));
            let Some(longest) = in_vain.min_by_key(|(_, since)| **since).map(|(peer, _)| *peer) else { return false };
            self.since.remove(&longest);
        }
        self.since.insert(peer, now);
        true
    }

    /// Those who do not announce themselves any more.
    pub(super) fn gone(&mut self, peers: impl IntoIterator<Item = PeerId>) {
        for peer in peers {
            self.since.remove(&peer);
        }
    }

    /// Of all that announce themselves those who have no place yet, beginning with others each time.
    pub(super) fn waiting<T>(&mut self, mut announced: Vec<(PeerId, T)>) -> Vec<(PeerId, T)> {
        announced.retain(|(peer, _)| !self.since.contains_key(peer));
        if !announced.is_empty() {
            self.turn = self.turn.wrapping_add(PLACES);
            let first = self.turn % announced.len();
            announced.rotate_left(first);
        }
        announced
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_6_made_up_neighbours_keep_a_true_one_out_for_no_longer_than_they_have_to_connect() {
        let (mut neighbours, now) = (Neighbours::default(), Instant::now());
        let (bob, carol) = (PeerId::random(), PeerId::random());
        assert!(neighbours.admit(bob, now, |_| false));
        let made_up: Vec<PeerId> = (0..100).map(|_| PeerId::random()).collect();
        let taken = made_up.iter().filter(|peer| neighbours.admit(**peer, now, |_| false)).count();
        assert_eq!(taken, PLACES - 1);
        let is_bob = |peer: &PeerId| *peer == bob;
        assert!(!neighbours.admit(carol, now + Duration::from_secs(29), is_bob));
        assert!(neighbours.admit(carol, now + Duration::from_secs(30), is_bob));
        // Whoever has come keeps the place, whatever else is announced.
        let later = now + Duration::from_secs(3_600);
        let have_come = |peer: &PeerId| *peer == bob || *peer == carol;
        for _ in 0..1_000 {
            neighbours.admit(PeerId::random(), later, have_come);
        }
        assert!(neighbours.since.contains_key(&bob) && neighbours.since.contains_key(&carol));
        assert_eq!(neighbours.since.len(), PLACES);
        neighbours.gone([bob]);
        assert!(neighbours.admit(PeerId::random(), later, have_come));
    }

    #[test]
    fn find_6_everybody_who_waits_comes_first_at_some_time() {
        let mut neighbours = Neighbours::default();
        let announced: Vec<(PeerId, ())> = (0..101).map(|_| (PeerId::random(), ())).collect();
        let firsts = (0..101).map(|_| neighbours.waiting(announced.clone())[0].0);
        assert_eq!(firsts.collect::<std::collections::BTreeSet<_>>().len(), 101);
        assert!(neighbours.admit(announced[0].0, Instant::now(), |_| false));
        assert_eq!(neighbours.waiting(announced).len(), 100);
        assert!(neighbours.waiting(Vec::<(PeerId, ())>::new()).is_empty());
    }
}
