//! Places where blobs are served: so few that nobody may hold them all, and nobody hold one for as long as he likes
//! (`BLOB-3`). Pure: time comes in.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use libp2p::PeerId;
use tokio_util::sync::CancellationToken;

use super::pace::Pace;

/// Blobs that are served at the same time.
const SERVED_MAX: usize = 8;
/// Of these, blobs that only somebody is served who is served nothing else.
const SERVED_FIRST: usize = 2;
/// Blobs that one peer is served at the same time.
const SERVED_PER_PEER_MAX: usize = 4;

/// How fast somebody is, as the one who serves him sees it and those who wait.
pub(super) type SharedPace = Arc<Mutex<Pace>>;

/// The places that are taken.
#[derive(Debug, Default)]
pub(super) struct Places {
    taken: BTreeMap<u64, Place>,
    next: u64,
}

/// One place that is taken.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// By whom.
    peer: PeerId,
    /// How fast he takes what he is served.
    pub(super) pace: SharedPace,
    /// Ends when the place is another's.
    pub(super) lost: CancellationToken,
}

impl Places {
    /// A place for a peer, with its number. Where none is free, somebody loses his who is slow and has more of them
    /// than this peer; none where nobody is.
    pub(super) fn take(&mut self, peer: PeerId, now: Instant) -> Option<(u64, Place)> {
        let own = self.held_by(&peer);
        let most = if own == 0 { SERVED_MAX } else { SERVED_MAX - SERVED_FIRST };
        if own >= SERVED_PER_PEER_MAX {
            return None;
        }
        if self.taken.len() >= most {
            let slow = |place: &Place| place.pace().is_slow(now) && self.held_by(&place.peer) > own;
            let losers = self.taken.iter().filter(|(_, place)| place.peer != peer && slow(place));
            let loser = *losers.min_by_key(|(_, place)| place.pace().per_second(now))?.0;
            self.taken.remove(&loser)?.lost.cancel();
        }
        let (number, place) = (self.next, Place { peer, pace: SharedPace::default(), lost: CancellationToken::new() });
        self.next += 1;
        place.pace().wait(now);
        self.taken.insert(number, place.clone());
        Some((number, place))
    }

    /// The place is free, if it was not lost before.
    pub(super) fn give_back(&mut self, number: u64) {
        self.taken.remove(&number);
    }

    fn held_by(&self, peer: &PeerId) -> usize {
        self.taken.values().filter(|place| place.peer == *peer).count()
    }
}

impl Place {
    /// How fast he who has it is.
    pub(super) fn pace(&self) -> MutexGuard<'_, Pace> {
        self.pace.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn peers<const N: usize>() -> [PeerId; N] {
        std::array::from_fn(|_| PeerId::random())
    }

    #[test]
    fn blob_3_two_peers_that_read_slowly_leave_places_and_lose_theirs_to_who_has_none() {
        let (now, [one, two, alice, bob, carol]) = (Instant::now(), peers());
        let mut places = Places::default();
        let held: Vec<Place> = [one, one, one, one, one, two, two, two]
            .into_iter()
            .filter_map(|peer| places.take(peer, now))
            .map(|(_, place)| place)
            .collect();
        assert_eq!((places.held_by(&one), places.held_by(&two)), (4, 2), "BLOB-3: two places are for others");
        assert!(places.take(alice, now).is_some() && places.take(bob, now).is_some());
        assert!(places.take(carol, now).is_none(), "all are taken, and nobody is slow yet");
        let later = now + Duration::from_secs(5);
        held[1..].iter().for_each(|place| place.pace().moved(1_000_000, later));
        assert!(places.take(carol, later).is_some());
        assert!(held[0].lost.is_cancelled() && !held[1].lost.is_cancelled(), "the slow one gives way");
        assert!(places.take(alice, later).is_none(), "who has one takes none from who has one");
    }

    #[test]
    fn blob_3_who_has_as_many_places_as_a_slow_one_takes_none_from_him() {
        let (now, all) = (Instant::now(), peers::<9>());
        let mut places = Places::default();
        let numbers: Vec<u64> = all[..8].iter().map(|peer| places.take(*peer, now).unwrap().0).collect();
        let later = now + Duration::from_secs(60);
        assert!(places.take(all[0], later).is_none());
        assert!(places.take(all[8], later).is_some(), "who has none does");
        numbers.iter().for_each(|number| places.give_back(*number));
        assert_eq!((places.taken.len(), places.held_by(&all[8])), (1, 1));
    }
}
