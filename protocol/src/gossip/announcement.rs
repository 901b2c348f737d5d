//! Announcements: the newest header of a log with its signature.

use serde::{Deserialize, Serialize};

use super::Topic;
use crate::encoding::{self, EncodingError};
use crate::entry::{EntryError, Header, HeaderError, SignedEntry, VerifiedEntry, verify_signed};
use crate::ids::Digest;
use crate::keys::{Domain, KeyError, PublicKey, Signature};
use crate::limits::ANNOUNCEMENT_BYTES_MAX;
use crate::network::Network;
use crate::rule::Rule;

/// The head of a log as it is announced (`GSP-3`). Its form was checked; see [`Announcement::verify`] for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    header: Header,
    header_bytes: Vec<u8>,
    signature: Signature,
}

/// Bytes that are no announcement, or one that its device did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnnouncementError {
    /// Not canonical, not of this shape, or too long (`ENC-1` to `ENC-6`, `GSP-3`).
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// The header (`LOG-2` to `LOG-8`).
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The device's key (`ENC-11`).
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The signature (`ENC-12`).
    #[error(transparent)]
    Entry(#[from] EntryError),
}

impl AnnouncementError {
    /// The rule that is broken.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Encoding(EncodingError::Shape(_) | EncodingError::TooLong { .. }) => Rule("GSP-3"),
            Self::Encoding(e) => e.rule(),
            Self::Header(e) => e.rule(),
            Self::Key(e) => e.rule(),
            Self::Entry(e) => e.rule(),
        }
    }

    /// True where it may be of a later version, so that who passes it on did nothing wrong (`GSP-4`).
    pub fn is_of_later_version(&self) -> bool {
        matches!(self, Self::Header(HeaderError::Version(_)))
    }
}

/// An announcement on the wire.
#[derive(Serialize, Deserialize)]
struct Wire(#[serde(with = "serde_bytes")] Vec<u8>, Signature);

impl Announcement {
    /// Announces an entry; none where its own signature is not held.
    pub fn of(entry: &VerifiedEntry) -> Option<Self> {
        let (header, header_bytes) = (entry.header().clone(), entry.header_bytes().to_vec());
        entry.signature().map(|signature| Self { header, header_bytes, signature: *signature })
    }

    /// Reads an announcement and checks all that can be checked without a signature (`GSP-3`).
    pub fn decode(bytes: &[u8]) -> Result<Self, AnnouncementError> {
        let Wire(header_bytes, signature) = encoding::decode(bytes, ANNOUNCEMENT_BYTES_MAX)?;
        let header = Header::decode(&header_bytes)?;
        Ok(Self { header, header_bytes, signature })
    }

    /// The bytes that travel.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(&Wire(self.header_bytes.clone(), self.signature))
    }

    /// What it announces.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The hash of what it announces: the head of the log.
    pub fn head(&self) -> Digest {
        Header::hash(&self.header_bytes)
    }

    /// How many entries the log has, if what it says is true.
    pub fn height(&self) -> u64 {
        self.header.seq.saturating_add(1)
    }

    /// Checks that the device that it names has signed it. Whether the identity admits that device is for who knows
    /// the identity to say (`GSP-4`).
    pub fn verify(&self, network: Network) -> Result<(), AnnouncementError> {
        let key = PublicKey::from_bytes(&self.header.device.0)?;
        let entry = SignedEntry { header: self.header_bytes.clone(), signature: Some(self.signature), body: None };
        verify_signed(network, &key, entry)?;
        Ok(())
    }
}

/// By which the same announcement is known again, whoever passes it on (`GSP-3`).
pub fn message_id(network: Network, topic: &Topic, bytes: &[u8]) -> Digest {
    Digest::of(&[&Domain::Announcement.prefix(network), &topic.0, bytes])
}
