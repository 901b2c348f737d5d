//! Composing signed objects from keys, on top of a state.

use super::keys::{Guardians, KeyList, NextKeys};
use super::payload::{DeviceEnd, Genesis, Link, Operation, Origin, Payload, Statement};
use super::state::IdentityState;
use super::{IdentityError, SignedObject};
use crate::body::LogHead;
use crate::ids::Did;
use crate::keys::{Domain, PublicKey, SecretKey};
use crate::network::Network;

/// The genesis of an identity with one control key (`ID-3`).
pub fn genesis(
    network: Network,
    nonce: [u8; 16],
    control: &SecretKey,
    next: NextKeys,
    device: &PublicKey,
) -> SignedObject {
    let keys = KeyList::single(&control.public());
    let genesis = Genesis { network, nonce, control: keys, next, device: device.device_id(), guardians: None };
    genesis_of(genesis, &[control]).expect("one key is a good list, and it signs")
}

/// The genesis of an identity with any number of control keys and guardians (`ID-3`).
pub fn genesis_of(genesis: Genesis, signers: &[&SecretKey]) -> Result<SignedObject, IdentityError> {
    let (network, control) = (genesis.network, genesis.control.clone());
    finish(Domain::Identity, network, &Payload::Genesis(genesis), &control, signers)
}

/// New control keys: the ones that were committed to, revealed and signing (`ID-6`).
pub fn rotate(
    state: &IdentityState,
    control: KeyList,
    next: NextKeys,
    guardians: Option<Guardians>,
    signers: &[&SecretKey],
) -> Result<SignedObject, IdentityError> {
    if NextKeys::commit_to(&control) != state.next {
        return Err(IdentityError::NotCommitted);
    }
    let keys = control.clone();
    operation(state, Operation::Rotate { control, next, guardians }, &keys, signers)
}

/// Control keys end a device (`ID-7`). What `end` does not name is void.
pub fn device_remove(
    state: &IdentityState,
    end: DeviceEnd,
    signers: &[&SecretKey],
) -> Result<SignedObject, IdentityError> {
    operation(state, Operation::DeviceRemove(end), &state.control, signers)
}

/// Control keys name the heads of forked logs that count, by ascending log id (`ID-8`).
pub fn settle(
    state: &IdentityState,
    anchors: Vec<LogHead>,
    signers: &[&SecretKey],
) -> Result<SignedObject, IdentityError> {
    operation(state, Operation::Settle { anchors }, &state.control, signers)
}

/// A device of the identity grants a new one, which signs too (`ID-10`).
pub fn grant(network: Network, did: Did, by: &SecretKey, device: &SecretKey) -> Result<SignedObject, IdentityError> {
    let granted = Statement::Grant { device: device.public().device_id() };
    let keys = KeyList::of(&[by.public(), device.public()], 2);
    let origin = Origin { did, by: by.public().device_id() };
    finish(Domain::Statement, network, &Payload::Statement(origin, granted), &keys, &[by, device])
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

fn operation(
    state: &IdentityState,
    operation: Operation,
    keys: &KeyList,
    signers: &[&SecretKey],
) -> Result<SignedObject, IdentityError> {
    let link = Link { did: state.did, seq: state.seq + 1, prev: state.head };
    finish(Domain::Identity, state.network, &Payload::Operation(link, operation), keys, signers)
}

fn statement(network: Network, did: Did, by: &SecretKey, statement: Statement) -> Result<SignedObject, IdentityError> {
    let origin = Origin { did, by: by.public().device_id() };
    let keys = KeyList::single(&by.public());
    finish(Domain::Statement, network, &Payload::Statement(origin, statement), &keys, &[by])
}

/// Checks the payload, signs it, and makes sure that the signatures are enough.
fn finish(
    domain: Domain,
    network: Network,
    payload: &Payload,
    keys: &KeyList,
    signers: &[&SecretKey],
) -> Result<SignedObject, IdentityError> {
    payload.check()?;
    let public = keys.public_keys()?;
    let object = SignedObject::sign(domain, network, payload.encode(), &public, signers)?;
    let have = object.signatures().len() as u64;
    if have < keys.threshold {
        return Err(IdentityError::Threshold { have, need: keys.threshold });
    }
    Ok(object)
}
