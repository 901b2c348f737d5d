//! What guardians sign, and how a stranger checks it: an approval brings the guardian's keys along.

use serde::{Deserialize, Serialize};

use super::keys::{Guardians, KeyList, NextKeys};
use super::payload::{Link, Operation, Payload};
use super::place::Place;
use super::renewal::Renewal;
use super::signers::Signers;
use super::{IdentityError, IdentityRecord, SignedObject};
use crate::ids::{Did, Digest};
use crate::keys::{Domain, SecretKey, Signature};
use crate::limits::{APPROVAL_PROOF_OBJECTS_MAX, GUARDIANS_MAX};
use crate::network::Network;

/// What guardians are asked to approve: one of the two steps of a recovery (`ID-16`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryRequest {
    /// Where the operation will stand.
    pub link: Link,
    /// Which step.
    pub step: RecoveryStep,
}

/// The two steps of a recovery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecoveryStep {
    /// Announcing what the recovery will bring.
    Start(Renewal),
    /// Putting it in force, after the guardians have waited.
    Finish,
}

/// A guardian's approval of a request, with what it takes to check it (`ID-17`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approval {
    /// The guardian.
    pub guardian: Did,
    /// The guardian's genesis, then its rotations up to the keys that sign.
    pub proof: Vec<SignedObject>,
    /// By the control keys that follow from the proof.
    pub signatures: Vec<(u64, Signature)>,
}

impl RecoveryRequest {
    /// The request to bring `renewal` at a place.
    pub fn start(place: &Place, renewal: Renewal) -> Self {
        Self { link: place.link(), step: RecoveryStep::Start(renewal) }
    }

    /// The request to finish the recovery whose start is right before `place`.
    pub fn finish(place: &Place) -> Self {
        Self { link: place.link(), step: RecoveryStep::Finish }
    }

    /// The digest of the request, by which people compare it: the id of the operation to be.
    pub fn digest(&self) -> Digest {
        Digest::of(&[&self.encode()])
    }

    /// The payload: guardians sign the very bytes of the operation.
    pub fn payload(&self) -> Payload {
        let operation = match &self.step {
            RecoveryStep::Start(renewal) => Operation::RecoverStart { renewal: renewal.clone() },
            RecoveryStep::Finish => Operation::RecoverFinish,
        };
        Payload::Operation(self.link, operation)
    }

    /// The canonical bytes: those of the payload.
    pub fn encode(&self) -> Vec<u8> {
        self.payload().encode()
    }

    /// Decodes a request and checks all that can be checked of it alone (`ID-16`).
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let request = match Payload::decode(bytes)? {
            Payload::Operation(link, operation) => Self::of(&link, &operation),
            _ => None,
        };
        request.ok_or(IdentityError::Recovery("this is no step of one"))
    }

    pub(super) fn of(link: &Link, operation: &Operation) -> Option<Self> {
        let step = match operation {
            Operation::RecoverStart { renewal } => RecoveryStep::Start(renewal.clone()),
            Operation::RecoverFinish => RecoveryStep::Finish,
            _ => return None,
        };
        Some(Self { link: *link, step })
    }

    /// What a guardian signs under [`Domain::Recovery`]: the guardian's DID, then the request.
    fn message(&self, guardian: &Did) -> Vec<u8> {
        [guardian.0.as_slice(), &self.encode()].concat()
    }

    /// Signs as a guardian, with enough of its current control keys (`ID-17`).
    pub fn approve(&self, guardian: &IdentityRecord, signers: &[&SecretKey]) -> Result<Approval, IdentityError> {
        let state = guardian.state();
        let message = self.message(&state.did);
        let signatures = Signers::of_list(&state.control)?.sign(Domain::Recovery, state.network, &message, signers);
        let approval = Approval { guardian: state.did, proof: guardian.rotations(), signatures };
        self.check_approval(state.network, &approval)?;
        Ok(approval)
    }

    /// Checks an approval by itself: its proof, and its signatures over this request (`ID-17`).
    pub fn check_approval(&self, network: Network, approval: &Approval) -> Result<(), IdentityError> {
        let control = approval.control(network)?;
        let message = self.message(&approval.guardian);
        Signers::of_list(&control)?.verify(Domain::Recovery, network, &message, &approval.signatures)
    }

    /// Checks that enough different guardians approve, and each approval (`ID-17`).
    pub(super) fn check_approvals(
        &self,
        network: Network,
        guardians: &Guardians,
        approvals: &[Approval],
    ) -> Result<(), IdentityError> {
        check_list(approvals)?;
        let (have, need) = (approvals.len() as u64, guardians.need);
        if have < need {
            return Err(IdentityError::TooFewGuardians { have, need });
        }
        if let Some(stranger) = approvals.iter().find(|approval| !guardians.contains(&approval.guardian)) {
            return Err(IdentityError::NoGuardian(stranger.guardian));
        }
        approvals.iter().try_for_each(|approval| self.check_approval(network, approval))
    }
}

impl Approval {
    /// The control keys that follow from the proof: each rotation reveals what the one before it
    /// committed to (`ID-17`).
    fn control(&self, network: Network) -> Result<KeyList, IdentityError> {
        let (first, rotations) = self.proof.split_first().ok_or(IdentityError::Proof)?;
        let Payload::Genesis(genesis) = Payload::decode(first.payload())? else { return Err(IdentityError::Proof) };
        if first.id().0 != self.guardian.0 || genesis.network != network {
            return Err(IdentityError::Proof);
        }
        first.verify(Domain::Identity, network, &Signers::of_list(&genesis.control)?)?;
        let (mut control, mut next, mut seq) = (genesis.control, genesis.next, 0);
        for object in rotations {
            let Payload::Operation(link, operation) = Payload::decode(object.payload())? else {
                return Err(IdentityError::Proof);
            };
            let signers = Signers::of_operation(&operation, &control)?;
            let Operation::Rotate { reveal, renewal } = operation else { return Err(IdentityError::Proof) };
            if link.did != self.guardian || link.seq <= seq || NextKeys::commit_to(&reveal) != next {
                return Err(IdentityError::Proof);
            }
            object.verify(Domain::Identity, network, &signers)?;
            (control, next, seq) = (renewal.control, renewal.next, link.seq);
        }
        Ok(control)
    }
}

/// Checks the form of a list of approvals: ascending by guardian, so that none counts twice (`ID-17`).
pub(super) fn check_list(approvals: &[Approval]) -> Result<(), IdentityError> {
    let ascending = approvals.windows(2).all(|pair| pair[0].guardian < pair[1].guardian);
    // A proof holds nothing that brings approvals of its own, so that none hides behind another.
    let proofs = approvals.iter().all(|approval| {
        let plain = approval.proof.iter().all(|object| object.approvals().is_empty());
        plain && (1..=APPROVAL_PROOF_OBJECTS_MAX).contains(&approval.proof.len())
    });
    let some = (1..=GUARDIANS_MAX).contains(&approvals.len());
    if ascending && proofs && some { Ok(()) } else { Err(IdentityError::Approvals) }
}
