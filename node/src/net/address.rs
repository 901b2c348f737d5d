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

/// A relay, and where it is (`RCH-8`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Relayed {
    /// Which relay.
    pub(super) relay: PeerId,
    /// Where it is reached, without its id; empty where that is to be looked for.
    pub(super) at: Multiaddr,
}

impl Relayed {
    /// Reads the address of somebody who is reached through a relay, without the peer id at its end.
    pub(super) fn of(address: &Multiaddr) -> Option<Self> {
        let mut parts: Vec<Protocol<'_>> = address.iter().collect();
        match (parts.pop()?, parts.pop()?) {
            (Protocol::P2pCircuit, Protocol::P2p(relay)) => Some(Self { relay, at: parts.into_iter().collect() }),
            _ => None,
        }
    }

    /// Reads the same with the peer id of whoever is reached.
    pub(super) fn with_destination(address: &Multiaddr) -> Option<(Self, PeerId)> {
        let (address, destination) = split(address.clone());
        Some((Self::of(&address)?, destination?))
    }

    /// The address, without the id of whoever is reached.
    pub(super) fn address(&self) -> Multiaddr {
        self.at.clone().with(Protocol::P2p(self.relay)).with(Protocol::P2pCircuit)
    }
}

/// True for the address of somebody who is reached through a relay, or of a connection through one.
pub(super) fn is_relayed(address: &Multiaddr) -> bool {
    address.iter().any(|part| part == Protocol::P2pCircuit)
}

/// True for what can be dialled at once: a plain address, or a relay at one and nothing else.
pub(super) fn is_dialable(address: &Multiaddr) -> bool {
    is_direct(address) || Relayed::of(address).is_some_and(|relayed| is_direct(&relayed.at))
}

/// What a dial to an address costs somebody: the plain address, that of the relay where there is one.
pub(super) fn first_hop(address: &Multiaddr) -> Multiaddr {
    Relayed::of(address).map_or_else(|| address.clone(), |relayed| relayed.at)
}

/// True for an IP address or name with a TCP port or a QUIC port, and nothing else.
pub(super) fn is_direct(address: &Multiaddr) -> bool {
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
    fn rch_8_somebody_behind_one_relay_at_a_plain_address_is_dialled_and_no_chain_of_them() {
        let [relay, other] = [PeerId::random(), PeerId::random()];
        for (text, dialable) in [
            (format!("/ip4/1.2.3.4/tcp/7767/p2p/{relay}/p2p-circuit"), true),
            (format!("/dns4/xom.example/udp/7767/quic-v1/p2p/{relay}/p2p-circuit"), true),
            (format!("/p2p/{relay}/p2p-circuit"), false),
            (format!("/ip4/1.2.3.4/tcp/0/p2p/{relay}/p2p-circuit"), false),
            ("/ip4/1.2.3.4/tcp/7767/p2p-circuit".to_owned(), false),
            ("/p2p-circuit".to_owned(), false),
            (format!("/ip4/1.2.3.4/tcp/7767/p2p/{relay}/p2p-circuit/p2p/{other}/p2p-circuit"), false),
            (format!("/ip4/1.2.3.4/tcp/7767/p2p/{relay}/p2p-circuit/tcp/1"), false),
        ] {
            assert_eq!(is_dialable(&text.parse().expect("address")), dialable, "{text}");
        }
        let whole: Multiaddr =
            format!("/ip4/1.2.3.4/tcp/7767/p2p/{relay}/p2p-circuit/p2p/{other}").parse().expect("address");
        let (relayed, destination) = Relayed::with_destination(&whole).expect("relayed");
        assert_eq!((relayed.relay, destination), (relay, other));
        assert_eq!(relayed.address().with(Protocol::P2p(other)), whole);
        assert_eq!(first_hop(&relayed.address()).to_string(), "/ip4/1.2.3.4/tcp/7767");
        assert!(is_relayed(&whole) && !is_direct(&relayed.address()));
    }

    #[test]
    fn a_peer_id_at_the_end_is_split_off() {
        let peer = PeerId::random();
        let bare: Multiaddr = "/ip4/1.2.3.4/tcp/7767".parse().expect("address");
        assert_eq!(split(bare.clone().with(Protocol::P2p(peer))), (bare.clone(), Some(peer)));
        assert_eq!(split(bare.clone()), (bare, None));
    }
}
