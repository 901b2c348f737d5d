//! How an answer on a stream of blobs begins: one byte (`BLOB-3`). What follows is a slice (`BLOB-6`).

use std::io;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// How an answer begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// The slice follows.
    Slice,
    /// Not held, not named by a live entry, or no such groups; the asker is not told which.
    NotFound,
    /// Too much to do; ask later.
    Busy,
}

impl Answer {
    /// Writes the byte.
    pub(super) async fn write<W: AsyncWrite + Unpin>(self, to: &mut W) -> io::Result<()> {
        let status = match self {
            Self::Slice => 0,
            Self::NotFound => 1,
            Self::Busy => 2,
        };
        to.write_all(&[status]).await
    }

    /// Reads the byte; fails for a status that version 2 does not know.
    pub(super) async fn read<R: AsyncRead + Unpin>(from: &mut R) -> io::Result<Self> {
        let mut status = [0; 1];
        from.read_exact(&mut status).await?;
        match status[0] {
            0 => Ok(Self::Slice),
            1 => Ok(Self::NotFound),
            2 => Ok(Self::Busy),
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    #[tokio::test]
    async fn answers_read_back() {
        for answer in [Answer::Slice, Answer::NotFound, Answer::Busy] {
            let mut wire = Vec::new();
            answer.write(&mut wire).await.expect("written");
            assert_eq!(Answer::read(&mut Cursor::new(wire)).await.expect("read"), answer);
        }
        assert!(Answer::read(&mut Cursor::new([9])).await.is_err());
    }
}
