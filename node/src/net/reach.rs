//! From where this node can be reached, and how it knows (`RCH-1`, `RCH-2`). A pure machine.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId};

use super::address::{is_direct, split};
use super::listen::{ip, socket_address};
use super::scope::Scope;

/// How long a node that is connected to the world waits for tests before it takes itself for closed (`RCH-1`).
const TEST_GRACE: Duration = Duration::from_secs(20);
/// IP addresses of the world from which strangers must have come, for that to say something (`RCH-1`).
const VISITORS_MIN: usize = 2;
/// How long a visit says something (`RCH-1`).
const VISIT_LASTS: Duration = Duration::from_secs(3_600);
/// Visitors that are remembered.
const VISITORS_MAX: usize = 16;
/// Addresses that others are asked to test, in one [`WINDOW`] (`RCH-2`).
const CANDIDATES_MAX: usize = 16;
/// Of them, those that one peer brought up (`RCH-2`).
const CANDIDATES_PER_PEER_MAX: usize = 4;
/// The time over which candidates are counted.
const WINDOW: Duration = Duration::from_secs(3_600);
/// How long an answer is waited for.
const TEST_LASTS: Duration = Duration::from_secs(60);

/// From where this node can be reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Standing {
    /// It listens nowhere.
    Silent,
    /// Nobody is connected, or nobody has tested it yet.
    Unknown,
    /// By all of its peers: they are on this machine, or in this home, and it listens there.
    Near(Scope),
    /// From the world, at this address: a peer dialled it and got through.
    Tested(Multiaddr),
    /// It listens on an address of the world, and no test has failed.
    Open(Multiaddr),
    /// Strangers of the world get through to it, though it does not know where.
    Visited,
    /// A router or firewall lets nobody in.
    Closed,
}

impl Standing {
    /// True where others can be relayed from here (`RCH-5`).
    pub(super) fn offers_relay(&self) -> bool {
        matches!(self, Self::Near(_) | Self::Tested(_) | Self::Open(_) | Self::Visited)
    }

    /// True where relays are needed to be found and reached (`RCH-7`).
    pub(super) fn needs_relay(&self) -> bool {
        matches!(self, Self::Silent | Self::Closed | Self::Visited)
    }
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    by: Option<PeerId>,
    since: Instant,
    result: Option<bool>,
}

/// What is known of it.
#[derive(Debug, Default)]
pub(super) struct Reach {
    candidates: BTreeMap<Multiaddr, Candidate>,
    visitors: BTreeMap<IpAddr, Instant>,
    in_world_since: Option<Instant>,
}

impl Reach {
    /// A peer that this node has dialled sees it at an address: the addresses to have tested now, made of that IP
    /// address and the ports on which it listens (`RCH-2`).
    pub(super) fn seen_at(
        &mut self,
        by: PeerId,
        seen: &Multiaddr,
        own: &[Multiaddr],
        floor: Scope,
        now: Instant,
    ) -> Vec<Multiaddr> {
        let Some(seen) = ip(seen).filter(|ip| floor > Scope::Link && Scope::of_ip(*ip) == floor) else {
            return Vec::new();
        };
        let mut at: Vec<Multiaddr> = own.iter().filter_map(|own| at_port_of(own, seen)).collect();
        at.sort();
        at.dedup();
        at.retain(|address| self.enter(address, Some(by), now));
        at
    }

    /// A gateway says that it lets through what comes to this address: true if that is to be tested (`RCH-12`).
    pub(super) fn mapped(&mut self, address: &Multiaddr, now: Instant) -> bool {
        is_direct(address) && self.enter(address, None, now)
    }

    /// A gateway no longer lets through what comes to this address.
    pub(super) fn unmapped(&mut self, address: &Multiaddr) {
        self.candidates.remove(address);
    }

    /// Others have tried an address.
    pub(super) fn tested(&mut self, address: &Multiaddr, reached: bool) {
        let address = split(address.clone()).0;
        if let Some(candidate) = self.candidates.get_mut(&address) {
            // One who gets through is proof; one who doesn't may have troubles of its own.
            candidate.result = Some(reached || candidate.result == Some(true));
        }
    }

    /// True while an answer is waited for: then connections come in that mean nothing else.
    pub(super) fn is_testing(&self, now: Instant) -> bool {
        let waits = |candidate: &Candidate| now.saturating_duration_since(candidate.since) < TEST_LASTS;
        self.candidates.values().any(waits)
    }

    /// Somebody of the world has come in, who was neither dialled nor came through a relay before.
    pub(super) fn visited(&mut self, from: IpAddr, now: Instant) {
        if Scope::of_ip(from) != Scope::World {
            return;
        }
        self.visitors.retain(|_, at| now.saturating_duration_since(*at) < VISIT_LASTS);
        if self.visitors.len() < VISITORS_MAX || self.visitors.contains_key(&from) {
            self.visitors.insert(from, now);
        }
    }

    /// From where this node is reached, which listens on `own` and whose farthest peer is in the scope `floor`; none
    /// while nobody is connected.
    pub(super) fn judge(&mut self, own: &[Multiaddr], floor: Option<Scope>, now: Instant) -> Standing {
        if own.is_empty() {
            return Standing::Silent;
        }
        let Some(floor) = floor else { return Standing::Unknown };
        let reached = self.results(floor).find(|(_, reached)| *reached).map(|(address, _)| address.clone());
        let failed = self.results(floor).next().is_some();
        if floor < Scope::World {
            self.in_world_since = None;
            let listens = own.iter().any(|address| Scope::of(address).is_some_and(|scope| scope >= floor));
            return if reached.is_some() || listens && !failed { Standing::Near(floor) } else { Standing::Closed };
        }
        let since = *self.in_world_since.get_or_insert(now);
        let open = own.iter().find(|address| Scope::of(address) == Some(Scope::World));
        match (reached, open) {
            (Some(address), _) => Standing::Tested(address),
            _ if self.visitors(now) >= VISITORS_MIN => Standing::Visited,
            _ if failed => Standing::Closed,
            (None, Some(address)) => Standing::Open(address.clone()),
            (None, None) if now.saturating_duration_since(since) < TEST_GRACE => Standing::Unknown,
            (None, None) => Standing::Closed,
        }
    }

    /// This node may be somewhere else now: forgets all tests, and answers where somebody got through.
    pub(super) fn moved(&mut self) -> Vec<Multiaddr> {
        self.visitors.clear();
        let tested = std::mem::take(&mut self.candidates).into_iter();
        tested.filter(|(_, candidate)| candidate.result == Some(true)).map(|(address, _)| address).collect()
    }

    fn results(&self, scope: Scope) -> impl Iterator<Item = (&Multiaddr, bool)> {
        let all = self.candidates.iter().filter(move |(address, _)| Scope::of(address) == Some(scope));
        all.filter_map(|(address, candidate)| Some((address, candidate.result?)))
    }

    fn visitors(&self, now: Instant) -> usize {
        self.visitors.values().filter(|at| now.saturating_duration_since(**at) < VISIT_LASTS).count()
    }

    /// Notes a candidate; true for a new one for which there is room.
    fn enter(&mut self, address: &Multiaddr, by: Option<PeerId>, now: Instant) -> bool {
        if self.candidates.contains_key(address) {
            return false;
        }
        let is_old = |candidate: &Candidate| now.saturating_duration_since(candidate.since) >= WINDOW;
        self.candidates.retain(|_, candidate| candidate.result == Some(true) || !is_old(candidate));
        let fresh = |candidate: &&Candidate| !is_old(candidate);
        let count = self.candidates.values().filter(fresh).count();
        let of_peer = self.candidates.values().filter(fresh).filter(|candidate| candidate.by == by).count();
        let fits = self.candidates.len() < CANDIDATES_MAX * 2
            && count < CANDIDATES_MAX
            && (by.is_none() || of_peer < CANDIDATES_PER_PEER_MAX);
        if fits {
            self.candidates.insert(address.clone(), Candidate { by, since: now, result: None });
        }
        fits
    }
}

/// An IP address with the port and transport of a listening address of the same family.
fn at_port_of(own: &Multiaddr, seen: IpAddr) -> Option<Multiaddr> {
    let (socket, _) = socket_address(own).filter(|_| is_direct(own))?;
    let first = match (socket.ip(), seen) {
        (IpAddr::V4(_), IpAddr::V4(seen)) => Protocol::Ip4(seen),
        (IpAddr::V6(_), IpAddr::V6(seen)) => Protocol::Ip6(seen),
        _ => return None,
    };
    own.replace(0, |_| Some(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().expect("address")
    }

    fn home() -> Vec<Multiaddr> {
        vec![address("/ip4/192.168.1.2/tcp/7767"), address("/ip4/192.168.1.2/udp/7767/quic-v1")]
    }

    /// A node at home that a peer of the world sees at an address of the world, with what is tested then.
    fn behind_a_router() -> (Reach, Vec<Multiaddr>, Instant) {
        let (mut reach, now) = (Reach::default(), Instant::now());
        assert_eq!(reach.judge(&home(), Some(Scope::World), now), Standing::Unknown);
        let seen = address("/ip4/9.9.9.9/tcp/50123");
        let tested = reach.seen_at(PeerId::random(), &seen, &home(), Scope::World, now);
        (reach, tested, now)
    }

    #[test]
    fn rch_1_who_has_no_peers_of_the_world_is_reached_where_it_listens() {
        let (mut reach, now) = (Reach::default(), Instant::now());
        let here = vec![address("/ip4/127.0.0.1/tcp/7767")];
        assert_eq!(reach.judge(&[], Some(Scope::Machine), now), Standing::Silent, "RCH-1");
        assert_eq!(reach.judge(&here, None, now), Standing::Unknown);
        assert_eq!(reach.judge(&here, Some(Scope::Machine), now), Standing::Near(Scope::Machine));
        assert_eq!(reach.judge(&here, Some(Scope::Home), now), Standing::Closed, "it listens on its machine only");
        assert_eq!(reach.judge(&home(), Some(Scope::Home), now), Standing::Near(Scope::Home));
        let seen = address("/ip4/192.168.1.7/tcp/50123");
        let tested = reach.seen_at(PeerId::random(), &seen, &home(), Scope::Home, now);
        assert_eq!(tested.len(), 2);
        reach.tested(&tested[0], false);
        assert_eq!(reach.judge(&home(), Some(Scope::Home), now), Standing::Closed, "a router within the home");
    }

    #[test]
    fn rch_1_who_is_in_the_world_is_reached_where_others_got_through_and_closed_where_nobody_did() {
        let (mut reach, tested, now) = behind_a_router();
        assert_eq!(tested, ["/ip4/9.9.9.9/tcp/7767", "/ip4/9.9.9.9/udp/7767/quic-v1"].map(address));
        reach.tested(&tested[0], false);
        assert_eq!(reach.judge(&home(), Some(Scope::World), now), Standing::Closed);
        reach.tested(&tested[1], true);
        reach.tested(&tested[1], false);
        assert_eq!(reach.judge(&home(), Some(Scope::World), now), Standing::Tested(tested[1].clone()));
        assert_eq!(reach.moved(), [tested[1].clone()]);
        assert_eq!(reach.judge(&home(), Some(Scope::World), now), Standing::Unknown, "it is somewhere else now");
    }

    #[test]
    fn rch_1_who_is_not_tested_takes_itself_for_closed_after_a_while_unless_it_listens_in_the_world() {
        let (mut reach, _, now) = behind_a_router();
        assert_eq!(reach.judge(&home(), Some(Scope::World), now + TEST_GRACE / 2), Standing::Unknown);
        assert_eq!(reach.judge(&home(), Some(Scope::World), now + TEST_GRACE), Standing::Closed);
        let open = address("/ip4/9.9.9.9/tcp/7767");
        let world = vec![open.clone()];
        assert_eq!(reach.judge(&world, Some(Scope::World), now + TEST_GRACE), Standing::Open(open.clone()));
        reach.tested(&open, false);
        assert_eq!(reach.judge(&world, Some(Scope::World), now + TEST_GRACE), Standing::Closed, "a firewall");
    }

    #[test]
    fn rch_1_one_visitor_says_nothing_and_two_of_the_world_say_that_there_is_a_way() {
        let (mut reach, _, now) = behind_a_router();
        for _ in 0..10 {
            reach.visited(IpAddr::from([8, 8, 8, 8]), now);
            reach.visited(IpAddr::from([192, 168, 1, 9]), now);
        }
        assert_eq!(reach.judge(&home(), Some(Scope::World), now), Standing::Unknown);
        reach.visited(IpAddr::from([8, 8, 4, 4]), now);
        assert_eq!(reach.judge(&home(), Some(Scope::World), now), Standing::Visited);
        assert!(Standing::Visited.offers_relay() && Standing::Visited.needs_relay());
        assert_eq!(reach.judge(&home(), Some(Scope::World), now + VISIT_LASTS), Standing::Closed);
        for last in 0..200 {
            reach.visited(IpAddr::from([8, 8, 9, last]), now);
        }
        assert!(reach.visitors.len() <= VISITORS_MAX);
    }

    #[test]
    fn rch_2_a_peer_that_sees_this_node_ever_elsewhere_brings_few_tests_and_not_those_of_others() {
        let (mut reach, mallory, now) = (Reach::default(), PeerId::random(), Instant::now());
        let own = home();
        let tests = |reach: &mut Reach, by: PeerId, now: Instant| -> usize {
            let at = |last: u8| address(&format!("/ip4/9.9.9.{last}/tcp/1"));
            (0..200).map(|last| reach.seen_at(by, &at(last), &own, Scope::World, now).len()).sum()
        };
        assert_eq!(tests(&mut reach, mallory, now), CANDIDATES_PER_PEER_MAX);
        assert_eq!(reach.seen_at(PeerId::random(), &address("/ip4/7.7.7.7/tcp/1"), &own, Scope::World, now).len(), 2);
        let all: usize = (0..100).map(|_| tests(&mut reach, PeerId::random(), now)).sum();
        assert_eq!(all + CANDIDATES_PER_PEER_MAX + 2, CANDIDATES_MAX);
        assert!(reach.candidates.len() <= CANDIDATES_MAX, "RCH-2");
        assert_eq!(tests(&mut reach, mallory, now + WINDOW), CANDIDATES_PER_PEER_MAX);
    }

    #[test]
    fn rch_2_nothing_is_tested_that_leads_nearer_or_farther_than_the_peers_are() {
        let (mut reach, bob, now) = (Reach::default(), PeerId::random(), Instant::now());
        for (seen, floor) in [
            ("/ip4/192.168.1.1/tcp/1", Scope::World),
            ("/ip4/127.0.0.1/tcp/1", Scope::World),
            ("/ip4/9.9.9.9/tcp/1", Scope::Home),
            ("/ip4/127.0.0.1/tcp/1", Scope::Machine),
            ("/ip6/2001:db8::1/tcp/1", Scope::World),
            ("/dns4/victim.example/tcp/1", Scope::World),
        ] {
            assert_eq!(reach.seen_at(bob, &address(seen), &home(), floor, now), [], "{seen}");
        }
    }

    #[test]
    fn rch_12_what_a_gateway_says_is_tested_like_everything() {
        let (mut reach, now) = (Reach::default(), Instant::now());
        let mapped = address("/ip4/9.9.9.9/tcp/7767");
        assert!(reach.mapped(&mapped, now) && !reach.mapped(&mapped, now), "RCH-12");
        assert!(reach.is_testing(now) && !reach.is_testing(now + TEST_LASTS));
        assert_eq!(reach.judge(&home(), Some(Scope::World), now), Standing::Unknown);
        reach.tested(&mapped, true);
        assert_eq!(reach.judge(&home(), Some(Scope::World), now), Standing::Tested(mapped.clone()));
        reach.unmapped(&mapped);
        assert_eq!(reach.judge(&home(), Some(Scope::World), now + TEST_GRACE), Standing::Closed);
    }
}
