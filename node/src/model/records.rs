//! Records of apps (`BODY-6`).

use xom_protocol::{Did, EntryId};

use super::Account;

/// A record as clients see it.
#[derive(Debug, Clone)]
pub struct AppRecord {
    /// Whose.
    pub account: Account,
    /// The app's kind.
    pub kind: String,
    /// Its key.
    pub key: String,
    /// A JSON text, as its author wrote it; not checked.
    pub value: String,
    /// The entry that stands.
    pub entry: EntryId,
    /// When it was written, as views show times (`LOG-15`), milliseconds since 1970.
    pub time_ms: u64,
}

/// Whose records are listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordsOf {
    /// The viewer's own and those of whom he follows.
    Followed,
    /// Everybody's that are held here.
    All,
    /// Of one identity.
    One(Did),
}

/// A page of records.
#[derive(Debug, Clone, Default)]
pub struct RecordsPage {
    /// Newest first.
    pub records: Vec<AppRecord>,
    /// The cursor of the last row that was looked at.
    pub next: Option<u64>,
    /// There are rows behind it.
    pub has_more: bool,
}
