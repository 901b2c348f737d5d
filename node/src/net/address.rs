//! Addresses of others: which can be dialled at all, and in which form they are remembered.

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

/// Longest address that is remembered, bytes.
const ADDRESS_BYTES_MAX: usize = 256;

/// An address without the peer id at its end, and that peer id.
pub(super) fn split(mut address: Multiaddr) -> (Multiaddr, Option<PeerId>) {
    match address.iter().last() {
        Some(Protocol::P2p(peer)) => {
            address.pop();
            (address, Some(peer))
        }
        _ => (address, None),
    }
}

/// True for an IP address or name with a TCP port or a QUIC port, and nothing else.
pub(super) fn is_dialable(address: &Multiaddr) -> bool {
    if address.len() > ADDRESS_BYTES_MAX {
        return false;
    }
    let mut parts = address.iter();
    let host = match parts.next() {
        Some(Protocol::Ip4(ip)) => !ip.is_unspecified() && !ip.is_multicast() && !ip.is_broadcast(),
        Some(Protocol::Ip6(ip)) => !ip.is_unspecified() && !ip.is_multicast(),
        Some(Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_)) => true,
        _ => false,
    };
    let port = match (parts.next(), parts.next()) {
        (Some(Protocol::Tcp(port)), None) => port,
        (Some(Protocol::Udp(port)), Some(Protocol::QuicV1)) => port,
        _ => 0,
    };
    host && port != 0 && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_tcp_and_quic_addresses_are_dialled() {
        for (text, dialable) in [
            ("/ip4/1.2.3.4/tcp/7767", true),
            ("/ip6/::1/udp/7767/quic-v1", true),
            ("/dns4/xom.example/tcp/7767", true),
            ("/ip4/0.0.0.0/tcp/7767", false),
            ("/ip4/1.2.3.4/tcp/0", false),
            ("/ip4/1.2.3.4/udp/7767", false),
            ("/ip4/1.2.3.4/tcp/7767/ws", false),
            ("/ip4/224.0.0.1/tcp/7767", false),
            ("/memory/1", false),
            ("/dnsaddr/xom.example", false),
        ] {
            assert_eq!(is_dialable(&text.parse().expect("address")), dialable, "{text}");
        }
    }

    #[test]
    fn a_peer_id_at_the_end_is_split_off() {
        let peer = PeerId::random();
        let bare: Multiaddr = "/ip4/1.2.3.4/tcp/7767".parse().expect("address");
        assert_eq!(split(bare.clone().with(Protocol::P2p(peer))), (bare.clone(), Some(peer)));
        assert_eq!(split(bare.clone()), (bare, None));
    }
}
