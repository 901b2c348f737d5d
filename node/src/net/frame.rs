//! Frames on a stream: a length of four bytes, big-endian, and so many bytes (`SYN-1`).
//!
//! Between frames a stream may be silent; inside one it may not (`R-DEC-11`, `R-SYN-3`).

use std::io;
use std::time::Duration;

use futures::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use xom_protocol::Rule;
use xom_protocol::limits::FRAME_BYTES_MAX;

/// How long a whole frame may take from its first byte to its last, in either direction.
pub(crate) const FRAME_DEADLINE: Duration = Duration::from_secs(20);
/// Bytes by which the buffer of an incoming frame grows: a length alone reserves nothing (`R-DEC-2`).
const GROWTH_BYTES: usize = 16 << 10;

/// A frame that can't be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    /// Longer than any frame may be (`SYN-1`).
    #[error("frame of {bytes} bytes, at most {FRAME_BYTES_MAX} are allowed")]
    TooLong {
        /// The length announced.
        bytes: u32,
    },
    /// An empty frame (`SYN-1`).
    #[error("frame of no bytes")]
    Empty,
    /// Begun and not finished in time (`SYN-1`).
    #[error("frame not finished in time")]
    Slow,
    /// The stream ended or failed.
    #[error("stream: {0}")]
    Io(#[from] io::Error),
}

impl FrameError {
    /// The rule that the peer broke; none where only the stream failed.
    pub(crate) fn rule(&self) -> Option<Rule> {
        match self {
            Self::TooLong { .. } | Self::Empty | Self::Slow => Some(Rule("SYN-1")),
            Self::Io(_) => None,
        }
    }
}

/// Reads one frame; none where the stream ends between frames.
pub(crate) async fn read_frame<R: AsyncRead + Unpin>(from: &mut R) -> Result<Option<Vec<u8>>, FrameError> {
    read_frame_within(from, FRAME_DEADLINE).await
}

async fn read_frame_within<R: AsyncRead + Unpin>(
    from: &mut R,
    deadline: Duration,
) -> Result<Option<Vec<u8>>, FrameError> {
    let mut first = [0; 1];
    if from.read(&mut first).await? == 0 {
        return Ok(None);
    }
    match tokio::time::timeout(deadline, read_rest(from, first[0])).await {
        Ok(frame) => frame.map(Some),
        Err(_) => Err(FrameError::Slow),
    }
}

async fn read_rest<R: AsyncRead + Unpin>(from: &mut R, first: u8) -> Result<Vec<u8>, FrameError> {
    let mut rest = [0; 3];
    from.read_exact(&mut rest).await?;
    let bytes = u32::from_be_bytes([first, rest[0], rest[1], rest[2]]);
    let length = usize::try_from(bytes).unwrap_or(usize::MAX);
    if length == 0 {
        return Err(FrameError::Empty);
    }
    if length > FRAME_BYTES_MAX {
        return Err(FrameError::TooLong { bytes });
    }
    let mut frame = Vec::new();
    while frame.len() < length {
        let at = frame.len();
        frame.resize(length.min(at + GROWTH_BYTES), 0);
        from.read_exact(&mut frame[at..]).await?;
    }
    Ok(frame)
}

/// Writes one frame and flushes it.
pub(crate) async fn write_frame<W: AsyncWrite + Unpin>(to: &mut W, frame: &[u8]) -> Result<(), FrameError> {
    let bytes = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    if frame.is_empty() {
        return Err(FrameError::Empty);
    }
    if frame.len() > FRAME_BYTES_MAX {
        return Err(FrameError::TooLong { bytes });
    }
    let write = async {
        to.write_all(&bytes.to_be_bytes()).await?;
        to.write_all(frame).await?;
        to.flush().await
    };
    match tokio::time::timeout(FRAME_DEADLINE, write).await {
        Ok(written) => Ok(written?),
        Err(_) => Err(FrameError::Slow),
    }
}

#[cfg(test)]
mod tests {
    use futures::io::Cursor;

    use super::*;

    async fn read(bytes: &[u8]) -> Result<Option<Vec<u8>>, FrameError> {
        read_frame(&mut Cursor::new(bytes)).await
    }

    #[tokio::test]
    async fn a_frame_reads_back() {
        let mut wire = Vec::new();
        write_frame(&mut wire, &[7; 40_000]).await.expect("written");
        assert_eq!(read(&wire).await.expect("read"), Some(vec![7; 40_000]));
        assert_eq!(read(&[]).await.expect("end"), None);
    }

    #[tokio::test]
    async fn a_length_of_zero_or_above_the_limit_is_a_breach() {
        for length in [0, (1 << 20) + 1, u32::MAX, 1 << 31] {
            let refusal = read(&length.to_be_bytes()).await.expect_err("refused");
            assert_eq!(refusal.rule(), Some(Rule("SYN-1")), "{length}: {refusal}");
        }
    }

    #[tokio::test]
    async fn a_frame_cut_short_is_only_a_lost_stream() {
        let refusal = read(&[0, 0, 0, 5, 1]).await.expect_err("refused");
        assert_eq!(refusal.rule(), None, "{refusal}");
    }

    #[tokio::test]
    async fn a_frame_that_trickles_in_is_given_up() {
        let (mut mallory, ours) = tokio::io::duplex(64);
        tokio::io::AsyncWriteExt::write_all(&mut mallory, &[0, 0, 0, 5, 1]).await.expect("written");
        let mut ours = tokio_util::compat::TokioAsyncReadCompatExt::compat(ours);
        let refusal = read_frame_within(&mut ours, Duration::from_millis(10)).await.expect_err("refused");
        assert_eq!(refusal.rule(), Some(Rule("SYN-1")), "{refusal}");
    }
}
