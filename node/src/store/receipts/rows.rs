//! The rows of the tables of receipts and copies, as DAG-CBOR.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use xom_protocol::encoding;
use xom_protocol::receipt::Fate;
use xom_protocol::{BlobId, DeviceId, Did, EntryId};

use crate::error::StoreError;

/// Longest row, bytes.
const ROW_BYTES_MAX: usize = 1 << 16;

/// A device that holds a log of a local identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Holding {
    /// The identity that the device has proven.
    pub did: Did,
    /// How many entries from the start.
    pub height: u64,
    /// When it was last heard of, milliseconds since 1970.
    pub seen_ms: u64,
}

/// What waits to be given to the devices of an author, in order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Outgoing {
    /// An answer of this node; it is signed when it is given.
    Own {
        /// The erased entry.
        entry: EntryId,
        /// The erase.
        erase: EntryId,
        /// Purged, not only hidden.
        purged: bool,
    },
    /// A receipt of another holder, as it came.
    Of {
        /// Who.
        holder: Did,
        /// With which device.
        device: DeviceId,
        /// The signed bytes.
        #[serde(with = "serde_bytes")]
        receipt: Vec<u8>,
    },
    /// A known copy of an entry, for siblings.
    Copy {
        /// The erased entry.
        entry: EntryId,
        /// Who holds it.
        holder: Did,
        /// On which device.
        device: DeviceId,
        /// When it was last heard of.
        seen_ms: u64,
    },
}

/// What is known of one device's copy of an erased entry of a local identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct AnswerRow {
    /// Whose device.
    pub(super) holder: Did,
    /// It was known to hold the entry when that was erased.
    pub(super) known: bool,
    /// 0 no answer, 1 hidden, 2 purged.
    pub(super) fate: u8,
    /// The erase that was answered; none while nothing was.
    pub(super) erase: Option<EntryId>,
    /// When the answer came, or the copy became known, milliseconds since 1970.
    pub(super) ms: u64,
    /// When the holder was last heard of, as far as was known then.
    pub(super) seen_ms: u64,
    /// It answered purged, and sent the body afterwards.
    pub(super) broken: bool,
}

impl AnswerRow {
    /// A copy of which nothing was heard yet.
    pub(super) fn unanswered(holder: Did, known: bool, ms: u64, seen_ms: u64) -> Self {
        Self { holder, known, fate: 0, erase: None, ms, seen_ms, broken: false }
    }

    /// What was answered last.
    pub(super) fn fate(&self) -> Option<Fate> {
        match self.fate {
            0 => None,
            1 => Some(Fate::Hidden),
            _ => Some(Fate::Purged),
        }
    }

    /// Notes an answer.
    pub(super) fn answered(self, fate: Fate, erase: EntryId, ms: u64) -> Self {
        let fate = match fate {
            Fate::Hidden => 1,
            Fate::Purged => 2,
        };
        Self { fate, erase: Some(erase), ms, seen_ms: self.seen_ms.max(ms), ..self }
    }
}

/// A purge that is to be answered once its bytes are gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwedRow {
    /// The erased entry.
    pub(super) entry: EntryId,
    /// The erase.
    pub(super) erase: EntryId,
    /// The number of the author.
    pub(super) author: u32,
    /// The slot of the salt.
    pub(super) slot: u64,
    /// The blobs that the body named.
    pub(super) blobs: Vec<BlobId>,
}

/// A row's bytes.
pub(super) fn write<T: Serialize>(row: &T) -> Vec<u8> {
    encoding::encode(row)
}

/// A row from its bytes.
pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, StoreError> {
    encoding::decode(bytes, ROW_BYTES_MAX).map_err(|e| StoreError::Damaged(format!("a row about receipts: {e}")))
}
