//! Grants of devices whose two signatures are made on two machines (`ID-10`).

use super::payload::{Origin, Payload, Statement};
use super::{IdentityError, SignedObject};
use crate::ids::{DeviceId, Did};
use crate::keys::{Domain, PublicKey, SecretKey, Signature};
use crate::network::Network;

/// The new device's part: its signature, at index 1, over the grant by `by`.
pub fn co_sign(network: Network, did: Did, by: DeviceId, device: &SecretKey) -> Signature {
    device.sign(Domain::Statement, network, &payload(did, by, device.public().device_id()))
}

/// Checks the new device's part.
pub fn check_co_signature(
    network: Network,
    did: Did,
    by: DeviceId,
    device: DeviceId,
    co_signature: &Signature,
) -> Result<(), IdentityError> {
    let key = PublicKey::from_bytes(&device.0).map_err(IdentityError::Key)?;
    let checked = key.verify(Domain::Statement, network, &payload(did, by, device), co_signature);
    checked.map_err(|_| IdentityError::Signature { index: 1 })
}

/// The granting device's part: the whole grant.
pub fn grant(
    network: Network,
    did: Did,
    by: &SecretKey,
    device: DeviceId,
    co_signature: Signature,
) -> Result<SignedObject, IdentityError> {
    let granter = by.public().device_id();
    check_co_signature(network, did, granter, device, &co_signature)?;
    let payload = payload(did, granter, device);
    let signature = by.sign(Domain::Statement, network, &payload);
    SignedObject::of(payload, vec![(0, signature), (1, co_signature)])
}

fn payload(did: Did, by: DeviceId, device: DeviceId) -> Vec<u8> {
    Payload::Statement(Origin { did, by }, Statement::Grant { device }).encode()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::compose;

    #[test]
    fn a_grant_signed_on_two_machines_is_the_grant_signed_on_one() {
        let key = |seed| SecretKey::from_seed(&[seed; 32]).expect("seed");
        let (did, phone, laptop) = (Did([9; 32]), key(1), key(2));
        let part = co_sign(Network::MAIN, did, phone.public().device_id(), &laptop);
        let apart = grant(Network::MAIN, did, &phone, laptop.public().device_id(), part).expect("signed");
        assert_eq!(Ok(apart), compose::grant(Network::MAIN, did, &phone, &laptop));
        let other = grant(Network::MAIN, Did([8; 32]), &phone, laptop.public().device_id(), part);
        assert_eq!(other, Err(IdentityError::Signature { index: 1 }));
    }
}
