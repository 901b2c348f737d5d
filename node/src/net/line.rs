//! The line to the network: how many bytes a second this node may send and receive, where the owner has set a limit.
//!
//! What waits is a whole frame or piece, never a part of one: between frames a stream may be silent, inside one it may
//! not (`SYN-1`). It must never break a conversation to keep a limit, so nothing waits for longer than [`WAIT_MAX`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use libp2p::PeerId;

/// The least that a line can be limited to, bytes a second: a frame of an answer (256 KiB, `SYN-10`) takes 4 seconds of
/// the 20 that it has then (`SYN-1`).
pub const RATE_MIN: u64 = 64_000;
/// How long a frame may wait for its turn: half of what a session waits for an answer (`SYN-14`).
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Peers whose turns are remembered before the ones that wait for nothing are let go.
const TURNS_MAX: usize = 256;

/// Both directions.
#[derive(Debug)]
pub(super) struct Line {
    up: Way,
    down: Way,
}

/// One direction.
#[derive(Debug)]
struct Way {
    /// Bytes a second; none for as many as the line takes.
    rate: Option<u64>,
    /// When everything that was let through is through.
    free_at: Mutex<Option<Instant>>,
    /// One frame of each peer waits at a time, so that many streams get a peer no more than one.
    turns: Mutex<BTreeMap<PeerId, Weak<tokio::sync::Mutex<()>>>>,
}

impl Line {
    /// A line with these limits, bytes a second.
    pub(super) fn new(up: Option<u64>, down: Option<u64>) -> Self {
        Self { up: Way::new(up), down: Way::new(down) }
    }

    /// Waits until so many bytes may go to a peer.
    pub(super) async fn up(&self, peer: &PeerId, bytes: usize) {
        self.up.wait(peer, bytes).await;
    }

    /// Waits until so many bytes that came from a peer may be taken, and more be asked for.
    pub(super) async fn down(&self, peer: &PeerId, bytes: usize) {
        self.down.wait(peer, bytes).await;
    }
}

impl Way {
    fn new(rate: Option<u64>) -> Self {
        Self { rate, free_at: Mutex::default(), turns: Mutex::default() }
    }

    async fn wait(&self, peer: &PeerId, bytes: usize) {
        if self.rate.is_none() {
            return;
        }
        let turn = self.turn(peer);
        let _mine = turn.lock().await;
        let now = Instant::now();
        let begin = self.reserve(bytes, now);
        if begin > now {
            tokio::time::sleep_until(begin.min(now + WAIT_MAX).into()).await;
        }
    }

    /// When so many bytes may begin; they have the line from then on for as long as they take.
    fn reserve(&self, bytes: usize, now: Instant) -> Instant {
        let Some(rate) = self.rate else { return now };
        let mut free_at = self.free_at.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = free_at.map_or(now, |free_at| free_at.max(now));
        let micros = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1_000_000) / rate.max(1);
        // Whoever waits no longer than the longest wait leaves no longer debt than that behind either.
        *free_at = Some((begin + Duration::from_micros(micros)).min(now + 2 * WAIT_MAX));
        begin
    }

    fn turn(&self, peer: &PeerId) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(peer).and_then(Weak::upgrade) {
            return turn;
        }
        if turns.len() >= TURNS_MAX {
            turns.retain(|_, turn| turn.strong_count() > 0);
        }
        let turn = Arc::default();
        turns.insert(*peer, Arc::downgrade(&turn));
        turn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_have_the_line_one_after_the_other_at_its_rate() {
        let (way, now) = (Way::new(Some(1_000_000)), Instant::now());
        let begins: Vec<Duration> = (0..4).map(|_| way.reserve(250_000, now) - now).collect();
        assert_eq!(begins, [0, 250, 500, 750].map(Duration::from_millis));
        let later = now + Duration::from_secs(5);
        assert_eq!(way.reserve(1, later), later, "a free line is not waited for, and saves nothing up");
        assert!(way.reserve(1, later) > later);
    }

    #[test]
    fn a_debt_never_grows_beyond_what_a_conversation_can_wait_for() {
        let (way, now) = (Way::new(Some(1)), Instant::now());
        for _ in 0..1_000 {
            way.reserve(1 << 20, now);
        }
        assert_eq!(way.reserve(1, now), now + 2 * WAIT_MAX);
    }

    #[tokio::test]
    async fn a_peer_with_many_streams_gets_no_more_of_the_line_than_one_with_one() {
        let (line, mallory) = (Arc::new(Line::new(Some(1_000), None)), PeerId::random());
        let mut streams = tokio::task::JoinSet::new();
        for _ in 0..50 {
            let line = Arc::clone(&line);
            streams.spawn(async move { line.up(&mallory, 1_000).await });
        }
        for _ in 0..500 {
            tokio::task::yield_now().await;
        }
        // One of mallory's has gone, one waits, and the others wait for that one: bob is next.
        let now = Instant::now();
        assert!(line.up.reserve(1_000, now) <= now + Duration::from_secs(2));
    }

    #[tokio::test]
    async fn without_a_limit_nothing_waits() {
        let line = Line::new(None, None);
        for _ in 0..1_000 {
            line.down(&PeerId::random(), usize::MAX).await;
        }
        assert!(line.down.turns.lock().unwrap().is_empty());
    }
}
