//! How far an address reaches. What was learnt from afar never leads into a home or to this machine (`FIND-1`).

use std::net::IpAddr;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;

/// From where an address can be reached; the wider, the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Scope {
    /// This machine only.
    Machine,
    /// One link, without a router.
    Link,
    /// A home, a company: behind a router that hides it.
    Home,
    /// The world. Names count as that, since they can lead anywhere.
    World,
}

impl Scope {
    /// The scope of an IP address.
    pub(super) fn of_ip(ip: IpAddr) -> Self {
        let (link, home) = match ip {
            IpAddr::V4(ip) => (ip.is_link_local(), ip.is_private() || is_shared(ip)),
            IpAddr::V6(ip) => match ip.to_ipv4_mapped() {
                Some(ip) => return Self::of_ip(IpAddr::V4(ip)),
                None => (ip.is_unicast_link_local(), ip.is_unique_local()),
            },
        };
        match (ip.is_loopback(), link, home) {
            (true, ..) => Self::Machine,
            (_, true, _) => Self::Link,
            (_, _, true) => Self::Home,
            _ => Self::World,
        }
    }

    /// The scope of an address; none where it begins with neither an IP address nor a name.
    pub(super) fn of(address: &Multiaddr) -> Option<Self> {
        match address.iter().next()? {
            Protocol::Ip4(ip) => Some(Self::of_ip(IpAddr::V4(ip))),
            Protocol::Ip6(ip) => Some(Self::of_ip(IpAddr::V6(ip))),
            Protocol::Dns(_) | Protocol::Dns4(_) | Protocol::Dns6(_) => Some(Self::World),
            _ => None,
        }
    }
}

/// Addresses that a provider shares between homes (RFC 6598).
fn is_shared(ip: std::net::Ipv4Addr) -> bool {
    let [first, second, ..] = ip.octets();
    first == 100 && second & 0xc0 == 64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn find_1_every_address_has_the_scope_from_which_it_can_be_reached() {
        // FIND-1
        for (text, scope) in [
            ("/ip4/127.0.0.1/tcp/1", Some(Scope::Machine)),
            ("/ip6/::1/tcp/1", Some(Scope::Machine)),
            ("/ip4/169.254.1.1/tcp/1", Some(Scope::Link)),
            ("/ip6/fe80::1/tcp/1", Some(Scope::Link)),
            ("/ip4/192.168.1.1/tcp/1", Some(Scope::Home)),
            ("/ip4/100.64.0.1/tcp/1", Some(Scope::Home)),
            ("/ip4/100.128.0.1/tcp/1", Some(Scope::World)),
            ("/ip6/fd00::1/tcp/1", Some(Scope::Home)),
            ("/ip6/::ffff:10.0.0.1/tcp/1", Some(Scope::Home)),
            ("/ip4/8.8.8.8/tcp/1", Some(Scope::World)),
            ("/dns4/xom.example/tcp/1", Some(Scope::World)),
            ("/memory/1", None),
        ] {
            assert_eq!(Scope::of(&text.parse().expect("address")), scope, "{text}");
        }
    }
}
