//! The header: what is signed, chained and hashed; an array, so that it is small.

use serde::{Deserialize, Serialize};

use super::{Kind, Reference};
use crate::encoding::{self, EncodingError};
use crate::ids::{DeviceId, Did, Digest, EntryId, LogId};
use crate::limits::{CHECKPOINT_INTERVAL, HEADER_BYTES_MAX, SEQ_MAX, SIZE_CLASS_MAX, SIZE_CLASS_MIN, TIME_MS_MAX};
use crate::rule::Rule;

/// The version of headers that this code writes and reads.
const HEADER_VERSION: u64 = 1;

/// One header of version 1 (`LOG-2`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The identity that speaks.
    pub author: Did,
    /// The device that signs.
    pub device: DeviceId,
    /// The log.
    pub log: LogId,
    /// The place in the log, from 0.
    pub seq: u64,
    /// The SHA-256 of the header before this one; none at 0.
    pub prev: Option<Digest>,
    /// What the body must hash to.
    pub commitment: Digest,
    /// The exponent of the body's size class.
    pub size_class: u8,
    /// When the device says that it signed, milliseconds since 1970.
    pub time_ms: u64,
    /// What the body is.
    pub kind: Kind,
}

/// A header that no version-1 log can hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Not canonical, or not an array of the ten members (`ENC-1` to `ENC-8`).
    #[error("header: {0}")]
    Encoding(#[from] EncodingError),
    /// Another header version (`LOG-2`).
    #[error("header version {0}, this node knows version 1")]
    Version(u64),
    /// A kind name outside `[a-z0-9.-]{1,64}` (`LOG-3`).
    #[error("kind is not 1 to 64 characters of a-z, 0-9, dot and hyphen")]
    Kind,
    /// A number outside its range (`LOG-4`).
    #[error("{0} is out of range")]
    Range(&'static str),
    /// The previous hash is missing above 0 or present at 0 (`LOG-4`).
    #[error("entry {seq} has the wrong kind of link to the entry before it")]
    Prev {
        /// The place in the log.
        seq: u64,
    },
    /// A checkpoint elsewhere than at a multiple of 256 above 0, or another kind there (`LOG-8`).
    #[error("entry {seq} and only every 256th is a checkpoint")]
    CheckpointPlace {
        /// The place in the log.
        seq: u64,
    },
}

impl HeaderError {
    /// The rule that the header breaks.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Encoding(e) => e.rule(),
            Self::Version(_) => Rule("LOG-2"),
            Self::Kind => Rule("LOG-3"),
            Self::Range(_) | Self::Prev { .. } => Rule("LOG-4"),
            Self::CheckpointPlace { .. } => Rule("LOG-8"),
        }
    }
}

/// The members in the order of the wire.
#[derive(Serialize, Deserialize)]
struct HeaderArray(u64, Did, DeviceId, LogId, u64, Option<Digest>, Digest, u64, u64, String);

impl Header {
    /// Decodes a header and checks all that can be checked of it alone.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderError> {
        let HeaderArray(version, author, device, log, seq, prev, commitment, size_class, time_ms, kind) =
            encoding::decode(bytes, HEADER_BYTES_MAX)?;
        if version != HEADER_VERSION {
            return Err(HeaderError::Version(version));
        }
        let kind = Kind::from_name(&kind).ok_or(HeaderError::Kind)?;
        let size_class = u8::try_from(size_class).map_err(|_| HeaderError::Range("size class"))?;
        let header = Self { author, device, log, seq, prev, commitment, size_class, time_ms, kind };
        header.check()?;
        Ok(header)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(&HeaderArray(
            HEADER_VERSION,
            self.author,
            self.device,
            self.log,
            self.seq,
            self.prev,
            self.commitment,
            u64::from(self.size_class),
            self.time_ms,
            self.kind.name().to_owned(),
        ))
    }

    /// The hash that the next header links to; also the digest of the entry id (`LOG-5`).
    pub fn hash(bytes: &[u8]) -> Digest {
        Digest::of(&[bytes])
    }

    /// True where the log must hold a checkpoint.
    pub fn is_checkpoint_place(seq: u64) -> bool {
        seq > 0 && seq.is_multiple_of(CHECKPOINT_INTERVAL)
    }

    /// A reference to this entry, given its id.
    pub fn reference(&self, entry: EntryId) -> Reference {
        Reference { entry, author: self.author, log: self.log, seq: self.seq }
    }

    /// Checks every range and the place of checkpoints (`LOG-4`, `LOG-8`).
    pub fn check(&self) -> Result<(), HeaderError> {
        if self.seq > SEQ_MAX {
            return Err(HeaderError::Range("sequence number"));
        }
        if self.time_ms > TIME_MS_MAX {
            return Err(HeaderError::Range("time"));
        }
        if !(SIZE_CLASS_MIN..=SIZE_CLASS_MAX).contains(&self.size_class) {
            return Err(HeaderError::Range("size class"));
        }
        if self.prev.is_some() != (self.seq > 0) {
            return Err(HeaderError::Prev { seq: self.seq });
        }
        if Self::is_checkpoint_place(self.seq) != (self.kind == Kind::Checkpoint) {
            return Err(HeaderError::CheckpointPlace { seq: self.seq });
        }
        Ok(())
    }
}
