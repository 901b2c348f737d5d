//! Who talks with whom: one sync stream for each pair of connected peers.
//!
//! A pure machine. Who has dialled opens the stream; the other opens one only where it knows the peer and none
//! came for a while. Where two meet, the one that the lower id opened stays (`SYN-22`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use libp2p::PeerId;
use tokio_util::sync::CancellationToken;

use super::backoff::{Before, delay};

/// How long a peer that was dialled waits for a stream before it opens one.
const GRACE: Duration = Duration::from_secs(1);
/// A stream that held for this long was no failure, whatever ended it.
const HELD: Duration = Duration::from_secs(10);
/// A stream that this side opened so recently is not given up for one that comes in.
const FRESH: Duration = Duration::from_secs(2);
/// Streams that one peer may open in one [`WINDOW`] (`R-SYN-11`).
const STREAMS_MAX: u32 = 60;
/// The time over which streams are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// Which side of a new connection opens the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// This one, at once: it has dialled to talk.
    Here,
    /// The peer; this one only where it does not come, since it knows the peer.
    ThereOrHere,
    /// The peer, if at all: nothing is wanted of it.
    There,
}

impl Opening {
    fn wait(self) -> Option<Duration> {
        match self {
            Self::Here => Some(Duration::ZERO),
            Self::ThereOrHere => Some(GRACE),
            Self::There => None,
        }
    }
}

/// A conversation under way, or a stream for one that is being opened.
#[derive(Debug)]
struct Running {
    number: u64,
    outgoing: bool,
    since: Instant,
    stop: CancellationToken,
}

/// Streams with one peer.
#[derive(Debug, Default)]
struct Pair {
    connected: bool,
    running: Option<Running>,
    /// How long this side waits before it opens a stream; none where the peer must.
    opens: Option<Duration>,
    /// When this side opens a stream, if none runs by then.
    open_at: Option<Instant>,
    failures: u32,
    streams: Option<(Instant, u32)>,
}

/// All pairs.
#[derive(Debug)]
pub(super) struct Sessions {
    own: PeerId,
    pairs: BTreeMap<PeerId, Pair>,
    numbers: u64,
    stop: CancellationToken,
}

/// What a new conversation runs under.
#[derive(Debug, Clone)]
pub(super) struct Permit {
    /// Tells it from earlier ones with the same peer.
    pub(super) number: u64,
    /// Ends it.
    pub(super) stop: CancellationToken,
}

impl Sessions {
    /// None yet; `stop` ends them all.
    pub(super) fn new(own: PeerId, stop: CancellationToken) -> Self {
        Self { own, pairs: BTreeMap::new(), numbers: 0, stop }
    }

    /// A peer is connected.
    pub(super) fn connected(&mut self, peer: PeerId, opening: Opening, now: Instant) {
        let pair = self.pairs.entry(peer).or_default();
        pair.connected = true;
        pair.opens = match (pair.opens, opening.wait()) {
            (Some(before), Some(wait)) => Some(before.min(wait)),
            (before, wait) => before.or(wait),
        };
        if pair.running.is_none() {
            pair.open_at = pair.opens.map(|wait| now + wait);
        }
    }

    /// This node wants to talk with a peer; a stream is opened at once if it is connected and none runs.
    pub(super) fn want(&mut self, peer: &PeerId, now: Instant) {
        let Some(pair) = self.pairs.get_mut(peer).filter(|pair| pair.connected) else { return };
        pair.opens = Some(Duration::ZERO);
        if pair.running.is_none() && pair.open_at.is_none() {
            pair.open_at = Some(now);
        }
    }

    /// No connection to a peer is left.
    pub(super) fn disconnected(&mut self, peer: &PeerId) {
        if let Some(pair) = self.pairs.get_mut(peer) {
            pair.connected = false;
            (pair.opens, pair.open_at) = (None, None);
            if let Some(running) = pair.running.take() {
                running.stop.cancel();
            }
        }
    }

    /// The peers to which a stream is to be opened now.
    pub(super) fn due(&mut self, now: Instant) -> Vec<(PeerId, Permit)> {
        let is_due = |pair: &Pair| pair.running.is_none() && pair.open_at.is_some_and(|at| at <= now);
        let due: Vec<PeerId> = self.pairs.iter().filter(|(_, pair)| is_due(pair)).map(|(peer, _)| *peer).collect();
        due.into_iter().map(|peer| (peer, self.begin(peer, true, now))).collect()
    }

    /// A peer has opened a stream; none if it is not taken.
    pub(super) fn accept(&mut self, peer: PeerId, now: Instant) -> Option<Permit> {
        let opener = self.own < peer;
        let pair = self.pairs.entry(peer).or_default();
        let (since, count) = pair.streams.filter(|(since, _)| now - *since < WINDOW).unwrap_or((now, 0));
        let keep_own = |running: &Running| opener && running.outgoing && now - running.since < FRESH;
        if count >= STREAMS_MAX || pair.running.as_ref().is_some_and(keep_own) {
            return None;
        }
        pair.streams = Some((since, count + 1));
        pair.opens.get_or_insert(GRACE);
        Some(self.begin(peer, false, now))
    }

    /// A conversation has ended; `again` if it is to be held again at once.
    pub(super) fn ended(&mut self, peer: &PeerId, number: u64, again: bool, now: Instant) {
        // Where both sides want to open, the higher id gives the lower one a while: else each could end the other's.
        let turn = if self.own < *peer { Duration::ZERO } else { GRACE };
        let Some(pair) = self.pairs.get_mut(peer) else { return };
        let Some(running) = pair.running.take_if(|running| running.number == number) else { return };
        let held = again || now.saturating_duration_since(running.since) > HELD;
        pair.failures = if held { 0 } else { pair.failures.saturating_add(1) };
        let backoff = if held { Duration::ZERO } else { delay(pair.failures, Before::Known) };
        if pair.connected {
            pair.open_at = pair.opens.map(|wait| now + wait.max(turn) + backoff);
        } else if pair.failures == 0 {
            self.pairs.remove(peer);
        }
    }

    /// Forgets peers that are gone; their counts start anew.
    pub(super) fn forget(&mut self, peer: &PeerId) {
        self.pairs.remove(peer);
    }

    fn begin(&mut self, peer: PeerId, outgoing: bool, now: Instant) -> Permit {
        self.numbers += 1;
        let permit = Permit { number: self.numbers, stop: self.stop.child_token() };
        let pair = self.pairs.entry(peer).or_default();
        pair.open_at = None;
        let running = Running { number: permit.number, outgoing, since: now, stop: permit.stop.clone() };
        if let Some(before) = pair.running.replace(running) {
            before.stop.cancel();
        }
        permit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two peer ids, the lower first.
    fn pair() -> (PeerId, PeerId) {
        let (one, other) = (PeerId::random(), PeerId::random());
        (one.min(other), one.max(other))
    }

    fn sessions(own: PeerId) -> Sessions {
        Sessions::new(own, CancellationToken::new())
    }

    /// Two that have dialled each other, the lower id first, each with the stream that it opens.
    fn both_open(now: Instant) -> ((PeerId, Sessions, Permit), (PeerId, Sessions, Permit)) {
        let (low, high) = pair();
        let open = |own, peer| {
            let mut sessions = sessions(own);
            sessions.connected(peer, Opening::Here, now);
            let permit = sessions.due(now).remove(0).1;
            (own, sessions, permit)
        };
        (open(low, high), open(high, low))
    }

    #[test]
    fn syn_22_who_has_dialled_opens_and_who_knows_the_peer_waits_a_while() {
        let (low, high) = pair();
        let now = Instant::now();
        let (mut alice, mut bob, mut carol) = (sessions(high), sessions(low), sessions(low));
        alice.connected(low, Opening::Here, now);
        bob.connected(high, Opening::ThereOrHere, now);
        carol.connected(high, Opening::There, now);
        assert_eq!(alice.due(now).len(), 1);
        assert!(bob.due(now).is_empty());
        assert_eq!(bob.due(now + GRACE).len(), 1, "alice's stream never came");
        assert!(carol.due(now + GRACE * 100).is_empty());
    }

    #[test]
    fn find_4_a_peer_of_whom_nothing_was_wanted_is_talked_with_once_something_is() {
        let (low, high) = pair();
        let now = Instant::now();
        let mut alice = sessions(low);
        alice.want(&high, now);
        assert!(alice.due(now).is_empty(), "not connected");
        alice.connected(high, Opening::There, now);
        alice.want(&high, now);
        assert_eq!(alice.due(now).len(), 1);
        alice.want(&high, now);
        assert!(alice.due(now).is_empty(), "one runs");
    }

    #[test]
    fn syn_22_where_both_open_the_stream_of_the_lower_id_stays() {
        let now = Instant::now();
        let ((low, mut alice, ours), (high, mut bob, theirs)) = both_open(now);
        assert!(alice.accept(high, now).is_none());
        assert!(bob.accept(low, now).is_some());
        assert!(!ours.stop.is_cancelled());
        assert!(theirs.stop.is_cancelled());
    }

    #[test]
    fn a_stream_from_a_peer_that_came_back_replaces_the_dead_one() {
        let (low, high) = pair();
        let now = Instant::now();
        let mut alice = sessions(low);
        alice.connected(high, Opening::Here, now);
        let dead = alice.due(now).remove(0).1;
        let later = now + Duration::from_secs(60);
        assert!(alice.accept(high, later).is_some());
        assert!(dead.stop.is_cancelled());
        alice.ended(&high, dead.number, false, later);
        assert!(alice.due(later + GRACE).is_empty(), "the new one runs");
    }

    #[test]
    fn a_peer_that_resets_streams_without_end_is_no_longer_answered() {
        let (low, high) = pair();
        let now = Instant::now();
        let mut alice = sessions(high);
        let taken = (0..1_000).filter(|_| alice.accept(low, now).is_some()).count();
        assert_eq!(u32::try_from(taken), Ok(STREAMS_MAX));
        assert!(alice.accept(low, now + WINDOW).is_some());
    }

    #[test]
    fn syn_22_after_an_end_the_higher_id_lets_the_lower_one_open() {
        let now = Instant::now();
        let ((low, mut alice, ours), (high, mut bob, theirs)) = both_open(now);
        alice.ended(&high, ours.number, true, now);
        bob.ended(&low, theirs.number, true, now);
        assert_eq!(alice.due(now).len(), 1);
        assert!(bob.due(now).is_empty());
        assert_eq!(bob.due(now + GRACE).len(), 1, "alice's stream never came");
    }

    #[test]
    fn a_conversation_that_fails_at_once_is_tried_ever_more_slowly() {
        let (low, high) = pair();
        let mut now = Instant::now();
        let mut alice = sessions(low);
        alice.connected(high, Opening::Here, now);
        let mut waits = Vec::new();
        for _ in 0..6 {
            let permit = alice.due(now).remove(0).1;
            alice.ended(&high, permit.number, false, now);
            let next = alice.pairs[&high].open_at.expect("tried again");
            waits.push(next - now);
            now = next;
        }
        assert!(waits.is_sorted() && waits[5] > waits[0] * 16, "{waits:?}");
    }
}
