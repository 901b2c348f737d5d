//! How far the clocks of peers are from the own one: known from what they sign and push at once.

use std::sync::Mutex;
use std::time::{SystemTime, UNIX_EPOCH};

/// Peers whose clocks must be known before anything follows from them.
const CLOCKS_MIN: usize = 3;

/// The clock of one peer, as last seen.
#[derive(Debug, Default)]
pub(super) struct PeerClock(Mutex<Option<i64>>);

impl PeerClock {
    /// Notes that the peer signed at `signed_ms` by its clock what came at `now_ms` by the own one.
    pub(super) fn note(&self, signed_ms: u64, now_ms: u64) {
        let ahead = i128::from(signed_ms) - i128::from(now_ms);
        *self.0.lock().unwrap_or_else(|broken| broken.into_inner()) = i64::try_from(ahead).ok();
    }

    /// By how much the peer's clock is ahead, milliseconds; none while nothing is known.
    pub(super) fn ahead_ms(&self) -> Option<i64> {
        *self.0.lock().unwrap_or_else(|broken| broken.into_inner())
    }
}

/// The median of what is known; none where that is too little (`LOG-15`).
pub(super) fn median(mut ahead_ms: Vec<i64>) -> Option<i64> {
    if ahead_ms.len() < CLOCKS_MIN {
        return None;
    }
    ahead_ms.sort_unstable();
    Some(ahead_ms[ahead_ms.len() / 2])
}

/// This machine's clock, milliseconds since 1970.
pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_clock_among_three_changes_nothing() {
        let clocks = [1_000, 1_100, 90_000_000].map(|signed_ms| {
            let clock = PeerClock::default();
            clock.note(signed_ms, 1_050);
            clock.ahead_ms().expect("known")
        });
        assert_eq!(median(clocks.to_vec()), Some(50));
        assert_eq!(median(clocks[..2].to_vec()), None, "too few");
    }
}
