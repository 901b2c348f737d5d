//! Control keys' order to purge an erased body at once.

use super::IdentityError;
use super::object::{sign_indexed, verify_indexed};
use super::state::IdentityState;
use crate::body::PurgeOrder;
use crate::ids::EntryId;
use crate::keys::{Domain, SecretKey};

/// Signs the order; `signers` must be enough of the current control keys (`LOG-12`, `ID-4`).
pub fn order(state: &IdentityState, target: &EntryId, signers: &[&SecretKey]) -> Result<PurgeOrder, IdentityError> {
    let keys = state.control.public_keys()?;
    let message = PurgeOrder::message(&state.did, target);
    let order = PurgeOrder { signatures: sign_indexed(Domain::Purge, state.network, &message, &keys, signers) };
    check(state, target, &order)?;
    Ok(order)
}

/// Checks an order against the current control keys and their threshold (`LOG-12`, `ID-4`).
///
/// An order by earlier control keys is void: the body then goes after the usual seven days.
pub fn check(state: &IdentityState, target: &EntryId, order: &PurgeOrder) -> Result<(), IdentityError> {
    let keys = state.control.public_keys()?;
    let message = PurgeOrder::message(&state.did, target);
    verify_indexed(Domain::Purge, state.network, &message, &order.signatures, &keys, state.control.threshold)
}
