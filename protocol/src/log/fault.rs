//! Fault proofs: what shows that a checkpoint is void (`LOG-18`).
//!
//! What a checkpoint says of its own place is belied by the entry itself. A wrong root is belied only by the
//! whole log below: the proof then names the checkpoint, and whoever holds the log sees for himself.

use serde::{Deserialize, Serialize};

use super::checkpoint::{CheckpointFault, audit_checkpoint};
use crate::body::{Body, Checkpoint};
use crate::encoding::{self, EncodingError};
use crate::entry::{EntryError, Header, Kind, Salt, SaltedBody, SignedEntry, VerifiedEntry, verify_signed};
use crate::keys::{KeyError, PublicKey, Signature};
use crate::limits::{FAULT_PROOF_BYTES_MAX, SALT_BYTES};
use crate::network::Network;
use crate::rule::Rule;

/// A proof as it travels: the checkpoint as a signed entry with its body (`LOG-9`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultProof(
    #[serde(with = "serde_bytes")] Vec<u8>,
    Signature,
    serde_bytes::ByteArray<SALT_BYTES>,
    #[serde(with = "serde_bytes")] Vec<u8>,
);

/// A checkpoint that was claimed to be void, verified as far as it can be without its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faulty {
    /// The checkpoint.
    pub entry: VerifiedEntry,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// What is wrong with it, where that shows by itself; otherwise its root is to be audited.
    pub fault: Option<CheckpointFault>,
}

/// A proof that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FaultProofError {
    /// Not canonical, or not a signed entry with its body (`ENC-1` to `ENC-8`).
    #[error("fault proof: {0}")]
    Encoding(#[from] EncodingError),
    /// The entry, its signature or its body (`LOG-2` to `LOG-9`).
    #[error("fault proof: {0}")]
    Entry(#[from] EntryError),
    /// The device's key (`ENC-11`).
    #[error("fault proof: {0}")]
    Key(#[from] KeyError),
    /// Of another kind, or with a body that says nothing (`LOG-18`).
    #[error("fault proof: the entry is no checkpoint")]
    NoCheckpoint,
}

impl FaultProofError {
    /// The rule that the proof breaks.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Encoding(e) => e.rule(),
            Self::Entry(e) => e.rule(),
            Self::Key(e) => e.rule(),
            Self::NoCheckpoint => Rule("LOG-18"),
        }
    }
}

impl FaultProof {
    /// The proof for a checkpoint; none without signature or body. The signature is always kept: its place is
    /// divisible by 32.
    pub fn new(entry: &VerifiedEntry) -> Option<Self> {
        let (signature, body) = (entry.signature()?, entry.body()?);
        let salt = serde_bytes::ByteArray::new(body.salt);
        Some(Self(entry.header_bytes().to_vec(), *signature, salt, body.bytes.clone()))
    }

    /// The same from what is stored.
    pub fn from_parts(header: Vec<u8>, signature: Signature, salt: Salt, body: Vec<u8>) -> Self {
        Self(header, signature, serde_bytes::ByteArray::new(salt), body)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a proof; [`FaultProof::verify`] is still to be called.
    pub fn decode(bytes: &[u8]) -> Result<Self, EncodingError> {
        encoding::decode(bytes, FAULT_PROOF_BYTES_MAX)
    }

    /// Checks all that the proof alone can show, but not that the identity admits the device (`LOG-18`).
    pub fn verify(&self, network: Network) -> Result<Faulty, FaultProofError> {
        let Self(header, signature, salt, bytes) = self.clone();
        let device = Header::decode(&header).map_err(EntryError::from)?.device;
        let key = PublicKey::from_bytes(&device.0)?;
        let body = Some(SaltedBody { salt: salt.into_array(), bytes });
        let entry = verify_signed(network, &key, SignedEntry { header, signature: Some(signature), body })?;
        let decoded = entry.body().filter(|_| entry.header().kind == Kind::Checkpoint);
        let decoded = decoded.and_then(|body| Body::decode(&Kind::Checkpoint, &body.bytes).ok());
        let Some(Body::Checkpoint(checkpoint)) = decoded else { return Err(FaultProofError::NoCheckpoint) };
        let fault = audit_checkpoint(&entry, &checkpoint, None).err();
        Ok(Faulty { entry, checkpoint, fault })
    }
}
