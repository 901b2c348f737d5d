//! Receipts: what a holder answers to an erasure, signed by a device of its identity.
//!
//! A receipt is a promise and no proof: nothing in any log or view follows from one.

use serde::{Deserialize, Serialize};

use crate::encoding::{self, EncodingError};
use crate::identity::IdentityState;
use crate::ids::{DeviceId, Did, EntryId};
use crate::keys::{Domain, KeyError, PublicKey, SecretKey, Signature};
use crate::limits::RECEIPT_BYTES_MAX;
use crate::network::Network;
use crate::rule::Rule;

/// The version of receipts.
const VERSION: u64 = 1;

/// What has become of an erased body at its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It is shown and served to nobody but the author's devices.
    Hidden,
    /// Salt and body are gone from the holder's files, and so are its blobs.
    Purged,
}

/// What a receipt says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Who answers.
    pub holder: Did,
    /// The device of the holder that signs.
    pub device: DeviceId,
    /// Whose entry was erased.
    pub author: Did,
    /// The erased entry.
    pub entry: EntryId,
    /// The erase that is answered.
    pub erase: EntryId,
    /// What the holder did.
    pub fate: Fate,
}

/// An answer with its signature. The form was checked; see [`Receipt::verify`] for the rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    answer: Answer,
    bytes: Vec<u8>,
    signature: Signature,
}

/// Bytes that are no receipt, or one that its holder did not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// Not canonical, not of this shape, or too long (`ENC-1` to `ENC-6`, `RCP-1`).
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A version or fate that this version does not know (`RCP-1`).
    #[error("not a receipt of version 1")]
    Unknown,
    /// The signing device is no live device of the holder (`RCP-1`).
    #[error("{0} is not a live device of the holder")]
    Device(DeviceId),
    /// The signature (`ENC-12`).
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl ReceiptError {
    /// The rule that is broken.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Encoding(EncodingError::Shape(_) | EncodingError::TooLong { .. }) => Rule("RCP-1"),
            Self::Encoding(e) => e.rule(),
            Self::Unknown | Self::Device(_) => Rule("RCP-1"),
            Self::Key(e) => e.rule(),
        }
    }
}

/// The signed part on the wire.
#[derive(Serialize, Deserialize)]
struct AnswerWire(u64, Did, DeviceId, Did, EntryId, EntryId, u64);

/// A receipt on the wire.
#[derive(Serialize, Deserialize)]
struct ReceiptWire(#[serde(with = "serde_bytes")] Vec<u8>, Signature);

impl Receipt {
    /// Signs an answer; `key` must be that of its device (`RCP-1`).
    pub fn sign(network: Network, answer: Answer, key: &SecretKey) -> Self {
        let fate = match answer.fate {
            Fate::Hidden => 0,
            Fate::Purged => 1,
        };
        let Answer { holder, device, author, entry, erase, .. } = answer;
        let bytes = encoding::encode(&AnswerWire(VERSION, holder, device, author, entry, erase, fate));
        let signature = key.sign(Domain::Receipt, network, &bytes);
        Self { answer, bytes, signature }
    }

    /// Reads a receipt and checks its form (`RCP-1`).
    pub fn decode(bytes: &[u8]) -> Result<Self, ReceiptError> {
        let ReceiptWire(bytes, signature) = encoding::decode(bytes, RECEIPT_BYTES_MAX)?;
        let AnswerWire(version, holder, device, author, entry, erase, fate) =
            encoding::decode(&bytes, RECEIPT_BYTES_MAX)?;
        let fate = match (version, fate) {
            (VERSION, 0) => Fate::Hidden,
            (VERSION, 1) => Fate::Purged,
            _ => return Err(ReceiptError::Unknown),
        };
        let answer = Answer { holder, device, author, entry, erase, fate };
        Ok(Self { answer, bytes, signature })
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(&ReceiptWire(self.bytes.clone(), self.signature))
    }

    /// What it says.
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// Checks that a live device of the holder has signed it for this network (`RCP-1`).
    pub fn verify(&self, network: Network, holder: &IdentityState) -> Result<(), ReceiptError> {
        let device = self.answer.device;
        let known = holder.live_device(&device).filter(|_| holder.did == self.answer.holder);
        let key: PublicKey = known.ok_or(ReceiptError::Device(device))?.key;
        Ok(key.verify(Domain::Receipt, network, &self.bytes, &self.signature)?)
    }

    /// Checks that the device that it names has signed it for this network, whoever that device belongs to: what
    /// can be told long after it was taken (`ARC-20`).
    pub fn verify_signature(&self, network: Network) -> Result<(), ReceiptError> {
        let key = PublicKey::from_bytes(&self.answer.device.0)?;
        Ok(key.verify(Domain::Receipt, network, &self.bytes, &self.signature)?)
    }
}
