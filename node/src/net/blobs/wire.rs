//! One request and one answer for each stream.
//!
//! The request is one frame: a DAG-CBOR array of blob id, id of the entry that names it, and offset. The
//! answer is a status byte, the number of bytes that follow (eight bytes, big-endian), and the bytes.

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use serde::{Deserialize, Serialize};
use xom_protocol::encoding::{self, EncodingError};
use xom_protocol::{BlobId, EntryId};

/// Longest request, bytes.
const REQUEST_BYTES_MAX: usize = 256;

/// What is asked for (`BLOB-3`): never a hash alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "RequestArray", into = "RequestArray")]
pub(super) struct Request {
    /// Which blob.
    pub(super) blob: BlobId,
    /// The live entry that names it.
    pub(super) entry: EntryId,
    /// The first byte that is wanted.
    pub(super) offset: u64,
}

#[derive(Serialize, Deserialize)]
struct RequestArray(BlobId, EntryId, u64);

impl From<RequestArray> for Request {
    fn from(RequestArray(blob, entry, offset): RequestArray) -> Self {
        Self { blob, entry, offset }
    }
}

impl From<Request> for RequestArray {
    fn from(request: Request) -> Self {
        Self(request.blob, request.entry, request.offset)
    }
}

impl Request {
    /// The frame's body.
    pub(super) fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a frame's body.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, EncodingError> {
        encoding::decode(bytes, REQUEST_BYTES_MAX)
    }
}

/// How an answer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// So many bytes follow.
    Bytes(u64),
    /// Not held, not named by a live entry, or nothing at that offset; the asker is not told which.
    NotFound,
    /// Too much to do; ask later.
    Busy,
}

impl Answer {
    /// Writes status and length.
    pub(super) async fn write<W: AsyncWrite + Unpin>(self, to: &mut W) -> io::Result<()> {
        let (status, length) = match self {
            Self::Bytes(length) => (0, length),
            Self::NotFound => (1, 0),
            Self::Busy => (2, 0),
        };
        to.write_all(&[status]).await?;
        to.write_all(&u64::to_be_bytes(length)).await
    }

    /// Reads status and length; fails for a status that version 1 does not know.
    pub(super) async fn read<R: AsyncRead + Unpin>(from: &mut R) -> io::Result<Self> {
        let mut status = [0; 1];
        let mut length = [0; 8];
        from.read_exact(&mut status).await?;
        from.read_exact(&mut length).await?;
        match (status[0], u64::from_be_bytes(length)) {
            (0, length) => Ok(Self::Bytes(length)),
            (1, 0) => Ok(Self::NotFound),
            (2, 0) => Ok(Self::Busy),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    #[test]
    fn a_request_reads_back_and_a_bare_hash_does_not() {
        let request = Request { blob: BlobId::of(b"x"), entry: EntryId([1; 32]), offset: 7 };
        assert_eq!(Request::decode(&request.encode()), Ok(request));
        assert!(Request::decode(&encoding::encode(&BlobId::of(b"x"))).is_err());
        assert!(Request::decode(&[0x83; 300]).is_err());
    }

    #[tokio::test]
    async fn answers_read_back() {
        for answer in [Answer::Bytes(5), Answer::NotFound, Answer::Busy] {
            let mut wire = Vec::new();
            answer.write(&mut wire).await.expect("written");
            assert_eq!(Answer::read(&mut Cursor::new(wire)).await.expect("read"), answer);
        }
        assert!(Answer::read(&mut Cursor::new([9; 9])).await.is_err());
    }
}
