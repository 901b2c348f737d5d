//! What is remembered of a peer across restarts.

use serde::{Deserialize, Serialize};
use xom_protocol::encoding::{self, EncodingError};

use super::bans::BanRecord;

/// Longest record, bytes: the addresses of one peer and little else.
const RECORD_BYTES_MAX: usize = 16 << 10;

/// A peer as the store keeps it, as DAG-CBOR.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::net) struct PeerRecord {
    /// Where it may be reached, the best first, without the peer id.
    pub(in crate::net) addresses: Vec<String>,
    /// When it was last connected, milliseconds since 1970.
    pub(in crate::net) last_seen_ms: Option<u64>,
    /// The owner named it: by an invite or a setting.
    pub(in crate::net) named: bool,
    /// Kept away. Missing in records of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) ban: Option<BanRecord>,
}

impl PeerRecord {
    /// Reads a stored record.
    pub(in crate::net) fn decode(bytes: &[u8]) -> Result<Self, EncodingError> {
        encoding::decode(bytes, RECORD_BYTES_MAX)
    }

    /// The bytes to store.
    pub(in crate::net) fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }
}
