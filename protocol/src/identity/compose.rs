//! Composing signed objects from keys that are all at hand; [`Draft`] is for keys on several machines.

use super::approval::{Approval, RecoveryRequest, RecoveryStep};
use super::draft::Draft;
use super::keys::{KeyList, NextKeys};
use super::payload::{DeviceEnd, Genesis, Operation, Origin, Payload, Statement};
use super::place::Place;
use super::renewal::Renewal;
use super::{IdentityError, SignedObject};
use crate::body::LogHead;
use crate::ids::{DeviceId, Did, Digest};
use crate::keys::{PublicKey, SecretKey};
use crate::network::Network;

/// The genesis of an identity with one control key (`ID-3`).
pub fn genesis(
    network: Network,
    nonce: [u8; 16],
    control: &SecretKey,
    next: NextKeys,
    device: &PublicKey,
) -> Result<SignedObject, IdentityError> {
    let keys = KeyList::single(&control.public());
    let genesis = Genesis { network, nonce, control: keys, next, device: device.device_id(), guardians: None };
    genesis_of(genesis, &[control])
}

/// The genesis of an identity with any number of control keys and guardians (`ID-3`).
pub fn genesis_of(genesis: Genesis, signers: &[&SecretKey]) -> Result<SignedObject, IdentityError> {
    let (network, control) = (genesis.network, genesis.control.clone());
    finish(network, &control, &Payload::Genesis(genesis), signers)
}

/// New keys and devices, by the next keys of the place, which `reveal` lists (`ID-6`).
///
/// `signers` are enough of the revealed keys, and every new device.
pub fn rotate(
    place: &Place,
    reveal: KeyList,
    renewal: Renewal,
    signers: &[&SecretKey],
) -> Result<SignedObject, IdentityError> {
    check_commitment(place, &reveal)?;
    operation(place, Operation::Rotate { reveal, renewal }, signers)
}

/// A step of a recovery that enough guardians approved (`ID-16`).
///
/// `control` are the control keys that the recovery brings. `signers` are enough of them and, for a
/// start, every new device.
pub fn recover(
    network: Network,
    request: &RecoveryRequest,
    approvals: Vec<Approval>,
    control: &KeyList,
    signers: &[&SecretKey],
) -> Result<SignedObject, IdentityError> {
    let keys = match &request.step {
        RecoveryStep::Start(renewal) => &renewal.control,
        RecoveryStep::Finish => control,
    };
    let draft = Draft::new(network, keys, &request.payload())?;
    draft.finish_approved(draft.sign(signers), approvals)
}

/// Control keys cancel recoveries: those that start at this place, or the one that started right before
/// it (`ID-18`).
pub fn cancel(place: &Place, starts: Vec<Digest>, signers: &[&SecretKey]) -> Result<SignedObject, IdentityError> {
    operation(place, Operation::Cancel { starts }, signers)
}

/// Control keys end a device (`ID-7`). What `end` does not name is void.
pub fn device_remove(place: &Place, end: DeviceEnd, signers: &[&SecretKey]) -> Result<SignedObject, IdentityError> {
    operation(place, Operation::DeviceRemove(end), signers)
}

/// Control keys name the heads of forked logs that count, by ascending log id (`ID-8`).
pub fn settle(place: &Place, anchors: Vec<LogHead>, signers: &[&SecretKey]) -> Result<SignedObject, IdentityError> {
    operation(place, Operation::Settle { anchors }, signers)
}

/// Control keys lift locks, by ascending id (`ID-20`).
pub fn unlock(place: &Place, locks: Vec<Digest>, signers: &[&SecretKey]) -> Result<SignedObject, IdentityError> {
    operation(place, Operation::Unlock { locks }, signers)
}

/// Control keys, or the next keys that `reveal` lists, end the identity (`ID-21`).
///
/// `ends` says by ascending device what of each still counts.
pub fn retire(
    place: &Place,
    reveal: Option<KeyList>,
    ends: Vec<DeviceEnd>,
    signers: &[&SecretKey],
) -> Result<SignedObject, IdentityError> {
    if let Some(reveal) = &reveal {
        check_commitment(place, reveal)?;
    }
    operation(place, Operation::Retire { reveal, ends }, signers)
}

/// The draft of a grant, which granter and new device sign on their machines (`ID-10`).
pub fn draft_grant(network: Network, did: Did, by: DeviceId, device: DeviceId) -> Result<Draft, IdentityError> {
    draft_statement(network, did, by, Statement::Grant { device })
}

/// A device of the identity grants a new one, which signs too (`ID-10`).
pub fn grant(network: Network, did: Did, by: &SecretKey, device: &SecretKey) -> Result<SignedObject, IdentityError> {
    let draft = draft_grant(network, did, by.public().device_id(), device.public().device_id())?;
    draft.finish(draft.sign(&[by, device]))
}

/// A device drops itself or one that it granted (`ID-10`). What `end` does not name is void.
pub fn drop(network: Network, did: Did, by: &SecretKey, end: DeviceEnd) -> Result<SignedObject, IdentityError> {
    statement(network, did, by, Statement::Drop(end))
}

/// A device says where it can be reached (`ID-11`).
pub fn services(
    network: Network,
    did: Did,
    by: &SecretKey,
    rev: u64,
    addresses: Vec<String>,
) -> Result<SignedObject, IdentityError> {
    statement(network, did, by, Statement::Services { rev, addresses })
}

/// A device locks the identity: of grants, drops and services only those of `stands` go on counting
/// (`ID-19`). `IdentityRecord::new_lock` gives `rev` and `stands`.
pub fn lock(
    network: Network,
    did: Did,
    by: &SecretKey,
    rev: u64,
    stands: Vec<Digest>,
) -> Result<SignedObject, IdentityError> {
    statement(network, did, by, Statement::Lock { rev, stands })
}

/// A device asks guardians to wait once more before they finish a recovery (`ID-18`).
pub fn postpone(network: Network, did: Did, by: &SecretKey, start: Digest) -> Result<SignedObject, IdentityError> {
    statement(network, did, by, Statement::Postpone { start })
}

fn check_commitment(place: &Place, reveal: &KeyList) -> Result<(), IdentityError> {
    if NextKeys::commit_to(reveal) == place.next { Ok(()) } else { Err(IdentityError::NotCommitted) }
}

fn operation(place: &Place, operation: Operation, signers: &[&SecretKey]) -> Result<SignedObject, IdentityError> {
    finish(place.network, &place.control, &place.operation(operation), signers)
}

fn draft_statement(network: Network, did: Did, by: DeviceId, statement: Statement) -> Result<Draft, IdentityError> {
    let nobody = KeyList { keys: Vec::new(), threshold: 0 };
    Draft::new(network, &nobody, &Payload::Statement(Origin { did, by }, statement))
}

fn statement(network: Network, did: Did, by: &SecretKey, statement: Statement) -> Result<SignedObject, IdentityError> {
    let draft = draft_statement(network, did, by.public().device_id(), statement)?;
    draft.finish(draft.sign(&[by]))
}

/// Checks the payload, signs it, and makes sure that the signatures are enough.
fn finish(
    network: Network,
    control: &KeyList,
    payload: &Payload,
    signers: &[&SecretKey],
) -> Result<SignedObject, IdentityError> {
    let draft = Draft::new(network, control, payload)?;
    draft.finish(draft.sign(signers))
}
