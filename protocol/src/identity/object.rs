//! Signed objects: the form in which genesis, operations and statements travel.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::IdentityError;
use super::signers::Signers;
use crate::encoding;
use crate::ids::Digest;
use crate::keys::{Domain, Signature};
use crate::limits::{IDENTITY_OBJECT_BYTES_MAX, SIGNATURES_MAX};
use crate::network::Network;

/// A payload with signatures, each with the index of its key in the list that must sign (`ID-2`).
///
/// The form has been checked, the signatures have not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedObject {
    payload: Vec<u8>,
    signatures: Vec<(u64, Signature)>,
}

/// A signed object on the wire: an array.
#[derive(Serialize, Deserialize)]
struct SignedArray(#[serde(with = "serde_bytes")] Vec<u8>, Vec<(u64, Signature)>);

impl SignedObject {
    /// Decodes one object and checks the form of its list of signatures.
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let SignedArray(payload, signatures) = encoding::decode(bytes, IDENTITY_OBJECT_BYTES_MAX)?;
        Self::of(payload, signatures)
    }

    /// Puts a payload and signatures together, and checks the form of the list.
    pub(super) fn of(payload: Vec<u8>, signatures: Vec<(u64, Signature)>) -> Result<Self, IdentityError> {
        check_signature_list(&signatures)?;
        Ok(Self { payload, signatures })
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// The payload's bytes as they came.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The size that counts against the limits of a record: payload and signatures.
    pub(super) fn bytes(&self) -> usize {
        self.payload.len() + 80 * self.signatures.len()
    }

    /// The signatures, by ascending index.
    pub fn signatures(&self) -> &[(u64, Signature)] {
        &self.signatures
    }

    /// The id: the SHA-256 of the payload; signatures are no part of it (`ID-2`).
    pub fn id(&self) -> Digest {
        Digest::of(&[&self.payload])
    }

    /// Checks that every signature is valid and that there are enough (`ID-4`).
    pub(super) fn verify(&self, domain: Domain, network: Network, signers: &Signers) -> Result<(), IdentityError> {
        signers.verify(domain, network, &self.payload, &self.signatures)
    }
}

impl Serialize for SignedObject {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (serde_bytes::Bytes::new(&self.payload), &self.signatures).serialize(to)
    }
}

impl<'de> Deserialize<'de> for SignedObject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let SignedArray(payload, signatures) = SignedArray::deserialize(from)?;
        Self::of(payload, signatures).map_err(de::Error::custom)
    }
}

/// Strictly ascending, so that no key counts twice; not empty (`ID-2`).
pub(super) fn check_signature_list(signatures: &[(u64, Signature)]) -> Result<(), IdentityError> {
    let ascending = signatures.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let some = (1..=SIGNATURES_MAX).contains(&signatures.len());
    if ascending && some { Ok(()) } else { Err(IdentityError::SignatureList) }
}
