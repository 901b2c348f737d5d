//! Composing: the one place where an entry is signed.
//!
//! It must never sign two entries for one place: whoever calls stores the entry durably before it
//! composes the next.

use crate::body::{Body, OpaqueReason};
use crate::entry::{Header, HeaderError, Kind, Salt, SaltedBody, VerifiedEntry, commitment, size_class};
use crate::ids::{Did, LogId};
use crate::keys::{Domain, SecretKey};
use crate::limits::{BODY_BYTES_MAX, SALT_BYTES};
use crate::log::Position;
use crate::network::Network;
use crate::rule::Rule;

/// An entry that is not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// The clock stands before the last entry of the log (`LOG-15`).
    #[error("the clock stands {behind_ms} ms before the last entry; set it right first")]
    ClockBehind {
        /// By how much, milliseconds.
        behind_ms: u64,
    },
    /// The body is longer than the largest size class (`LOG-6`).
    #[error("body of {bytes} bytes, at most {BODY_BYTES_MAX} are allowed")]
    TooLong {
        /// Bytes of the body.
        bytes: usize,
    },
    /// A body that every reader would find opaque (`BODY-0`).
    #[error(transparent)]
    Body(#[from] OpaqueReason),
    /// The place or the time does not allow this entry (`LOG-4`, `LOG-8`).
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// A salt of zeros: the entropy source is broken (`ENC-13`).
    #[error("salt is all zero; the entropy source is broken")]
    ZeroSalt,
}

impl ComposeError {
    /// The rule that the entry would break.
    pub fn rule(&self) -> Rule {
        match self {
            Self::ClockBehind { .. } => Rule("LOG-15"),
            Self::TooLong { .. } => Rule("LOG-6"),
            Self::Body(reason) => reason.rule(),
            Self::Header(e) => e.rule(),
            Self::ZeroSalt => Rule("ENC-13"),
        }
    }
}

/// The writing end of one log of one device.
#[derive(Debug, Clone)]
pub struct Composer {
    /// The network.
    pub network: Network,
    /// The device's key.
    pub key: SecretKey,
    /// The identity that speaks.
    pub author: Did,
    /// The log.
    pub log: LogId,
    /// Where the next entry goes.
    pub position: Position,
    /// The time of the newest entry, milliseconds since 1970; 0 for an empty log.
    pub last_time_ms: u64,
}

impl Composer {
    /// Signs `body` as the next entry. The composer stays where it is until [`Composer::advance`].
    pub fn compose(&self, body: &Body, salt: Salt, time_ms: u64) -> Result<VerifiedEntry, ComposeError> {
        body.check()?;
        self.sign(body.kind(), body.encode(), salt, time_ms)
    }

    /// Signs the bytes of a body of any kind, such as another app's; a known kind must read back.
    pub fn compose_bytes(
        &self,
        kind: Kind,
        bytes: Vec<u8>,
        salt: Salt,
        time_ms: u64,
    ) -> Result<VerifiedEntry, ComposeError> {
        let kind = Kind::from_name(kind.name()).ok_or(HeaderError::Kind)?;
        if !matches!(kind, Kind::Other(_)) {
            Body::decode(&kind, &bytes)?;
        }
        self.sign(kind, bytes, salt, time_ms)
    }

    /// Moves on, once `entry` is stored.
    pub fn advance(&mut self, entry: &VerifiedEntry) {
        self.position = Position::after(entry);
        self.last_time_ms = entry.header().time_ms;
    }

    fn sign(&self, kind: Kind, bytes: Vec<u8>, salt: Salt, time_ms: u64) -> Result<VerifiedEntry, ComposeError> {
        if let Some(behind_ms) = self.last_time_ms.checked_sub(time_ms).filter(|ms| *ms > 0) {
            return Err(ComposeError::ClockBehind { behind_ms });
        }
        if salt == [0; SALT_BYTES] {
            return Err(ComposeError::ZeroSalt);
        }
        let size_class = size_class(bytes.len()).ok_or(ComposeError::TooLong { bytes: bytes.len() })?;
        let header = Header {
            author: self.author,
            device: self.key.public().device_id(),
            log: self.log,
            seq: self.position.height,
            prev: self.position.head,
            commitment: commitment(self.network, &salt, &bytes),
            size_class,
            time_ms,
            kind,
        };
        header.check()?;
        let header_bytes = header.encode();
        let signature = self.key.sign(Domain::Entry, self.network, &header_bytes);
        Ok(VerifiedEntry::new(header, header_bytes, Some(signature), Some(SaltedBody { salt, bytes })))
    }
}
