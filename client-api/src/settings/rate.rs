//! A rate of bytes, as people write it: `2MB/s`, `500 kB/s`, `10Mbit/s`.

use std::fmt;
use std::str::FromStr;

use xom_node::RATE_MIN;

/// What a second may carry, with the factor to bytes times 8.
const UNITS: [(&str, u64); 6] = [
    ("kbit", 1_000),
    ("Mbit", 1_000_000),
    ("Gbit", 1_000_000_000),
    ("kB", 8_000),
    ("MB", 8_000_000),
    ("GB", 8_000_000_000),
];

/// Bytes a second, at least [`RATE_MIN`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate(pub u64);

/// A text that is no rate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RateError {
    /// Not a number with a unit.
    #[error("is no rate; use a number with kB/s, MB/s, kbit/s or Mbit/s, such as 2MB/s")]
    Form,
    /// Slower than conversations can be held at.
    #[error("is too slow; conversations break below {} kB/s", RATE_MIN / 1_000)]
    Slow,
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let text = text.trim();
        let text = text.strip_suffix("/s").unwrap_or(text);
        let digits = text.find(|letter: char| !letter.is_ascii_digit()).ok_or(RateError::Form)?;
        let (number, unit) = text.split_at(digits);
        let number: u64 = number.parse().map_err(|_| RateError::Form)?;
        let (_, bits) = UNITS.iter().find(|(name, _)| *name == unit.trim_start()).ok_or(RateError::Form)?;
        let bytes = number.checked_mul(*bits).ok_or(RateError::Form)? / 8;
        if bytes < RATE_MIN { Err(RateError::Slow) } else { Ok(Self(bytes)) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kB/s", self.0 / 1_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_as_people_write_them() {
        let read = |text: &str| text.parse::<Rate>();
        let same = ["2MB/s", "2 MB/s", "2000kB/s", "16Mbit/s", "16 Mbit", " 2MB "];
        assert!(same.iter().all(|text| read(text) == Ok(Rate(2_000_000))), "{same:?}");
        for wrong in ["", "2", "fast", "2 mb/s", "-1MB/s", "2MB/h", "1.5MB/s", "99999999999999GB/s"] {
            assert_eq!(read(wrong), Err(RateError::Form), "{wrong:?}");
        }
        for slow in ["0MB/s", "63kB/s", "500kbit/s"] {
            assert_eq!(read(slow), Err(RateError::Slow), "{slow:?}");
        }
        assert_eq!(read("64kB/s").map(|rate| rate.to_string()), Ok("64 kB/s".to_owned()));
    }
}
