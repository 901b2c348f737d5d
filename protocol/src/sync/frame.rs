//! Frames: a four-byte big-endian length, then the body (`SYN-1`).

use crate::limits::FRAME_BYTES_MAX;
use crate::rule::Rule;

/// A length prefix that no frame has (`SYN-1`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("frame of {bytes} bytes, 1 to {FRAME_BYTES_MAX} are allowed")]
pub struct FrameError {
    /// The length that was announced.
    pub bytes: u32,
}

impl FrameError {
    /// The rule that is broken.
    pub fn rule(&self) -> Rule {
        Rule("SYN-1")
    }
}

/// The length of the body that follows these four bytes; to be checked before anything is reserved.
pub fn frame_body_len(prefix: [u8; 4]) -> Result<usize, FrameError> {
    let bytes = u32::from_be_bytes(prefix);
    match usize::try_from(bytes) {
        Ok(len) if (1..=FRAME_BYTES_MAX).contains(&len) => Ok(len),
        _ => Err(FrameError { bytes }),
    }
}

/// The length prefix of a frame body.
pub fn frame_prefix(body: &[u8]) -> [u8; 4] {
    u32::try_from(body.len()).expect("a session sends no frame above the limit").to_be_bytes()
}
