//! At which relays a node that can't be reached keeps a reservation, and when it asks again (`RCH-7`). A pure machine.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;

/// Relays at which a reservation is kept at the same time (`RCH-7`).
pub(in crate::net) const RELAYS_MAX: usize = 3;
/// The shortest and the longest time for which a relay is believed to keep a reservation, whatever it says (`RCH-7`).
const KEPT: (Duration, Duration) = (Duration::from_secs(120), Duration::from_secs(7_200));
/// How long a relay that refused is left alone; it doubles (`RCH-7`).
const REFUSED: Duration = Duration::from_secs(5);
/// The longest time for which one is left alone.
const REFUSED_MAX: Duration = Duration::from_secs(3_600);
/// Relays that are remembered; of others it is forgotten that they refused.
const REMEMBERED_MAX: usize = 256;
/// How long a node must be reachable without relays before it gives them up.
const RELEASE_AFTER: Duration = Duration::from_secs(60);

/// A connected peer that relays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::net) struct Candidate {
    /// Which.
    pub(in crate::net) peer: PeerId,
    /// It speaks for somebody who is wanted here: those come first.
    pub(in crate::net) known: bool,
}

#[derive(Debug)]
struct Relay {
    state: State,
    failures: u32,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Asked { held_since: Option<Instant> },
    Held { since: Instant, renew_at: Instant, ends: Instant },
    Refused { until: Instant },
}

/// The choice.
#[derive(Debug, Default)]
pub(in crate::net) struct Choice {
    relays: BTreeMap<PeerId, Relay>,
    unneeded_since: Option<Instant>,
}

impl Choice {
    /// The relays to ask now. `needed` says whether this node can't be reached otherwise.
    pub(in crate::net) fn due(&mut self, needed: bool, candidates: &[Candidate], now: Instant) -> Vec<PeerId> {
        if !needed {
            self.unneeded_since.get_or_insert(now);
            return Vec::new();
        }
        self.unneeded_since = None;
        self.forget(now);
        let mut due = Vec::new();
        for (peer, relay) in &mut self.relays {
            if let State::Held { since, renew_at, .. } = relay.state
                && renew_at <= now
            {
                relay.state = State::Asked { held_since: Some(since) };
                due.push(*peer);
            }
        }
        let mut free = RELAYS_MAX.saturating_sub(self.taken());
        let mut candidates: Vec<&Candidate> = candidates.iter().collect();
        candidates.sort_by_key(|candidate| (!candidate.known, candidate.peer));
        for candidate in candidates {
            let may = match self.relays.get(&candidate.peer).map(|relay| relay.state) {
                None => true,
                Some(State::Refused { until }) => until <= now,
                Some(_) => false,
            };
            if may && free > 0 {
                free -= 1;
                due.push(candidate.peer);
                let asked = State::Asked { held_since: None };
                self.relays.entry(candidate.peer).or_insert(Relay { state: asked, failures: 0 }).state = asked;
            }
        }
        due
    }

    /// A relay keeps a reservation for so long, as it says. True if it is a new one.
    pub(in crate::net) fn kept(&mut self, peer: &PeerId, said: Duration, now: Instant) -> bool {
        let Some(relay) = self.relays.get_mut(peer) else { return false };
        let State::Asked { held_since } = relay.state else { return false };
        let lasts = said.clamp(KEPT.0, KEPT.1);
        let since = held_since.unwrap_or(now);
        relay.state = State::Held { since, renew_at: now + lasts / 4 * 3, ends: now + lasts };
        held_since.is_none()
    }

    /// A relay keeps no reservation, or no longer.
    pub(in crate::net) fn refused(&mut self, peer: &PeerId, now: Instant) {
        let Some(relay) = self.relays.get_mut(peer) else { return };
        let since = match relay.state {
            State::Held { since, .. } => Some(since),
            State::Asked { held_since } => held_since,
            State::Refused { .. } => return,
        };
        // One that has kept its word for a while begins anew.
        let kept_its_word = since.is_some_and(|since| now.saturating_duration_since(since) >= KEPT.0);
        relay.failures = if kept_its_word { 1 } else { relay.failures.saturating_add(1) };
        let wait = (REFUSED * (1 << (relay.failures - 1).min(10))).min(REFUSED_MAX);
        relay.state = State::Refused { until: now + wait };
    }

    /// The reservations that are given up now: they have run out, or are not needed any more.
    pub(in crate::net) fn released(&mut self, now: Instant) -> Vec<PeerId> {
        let unneeded = self.unneeded_since.is_some_and(|since| now.saturating_duration_since(since) >= RELEASE_AFTER);
        let over = |relay: &Relay| matches!(relay.state, State::Held { ends, .. } if unneeded || ends <= now);
        let released: Vec<PeerId> =
            self.relays.iter().filter(|(_, relay)| over(relay)).map(|(peer, _)| *peer).collect();
        for peer in &released {
            self.relays.remove(peer);
        }
        released
    }

    /// Where reservations are kept.
    pub(in crate::net) fn held(&self) -> Vec<PeerId> {
        let holds = |relay: &Relay| match relay.state {
            State::Held { .. } => true,
            State::Asked { held_since } => held_since.is_some(),
            State::Refused { .. } => false,
        };
        self.relays.iter().filter(|(_, relay)| holds(relay)).map(|(peer, _)| *peer).collect()
    }

    fn taken(&self) -> usize {
        self.relays.values().filter(|relay| !matches!(relay.state, State::Refused { .. })).count()
    }

    /// Forgets who refused long ago, and whom it takes to keep within bounds.
    fn forget(&mut self, now: Instant) {
        let refused = |relay: &Relay| match relay.state {
            State::Refused { until } => Some(until),
            _ => None,
        };
        let long_ago = |until: Instant| now.saturating_duration_since(until) >= REFUSED_MAX;
        self.relays.retain(|_, relay| !refused(relay).is_some_and(long_ago));
        while self.relays.len() > REMEMBERED_MAX {
            let oldest = self.relays.iter().filter_map(|(peer, relay)| Some((refused(relay)?, *peer))).min();
            let Some((_, oldest)) = oldest else { return };
            self.relays.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidates(known: bool, count: usize) -> Vec<Candidate> {
        (0..count).map(|_| Candidate { peer: PeerId::random(), known }).collect()
    }

    #[test]
    fn rch_7_three_relays_are_asked_acquaintances_first_and_none_where_none_is_needed() {
        let (mut choice, now) = (Choice::default(), Instant::now());
        let mut all = candidates(false, 10);
        let friends = candidates(true, 2);
        all.extend(&friends);
        assert_eq!(choice.due(false, &all, now), []);
        let asked = choice.due(true, &all, now);
        assert_eq!(asked.len(), RELAYS_MAX, "RCH-7");
        assert!(friends.iter().all(|friend| asked.contains(&friend.peer)));
        assert_eq!(choice.due(true, &all, now), [], "they have not answered yet");
        assert!(asked.iter().all(|relay| choice.kept(relay, Duration::from_secs(3_600), now)));
        assert_eq!(choice.held().len(), RELAYS_MAX);
        assert_eq!(choice.due(true, &all, now), []);
    }

    #[test]
    fn rch_7_a_relay_that_lies_about_time_is_asked_neither_without_pause_nor_never_again() {
        for (said, soonest, latest) in [(0, 90, 120), (u64::MAX, 5_400, 7_200)] {
            let (mut choice, now) = (Choice::default(), Instant::now());
            let relays = candidates(true, 1);
            let peer = choice.due(true, &relays, now).remove(0);
            assert!(choice.kept(&peer, Duration::from_secs(said), now));
            assert_eq!(choice.due(true, &relays, now + Duration::from_secs(soonest - 1)), []);
            assert_eq!(choice.due(true, &relays, now + Duration::from_secs(soonest)), [peer]);
            assert!(!choice.kept(&peer, Duration::from_secs(said), now), "the same reservation");
            assert_eq!(choice.held(), [peer]);
            assert_eq!(choice.released(now + Duration::from_secs(latest)), [peer], "it has run out");
        }
    }

    #[test]
    fn rch_7_a_relay_that_refuses_or_is_lost_is_asked_ever_more_slowly_and_another_in_its_place() {
        let (mut choice, mut now) = (Choice::default(), Instant::now());
        let relays = candidates(true, 1);
        let mut waits = Vec::new();
        for _ in 0..12 {
            let peer = choice.due(true, &relays, now).remove(0);
            choice.refused(&peer, now);
            let before = now;
            while choice.due(true, &[], now).is_empty() && !may(&choice, &peer, now) {
                now += Duration::from_secs(1);
            }
            waits.push(now - before);
        }
        assert!(waits.is_sorted() && waits[0] == REFUSED && waits[11] == REFUSED_MAX, "{waits:?}");
        let many = candidates(false, 4);
        let all: Vec<Candidate> = relays.iter().chain(&many).copied().collect();
        let asked = choice.due(true, &all, now);
        choice.refused(&asked[0], now);
        let next = choice.due(true, &all, now);
        assert!(next.len() == 1 && !asked.contains(&next[0]));
    }

    fn may(choice: &Choice, peer: &PeerId, now: Instant) -> bool {
        matches!(choice.relays[peer].state, State::Refused { until } if until <= now)
    }

    #[test]
    fn rch_7_relays_that_come_and_refuse_without_end_are_forgotten() {
        let (mut choice, now) = (Choice::default(), Instant::now());
        for _ in 0..REMEMBERED_MAX * 3 {
            for peer in choice.due(true, &candidates(false, 1), now) {
                choice.refused(&peer, now);
            }
        }
        assert!(choice.relays.len() <= REMEMBERED_MAX + RELAYS_MAX);
    }

    #[test]
    fn rch_7_who_becomes_reachable_gives_its_reservations_up_after_a_while() {
        let (mut choice, now) = (Choice::default(), Instant::now());
        let peer = choice.due(true, &candidates(true, 1), now).remove(0);
        choice.kept(&peer, Duration::from_secs(3_600), now);
        choice.due(false, &[], now);
        assert_eq!(choice.released(now + RELEASE_AFTER / 2), []);
        choice.due(true, &[], now + RELEASE_AFTER / 2);
        choice.due(false, &[], now + RELEASE_AFTER);
        assert_eq!(choice.released(now + RELEASE_AFTER), [], "it was not reachable in between");
        assert_eq!(choice.released(now + RELEASE_AFTER * 2), [peer]);
    }
}
