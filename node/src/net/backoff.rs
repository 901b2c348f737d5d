//! When to try again: fast at first, then ever slower, never all at once. Time and chance come in.

use std::time::Duration;

/// First wait after a failure.
const FIRST: Duration = Duration::from_millis(250);
/// Longest wait while a peer was lost not long ago: it must be back about a second after it returns.
const RECENT_MAX: Duration = Duration::from_millis(900);
/// How long a lost peer counts as recent.
const RECENT: Duration = Duration::from_secs(600);
/// Longest wait for a peer that was connected before.
const KNOWN_MAX: Duration = Duration::from_secs(60);
/// Longest wait for a peer that never was.
const UNKNOWN_MAX: Duration = Duration::from_secs(600);

/// What is known of the peer that is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// It was connected until so long ago.
    Lost(Duration),
    /// It was connected before this node started.
    Known,
    /// It never was.
    Never,
}

/// How long to wait after the `failures`-th failure in a row, without jitter.
pub(super) fn delay(failures: u32, before: Before) -> Duration {
    let longest = match before {
        Before::Lost(ago) if ago < RECENT => RECENT_MAX,
        Before::Lost(_) | Before::Known => KNOWN_MAX,
        Before::Never => UNKNOWN_MAX,
    };
    let doublings = failures.saturating_sub(1).min(16);
    (FIRST * (1 << doublings)).min(longest)
}

/// Chance that needs no secrecy: spreads retries, so that two nodes don't dial in step for ever.
#[derive(Debug, Clone)]
pub(super) struct Jitter(u64);

impl Jitter {
    /// Starts from 64 bits of entropy.
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A wait of 75 % to 125 % of `wait`.
    pub(super) fn spread(&mut self, wait: Duration) -> Duration {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let percent = 75 + u32::try_from((mixed ^ (mixed >> 31)) % 51).unwrap_or(0);
        wait * percent / 100
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_that_was_just_lost_is_tried_every_second_and_a_stranger_ever_more_rarely() {
        let lost = Before::Lost(Duration::from_secs(60));
        assert!((1..100).all(|failures| delay(failures, lost) <= Duration::from_secs(1)));
        assert_eq!(delay(1, Before::Never), FIRST);
        assert_eq!(delay(5, Before::Never), FIRST * 16);
        assert_eq!(delay(u32::MAX, Before::Never), UNKNOWN_MAX);
        assert_eq!(delay(40, Before::Lost(RECENT)), KNOWN_MAX);
    }

    #[test]
    fn jitter_stays_within_a_quarter() {
        let mut jitter = Jitter::new(7);
        let waits: Vec<_> = (0..1_000).map(|_| jitter.spread(Duration::from_secs(100)).as_secs()).collect();
        assert!(waits.iter().all(|secs| (75..=125).contains(secs)));
        assert!(waits.iter().any(|secs| *secs < 80) && waits.iter().any(|secs| *secs > 120));
    }
}
