//! What is known of the copies of an entry, and of their erasure (`RCP-3`, `RCP-6`).

use xom_protocol::receipt::Fate;
use xom_protocol::{DeviceId, Did, EntryId};

use super::StatusId;

/// The body of an entry at this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HereBody {
    /// Held, and shown.
    Held,
    /// Erased: held until it is purged, shown to nobody.
    Hidden {
        /// When it is purged at the latest, milliseconds since 1970.
        purge_ms: u64,
    },
    /// Purged, or it never came.
    Gone,
}

/// What is known of the copies of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiesReport {
    /// The entry.
    pub entry: EntryId,
    /// Its local id, if it is a status.
    pub status: Option<StatusId>,
    /// Who wrote it.
    pub author: Did,
    /// Its kind.
    pub kind: String,
    /// When it was signed, as it claims, milliseconds since 1970.
    pub time_ms: u64,
    /// When this node first saw it erased; none where it stands.
    pub erased_ms: Option<u64>,
    /// What this node holds of it.
    pub here: HereBody,
    /// Other devices that hold or held a copy, by device; only of entries of identities that live here.
    pub copies: Vec<CopyView>,
}

/// A copy on another device.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyView {
    /// Whose device.
    pub holder: Did,
    /// How that account is called here, if it is known.
    pub acct: Option<String>,
    /// The device.
    pub device: DeviceId,
    /// Another device of the author.
    pub own: bool,
    /// The author's devices knew of it before it answered.
    pub known: bool,
    /// What it answered to an erasure that stands.
    pub fate: Option<Fate>,
    /// When the answer came, milliseconds since 1970.
    pub answered_ms: Option<u64>,
    /// When the device was last heard of, milliseconds since 1970.
    pub seen_ms: u64,
    /// It answered that it had purged, and sent the body afterwards.
    pub broken: bool,
}

/// The copies of others that were known, by what has become of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CopyCounts {
    /// All that were known.
    pub known: u64,
    /// Those that answered that they purged.
    pub purged: u64,
    /// Those that answered that they hide, and have not purged.
    pub hidden: u64,
    /// Those that have not answered.
    pub silent: u64,
    /// None of those that have not answered was heard of since, milliseconds since 1970.
    pub silent_since_ms: Option<u64>,
    /// Devices that answered though nobody knew that they held a copy.
    pub others: u64,
    /// Devices that broke their promise.
    pub broken: u64,
}

impl CopiesReport {
    /// Counts copies of others; the author's own devices apart.
    pub fn counts(&self) -> CopyCounts {
        let mut counts = CopyCounts::default();
        for copy in self.copies.iter().filter(|copy| !copy.own) {
            counts.broken += u64::from(copy.broken);
            if !copy.known {
                counts.others += u64::from(copy.fate.is_some());
                continue;
            }
            counts.known += 1;
            match copy.fate {
                Some(Fate::Purged) => counts.purged += 1,
                Some(Fate::Hidden) => counts.hidden += 1,
                None => {
                    counts.silent += 1;
                    counts.silent_since_ms = counts.silent_since_ms.max(Some(copy.seen_ms));
                }
            }
        }
        counts
    }
}

/// What a text that names an entry was found to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundEntry {
    /// Exactly one, erased or not.
    One(EntryId),
    /// Nothing held.
    None,
    /// The prefix fits several.
    Several(Vec<EntryId>),
}
