//! Who must sign a payload: a quorum of one list of keys, and every key after them.

use super::IdentityError;
use super::keys::KeyList;
use super::object::check_signature_list;
use super::payload::{Operation, Origin, Payload, Statement};
use crate::ids::DeviceId;
use crate::keys::{Domain, PublicKey, SecretKey, Signature};
use crate::network::Network;

/// The keys that must sign; their places are the indexes of signatures (`ID-2`, `ID-4`).
#[derive(Debug, Clone)]
pub(super) struct Signers {
    keys: Vec<PublicKey>,
    /// How many of the keys, from the first on, share the threshold; all others must sign.
    quorum: usize,
    threshold: u64,
}

impl Signers {
    /// A list of which as many must sign as its threshold says.
    pub(super) fn of_list(list: &KeyList) -> Result<Self, IdentityError> {
        let keys = list.public_keys()?;
        Ok(Self { quorum: keys.len(), keys, threshold: list.threshold })
    }

    /// Adds keys that must sign too, each.
    fn and(mut self, keys: Vec<PublicKey>) -> Self {
        self.keys.extend(keys);
        self
    }

    /// Those of a payload. `control` are the control keys of its place, or for a `recover-finish` those
    /// that its start brings; what names its own signers does not read them.
    pub(super) fn of_payload(payload: &Payload, control: &KeyList) -> Result<Self, IdentityError> {
        match payload {
            Payload::Genesis(genesis) => Self::of_list(&genesis.control),
            Payload::Operation(_, operation) => Self::of_operation(operation, control),
            Payload::Statement(origin, statement) => Self::of_statement(origin, statement),
        }
    }

    /// The device that states it, and for a grant the new device.
    pub(super) fn of_statement(origin: &Origin, statement: &Statement) -> Result<Self, IdentityError> {
        let key = |device: &DeviceId| PublicKey::from_bytes(&device.0).map_err(IdentityError::Key);
        let mut keys = vec![key(&origin.by)?];
        if let Statement::Grant { device } = statement {
            keys.push(key(device)?);
        }
        Ok(Self { keys, quorum: 0, threshold: 0 })
    }

    pub(super) fn of_operation(operation: &Operation, control: &KeyList) -> Result<Self, IdentityError> {
        match operation {
            Operation::Rotate { reveal, renewal } => Ok(Self::of_list(reveal)?.and(renewal.device_keys()?)),
            Operation::RecoverStart { renewal, .. } => Ok(Self::of_list(&renewal.control)?.and(renewal.device_keys()?)),
            Operation::Retire { reveal: Some(reveal), .. } => Self::of_list(reveal),
            Operation::RecoverFinish
            | Operation::Cancel { .. }
            | Operation::DeviceRemove(_)
            | Operation::Settle { .. }
            | Operation::Unlock { .. }
            | Operation::Retire { reveal: None, .. } => Self::of_list(control),
        }
    }

    /// The signatures of those of `keys` that are among the signers, by ascending index.
    pub(super) fn sign(
        &self,
        domain: Domain,
        network: Network,
        message: &[u8],
        keys: &[&SecretKey],
    ) -> Vec<(u64, Signature)> {
        let signer_of = |key: &PublicKey| keys.iter().find(|signer| signer.public() == *key);
        let signed = (0..).zip(&self.keys).filter_map(|(index, key)| Some((index, signer_of(key)?)));
        signed.map(|(index, signer)| (index, signer.sign(domain, network, message))).collect()
    }

    /// Checks a list of signatures over `message`: all valid, and enough of them (`ID-4`).
    pub(super) fn verify(
        &self,
        domain: Domain,
        network: Network,
        message: &[u8],
        signatures: &[(u64, Signature)],
    ) -> Result<(), IdentityError> {
        check_signature_list(signatures)?;
        let mut by_quorum = 0;
        for (index, signature) in signatures {
            let at = usize::try_from(*index).map_err(|_| IdentityError::SignatureList)?;
            let key = self.keys.get(at).ok_or(IdentityError::SignatureList)?;
            key.verify(domain, network, message, signature).map_err(|_| IdentityError::Signature { index: *index })?;
            by_quorum += u64::from(at < self.quorum);
        }
        // The indexes ascend strictly, so each key is counted once.
        let others = (self.keys.len() - self.quorum) as u64;
        let (have, need) = (signatures.len() as u64, self.threshold + others);
        let all_others = signatures.len() as u64 - by_quorum == others;
        if by_quorum >= self.threshold && all_others { Ok(()) } else { Err(IdentityError::Threshold { have, need }) }
    }
}

/// The domain of a payload's signatures (`ENC-10`).
pub(super) fn domain_of(payload: &Payload) -> Domain {
    match payload {
        Payload::Genesis(_) | Payload::Operation(..) => Domain::Identity,
        Payload::Statement(..) => Domain::Statement,
    }
}
