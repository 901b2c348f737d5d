//! Keeping others: on which terms, and what the owner sees of it (`KEEP-1`). How it is stored is the store's.

mod policy;

pub use policy::{Others, Policy, PolicyError, Ruling};
pub use xom_protocol::keep::{HeldLog, Terms};
use xom_protocol::{DeviceId, Did, LogId};

/// The share of the disk of an author who is followed, bytes, where the settings say nothing (`KEEP-2`).
pub const AUTHOR_QUOTA_BYTES: u64 = 2_000_000_000;
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

/// Somebody who has asked to be kept, and waits (`KEEP-7`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WishView {
    /// Who.
    pub did: Did,
    /// On which terms.
    pub terms: Terms,
    /// When it was last asked, milliseconds since 1970.
    pub asked_ms: u64,
}

/// What became of the wish of a local identity to be kept by somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedState {
    /// Nobody who speaks for that identity was reached.
    NotReached,
    /// Its owner has not decided.
    Waits,
    /// It keeps.
    Kept,
    /// It does not want to.
    Refused,
}

impl AskedState {
    /// As clients see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::NotReached => "not reached",
            Self::Waits => "waiting",
            Self::Kept => "kept",
            Self::Refused => "refused",
        }
    }
}

/// Somebody whom a local identity has asked to keep it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AskedView {
    /// Who.
    pub did: Did,
    /// On which terms.
    pub terms: Terms,
    /// What became of it.
    pub state: AskedState,
    /// When the owner asked, milliseconds since 1970.
    pub asked_ms: u64,
}

/// A device that has stated what it holds of a local identity (`KEEP-8`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HolderView {
    /// Whose device.
    pub did: Did,
    /// How that account is called here, if it is known.
    pub acct: Option<String>,
    /// The device.
    pub device: DeviceId,
    /// Another device of the author.
    pub own: bool,
    /// What it holds, bytes.
    pub bytes: u64,
    /// Until when it keeps, milliseconds since 1970; none where it promises nothing.
    pub until_ms: Option<u64>,
    /// How much it keeps at most, bytes; 0 where it promises nothing.
    pub quota_bytes: u64,
    /// The logs.
    pub logs: Vec<HeldLog>,
    /// When it said so, milliseconds since 1970.
    pub stated_ms: u64,
    /// It said so lately enough to count.
    pub live: bool,
}

/// An own log, and how far others hold it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCopies {
    /// Which.
    pub log: LogId,
    /// The device that writes it.
    pub device: DeviceId,
    /// Entries that this node holds.
    pub height: u64,
    /// Live copies on devices of others.
    pub copies: u64,
    /// Those of them that lack something.
    pub behind: u64,
}

/// The copies of a local identity's logs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HoldersReport {
    /// The logs, by id.
    pub logs: Vec<LogCopies>,
    /// Who has stated what, the newest first.
    pub holders: Vec<HolderView>,
    /// Who was asked to keep.
    pub asked: Vec<AskedView>,
}
