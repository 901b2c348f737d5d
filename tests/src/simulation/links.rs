//! How long a frame takes: distance, chance, loss that is repaired by sending again, and the width of the line.

use super::dice::{unit, waiting};
use crate::random::Random;

/// What the nearest are apart, milliseconds.
const NEAR_MS: f64 = 8.0;
/// What is added from one side of the world to the other.
const FAR_MS: f64 = 120.0;
/// What the line adds at random, on average.
const JITTER_MS: f64 = 10.0;
/// Of a hundred frames, so many are lost at first.
const LOSS: u64 = 2;
/// What a home line carries upwards in a millisecond: 10 Mbit/s.
const BYTES_PER_MS: u64 = 1_250;

/// Where a node is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot(f64, f64);

impl Spot {
    pub(super) fn new(random: &mut Random) -> Self {
        Self(unit(random), unit(random))
    }

    /// How long a frame takes from here to there.
    pub(super) fn delay_ms(self, other: Self, bytes: usize, random: &mut Random) -> u64 {
        let apart = (self.0 - other.0).hypot(self.1 - other.1);
        let again = if random.chance(LOSS) { 200 + random.below(800) } else { 0 };
        (NEAR_MS + FAR_MS * apart + waiting(random, JITTER_MS)) as u64 + again + bytes as u64 / BYTES_PER_MS
    }
}
