//! Who brings which groups of a blob: ranges that nobody brings yet first; then what somebody is slow with, so that
//! it is brought by another too (`BLOB-8`). Pure: time comes in.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use xom_protocol::blob::Groups;

use crate::net::blobs::pace::SLOW_AFTER;

/// Groups that are asked for at once: 1 MiB, so that each of several sources has its share.
const RANGE_GROUPS_MAX: u32 = 64;
/// Sources that bring the same groups at the same time.
const BRINGERS_MAX: usize = 2;

/// A range that somebody brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

/// What is missing of a blob, and who brings what.
#[derive(Debug)]
pub(super) struct Plan {
    missing: BTreeSet<u32>,
    taken: BTreeMap<Ticket, (Groups, Instant)>,
    next: u64,
}

impl Plan {
    /// Nobody brings anything yet.
    pub(super) fn new(missing: impl IntoIterator<Item = u32>) -> Self {
        Self { missing: missing.into_iter().collect(), taken: BTreeMap::new(), next: 0 }
    }

    /// Nothing is missing.
    pub(super) fn is_whole(&self) -> bool {
        self.missing.is_empty()
    }

    /// A range for somebody who brings nothing; none where all is taken and nobody is slow.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Ticket, Groups)> {
        let groups = self.untaken().or_else(|| self.slow(now))?;
        let ticket = Ticket(self.next);
        self.next += 1;
        self.taken.insert(ticket, (groups.clone(), now));
        Some((ticket, groups))
    }

    /// A group has come, from whomever. False where it was not missing.
    pub(super) fn arrived(&mut self, group: u32) -> bool {
        self.missing.remove(&group)
    }

    /// Who had this range brings nothing more of it.
    pub(super) fn ended(&mut self, ticket: Ticket) {
        self.taken.remove(&ticket);
    }

    /// When somebody counts as slow next, where no range is left that nobody brings.
    pub(super) fn slow_at(&self) -> Option<Instant> {
        let lone = self.taken.values().filter(|(groups, _)| self.bringers(groups) < BRINGERS_MAX);
        lone.map(|(_, began)| *began + SLOW_AFTER).min()
    }

    /// The first missing groups that nobody brings.
    fn untaken(&self) -> Option<Groups> {
        let mut found: Option<Groups> = None;
        for group in &self.missing {
            let is_taken = self.taken.values().any(|(groups, _)| groups.contains(group));
            match &mut found {
                None if is_taken => {}
                None => found = Some(*group..*group + 1),
                Some(range) if !is_taken && range.end == *group && range.end - range.start < RANGE_GROUPS_MAX => {
                    range.end += 1;
                }
                Some(_) => break,
            }
        }
        found
    }

    /// What is missing of the range that somebody is slow with longest.
    fn slow(&self, now: Instant) -> Option<Groups> {
        let slow = self.taken.values().filter(|(_, began)| now.saturating_duration_since(*began) >= SLOW_AFTER);
        let lone = slow.filter(|(groups, _)| self.bringers(groups) < BRINGERS_MAX);
        let (groups, _) = lone.min_by_key(|(_, began)| *began)?;
        let mut rest = self.missing.range(groups.clone());
        let first = *rest.next()?;
        Some(first..rest.next_back().map_or(first, |last| *last) + 1)
    }

    /// How many bring groups of this range.
    fn bringers(&self, range: &Groups) -> usize {
        self.taken.values().filter(|(groups, _)| groups.start < range.end && range.start < groups.end).count()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn arrive(plan: &mut Plan, groups: Groups) {
        for group in groups {
            assert!(plan.arrived(group));
            assert!(!plan.arrived(group));
        }
    }

    #[test]
    fn blob_8_each_source_has_a_share_of_its_own_and_nobody_brings_anything_twice() {
        let (now, mut plan) = (Instant::now(), Plan::new(0..150));
        let shares: Vec<Groups> = std::iter::from_fn(|| plan.take(now)).map(|(_, groups)| groups).collect();
        assert_eq!(shares, [0..64, 64..128, 128..150]);
        assert_eq!(plan.take(now + SLOW_AFTER - Duration::from_millis(1)), None);
    }

    #[test]
    fn blob_8_a_slow_source_loses_the_rest_of_its_share_to_one_other_and_to_no_third() {
        let (now, mut plan) = (Instant::now(), Plan::new(0..100));
        let (slow, _) = plan.take(now).unwrap();
        let (quick, rest) = plan.take(now).unwrap();
        assert_eq!(rest, 64..100);
        arrive(&mut plan, 64..100);
        plan.ended(quick);
        arrive(&mut plan, 0..10);
        assert_eq!(plan.take(now), None);
        assert_eq!(plan.slow_at(), Some(now + SLOW_AFTER));
        let later = now + SLOW_AFTER;
        let (_, again) = plan.take(later).unwrap();
        assert_eq!(again, 10..64);
        assert_eq!((plan.take(later + SLOW_AFTER), plan.slow_at()), (None, None));
        plan.ended(slow);
        arrive(&mut plan, 10..64);
        assert!(plan.is_whole());
    }

    #[test]
    fn blob_8_what_a_source_leaves_undone_is_given_to_the_next() {
        let (now, mut plan) = (Instant::now(), Plan::new([1, 2, 5, 6, 7]));
        let (ticket, groups) = plan.take(now).unwrap();
        assert_eq!(groups, 1..3);
        assert_eq!(plan.take(now).unwrap().1, 5..8);
        arrive(&mut plan, 1..2);
        plan.ended(ticket);
        assert_eq!(plan.take(now).unwrap().1, 2..3);
        assert!(!plan.is_whole());
    }
}
