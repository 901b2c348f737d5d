//! Signed objects: the form in which genesis, operations and statements travel.

use serde::{Deserialize, Serialize};

use super::IdentityError;
use crate::encoding;
use crate::ids::Digest;
use crate::keys::{Domain, PublicKey, SecretKey, Signature};
use crate::limits::{CONTROL_KEYS_MAX, IDENTITY_OBJECT_BYTES_MAX};
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
        check_signature_list(&signatures)?;
        Ok(Self { payload, signatures })
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(&SignedArray(self.payload.clone(), self.signatures.clone()))
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

    /// Signs a payload with those of `signers` whose keys are in `keys`.
    ///
    /// Fails with the list of signatures empty where there are none.
    pub(super) fn sign(
        domain: Domain,
        network: Network,
        payload: Vec<u8>,
        keys: &[PublicKey],
        signers: &[&SecretKey],
    ) -> Result<Self, IdentityError> {
        let signatures = sign_indexed(domain, network, &payload, keys, signers);
        check_signature_list(&signatures)?;
        Ok(Self { payload, signatures })
    }

    /// Puts a payload together with signatures that were made apart; nothing is said of their worth.
    pub(super) fn of_parts(payload: Vec<u8>, signatures: Vec<(u64, Signature)>) -> Result<Self, IdentityError> {
        check_signature_list(&signatures)?;
        Ok(Self { payload, signatures })
    }

    /// Checks that every signature is valid and that at least `threshold` are there (`ID-4`).
    pub(super) fn verify(
        &self,
        domain: Domain,
        network: Network,
        keys: &[PublicKey],
        threshold: u64,
    ) -> Result<(), IdentityError> {
        verify_indexed(domain, network, &self.payload, &self.signatures, keys, threshold)
    }
}

/// Signs `message` with those of `signers` whose keys are in `keys`, by ascending index.
pub(super) fn sign_indexed(
    domain: Domain,
    network: Network,
    message: &[u8],
    keys: &[PublicKey],
    signers: &[&SecretKey],
) -> Vec<(u64, Signature)> {
    let signer_of = |key: &PublicKey| signers.iter().find(|signer| signer.public() == *key);
    let signed = (0..).zip(keys).filter_map(|(index, key)| Some((index, signer_of(key)?)));
    signed.map(|(index, signer)| (index, signer.sign(domain, network, message))).collect()
}

/// Checks a list of signatures over `message`: all valid, at least `threshold` (`ID-4`).
pub(super) fn verify_indexed(
    domain: Domain,
    network: Network,
    message: &[u8],
    signatures: &[(u64, Signature)],
    keys: &[PublicKey],
    threshold: u64,
) -> Result<(), IdentityError> {
    check_signature_list(signatures)?;
    for (index, signature) in signatures {
        let at = usize::try_from(*index).map_err(|_| IdentityError::SignatureList)?;
        let key = keys.get(at).ok_or(IdentityError::SignatureList)?;
        key.verify(domain, network, message, signature).map_err(|_| IdentityError::Signature { index: *index })?;
    }
    let have = signatures.len() as u64;
    if have >= threshold { Ok(()) } else { Err(IdentityError::Threshold { have, need: threshold }) }
}

/// Strictly ascending, so that no key counts twice; not empty (`ID-2`).
fn check_signature_list(signatures: &[(u64, Signature)]) -> Result<(), IdentityError> {
    let ascending = signatures.windows(2).all(|pair| pair[0].0 < pair[1].0);
    let some = (1..=CONTROL_KEYS_MAX).contains(&signatures.len());
    if ascending && some { Ok(()) } else { Err(IdentityError::SignatureList) }
}
