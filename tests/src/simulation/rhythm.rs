//! When a node is awake: machines that never sleep, machines that are on for a part of the day, and short visits.

use super::dice::between;
use super::plan::{HOUR_MS, Plan};
use crate::random::Random;

/// Of a hundred nodes, so many never sleep.
const ALWAYS: u64 = 15;
/// Of a hundred nodes, so many are on for a part of each day; the others for some visits.
const DAILY: u64 = 50;
/// Where the day begins later, and how many of a hundred live there at most, counted up.
const ZONES: [(u64, u64); 3] = [(50, 0), (80, 8), (100, 16)];

/// When one node is awake: spans of milliseconds, ascending and apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rhythm {
    pub(super) spans: Vec<(u64, u64)>,
    pub(super) is_always_on: bool,
}

impl Rhythm {
    pub(super) fn new(plan: &Plan, random: &mut Random) -> Self {
        let (lot, home) = (random.below(100), random.below(100));
        let zone = ZONES.iter().find(|(share, _)| home < *share).map_or(0, |(_, hours)| *hours) * HOUR_MS;
        let (end, is_always_on) = (plan.end_ms(), lot < ALWAYS);
        let mut spans = vec![(plan.healing_from_ms(), end)];
        for day in 0..=end / (24 * HOUR_MS) + 1 {
            // The day before the first counts too: with the zone it may reach into it.
            let morning = day * 24 * HOUR_MS + zone;
            let mut awake = |from: u64, length: u64| {
                let to = (morning + from + length).saturating_sub(24 * HOUR_MS);
                spans.push(((morning + from).saturating_sub(24 * HOUR_MS), to.min(end)));
            };
            if is_always_on {
                awake(0, 24 * HOUR_MS);
            } else if lot < ALWAYS + DAILY {
                awake(between(random, 6 * HOUR_MS, 18 * HOUR_MS), between(random, 5 * HOUR_MS, 13 * HOUR_MS));
            } else {
                for _ in 0..between(random, 2, 5) {
                    awake(between(random, 6 * HOUR_MS, 24 * HOUR_MS), between(random, HOUR_MS / 4, 2 * HOUR_MS));
                }
            }
        }
        if is_always_on {
            spans = vec![(0, end)];
        }
        Self { spans: joined(spans), is_always_on }
    }

    pub(super) fn is_awake(&self, at_ms: u64) -> bool {
        let after = self.spans.partition_point(|(from, _)| *from <= at_ms);
        after > 0 && at_ms < self.spans[after - 1].1
    }

    /// How long the node is awake between two bounds.
    pub(super) fn awake_ms(&self, from_ms: u64, to_ms: u64) -> u64 {
        self.spans.iter().map(|(from, to)| (*to).min(to_ms).saturating_sub((*from).max(from_ms))).sum()
    }

    /// A time at which the node is awake, between two bounds; none where it sleeps all the while.
    pub(super) fn some_time(&self, from_ms: u64, to_ms: u64, random: &mut Random) -> Option<u64> {
        let within = self.spans.iter().map(|(from, to)| ((*from).max(from_ms), (*to).min(to_ms)));
        let within: Vec<(u64, u64)> = within.filter(|(from, to)| from < to).collect();
        let all: u64 = within.iter().map(|(from, to)| to - from).sum();
        let mut at = random.below(all.max(1));
        within.into_iter().find_map(|(from, to)| {
            let is_here = at < to - from;
            let found = from + at;
            at = at.saturating_sub(to - from);
            is_here.then_some(found)
        })
    }
}

/// Puts spans in order and makes one of those that touch.
fn joined(mut spans: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    spans.retain(|(from, to)| from < to);
    spans.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (from, to) in spans {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_sleeps_in_a_way_of_their_own_and_is_awake_at_the_end() {
        let plan = Plan::day(1, 300);
        let mut random = Random::new(2);
        let mut awake = 0;
        for _ in 0..300 {
            let rhythm = Rhythm::new(&plan, &mut random);
            assert!(rhythm.spans.windows(2).all(|two| two[0].1 < two[1].0), "{rhythm:?}");
            assert!(rhythm.is_awake(plan.healing_from_ms()) && rhythm.is_awake(plan.end_ms() - 1));
            assert!(!rhythm.is_awake(plan.end_ms()));
            let (from, to) = (plan.measured_from_ms(), plan.healing_from_ms());
            if let Some(at) = rhythm.some_time(from, to, &mut random) {
                assert!(rhythm.is_awake(at) && (from..to).contains(&at));
            }
            awake += (0..24).filter(|hour| rhythm.is_awake(from + hour * HOUR_MS)).count();
        }
        let share = awake as f64 / (300.0 * 24.0);
        assert!((0.3..0.6).contains(&share), "{share}");
    }
}
