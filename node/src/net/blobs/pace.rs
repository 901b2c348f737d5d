//! How fast the other side of a transfer is: who is slow gives way to who waits (`BLOB-3`, `BLOB-8`). Pure: time comes
//! in.
//!
//! Only time counts in which this node could do nothing but wait for the other side, so that a limit of its own line,
//! or its own disk, makes nobody slow.

use std::time::{Duration, Instant};

use crate::net::line::RATE_MIN;

/// How long a node waits for somebody before it calls him slow.
pub(super) const SLOW_AFTER: Duration = Duration::from_secs(4);
/// Who moves less is slow, bytes a second: no line is limited to less.
const BYTES_PER_SECOND_MIN: u128 = RATE_MIN as u128;

/// What has been moved with somebody, and how long that was waited for.
#[derive(Debug, Default)]
pub(super) struct Pace {
    bytes: u64,
    waited: Duration,
    since: Option<Instant>,
}

impl Pace {
    /// From now on this node waits for the other side.
    pub(super) fn wait(&mut self, now: Instant) {
        self.since.get_or_insert(now);
    }

    /// What was waited for has come, or has gone: so many bytes.
    pub(super) fn moved(&mut self, bytes: usize, now: Instant) {
        self.waited = self.waited(now);
        self.since = None;
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// The other side is slow.
    pub(super) fn is_slow(&self, now: Instant) -> bool {
        self.waited(now) >= SLOW_AFTER && self.per_second(now) < BYTES_PER_SECOND_MIN
    }

    /// Bytes in a second that was waited.
    pub(super) fn per_second(&self, now: Instant) -> u128 {
        u128::from(self.bytes) * 1_000 / self.waited(now).as_millis().max(1)
    }

    /// How long this node has waited for the other side.
    pub(super) fn waited(&self, now: Instant) -> Duration {
        self.waited + self.since.map_or(Duration::ZERO, |since| now.saturating_duration_since(since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blob_8_who_lets_this_node_wait_is_slow_and_who_is_waited_for_by_nobody_is_not() {
        // BLOB-3, BLOB-8
        let (begin, second) = (Instant::now(), Duration::from_secs(1));
        let mut pace = Pace::default();
        pace.wait(begin);
        pace.wait(begin + second);
        assert!(!pace.is_slow(begin + SLOW_AFTER - second / 1_000));
        assert!(pace.is_slow(begin + SLOW_AFTER), "nothing came");
        pace.moved(16_384, begin + SLOW_AFTER);
        assert!(pace.is_slow(begin + 100 * second), "that was not much");
        pace.moved(4 * 64_000 - 16_384, begin + 100 * second);
        assert!(!pace.is_slow(begin + 200 * second), "nobody has waited since");
        assert_eq!(pace.per_second(begin + 200 * second), 64_000);
        pace.wait(begin + 200 * second);
        assert!(pace.is_slow(begin + 201 * second), "and now somebody waits again");
    }
}
