//! Where this node listens: is an address free, and which addresses are worth telling others.

use std::cmp::Reverse;
use std::error::Error;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

use super::address::is_relayed;
use super::scope::Scope;
use crate::error::StartError;

/// Fails where another socket has the address.
///
/// libp2p shares its TCP ports with whoever asks for it, so two nodes could listen on one port and
/// each would get half of the connections; an exclusive socket, closed again at once, notices.
pub(super) fn probe(address: &Multiaddr) -> Result<(), StartError> {
    let outcome = match socket_address(address) {
        Some((socket, _)) if socket.port() == 0 => Ok(()),
        Some((socket, Transport::Tcp)) => TcpListener::bind(socket).map(drop),
        Some((socket, Transport::Udp)) => UdpSocket::bind(socket).map(drop),
        None => Ok(()),
    };
    outcome.map_err(|cause| refused(address, &cause))
}

/// The error for an address that can't be listened on.
pub(super) fn refused(address: &Multiaddr, cause: &dyn Display) -> StartError {
    StartError::Listen { address: address.to_string(), cause: cause.to_string() }
}

/// What the system says, below all that libraries say about it.
pub(super) fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause
}

/// The transport of a socket address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transport {
    Tcp,
    Udp,
}

/// The IP address and port that an address begins with.
pub(super) fn socket_address(address: &Multiaddr) -> Option<(SocketAddr, Transport)> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some((SocketAddr::new(ip, port), Transport::Tcp)),
        Protocol::Udp(port) => Some((SocketAddr::new(ip, port), Transport::Udp)),
        _ => None,
    }
}

/// The IP address at which whoever has an address is reached without a relay.
pub(super) fn ip(address: &Multiaddr) -> Option<IpAddr> {
    first_ip(address).filter(|_| !is_relayed(address))
}

/// The IP address that is dialled: that of the relay, where there is one.
fn first_ip(address: &Multiaddr) -> Option<IpAddr> {
    socket_address(address).map(|(socket, _)| socket.ip())
}

/// Own addresses in the order in which others should try them: the world, then the local network,
/// then this machine, each without a relay before it goes through one; at most `count`. IPv6 addresses of one link only are left out: they mean nothing
/// without the name of the link.
pub(super) fn most_useful(mut addresses: Vec<Multiaddr>, count: usize) -> Vec<Multiaddr> {
    let needs_link = |ip| matches!(ip, IpAddr::V6(ip) if ip.is_unicast_link_local());
    addresses.retain(|address| !ip(address).is_some_and(needs_link));
    addresses.sort_by_key(|address| (Reverse(Scope::of(address)), is_relayed(address), address.to_string()));
    addresses.dedup();
    addresses.truncate(count);
    addresses
}

/// Of the own addresses those that are worth telling everybody: the ones of this machine alone only where
/// there is no other.
pub(super) fn for_others(own: Vec<Multiaddr>) -> Vec<Multiaddr> {
    let here = |address: &Multiaddr| Scope::of(address) == Some(Scope::Machine);
    let only_here = own.iter().all(here);
    own.into_iter().filter(|address| only_here || !here(address)).collect()
}

/// Of the addresses that others state those that are no nearer than the widest of the own ones: who is
/// reached by the world is not sent knocking about in a home, and who is reached in a home not at itself.
/// Names are left out, since they can lead anywhere.
pub(super) fn not_nearer(stated: Vec<Multiaddr>, own: &[Multiaddr]) -> Vec<Multiaddr> {
    let widest = own.iter().filter_map(Scope::of).max().unwrap_or(Scope::World);
    stated.into_iter().filter(|address| first_ip(address).is_some_and(|ip| Scope::of_ip(ip) >= widest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().expect("address")
    }

    #[test]
    fn addresses_are_told_from_the_widest_to_the_nearest() {
        let own = ["/ip4/127.0.0.1/tcp/1", "/ip4/192.168.1.2/tcp/1", "/ip4/8.8.8.8/tcp/1", "/ip6/fe80::1/tcp/1"];
        let told = most_useful(own.map(address).to_vec(), 3);
        assert_eq!(told, ["/ip4/8.8.8.8/tcp/1", "/ip4/192.168.1.2/tcp/1", "/ip4/127.0.0.1/tcp/1"].map(address));
        assert_eq!(most_useful(own.map(address).to_vec(), 1), ["/ip4/8.8.8.8/tcp/1"].map(address));
    }

    #[test]
    fn addresses_of_this_machine_are_told_and_dialled_only_where_there_is_no_other() {
        let [here, home, world] = ["/ip4/127.0.0.1/tcp/1", "/ip4/192.168.1.2/tcp/1", "/ip4/8.8.8.8/tcp/1"].map(address);
        assert_eq!(for_others(vec![here.clone()]), [here.clone()].to_vec());
        assert_eq!(for_others(vec![home.clone(), here.clone()]), [home.clone()].to_vec());
        let all = vec![here.clone(), home.clone(), world.clone(), address("/dns4/xom.example/tcp/1")];
        assert_eq!(not_nearer(all.clone(), &[world.clone(), here.clone()]), [world.clone()].to_vec());
        assert_eq!(not_nearer(all.clone(), &[home.clone(), here.clone()]), [home.clone(), world.clone()].to_vec());
        assert_eq!(not_nearer(all, std::slice::from_ref(&here)), [here, home, world].to_vec());
    }

    #[test]
    fn a_port_in_use_is_noticed_even_where_its_owner_would_share_it() {
        let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
        let port = taken.local_addr().expect("address").port();
        let refusal = probe(&address(&format!("/ip4/127.0.0.1/tcp/{port}")));
        assert!(matches!(refusal, Err(StartError::Listen { .. })), "{refusal:?}");
        assert!(probe(&address("/ip4/127.0.0.1/tcp/0")).is_ok());
    }
}
