//! Signed objects: the form in which genesis, operations and statements travel.

use std::fmt;

use serde::de::{Error as _, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::IdentityError;
use super::approval::{self, Approval};
use super::signers::Signers;
use crate::encoding;
use crate::ids::Digest;
use crate::keys::{Domain, Signature};
use crate::limits::{IDENTITY_OBJECT_BYTES_MAX, SIGNATURES_MAX};
use crate::network::Network;

/// A payload with signatures, each with the index of its key in the list that must sign (`ID-2`), and
/// with the approvals of guardians if it is a step of a recovery (`ID-17`).
///
/// The form has been checked, the signatures and approvals have not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedObject {
    payload: Vec<u8>,
    signatures: Vec<(u64, Signature)>,
    approvals: Vec<Approval>,
}

/// A signed object on the wire: an array of two, or of three where there are approvals.
struct SignedArray(Vec<u8>, Vec<(u64, Signature)>, Vec<Approval>);

impl SignedObject {
    /// Decodes one object and checks the form of its lists.
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let SignedArray(payload, signatures, approvals) = encoding::decode(bytes, IDENTITY_OBJECT_BYTES_MAX)?;
        Self::of(payload, signatures)?.with_approvals(approvals)
    }

    /// Puts a payload and signatures together, and checks the form of the list.
    pub(super) fn of(payload: Vec<u8>, signatures: Vec<(u64, Signature)>) -> Result<Self, IdentityError> {
        check_signature_list(&signatures)?;
        Ok(Self { payload, signatures, approvals: Vec::new() })
    }

    /// Adds the approvals of guardians, if any, and checks the form of the list.
    pub(super) fn with_approvals(mut self, approvals: Vec<Approval>) -> Result<Self, IdentityError> {
        if !approvals.is_empty() {
            approval::check_list(&approvals)?;
        }
        self.approvals = approvals;
        Ok(self)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// The payload's bytes as they came.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The size that counts against the limits of a record: payload, signatures and approvals.
    pub(super) fn bytes(&self) -> usize {
        let proofs = self.approvals.iter().flat_map(|approval| &approval.proof).map(Self::bytes);
        let approvals = self.approvals.iter().map(|approval| 160 + 80 * approval.signatures.len());
        self.payload.len() + 80 * self.signatures.len() + approvals.chain(proofs).sum::<usize>()
    }

    /// The signatures, by ascending index.
    pub fn signatures(&self) -> &[(u64, Signature)] {
        &self.signatures
    }

    /// The approvals of guardians, by ascending DID; only a step of a recovery has any.
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// The id: the SHA-256 of the payload; signatures and approvals are no part of it (`ID-2`).
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
        let payload = serde_bytes::Bytes::new(&self.payload);
        match self.approvals.as_slice() {
            [] => (payload, &self.signatures).serialize(to),
            approvals => (payload, &self.signatures, approvals).serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for SignedObject {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let SignedArray(payload, signatures, approvals) = SignedArray::deserialize(from)?;
        let object = Self::of(payload, signatures).and_then(|object| object.with_approvals(approvals));
        object.map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for SignedArray {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Parts;

        impl<'de> Visitor<'de> for Parts {
            type Value = SignedArray;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array of payload, signatures and perhaps approvals")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<SignedArray, A::Error> {
                let payload: Option<serde_bytes::ByteBuf> = seq.next_element()?;
                let signatures = seq.next_element()?;
                let (Some(payload), Some(signatures)) = (payload, signatures) else {
                    return Err(A::Error::invalid_length(0, &self));
                };
                let approvals: Option<Vec<Approval>> = seq.next_element()?;
                let wrong =
                    approvals.as_ref().is_some_and(Vec::is_empty) || seq.next_element::<IgnoredAny>()?.is_some();
                if wrong {
                    return Err(A::Error::invalid_length(3, &self));
                }
                Ok(SignedArray(payload.into_vec(), signatures, approvals.unwrap_or_default()))
            }
        }

        from.deserialize_seq(Parts)
    }
}

/// Strictly ascending, so that no key counts twice; not empty (`ID-2`).
pub(super) fn check_signature_list(signatures: &[(u64, Signature)]) -> Result<(), IdentityError> {
    let ascending = signatures.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let some = (1..=SIGNATURES_MAX).contains(&signatures.len());
    if ascending && some { Ok(()) } else { Err(IdentityError::SignatureList) }
}
