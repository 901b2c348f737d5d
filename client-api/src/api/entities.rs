//! Mastodon's entities, made from the node's values: the required members always, arrays always arrays, absent
//! values as null.

pub mod account;
pub mod edit;
pub mod filter;
pub mod html;
pub mod instance;
pub mod media;
pub mod notification;
pub mod poll;
pub mod relationship;
pub mod status;
pub mod tag;

pub use account::{Account, CredentialAccount};
pub use edit::StatusEdit;
pub use media::MediaAttachment;
pub use notification::{Notification, kind_name};
pub use poll::Poll;
pub use relationship::Relationship;
pub use status::{Context, Status};
pub use tag::Tag;

use time::OffsetDateTime;
use time::format_description::StaticFormatDescription;
use time::macros::format_description;

const TIMESTAMP: StaticFormatDescription =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]Z");
const DATE: StaticFormatDescription = format_description!("[year]-[month]-[day]");

/// Milliseconds since 1970 as `2026-11-22T17:00:00.000Z`.
pub fn timestamp(ms: u64) -> String {
    moment(ms).format(TIMESTAMP).unwrap_or_default()
}

/// Milliseconds since 1970 as `2026-11-22`.
pub fn date(ms: u64) -> String {
    moment(ms).format(DATE).unwrap_or_default()
}

/// Reads RFC 3339 to milliseconds since 1970; none before that.
pub fn read_timestamp(text: &str) -> Option<u64> {
    let moment = OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok()?;
    u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

/// Reads a day, a minute or second without its zone, or a whole time; the former in UTC.
pub fn read_day_or_time(text: &str) -> Option<u64> {
    match text.len() {
        10 => read_timestamp(&format!("{text}T00:00:00Z")),
        16 => read_timestamp(&format!("{text}:00Z")),
        19 => read_timestamp(&format!("{text}Z")),
        _ => read_timestamp(text),
    }
}

fn moment(ms: u64) -> OffsetDateTime {
    let ms = ms.min(xom_protocol::limits::TIME_MS_MAX);
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_and_stay_in_range() {
        assert_eq!(timestamp(1_795_366_800_123), "2026-11-22T17:00:00.123Z");
        assert_eq!(read_timestamp("2026-11-22T17:00:00.123Z"), Some(1_795_366_800_123));
        assert_eq!(read_timestamp("2026-11-22T18:00:00+01:00"), Some(1_795_366_800_000));
        assert_eq!(read_timestamp("1960-01-01T00:00:00Z"), None);
        assert_eq!(read_day_or_time("2026-11-22"), read_timestamp("2026-11-22T00:00:00Z"));
        assert_eq!(read_day_or_time("2026-11-22T17:00"), Some(1_795_366_800_000));
        assert_eq!(read_day_or_time("2026-11-22T17:00:01"), Some(1_795_366_801_000));
        assert_eq!(read_day_or_time("2026-11-22T18:00:00+01:00"), Some(1_795_366_800_000));
        assert_eq!((read_day_or_time("yesterday"), read_day_or_time("2026-13-01")), (None, None));
        assert_eq!(timestamp(u64::MAX), "9999-12-31T23:59:59.999Z");
        assert_eq!(date(0), "1970-01-01");
    }
}
