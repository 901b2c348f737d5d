//! Sizes and spans of time as people write them: `2GB`, `500MB`, `1y`, `30d`.

use std::str::FromStr;

/// Bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

/// Milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub u64);

/// Not a size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a size such as 2GB, 500MB or 1048576")]
pub struct SizeError;

/// Not a span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("is not a span of time such as 1y, 6mo, 30d or 12h")]
pub struct SpanError;

const SIZES: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

const DAY_MS: u64 = 86_400_000;
const SPANS: &[(&str, u64)] = &[
    ("s", 1_000),
    ("m", 60_000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", DAY_MS),
    ("w", 7 * DAY_MS),
    ("mo", 30 * DAY_MS),
    ("y", 365 * DAY_MS),
];

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        measure(text, SIZES).map(Self).ok_or(SizeError)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        measure(text, SPANS).map(Self).ok_or(SpanError)
    }
}

/// A whole number with one of these units.
fn measure(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim().to_lowercase();
    let unit_at = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let (_, size) = units.iter().find(|(name, _)| *name == unit.trim())?;
    number.parse::<u64>().ok()?.checked_mul(*size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_read_as_people_write_them() {
        assert_eq!("2GB".parse(), Ok(Size(2_000_000_000)));
        assert_eq!(
            ["500 MB", "1kib", "7"].map(|text| text.parse()),
            [Ok(Size(500_000_000)), Ok(Size(1024)), Ok(Size(7))]
        );
        assert_eq!("1y".parse(), Ok(Span(31_536_000_000)));
        assert_eq!(
            ["30d", "6mo", "90 s"].map(|text| text.parse()),
            [2_592_000_000, 15_552_000_000, 90_000].map(|ms| Ok(Span(ms)))
        );
    }

    #[test]
    fn what_is_no_size_and_no_span_is_refused() {
        for bad in ["", "GB", "-1GB", "1.5GB", "2 bananas", "99999999999TB"] {
            assert_eq!(bad.parse::<Size>(), Err(SizeError), "{bad}");
        }
        for bad in ["", "1", "y", "-1d", "99999999999999y"] {
            assert_eq!(bad.parse::<Span>(), Err(SpanError), "{bad}");
        }
    }
}
