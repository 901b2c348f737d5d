//! How much a peer may bring that nobody here asked for: entries aimed at local identities.

use std::sync::Mutex;
use std::time::Instant;

/// Aimed entries at once; one comparison may bring as many.
const ENTRIES_BURST: f64 = 2_048.0;
/// Aimed entries in the long run, a second.
const ENTRIES_PER_SECOND: f64 = 2.0;
/// Identities never heard of before, at once.
const STRANGERS_BURST: f64 = 256.0;
/// Identities never heard of before, in the long run, a second.
const STRANGERS_PER_SECOND: f64 = 0.02;

/// Posts at once that may be admitted to threads (`ADM-3`).
const REPLIES_BURST: f64 = 64.0;
/// The same in the long run, a second.
const REPLIES_PER_SECOND: f64 = 0.05;

/// The budgets of one peer; they outlive its connections.
#[derive(Debug)]
pub(in crate::net) struct Budget(Mutex<Buckets>);

#[derive(Debug)]
struct Buckets {
    entries: f64,
    strangers: f64,
    replies: f64,
    replies_filled_at: Instant,
    filled_at: Instant,
}

impl Budget {
    /// Full buckets.
    pub(in crate::net) fn new(now: Instant) -> Self {
        Self(Mutex::new(Buckets {
            entries: ENTRIES_BURST,
            strangers: STRANGERS_BURST,
            replies: REPLIES_BURST,
            replies_filled_at: now,
            filled_at: now,
        }))
    }

    /// True where so many posts more may be looked at as replies; takes them then.
    pub(super) fn may_reply(&self, posts: usize, now: Instant) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        let secs = now.saturating_duration_since(buckets.replies_filled_at).as_secs_f64();
        buckets.replies_filled_at = now;
        buckets.replies = (buckets.replies + secs * REPLIES_PER_SECOND).min(REPLIES_BURST);
        let posts = f64::from(u32::try_from(posts).unwrap_or(u32::MAX));
        let may = posts <= buckets.replies;
        if may {
            buckets.replies -= posts;
        }
        may
    }

    /// Takes what a batch costs; false where it is more than is left, and then takes nothing.
    pub(super) fn spend(&self, entries: usize, stranger: bool, now: Instant) -> bool {
        let mut buckets = self.0.lock().unwrap_or_else(|broken| broken.into_inner());
        let secs = now.saturating_duration_since(buckets.filled_at).as_secs_f64();
        buckets.filled_at = now;
        buckets.entries = (buckets.entries + secs * ENTRIES_PER_SECOND).min(ENTRIES_BURST);
        buckets.strangers = (buckets.strangers + secs * STRANGERS_PER_SECOND).min(STRANGERS_BURST);
        let entries = f64::from(u32::try_from(entries).unwrap_or(u32::MAX));
        let strangers = if stranger { 1.0 } else { 0.0 };
        if buckets.entries < entries || buckets.strangers < strangers {
            return false;
        }
        buckets.entries -= entries;
        buckets.strangers -= strangers;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_peer_that_floods_runs_dry_and_recovers_slowly() {
        let now = Instant::now();
        let budget = Budget::new(now);
        assert!(budget.spend(2_048, false, now));
        assert!(!budget.spend(1, false, now));
        assert!(budget.spend(20, false, now + Duration::from_secs(10)));
        assert!(!budget.spend(1, false, now + Duration::from_secs(10)));
    }

    #[test]
    fn adm_3_a_peer_that_brings_many_replies_has_them_left_at_the_door() {
        let now = Instant::now();
        let budget = Budget::new(now);
        let let_in = (0..10_000).filter(|_| budget.may_reply(1, now)).count();
        assert_eq!(let_in, 64);
        assert!(!budget.may_reply(2, now + Duration::from_secs(20)));
        assert!(budget.may_reply(1, now + Duration::from_secs(20)));
    }

    #[test]
    fn fresh_identities_are_dearer_than_entries() {
        let now = Instant::now();
        let budget = Budget::new(now);
        let taken = (0..1_000).filter(|_| budget.spend(1, true, now)).count();
        assert_eq!(taken, 256);
        assert!(budget.spend(1, false, now));
    }
}
