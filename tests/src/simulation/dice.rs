//! Distributions over the seeded generator.

use crate::random::Random;

/// A number from 0 up to, not including, 1.
pub(super) fn unit(random: &mut Random) -> f64 {
    (random.number() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Waiting times of what happens at random once in `mean` on average.
pub(super) fn waiting(random: &mut Random, mean: f64) -> f64 {
    -(1.0 - unit(random)).ln() * mean
}

/// How many of something happen that come at random, `mean` on average.
pub(super) fn count(random: &mut Random, mean: f64) -> u64 {
    let (mut passed, mut count) = (waiting(random, 1.0), 0);
    while passed < mean {
        passed += waiting(random, 1.0);
        count += 1;
    }
    count
}

/// A number between two bounds, the upper one not included.
pub(super) fn between(random: &mut Random, from: u64, to: u64) -> u64 {
    from + random.below(to - from)
}

/// 32 bytes.
pub(super) fn bytes(random: &mut Random) -> [u8; 32] {
    let mut bytes = [0; 32];
    for part in bytes.chunks_mut(8) {
        part.copy_from_slice(&random.number().to_le_bytes());
    }
    bytes
}
