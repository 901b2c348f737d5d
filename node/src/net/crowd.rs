//! How many of the connections that others open may come from one place, so that nobody takes them all by being many at
//! one place (`GSP-10`, `R-GOS-7`).

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionClosed, ConnectionDenied, ConnectionId, FromSwarm, ListenFailure, NetworkBehaviour, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use super::listen;
use super::scope::Scope;

/// Connections that others may open from one network of the world: some homes behind one address, no crowd.
const FROM_NETWORK_MAX: usize = 16;
/// The same from one network of a home or company, or from this machine: nearly all that there are, since there may be
/// only one such network; the rest is for who comes from elsewhere.
const FROM_NEAR_NETWORK_MAX: usize = 96;

/// A network: the first 24 bits of an IPv4 address, or 64 of an IPv6 address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Place {
    /// Of IPv4.
    Four([u8; 3]),
    /// Of IPv6.
    Six([u8; 8]),
}

impl Place {
    /// The network of an address.
    pub(super) fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let [one, two, three, _] = ip.octets();
                Self::Four([one, two, three])
            }
            IpAddr::V6(ip) => {
                let octets = ip.octets();
                let mut first = [0; 8];
                first.copy_from_slice(&octets[..8]);
                Self::Six(first)
            }
        }
    }

    /// The network of an address, where that is one of the world.
    pub(super) fn in_the_world(ip: IpAddr) -> Option<Self> {
        (Scope::of_ip(ip) == Scope::World).then(|| Self::of(ip))
    }
}

/// Too many come from one network.
#[derive(Debug, thiserror::Error)]
#[error("as many come from the network of {ip} as may")]
struct Crowded {
    ip: IpAddr,
}

/// Refuses who comes from where many come from.
#[derive(Debug, Default)]
pub(super) struct Crowds {
    inbound: BTreeMap<ConnectionId, Place>,
}

impl Crowds {
    fn enter(&mut self, connection: ConnectionId, remote: &Multiaddr) -> Result<(), ConnectionDenied> {
        // Through a relay: the relay's address says nothing of who comes.
        let Some(ip) = listen::ip(remote) else { return Ok(()) };
        let place = Place::of(ip);
        let others = self.inbound.iter().filter(|(id, from)| **id != connection && **from == place).count();
        let most = if Scope::of_ip(ip) == Scope::World { FROM_NETWORK_MAX } else { FROM_NEAR_NETWORK_MAX };
        if others >= most {
            return Err(ConnectionDenied::new(Crowded { ip }));
        }
        self.inbound.insert(connection, place);
        Ok(())
    }
}

impl NetworkBehaviour for Crowds {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = std::convert::Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.enter(connection, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        // A dial of both sides at once may have made it, without being pending here.
        self.enter(connection, remote)?;
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(ConnectionClosed { connection_id, .. })
            | FromSwarm::ListenFailure(ListenFailure { connection_id, .. }) => {
                self.inbound.remove(&connection_id);
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(&mut self, _: PeerId, _: ConnectionId, event: THandlerOutEvent<Self>) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use libp2p::swarm::ListenError;

    use super::*;

    fn address(text: String) -> Multiaddr {
        text.parse().expect("an address")
    }

    /// How many of so many get in who come one after the other.
    fn let_in(crowds: &mut Crowds, from: impl Fn(usize) -> String) -> usize {
        let local = address("/ip4/0.0.0.0/tcp/1".to_owned());
        let first = crowds.inbound.len() * 1_000;
        let mut enter = |number: &usize| {
            let connection = ConnectionId::new_unchecked(first + number);
            crowds.handle_pending_inbound_connection(connection, &local, &address(from(*number))).is_ok()
        };
        (0..200).filter(&mut enter).count()
    }

    #[test]
    fn r_gos_7_of_200_who_come_from_one_network_few_get_in_and_others_do() {
        // R-GOS-7, GSP-10
        let mut crowds = Crowds::default();
        assert_eq!(let_in(&mut crowds, |host| format!("/ip4/203.0.113.{host}/tcp/1")), FROM_NETWORK_MAX);
        assert_eq!(let_in(&mut crowds, |host| format!("/ip4/203.0.113.{host}/udp/1/quic-v1")), 0);
        assert_eq!(let_in(&mut crowds, |host| format!("/ip6/2001:db8:1:2::{host}/tcp/1")), FROM_NETWORK_MAX);
        assert_eq!(let_in(&mut crowds, |host| format!("/ip6/2001:db8:1:{host:x}::1/tcp/1")), 199);
        assert_eq!(let_in(&mut crowds, |host| format!("/ip6/::ffff:203.0.113.{host}/tcp/1")), 0, "mapped");
    }

    #[test]
    fn gsp_10_one_network_at_home_leaves_room_for_who_comes_from_elsewhere() {
        // GSP-10
        let mut crowds = Crowds::default();
        assert_eq!(let_in(&mut crowds, |host| format!("/ip4/192.168.1.{host}/tcp/1")), FROM_NEAR_NETWORK_MAX);
        assert_eq!(let_in(&mut crowds, |host| format!("/ip4/127.0.0.{host}/tcp/1")), FROM_NEAR_NETWORK_MAX);
        assert_eq!(let_in(&mut crowds, |host| format!("/ip4/198.51.100.{host}/tcp/1")), FROM_NETWORK_MAX);
    }

    #[test]
    fn gsp_10_who_has_gone_makes_room() {
        let mut crowds = Crowds::default();
        let local = address("/ip4/0.0.0.0/tcp/1".to_owned());
        let remote = address("/ip4/203.0.113.1/tcp/1".to_owned());
        let mut enter = |number| {
            crowds.handle_pending_inbound_connection(ConnectionId::new_unchecked(number), &local, &remote).is_ok()
        };
        assert!((0..FROM_NETWORK_MAX).all(&mut enter) && !enter(FROM_NETWORK_MAX));
        crowds.on_swarm_event(FromSwarm::ListenFailure(ListenFailure {
            local_addr: &local,
            send_back_addr: &remote,
            error: &ListenError::Aborted,
            connection_id: ConnectionId::new_unchecked(0),
            peer_id: None,
        }));
        let again = ConnectionId::new_unchecked(FROM_NETWORK_MAX);
        assert!(crowds.handle_established_inbound_connection(again, PeerId::random(), &local, &remote).is_ok());
    }

    #[test]
    fn gsp_10_who_comes_through_a_relay_is_not_counted_with_the_relay() {
        let mut crowds = Crowds::default();
        let relay = PeerId::random();
        let through = |_| format!("/ip4/203.0.113.1/tcp/1/p2p/{relay}/p2p-circuit");
        assert_eq!(let_in(&mut crowds, through), 200);
    }
}
