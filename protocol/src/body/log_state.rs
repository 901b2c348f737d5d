//! What a device says about logs: checkpoints, and the opening of a further log.

use serde::{Deserialize, Serialize};

use super::{OpaqueReason, ensure};
use crate::ids::{Digest, LogId};
use crate::limits::{CHECKPOINT_LOGS_MAX, LOG_PURPOSE_ID_BYTES_MAX, SEQ_MAX};

/// The state of a log and of its siblings, at every 256th entry (`LOG-8`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The root of the Merkle map of what is live below this entry (`LOG-14`).
    pub root: Digest,
    /// Entries before this one: its own sequence number.
    pub height: u64,
    /// The hash of the header before this one.
    pub prev: Digest,
    /// The hash of the newest operation of the identity log.
    pub identity: Digest,
    /// The digest of the identity's statements (`ID-11`).
    pub statements: Digest,
    /// Every public log of the identity that this device knows, by ascending id, this one left out.
    pub logs: Vec<LogHead>,
}

/// How far a log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "LogHeadArray", into = "LogHeadArray")]
pub struct LogHead {
    /// The log.
    pub log: LogId,
    /// How many entries it has: the head's sequence number plus one.
    pub height: u64,
    /// The hash of the newest header.
    pub head: Digest,
}

/// A log head on the wire: an array, in this order.
#[derive(Serialize, Deserialize)]
struct LogHeadArray(LogId, u64, Digest);

impl From<LogHeadArray> for LogHead {
    fn from(LogHeadArray(log, height, head): LogHeadArray) -> Self {
        Self { log, height, head }
    }
}

impl From<LogHead> for LogHeadArray {
    fn from(head: LogHead) -> Self {
        Self(head.log, head.height, head.head)
    }
}

/// Opens a further public log of the device; stands in its root log (`LOG-1`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogOpen {
    /// What the log is for, such as `community` or `labels`; `[a-z0-9-]{1,32}`, not `root`.
    pub purpose: String,
    /// Which one of that purpose.
    #[serde(with = "serde_bytes")]
    pub purpose_id: Vec<u8>,
}

impl Checkpoint {
    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        ensure(self.height <= SEQ_MAX, "LOG-8", "height")?;
        ensure(self.logs.len() <= CHECKPOINT_LOGS_MAX, "LOG-8", "number of logs")?;
        ensure(self.logs.is_sorted_by(|a, b| a.log < b.log), "LOG-8", "order of logs")?;
        ensure(self.logs.iter().all(|head| (1..=SEQ_MAX + 1).contains(&head.height)), "LOG-8", "height of a log")
    }
}

impl LogOpen {
    pub(super) fn check(&self) -> Result<(), OpaqueReason> {
        let name = self.purpose.parse::<crate::Network>().is_ok() && self.purpose != "root";
        ensure(name && self.purpose_id.len() <= LOG_PURPOSE_ID_BYTES_MAX, "LOG-1", "purpose")
    }
}
