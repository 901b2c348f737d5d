//! How many connections each address has open, so that one takes no more than its share.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts, by address; only addresses that have a connection are in it.
#[derive(Debug, Default)]
pub(super) struct Crowd {
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    crowd: Arc<Crowd>,
    whose: IpAddr,
}

impl Crowd {
    /// A place for a connection from `ip`, if there are fewer than `most`.
    pub(super) fn enter(self: &Arc<Self>, ip: IpAddr, most: usize) -> Option<Place> {
        let whose = network(ip);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(whose).or_default();
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(Place { crowd: Arc::clone(self), whose })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.crowd.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.whose) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.whose);
            }
        }
    }
}

/// What one customer of a provider has: an IPv4 address, or the first 64 bits of an IPv6 one.
fn network(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V4(ip) => IpAddr::V4(ip),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from_bits(ip.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_its_share_and_others_have_theirs() {
        let crowd = Arc::new(Crowd::default());
        let enter = |ip: &str| crowd.enter(ip.parse().unwrap(), 2);
        let (first, second) = (enter("2001:db8::1"), enter("2001:db8::2"));
        assert!(first.is_some() && second.is_some());
        assert!(enter("2001:db8::3").is_none(), "the same network");
        let others = (enter("2001:db8:0:1::1"), enter("192.0.2.1"), enter("::ffff:192.0.2.1"));
        assert!(others.0.is_some() && others.1.is_some() && others.2.is_some());
        assert!(enter("192.0.2.1").is_none());
        drop(first);
        assert!(enter("2001:db8::3").is_some());
        drop((second, others));
        assert!(crowd.counts.lock().unwrap().is_empty(), "nothing is kept of who has left");
    }
}
