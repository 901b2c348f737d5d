//! Log ids: derived, so that a log can't be claimed by another device or moved to another network.

use crate::body::LogOpen;
use crate::ids::{DeviceId, Did, Digest, LogId};
use crate::keys::Domain;
use crate::limits::LOGS_PER_DEVICE_MAX;
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

/// The public logs of a device (`LOG-1`): its root log, then those that the `log-open` entries of the
/// root log open, in the order of the log. Openings above the limit, and second ones, have no effect.
pub fn opened_logs<'a>(
    network: Network,
    did: &Did,
    device: &DeviceId,
    openings: impl IntoIterator<Item = &'a LogOpen>,
) -> Vec<LogId> {
    let mut logs = vec![root_log_id(network, did, device)];
    for opening in openings {
        let log = log_id(network, did, device, &opening.purpose, &opening.purpose_id);
        if logs.len() < LOGS_PER_DEVICE_MAX && !logs.contains(&log) {
            logs.push(log);
        }
    }
    logs
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

    #[test]
    fn a_device_has_at_most_sixty_four_logs() {
        let (alice, phone) = (Did([1; 32]), DeviceId([3; 32]));
        let open = |n: u8| LogOpen { purpose: "community".to_owned(), purpose_id: vec![n] };
        let openings: Vec<LogOpen> = [0, 0].into_iter().chain(0..100).map(open).collect();
        let logs = opened_logs(Network::MAIN, &alice, &phone, &openings);
        assert_eq!(logs.len(), LOGS_PER_DEVICE_MAX);
        assert_eq!(logs[0], root_log_id(Network::MAIN, &alice, &phone));
        assert_eq!(logs[63], log_id(Network::MAIN, &alice, &phone, "community", &[62]));
    }
}
