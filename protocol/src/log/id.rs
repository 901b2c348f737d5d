//! Log ids: derived, so that a log can't be claimed by another device or moved to another network.

use crate::ids::{DeviceId, Did, Digest, LogId};
use crate::keys::Domain;
use crate::network::Network;

/// The purpose of the one log that every device has without opening it.
pub const ROOT_PURPOSE: &str = "root";

/// The id of the log that `device` keeps for `purpose` (`LOG-1`): the SHA-256 of domain, DID, device
/// key, purpose, a zero byte and the purpose id.
pub fn log_id(network: Network, did: &Did, device: &DeviceId, purpose: &str, purpose_id: &[u8]) -> LogId {
    let domain = Domain::LogId.prefix(network);
    LogId(Digest::of(&[&domain, &did.0, &device.0, purpose.as_bytes(), &[0], purpose_id]).0)
}

/// The id of a device's root log (`LOG-1`).
pub fn root_log_id(network: Network, did: &Did, device: &DeviceId) -> LogId {
    log_id(network, did, device, ROOT_PURPOSE, &[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_log_id_counts() {
        let (alice, bob) = (Did([1; 32]), Did([2; 32]));
        let (phone, laptop) = (DeviceId([3; 32]), DeviceId([4; 32]));
        let other = "test".parse().expect("name");
        let ids = [
            root_log_id(Network::MAIN, &alice, &phone),
            root_log_id(Network::MAIN, &alice, &laptop),
            root_log_id(Network::MAIN, &bob, &phone),
            root_log_id(other, &alice, &phone),
            log_id(Network::MAIN, &alice, &phone, "labels", b""),
            log_id(Network::MAIN, &alice, &phone, "labels", b"x"),
            log_id(Network::MAIN, &alice, &phone, "labelsx", b""),
        ];
        let distinct: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(distinct.len(), ids.len());
    }
}
