//! The arithmetic of the feed language: whole numbers of 64 bits, exact on every machine.

use super::error::RunError;

/// `floor(2^62 * 2^(-1/2^n))` for n from 1 to 12 (`FEED-9`).
const ROOTS: [u64; 12] = [
    3_260_954_456_333_195_553,
    3_877_950_241_171_266_237,
    4_228_934_724_888_366_667,
    4_416_165_660_797_809_419,
    4_512_867_096_753_504_462,
    4_562_008_997_483_360_349,
    4_586_780_255_215_411_730,
    4_599_216_278_082_138_665,
    4_605_446_927_862_164_404,
    4_608_565_417_332_308_034,
    4_610_125_453_837_388_245,
    4_610_905_670_110_601_999,
];
/// Binary digits of a fraction of a half-life (`FEED-9`).
const DECAY_BITS: u32 = ROOTS.len() as u32;
/// Binary digits of the fraction of a logarithm (`FEED-10`).
const LOG_BITS: u32 = 16;

/// What is left of `value` after `age` if half of it is left after `half_life` (`FEED-9`).
pub(super) fn decay(value: i64, age: i64, half_life: i64) -> Result<i64, RunError> {
    if half_life < 1 {
        return Err(RunError::OutOfDomain);
    }
    let (age, half_life) = (age.max(0).unsigned_abs(), half_life.unsigned_abs());
    let halvings = age / half_life;
    if halvings >= 64 {
        return Ok(0);
    }
    let part = (u128::from(age % half_life) << DECAY_BITS) / u128::from(half_life);
    let mut factor = 1_u128 << 62;
    for (place, root) in (1..).zip(ROOTS) {
        if part >> (DECAY_BITS - place) & 1 == 1 {
            factor = (factor * u128::from(root)) >> 62;
        }
    }
    let left = ((u128::from(value.unsigned_abs()) * factor) >> 62) >> halvings;
    let left = i128::try_from(left).map_err(|_| RunError::Overflow)?;
    i64::try_from(if value < 0 { -left } else { left }).map_err(|_| RunError::Overflow)
}

/// A thousand times the logarithm of `number` to base 2, rounded down (`FEED-10`).
pub(super) fn log2_milli(number: i64) -> Result<i64, RunError> {
    if number < 1 {
        return Err(RunError::OutOfDomain);
    }
    let number = number.unsigned_abs();
    let mut mantissa = number << number.leading_zeros();
    let mut fraction = 0_u64;
    for _ in 0..LOG_BITS {
        let square = u128::from(mantissa) * u128::from(mantissa);
        let carry = (square >> 127) as u64;
        mantissa = (square >> (63 + carry)) as u64;
        fraction = fraction << 1 | carry;
    }
    let whole = u64::from(63 - number.leading_zeros());
    Ok((whole * 1_000 + ((fraction * 1_000) >> LOG_BITS)).cast_signed())
}

/// `number` or the bound that it is beyond (`FEED-8`).
pub(super) fn clamp(number: i64, low: i64, high: i64) -> Result<i64, RunError> {
    if low > high { Err(RunError::OutOfDomain) } else { Ok(number.clamp(low, high)) }
}

/// The quotient, truncated towards zero (`FEED-5`).
pub(super) fn divide(left: i64, right: i64) -> Result<i64, RunError> {
    if right == 0 { Err(RunError::DivisionByZero) } else { left.checked_div(right).ok_or(RunError::Overflow) }
}

/// What division leaves, with the sign of the dividend (`FEED-5`).
pub(super) fn remainder(left: i64, right: i64) -> Result<i64, RunError> {
    if right == 0 { Err(RunError::DivisionByZero) } else { left.checked_rem(right).ok_or(RunError::Overflow) }
}
