//! Messages of a relay on a stream: a length as a protobuf number, and so many bytes; never more than there is to read.

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;
use xom_protocol::relay::{RELAY_MESSAGE_BYTES_MAX, RelayMessageError};

/// How long a message may take, in either direction (`RCH-4`).
pub(super) const MESSAGE_DEADLINE: Duration = Duration::from_secs(5);
/// Bytes of a length: no message is longer than two of them can say.
const LENGTH_BYTES_MAX: usize = 2;

/// A message that can't be read or written.
#[derive(Debug, thiserror::Error)]
pub(in crate::net) enum MessageError {
    /// Longer than any message may be (`RCH-4`).
    #[error("a message of a relay has at most {RELAY_MESSAGE_BYTES_MAX} bytes")]
    TooLong,
    /// Not there in time (`RCH-4`).
    #[error("the message did not come in time")]
    Slow,
    /// No message.
    #[error(transparent)]
    Malformed(#[from] RelayMessageError),
    /// The stream ended or failed.
    #[error("stream: {0}")]
    Io(#[from] io::Error),
}

/// Reads one message and nothing after it.
pub(super) async fn read<R: AsyncRead + Unpin>(from: &mut R) -> Result<Vec<u8>, MessageError> {
    read_within(from, MESSAGE_DEADLINE).await
}

async fn read_within<R: AsyncRead + Unpin>(from: &mut R, deadline: Duration) -> Result<Vec<u8>, MessageError> {
    let message = async {
        let mut length = 0;
        for position in 0..LENGTH_BYTES_MAX {
            let mut byte = [0];
            from.read_exact(&mut byte).await?;
            length |= usize::from(byte[0] & 0x7f) << (7 * position);
            if byte[0] & 0x80 == 0 {
                let mut bytes =
                    vec![0; Some(length).filter(|l| *l <= RELAY_MESSAGE_BYTES_MAX).ok_or(MessageError::TooLong)?];
                from.read_exact(&mut bytes).await?;
                return Ok(bytes);
            }
        }
        Err(MessageError::TooLong)
    };
    timeout(deadline, message).await.unwrap_or(Err(MessageError::Slow))
}

/// Writes one message.
pub(super) async fn write<W: AsyncWrite + Unpin>(to: &mut W, message: &[u8]) -> Result<(), MessageError> {
    let low = u8::try_from(message.len() & 0x7f).unwrap_or(0);
    let high = u8::try_from(message.len() >> 7).map_err(|_| MessageError::TooLong)?;
    let mut bytes = if high == 0 { vec![low] } else { vec![low | 0x80, high] };
    bytes.extend_from_slice(message);
    let written = async {
        to.write_all(&bytes).await?;
        Ok(to.flush().await?)
    };
    timeout(MESSAGE_DEADLINE, written).await.unwrap_or(Err(MessageError::Slow))
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    #[tokio::test]
    async fn rch_4_a_message_is_read_to_its_end_and_not_beyond() {
        for length in [0, 1, 127, 128, RELAY_MESSAGE_BYTES_MAX] {
            let message: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).expect("small")).collect();
            let mut written = Vec::new();
            write(&mut written, &message).await.expect("written");
            written.extend([1, 2, 3]);
            let mut from = Cursor::new(written);
            assert_eq!(read(&mut from).await.expect("read"), message);
            let mut rest = Vec::new();
            from.read_to_end(&mut rest).await.expect("read");
            assert_eq!(rest, [1, 2, 3], "what follows belongs to those who talk");
        }
    }

    #[tokio::test]
    async fn rch_4_a_length_beyond_the_limit_reserves_nothing() {
        for length in [&[0x81, 0x20][..], &[0xff, 0xff, 0xff, 0xff, 0x0f], &[0x80, 0x80]] {
            let refusal = read(&mut Cursor::new(length.to_vec())).await;
            assert!(matches!(refusal, Err(MessageError::TooLong)), "{refusal:?}");
        }
        assert!(matches!(read(&mut Cursor::new(vec![9, 0])).await, Err(MessageError::Io(_))));
    }

    #[tokio::test]
    async fn rch_4_a_message_that_never_ends_is_not_waited_for() {
        let refusal = read_within(&mut Never, Duration::from_millis(20)).await;
        assert!(matches!(refusal, Err(MessageError::Slow)), "{refusal:?}");
    }

    /// A stream on which nothing comes.
    struct Never;

    impl AsyncRead for Never {
        fn poll_read(
            self: std::pin::Pin<&mut Self>,
            _: &mut std::task::Context<'_>,
            _: &mut [u8],
        ) -> std::task::Poll<io::Result<usize>> {
            std::task::Poll::Pending
        }
    }
}
