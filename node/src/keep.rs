//! Keeping others: on which terms, and what the owner sees of it (`KEEP-1`). How it is stored is the store's.

use xom_protocol::{Did, LogId};

/// What a bare `xom keep` gives, bytes.
pub const KEEP_QUOTA_BYTES: u64 = 2_000_000_000;
/// For how long a bare `xom keep` holds, milliseconds: one year.
pub const KEEP_FOR_MS: u64 = 365 * 86_400_000;
/// The share of the disk of an author who is followed, bytes, where the settings say nothing (`KEEP-2`).
pub const AUTHOR_QUOTA_BYTES: u64 = 2_000_000_000;
/// The least quota that is worth anything, bytes.
pub const QUOTA_BYTES_MIN: u64 = 1_000_000;
/// The greatest quota: exact in every language's numbers.
pub const QUOTA_BYTES_MAX: u64 = (1 << 53) - 1;
/// The longest time, milliseconds: a hundred years.
pub const KEEP_FOR_MS_MAX: u64 = 100 * KEEP_FOR_MS;

/// How much, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Bytes.
    pub quota_bytes: u64,
    /// From now on, milliseconds.
    pub for_ms: u64,
}

impl Default for Terms {
    fn default() -> Self {
        Self { quota_bytes: KEEP_QUOTA_BYTES, for_ms: KEEP_FOR_MS }
    }
}

impl Terms {
    /// The terms, if they are within bounds.
    pub fn new(quota_bytes: u64, for_ms: u64) -> Option<Self> {
        let fits =
            (QUOTA_BYTES_MIN..=QUOTA_BYTES_MAX).contains(&quota_bytes) && (1..=KEEP_FOR_MS_MAX).contains(&for_ms);
        fits.then_some(Self { quota_bytes, for_ms })
    }
}

/// An identity that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeepView {
    /// Whom.
    pub did: Did,
    /// How much is kept at most, bytes.
    pub quota_bytes: u64,
    /// How much is held, bytes.
    pub bytes: u64,
    /// Since when, milliseconds since 1970.
    pub since_ms: u64,
    /// Until when, milliseconds since 1970.
    pub until_ms: u64,
    /// Stated in the table of who is where (`KEEP-4`).
    pub told: bool,
    /// Its logs; none while nothing has come.
    pub logs: Vec<KeptLog>,
}

/// A log that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptLog {
    /// Which.
    pub log: LogId,
    /// Entries held.
    pub height: u64,
    /// Bytes held.
    pub bytes: u64,
}
