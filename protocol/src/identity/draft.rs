//! Payloads that wait for signatures, where the keys lie on several machines.

use super::approval::Approval;
use super::keys::KeyList;
use super::payload::{Operation, Payload, Statement};
use super::signers::{Signers, domain_of};
use super::{IdentityError, SignedObject};
use crate::keys::{Domain, SecretKey, Signature};
use crate::network::Network;

/// A payload with the keys that must sign it: each machine signs with its own, one puts them together.
#[derive(Debug, Clone)]
pub struct Draft {
    domain: Domain,
    network: Network,
    payload: Vec<u8>,
    signers: Signers,
}

impl Draft {
    /// Checks a payload and finds its signers.
    ///
    /// `control` are the control keys of its place, or for a `recover-finish` those that its start brings.
    pub fn new(network: Network, control: &KeyList, payload: &Payload) -> Result<Self, IdentityError> {
        payload.check()?;
        let signers = Signers::of_payload(payload, control)?;
        Ok(Self { domain: domain_of(payload), network, payload: payload.encode(), signers })
    }

    /// Reads a draft that came from another machine: a grant, a rotation or a recovery, which name their
    /// signers themselves. The payload comes with it, to be judged before signing.
    pub fn read(network: Network, bytes: &[u8]) -> Result<(Self, Payload), IdentityError> {
        let payload = Payload::decode(bytes)?;
        let nobody = KeyList { keys: Vec::new(), threshold: 0 };
        let names_its_signers = matches!(
            payload,
            Payload::Statement(_, Statement::Grant { .. })
                | Payload::Operation(_, Operation::Rotate { .. } | Operation::RecoverStart { .. })
        );
        if !names_its_signers {
            return Err(IdentityError::NotShared(payload.type_name()));
        }
        Ok((Self::new(network, &nobody, &payload)?, payload))
    }

    /// The payload, to be sent to the other machines.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// What those of `keys` that are among the signers sign, by ascending index.
    pub fn sign(&self, keys: &[&SecretKey]) -> Vec<(u64, Signature)> {
        self.signers.sign(self.domain, self.network, &self.payload, keys)
    }

    /// Puts the signatures together, in any order; fails unless they are valid and enough (`ID-4`).
    pub fn finish(&self, signatures: Vec<(u64, Signature)>) -> Result<SignedObject, IdentityError> {
        self.finish_approved(signatures, Vec::new())
    }

    /// Does so for a step of a recovery, with the approvals of guardians, in any order (`ID-17`).
    pub fn finish_approved(
        &self,
        mut signatures: Vec<(u64, Signature)>,
        mut approvals: Vec<Approval>,
    ) -> Result<SignedObject, IdentityError> {
        signatures.sort_unstable_by_key(|(index, _)| *index);
        approvals.sort_by_key(|approval| approval.guardian);
        let object = SignedObject::of(self.payload.clone(), signatures)?.with_approvals(approvals)?;
        object.verify(self.domain, self.network, &self.signers)?;
        Ok(object)
    }
}
