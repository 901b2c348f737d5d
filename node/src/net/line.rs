//! The line to the network: how many bytes a second this node may send and receive, where the owner has set a limit.
//!
//! What waits is a whole frame, or group of a blob, never a part of one: between frames a stream may be silent, inside
//! one it may not (`SYN-1`). What can't wait (the table of who is where, pings, what a relay passes on) has the line
//! before the next that waits. It must never break a conversation to keep a limit, so nothing waits for longer than
//! [`WAIT_MAX`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use libp2p::PeerId;

use super::traffic::Traffic;

/// The least that a line can be limited to, bytes a second: a frame of an answer (256 KiB, `SYN-10`) takes 4 seconds of
/// the 20 that it has then (`SYN-1`).
pub const RATE_MIN: u64 = 64_000;
/// How long a frame may wait for its turn: half of what a session waits for an answer (`SYN-14`).
const WAIT_MAX: Duration = Duration::from_secs(30);
/// Peers whose turns are remembered before the ones that wait for nothing are let go.
const TURNS_MAX: usize = 256;

/// Bytes by which what waited may be ahead of what went through: frames under way. What is further ahead was never sent.
const AHEAD_MAX: u64 = 4 << 20;

/// Both directions.
pub(super) struct Line {
    up: Way,
    down: Way,
}

/// One direction.
struct Way {
    /// Bytes a second; none for as many as the line takes.
    rate: Option<u64>,
    /// Bytes that went through all streams since the start.
    through: Box<dyn Fn() -> u64 + Send + Sync>,
    debt: Mutex<Debt>,
    /// One frame of each peer waits at a time, so that many streams get a peer no more than one.
    turns: Mutex<BTreeMap<PeerId, Weak<tokio::sync::Mutex<()>>>>,
}

/// What has the line already.
#[derive(Debug, Default)]
struct Debt {
    /// When everything that was let through is through.
    free_at: Option<Instant>,
    /// Bytes that went through when that was last looked at.
    through: u64,
    /// Bytes that have waited and did not go through yet.
    ahead: u64,
}

impl Line {
    /// A line with these limits, bytes a second, of which `traffic` says what goes through.
    pub(super) fn new(up: Option<u64>, down: Option<u64>, traffic: &Arc<Traffic>) -> Self {
        let (sent, received) = (Arc::clone(traffic), Arc::clone(traffic));
        Self { up: Way::new(up, move || sent.up()), down: Way::new(down, move || received.down()) }
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
    fn new(rate: Option<u64>, through: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { rate, through: Box::new(through), debt: Mutex::default(), turns: Mutex::default() }
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
        let mut debt = self.debt.lock().unwrap_or_else(PoisonError::into_inner);
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        let unseen = debt.unseen((self.through)(), bytes);
        let takes = |bytes: u64| Duration::from_micros(bytes.saturating_mul(1_000_000) / rate.max(1));
        let begin = debt.free_at.map_or(now, |free_at| free_at.max(now)) + takes(unseen);
        // Whoever waits no longer than the longest wait leaves no longer debt than that behind either.
        debt.free_at = Some((begin + takes(bytes)).min(now + 2 * WAIT_MAX));
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

impl Debt {
    /// Bytes that went through without having waited, where `bytes` wait now.
    fn unseen(&mut self, through: u64, bytes: u64) -> u64 {
        let moved = through.saturating_sub(std::mem::replace(&mut self.through, through));
        let unseen = moved.saturating_sub(self.ahead);
        self.ahead = (self.ahead.saturating_sub(moved)).saturating_add(bytes).min(AHEAD_MAX);
        unseen
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    /// A way through which nothing goes that does not wait.
    fn way(rate: u64) -> Way {
        Way::new(Some(rate), || 0)
    }

    #[test]
    fn bytes_have_the_line_one_after_the_other_at_its_rate() {
        let (way, now) = (way(1_000_000), Instant::now());
        let begins: Vec<Duration> = (0..4).map(|_| way.reserve(250_000, now) - now).collect();
        assert_eq!(begins, [0, 250, 500, 750].map(Duration::from_millis));
        let later = now + Duration::from_secs(5);
        assert_eq!(way.reserve(1, later), later, "a free line is not waited for, and saves nothing up");
        assert!(way.reserve(1, later) > later);
    }

    #[test]
    fn what_goes_through_without_waiting_has_the_line_before_what_waits_next() {
        let (through, now) = (Arc::new(AtomicU64::new(0)), Instant::now());
        let read = Arc::clone(&through);
        let way = Way::new(Some(1_000_000), move || read.load(Ordering::Relaxed));
        let second = Duration::from_secs(1);
        assert_eq!(way.reserve(500_000, now), now);
        // The frame that waited, and besides what a relay passes on.
        through.store(2_500_000, Ordering::Relaxed);
        assert_eq!(way.reserve(1_000_000, now + second), now + 3 * second);
        // The second frame went through, and no more.
        through.store(3_500_000, Ordering::Relaxed);
        assert_eq!(way.reserve(0, now + second), now + 4 * second);
        // A frame that was never sent hides no more than frames under way do.
        for _ in 0..100 {
            way.reserve(1 << 20, now + 100 * second);
        }
        through.store(3_500_000 + AHEAD_MAX + 2_000_000, Ordering::Relaxed);
        let later = now + 1_000 * second;
        assert_eq!(way.reserve(0, later), later + 2 * second);
    }

    #[test]
    fn a_debt_never_grows_beyond_what_a_conversation_can_wait_for() {
        let (way, now) = (way(1), Instant::now());
        for _ in 0..1_000 {
            way.reserve(1 << 20, now);
        }
        assert_eq!(way.reserve(1, now), now + 2 * WAIT_MAX);
    }

    #[tokio::test]
    async fn a_peer_with_many_streams_gets_no_more_of_the_line_than_one_with_one() {
        let (line, mallory) = (Arc::new(Line::new(Some(1_000), None, &Arc::default())), PeerId::random());
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
        let line = Line::new(None, None, &Arc::default());
        for _ in 0..1_000 {
            line.down(&PeerId::random(), usize::MAX).await;
        }
        assert!(line.down.turns.lock().unwrap().is_empty());
    }
}
