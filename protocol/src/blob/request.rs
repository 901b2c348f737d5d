//! What is asked for on a stream of blobs (`BLOB-3`).

use serde::{Deserialize, Serialize};

use super::Groups;
use crate::encoding::{self, EncodingError};
use crate::ids::{BlobId, EntryId};
use crate::limits::{BLOB_GROUPS_MAX, BLOB_REQUEST_GROUPS_MAX};

/// Longest request, bytes.
const REQUEST_BYTES_MAX: usize = 256;

/// Some groups of a blob: never asked for by a hash alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RequestArray", into = "RequestArray")]
pub struct Request {
    /// Which blob.
    pub blob: BlobId,
    /// The live entry that names it.
    pub entry: EntryId,
    /// Which groups of it; at least one.
    pub groups: Groups,
}

#[derive(Serialize, Deserialize)]
struct RequestArray(BlobId, EntryId, u32, u32);

impl From<Request> for RequestArray {
    fn from(Request { blob, entry, groups }: Request) -> Self {
        Self(blob, entry, groups.start, groups.end.saturating_sub(groups.start))
    }
}

impl TryFrom<RequestArray> for Request {
    type Error = &'static str;

    fn try_from(RequestArray(blob, entry, first, count): RequestArray) -> Result<Self, Self::Error> {
        let end =
            first.checked_add(count).filter(|end| *end <= BLOB_GROUPS_MAX).ok_or("groups beyond the largest blob")?;
        if count == 0 || count > BLOB_REQUEST_GROUPS_MAX {
            return Err("no groups, or too many at once");
        }
        Ok(Self { blob, entry, groups: first..end })
    }
}

impl Request {
    /// The frame's body.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a frame's body.
    pub fn decode(bytes: &[u8]) -> Result<Self, EncodingError> {
        encoding::decode(bytes, REQUEST_BYTES_MAX)
    }
}
