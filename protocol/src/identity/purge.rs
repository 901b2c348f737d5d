//! Control keys' order to purge an erased body at once.

use super::IdentityError;
use super::signers::Signers;
use super::state::IdentityState;
use crate::body::PurgeOrder;
use crate::ids::EntryId;
use crate::keys::{Domain, SecretKey};

/// Signs the order; `signers` must be enough of the current control keys (`LOG-12`, `ID-4`).
pub fn order(state: &IdentityState, target: &EntryId, signers: &[&SecretKey]) -> Result<PurgeOrder, IdentityError> {
    let message = PurgeOrder::message(&state.did, target);
    let signatures = Signers::of_list(&state.control)?.sign(Domain::Purge, state.network, &message, signers);
    let order = PurgeOrder { signatures };
    check(state, target, &order)?;
    Ok(order)
}

/// Checks an order against the current control keys and their threshold (`LOG-12`, `ID-4`).
///
/// An order by earlier control keys is void: the body then goes after the usual seven days.
pub fn check(state: &IdentityState, target: &EntryId, order: &PurgeOrder) -> Result<(), IdentityError> {
    let message = PurgeOrder::message(&state.did, target);
    Signers::of_list(&state.control)?.verify(Domain::Purge, state.network, &message, &order.signatures)
}
