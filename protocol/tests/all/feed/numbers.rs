//! Decay and logarithm against what they approximate (`FEED-9`, `FEED-10`).

use proptest::prelude::*;
use xom_protocol::feed::{Program, RunError, Scope, Shape, Value};

fn call(source: &str, arguments: &[i64]) -> Result<i64, RunError> {
    let names = ["a", "b", "c"];
    let scope = names.iter().take(arguments.len()).fold(Scope::new(), |scope, name| scope.with("x", name, Shape::INT));
    let row: Vec<Value> = arguments.iter().copied().map(Value::Int).collect();
    Program::compile(source, &scope).expect(source).number(&row)
}

fn decay(value: i64, age: i64, half_life: i64) -> Result<i64, RunError> {
    call("decay(x.a, x.b, x.c)", &[value, age, half_life])
}

fn log2_milli(number: i64) -> Result<i64, RunError> {
    call("log2_milli(x.a)", &[number])
}

#[test]
fn a_half_life_leaves_half_and_none_leaves_all() {
    for value in [1_000, -1_000, 1 << 40, i64::MAX, -i64::MAX] {
        assert_eq!(decay(value, 0, 3_600), Ok(value));
        assert_eq!(decay(value, 3_600, 3_600), Ok(value / 2));
        assert_eq!(decay(value, 7_200, 3_600), Ok(value / 4));
        assert_eq!(decay(value, i64::MAX, 1), Ok(0));
    }
    assert_eq!(decay(i64::MIN, -5, 1), Ok(i64::MIN), "an age below 0 counts as 0");
    assert_eq!(decay(1_000, 1, 2), Ok(707));
    assert_eq!(decay(1_000_000, 1, 4), Ok(840_896));
    assert_eq!(decay(-1_000, 1, 2), Ok(-707), "truncated towards zero");
    assert_eq!(decay(1 << 62, i64::MAX, i64::MAX), Ok(1 << 61));
}

#[test]
fn logarithms_of_powers_of_two_are_exact() {
    for exponent in 0..63 {
        assert_eq!(log2_milli(1 << exponent), Ok(i64::from(exponent) * 1_000));
    }
    assert_eq!(log2_milli(3), Ok(1_584));
    assert_eq!(log2_milli(10), Ok(3_321));
    assert_eq!(log2_milli(1_000_000), Ok(19_931));
    assert_eq!(log2_milli(i64::MAX), Ok(62_999));
    assert_eq!(log2_milli(-1), Err(RunError::OutOfDomain));
}

proptest! {
    #[test]
    fn decay_is_close_to_the_power_of_two_that_it_stands_for(
        value in -1_000_000_000_000_i64..1_000_000_000_000, age in 0_i64..10_000_000, half_life in 1_i64..10_000_000,
    ) {
        let exact = value as f64 * (-(age as f64) / half_life as f64).exp2();
        let found = decay(value, age, half_life).expect("a value") as f64;
        // The fraction of a half-life has twelve bits: less than 0.02 % too much is left, and truncation takes up to 1.
        prop_assert!((found - exact).abs() <= exact.abs() * 0.000_2 + 1.0, "{found} {exact}");
    }

    #[test]
    fn what_is_older_never_has_more_left(
        value in 0_i64.., age in 0_i64..1 << 40, more in 0_i64..1 << 40, half_life in 1_i64..1 << 40,
    ) {
        prop_assert!(decay(value, age + more, half_life) <= decay(value, age, half_life));
    }

    #[test]
    fn logarithms_are_within_a_thousandth_and_rise(number in 1_i64.., less in 1_i64..) {
        let exact = (number as f64).log2() * 1_000.0;
        let found = log2_milli(number).expect("a value") as f64;
        prop_assert!(found <= exact + 1e-6 && found > exact - 1.05, "{found} {exact}");
        prop_assert!(log2_milli(number.min(less)) <= log2_milli(number));
    }
}
