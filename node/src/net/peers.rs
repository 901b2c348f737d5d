//! The address book: which peers are known, where they may be reached, and when to dial them next.
//!
//! A pure machine: time comes in, dials go out as values. An address is only taken from an invite, a
//! setting, the identity of somebody who is wanted, or the peer itself where we see it there: nobody can make this
//! node dial a third party for long.

mod bans;
mod record;

pub(super) use bans::Ban;
pub(super) use record::PeerRecord;

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId};

use super::address::{first_hop, is_dialable, is_direct, split};
use super::backoff::{Before, Jitter, delay};

/// Peers that are remembered: a few hundred follows and their keepers.
const PEERS_MAX: usize = 1_024;
/// Addresses remembered of one peer.
const ADDRESSES_PER_PEER_MAX: usize = 12;
/// Failed dials after which a peer that was never connected, and that nobody named, is forgotten.
const FAILURES_OF_STRANGERS_MAX: u32 = 8;
/// Dials to one address, whoever is said to be there, in one [`DIAL_WINDOW`] (`R-GOS-10`).
const DIALS_PER_ADDRESS_MAX: u32 = 90;
/// The time over which dials to one address are counted.
const DIAL_WINDOW: Duration = Duration::from_secs(60);
/// A second connection that is younger than the first by more than this means that the first is dead.
const SIMULTANEOUS: Duration = Duration::from_secs(3);
/// How long a connection without a relay must stand before those through relays are closed (`RCH-10`).
const STANDS: Duration = Duration::from_secs(1);

/// How a peer came into the book.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// It is connected, and nothing was said but what the table of all peers is made of (`FIND-4`).
    Passing,
    /// It talked with us.
    Connected,
    /// The owner named it: by an invite or a setting.
    Named,
}

/// A dial to be made now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dial {
    /// Who is expected there; none for a setting that names an address only.
    pub(super) peer: Option<PeerId>,
    /// Where.
    pub(super) addresses: Vec<Multiaddr>,
}

/// One connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Connection {
    /// Since when it stands.
    pub(super) since: Instant,
    /// How it leads there.
    pub(super) way: Way,
}

/// How a connection leads to a peer; the better, the less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// Without anybody between.
    Direct,
    /// The same, made while a relay stood between.
    Punched,
    /// Through this relay.
    Relayed(PeerId),
}

impl Way {
    /// True where a relay stands between.
    pub(super) fn is_relayed(self) -> bool {
        matches!(self, Self::Relayed(_))
    }
}

/// What is known of one peer.
#[derive(Debug)]
pub(super) struct Peer {
    origin: Origin,
    addresses: Vec<Multiaddr>,
    connections: BTreeMap<ConnectionId, Connection>,
    dialling: bool,
    failures: u32,
    lost_at: Option<Instant>,
    next_dial: Instant,
    ban: Option<Ban>,
    last_seen_ms: Option<u64>,
}

/// An address of the settings that names no peer.
#[derive(Debug)]
struct Seed {
    address: Multiaddr,
    peer: Option<PeerId>,
    dialling: bool,
    failures: u32,
    next_dial: Instant,
}

/// The book.
#[derive(Debug)]
pub(super) struct PeerBook {
    own: PeerId,
    peers: BTreeMap<PeerId, Peer>,
    seeds: Vec<Seed>,
    dials: BTreeMap<Multiaddr, (Instant, u32)>,
    /// Peers for whom there was no room, until somebody has asked for them.
    forgotten: Vec<PeerId>,
    jitter: Jitter,
}

impl Peer {
    fn new(origin: Origin, now: Instant) -> Self {
        Self {
            origin,
            addresses: Vec::new(),
            connections: BTreeMap::new(),
            dialling: false,
            failures: 0,
            lost_at: None,
            next_dial: now,
            ban: None,
            last_seen_ms: None,
        }
    }

    /// Where it may be reached, the best first.
    pub(super) fn addresses(&self) -> &[Multiaddr] {
        &self.addresses
    }

    /// True while at least one connection stands.
    pub(super) fn is_connected(&self) -> bool {
        !self.connections.is_empty()
    }

    /// How it is connected: the best way.
    pub(super) fn way(&self) -> Option<Way> {
        self.connections.values().map(|connection| connection.way).min()
    }

    /// Its connections.
    pub(super) fn connections(&self) -> impl Iterator<Item = &ConnectionId> {
        self.connections.keys()
    }

    /// True for a peer that is neither dialled nor remembered, nor asked for anything.
    pub(super) fn is_passing(&self) -> bool {
        self.origin == Origin::Passing
    }

    /// When it was last connected, milliseconds since 1970.
    pub(super) fn last_seen_ms(&self) -> Option<u64> {
        self.last_seen_ms
    }

    fn is_due(&self, now: Instant) -> bool {
        let banned = self.ban.as_ref().is_some_and(|ban| now < ban.until);
        let idle = !banned && !self.dialling && !self.is_connected() && !self.is_passing();
        idle && !self.addresses.is_empty() && self.next_dial <= now
    }

    /// True for a stranger who can't be dialled, or was dialled in vain for long.
    fn is_worthless(&self) -> bool {
        let in_vain = self.addresses.is_empty() || self.failures >= FAILURES_OF_STRANGERS_MAX;
        self.origin == Origin::Connected && in_vain
    }

    fn before(&self, now: Instant) -> Before {
        match (self.lost_at, self.last_seen_ms) {
            (Some(at), _) => Before::Lost(now.saturating_duration_since(at)),
            (None, Some(_)) => Before::Known,
            (None, None) => Before::Never,
        }
    }

    /// Puts an address at the front or the back of the list.
    fn add(&mut self, address: Multiaddr, best: bool) -> bool {
        let known = self.addresses.iter().position(|have| *have == address);
        match (known, best) {
            (Some(0), _) | (Some(_), false) => return false,
            (Some(at), true) => {
                self.addresses.remove(at);
                self.addresses.insert(0, address);
            }
            (None, true) => self.addresses.insert(0, address),
            (None, false) => self.addresses.push(address),
        }
        self.addresses.truncate(ADDRESSES_PER_PEER_MAX);
        true
    }
}

impl PeerBook {
    /// An empty book of the node `own`; `seed` spreads its retries.
    pub(super) fn new(own: PeerId, seed: u64) -> Self {
        let (peers, dials) = (BTreeMap::new(), BTreeMap::new());
        Self { own, peers, seeds: Vec::new(), dials, forgotten: Vec::new(), jitter: Jitter::new(seed) }
    }

    /// Puts back what was remembered by earlier runs: those whom the owner named, then those who can be dialled,
    /// then those who were seen last, as far as there is room (`R-GOS-8`).
    pub(super) fn restore_all(&mut self, mut remembered: Vec<(PeerId, PeerRecord)>, now: Instant, now_ms: u64) {
        let banned = |record: &PeerRecord| record.ban.as_ref().is_some_and(|ban| ban.by_owner());
        let worth =
            |record: &PeerRecord| (banned(record), record.named, !record.addresses.is_empty(), record.last_seen_ms);
        remembered.sort_by_key(|(_, record)| std::cmp::Reverse(worth(record)));
        for (peer, record) in remembered {
            if self.peers.len() < PEERS_MAX {
                self.restore(peer, record, now, now_ms);
            } else {
                self.forgotten.push(peer);
            }
        }
    }

    fn restore(&mut self, peer: PeerId, record: PeerRecord, now: Instant, now_ms: u64) {
        if peer == self.own {
            return;
        }
        let origin = if record.named { Origin::Named } else { Origin::Connected };
        let entry = self.peers.entry(peer).or_insert_with(|| Peer::new(origin, now));
        entry.last_seen_ms = record.last_seen_ms;
        entry.ban = record.ban.as_ref().and_then(|ban| ban.restore(now, now_ms));
        for address in record.addresses.iter().filter_map(|text| text.parse().ok()).filter(is_dialable) {
            entry.add(address, false);
        }
    }

    /// What is to be remembered of a peer.
    pub(super) fn record(&self, peer: &PeerId) -> Option<PeerRecord> {
        let peer = self.peers.get(peer).filter(|peer| !peer.is_passing())?;
        Some(PeerRecord {
            addresses: peer.addresses.iter().map(Multiaddr::to_string).collect(),
            last_seen_ms: peer.last_seen_ms,
            named: peer.origin == Origin::Named,
            ban: peer.ban.as_ref().map(Ban::record),
        })
    }

    /// Takes an address that the owner named: by an invite or a setting. It is dialled at once.
    pub(super) fn name(&mut self, address: Multiaddr, now: Instant) -> Option<PeerId> {
        let (address, peer) = split(address);
        if !is_dialable(&address) || peer == Some(self.own) {
            return None;
        }
        let Some(peer) = peer else {
            if self.seeds.len() < PEERS_MAX && self.seeds.iter().all(|seed| seed.address != address) {
                self.seeds.push(Seed { address, peer: None, dialling: false, failures: 0, next_dial: now });
            }
            return None;
        };
        self.make_room(&peer);
        let entry = self.peers.entry(peer).or_insert_with(|| Peer::new(Origin::Named, now));
        entry.origin = Origin::Named;
        entry.add(address, false);
        entry.failures = 0;
        entry.next_dial = now;
        Some(peer)
    }

    /// The owner does not name this address any more: it is not dialled for that, and a connection that stands goes on.
    pub(super) fn unname(&mut self, address: Multiaddr) {
        let (address, peer) = split(address);
        match peer.and_then(|peer| self.peers.get_mut(&peer)) {
            Some(peer) => {
                peer.addresses.retain(|known| *known != address || !peer.connections.is_empty());
                peer.origin = peer.origin.min(Origin::Connected);
            }
            None => self.seeds.retain(|seed| seed.address != address),
        }
    }

    /// Takes an address, with its peer id, where a device of somebody who is wanted says that it can be
    /// reached (`SYN-20`). It pushes nobody out of the book but strangers who can't be dialled or don't answer, and
    /// counts as a stranger's until it answers.
    pub(super) fn stated(&mut self, address: Multiaddr, now: Instant) -> Option<PeerId> {
        let (address, peer) = split(address);
        let peer = peer.filter(|peer| *peer != self.own && is_dialable(&address))?;
        if self.peers.len() >= PEERS_MAX && !self.peers.contains_key(&peer) {
            let worthless = self.idle().find(|(_, peer)| peer.is_worthless()).map(|(id, _)| *id)?;
            self.forget(worthless);
        }
        let entry = self.peers.entry(peer).or_insert_with(|| Peer::new(Origin::Connected, now));
        let was_passing = entry.is_passing();
        entry.origin = entry.origin.max(Origin::Connected);
        (entry.add(address, false) || was_passing).then_some(peer)
    }

    /// There is something to be had at an address, given with its peer id: where somebody is known there who is not
    /// connected, he is dialled at once (`GSP-7`).
    pub(super) fn hasten(&mut self, address: &Multiaddr, now: Instant) {
        let peer = split(address.clone()).1.and_then(|peer| self.peers.get_mut(&peer));
        if let Some(peer) = peer.filter(|peer| !peer.is_connected()) {
            peer.next_dial = peer.next_dial.min(now);
        }
    }

    /// Takes an address that a connected peer tells of itself, where we see it at that IP address.
    pub(super) fn told(&mut self, peer: &PeerId, address: Multiaddr) -> bool {
        let (address, named) = split(address);
        let about_itself = named.is_none_or(|named| named == *peer);
        match self.peers.get_mut(peer) {
            Some(entry) if about_itself && is_direct(&address) => entry.add(address, false),
            _ => false,
        }
    }

    /// A connected peer talks with us: from now on it is one to come back to. True if that is new.
    pub(super) fn talks(&mut self, peer: &PeerId) -> bool {
        match self.peers.get_mut(peer) {
            Some(entry) if entry.is_passing() => {
                entry.origin = Origin::Connected;
                true
            }
            _ => false,
        }
    }

    /// A connection stands, through a relay or not; answers the older ones, which can only be dead. `dialled` is where
    /// this node's own dial led to.
    pub(super) fn connected(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        relay: Option<PeerId>,
        dialled: Option<Multiaddr>,
        now: Instant,
        now_ms: u64,
    ) -> Vec<ConnectionId> {
        self.make_room(&peer);
        let entry = self.peers.entry(peer).or_insert_with(|| Peer::new(Origin::Passing, now));
        let was_relayed = entry.connections.values().any(|connection| connection.way.is_relayed());
        let way = match relay {
            Some(relay) => Way::Relayed(relay),
            None if was_relayed && dialled.is_none() => Way::Punched,
            None => Way::Direct,
        };
        // One through a relay says nothing of those without: they end when a ping is not answered.
        let is_dead = |before: &Connection| {
            let older = now.saturating_duration_since(before.since) > SIMULTANEOUS;
            older && before.way.is_relayed() == way.is_relayed()
        };
        let dead = entry.connections.iter().filter(|(_, before)| is_dead(before)).map(|(id, _)| *id).collect();
        entry.connections.insert(connection, Connection { since: now, way });
        entry.dialling = false;
        entry.failures = 0;
        entry.last_seen_ms = Some(now_ms);
        if let Some(address) = dialled.map(|address| split(address).0).filter(is_dialable) {
            for seed in self.seeds.iter_mut().filter(|seed| seed.address == address) {
                (seed.peer, seed.dialling, seed.failures) = (Some(peer), false, 0);
                entry.origin = Origin::Named;
            }
            entry.add(address, true);
        }
        dead
    }

    /// Connections through relays to peers that are connected without one for a while (`RCH-10`).
    pub(super) fn superfluous(&self, now: Instant) -> Vec<ConnectionId> {
        let stands = |connection: &Connection| {
            !connection.way.is_relayed() && now.saturating_duration_since(connection.since) >= STANDS
        };
        let doubled = self.peers.values().filter(|peer| peer.connections.values().any(stands));
        let relayed =
            doubled.flat_map(|peer| peer.connections.iter().filter(|(_, connection)| connection.way.is_relayed()));
        relayed.map(|(id, _)| *id).collect()
    }

    /// A connection has ended; true if it was the last one to the peer.
    pub(super) fn closed(&mut self, peer: &PeerId, connection: ConnectionId, now: Instant, now_ms: u64) -> bool {
        let Some(entry) = self.peers.get_mut(peer) else { return false };
        entry.connections.remove(&connection);
        if entry.is_connected() {
            return false;
        }
        if entry.is_passing() && entry.ban.is_none() {
            self.peers.remove(peer);
            return true;
        }
        entry.lost_at = Some(now);
        entry.last_seen_ms = Some(now_ms);
        entry.next_dial = now + self.jitter.spread(delay(1, Before::Lost(Duration::ZERO)));
        true
    }

    /// A dial to a peer came to nothing; true if the peer is forgotten.
    pub(super) fn dial_failed(&mut self, peer: &PeerId, wrong: Option<&Multiaddr>, now: Instant) -> bool {
        let Some(entry) = self.peers.get_mut(peer) else { return false };
        entry.dialling = false;
        entry.failures = entry.failures.saturating_add(1);
        entry.next_dial = now + self.jitter.spread(delay(entry.failures, entry.before(now)));
        if let Some(wrong) = wrong.map(|address| split(address.clone()).0) {
            entry.addresses.retain(|address| *address != wrong);
        }
        let stranger = entry.origin == Origin::Connected && entry.before(now) == Before::Never;
        let forgotten = stranger && entry.failures >= FAILURES_OF_STRANGERS_MAX && !entry.is_connected();
        if forgotten {
            self.peers.remove(peer);
        }
        forgotten
    }

    /// A dial to an address of the settings came to nothing, or led to this node itself.
    pub(super) fn seed_failed(&mut self, address: &Multiaddr, now: Instant) {
        let address = split(address.clone()).0;
        for seed in self.seeds.iter_mut().filter(|seed| seed.address == address) {
            seed.dialling = false;
            seed.failures = seed.failures.saturating_add(1);
            seed.next_dial = now + self.jitter.spread(delay(seed.failures, Before::Known));
        }
    }

    /// A peer for whom there was no room; each is answered once.
    pub(super) fn pop_forgotten(&mut self) -> Option<PeerId> {
        self.forgotten.pop()
    }

    /// The dials that are due, marked as under way.
    pub(super) fn due(&mut self, now: Instant) -> Vec<Dial> {
        self.dials.retain(|_, (since, _)| now.saturating_duration_since(*since) < DIAL_WINDOW);
        let mut due = Vec::new();
        let connected: BTreeSet<PeerId> = self.connected_peers().collect();
        for (id, peer) in self.peers.iter_mut().filter(|(_, peer)| peer.is_due(now)) {
            let mut addresses = peer.addresses.clone();
            addresses.retain(|address| may_dial(&mut self.dials, address, now));
            if addresses.is_empty() {
                peer.next_dial = now + DIAL_WINDOW;
                continue;
            }
            peer.dialling = true;
            due.push(Dial { peer: Some(*id), addresses });
        }
        for seed in &mut self.seeds {
            let there = seed.peer.is_some_and(|peer| connected.contains(&peer));
            if !there && !seed.dialling && seed.next_dial <= now && may_dial(&mut self.dials, &seed.address, now) {
                seed.dialling = true;
                due.push(Dial { peer: None, addresses: vec![seed.address.clone()] });
            }
        }
        due
    }

    /// One peer.
    pub(super) fn get(&self, peer: &PeerId) -> Option<&Peer> {
        self.peers.get(peer)
    }

    /// All peers.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&PeerId, &Peer)> {
        self.peers.iter()
    }

    /// True if the peer that an address names is connected.
    pub(super) fn is_connected_at(&self, address: &Multiaddr) -> bool {
        let peer = split(address.clone()).1.and_then(|peer| self.peers.get(&peer));
        peer.is_some_and(Peer::is_connected)
    }

    /// The peers that are connected and not only passing.
    pub(super) fn connected_peers(&self) -> impl Iterator<Item = PeerId> + '_ {
        let talks = |peer: &Peer| peer.is_connected() && !peer.is_passing();
        self.peers.iter().filter(move |(_, peer)| talks(peer)).map(|(id, _)| *id)
    }

    /// The peers that can be dialled.
    pub(super) fn reachable(&self) -> BTreeSet<PeerId> {
        let can_be = self.peers.iter().filter(|(_, peer)| !peer.addresses().is_empty());
        can_be.map(|(id, _)| *id).collect()
    }

    /// Forgets the peer that was seen longest ago, where the book is full and `newcomer` is not in it.
    fn make_room(&mut self, newcomer: &PeerId) {
        if self.peers.len() < PEERS_MAX || self.peers.contains_key(newcomer) {
            return;
        }
        let oldest = self.idle().min_by_key(|(_, peer)| (peer.origin, peer.last_seen_ms)).map(|(id, _)| *id);
        if let Some(oldest) = oldest {
            self.forget(oldest);
        }
    }

    fn idle(&self) -> impl Iterator<Item = (&PeerId, &Peer)> {
        self.peers.iter().filter(|(_, peer)| !peer.is_connected() && !peer.dialling && !peer.is_banned_by_owner())
    }

    fn forget(&mut self, peer: PeerId) {
        self.peers.remove(&peer);
        self.forgotten.push(peer);
    }
}

/// Counts a dial to an address; false where there were too many.
fn may_dial(dials: &mut BTreeMap<Multiaddr, (Instant, u32)>, address: &Multiaddr, now: Instant) -> bool {
    let (_, count) = dials.entry(first_hop(address)).or_insert((now, 0));
    *count += 1;
    *count <= DIALS_PER_ADDRESS_MAX
}

#[cfg(test)]
mod tests;
