//! Being reached: tests by others, reservations at relays, and relaying for others (`RCH-1` to `RCH-11`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::kad::{self, QueryId};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::ConnectionId;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::{Multiaddr, PeerId, Stream, autonat, dcutr, identify, upnp};
use libp2p_stream::{Control, IncomingStreams};
use tokio::sync::{mpsc, oneshot};

use super::Driver;
use crate::model::{Link, ReachState, Reachability};
use crate::net::address::{Relayed, is_direct, is_relayed, split};
use crate::net::listen;
use crate::net::peers::Way;
use crate::net::reach::{Reach, Standing};
use crate::net::relay::{
    Asked, Candidate, Choice, Class, Guest, HOP_PROTOCOL, Inbound, Reaching as ReachRelay, Reservations, STOP_PROTOCOL,
    Serving,
};
use crate::net::scope::Scope;

/// How often it is looked at who relays, and whether that is needed.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Relays that are waited for, for those behind them.
const WAITING_MAX: usize = 64;
/// Searches for relays at the same time (`RCH-8`).
const RELAY_SEARCHES_MAX: usize = 4;
/// Addresses of one relay at which somebody is dialled.
const RELAY_ADDRESSES_MAX: usize = 2;
/// Connections that were made to test somebody, and have not ended yet.
const PROBES_MAX: usize = 256;
/// Addresses of this node that a relay tells whoever keeps a reservation there.
const TOLD_MAX: usize = 8;

/// What has happened around relays.
pub(super) enum RelayNews {
    /// Somebody asks this node to relay.
    Hop(PeerId, Stream),
    /// A relay says that somebody has come.
    Stop(PeerId, Stream),
    /// A relay has answered.
    Asked(Asked),
    /// A relay is to be connected.
    Reach(ReachRelay),
    /// Nothing that matters.
    Nothing,
}

/// The state of it.
pub(super) struct Reaching {
    control: Control,
    reach: Reach,
    standing: Standing,
    serving: Serving,
    /// Open while this node relays: then it says so in identify.
    hop_streams: Option<IncomingStreams>,
    stop_streams: IncomingStreams,
    reservations: Reservations,
    choice: Choice,
    /// Under which address each relay that keeps a reservation is told to others.
    told: BTreeMap<PeerId, Relayed>,
    /// Connected peers that relay.
    relays: BTreeSet<PeerId>,
    wanted: mpsc::Receiver<ReachRelay>,
    waiting: BTreeMap<PeerId, Vec<oneshot::Sender<bool>>>,
    searches: HashMap<QueryId, (PeerId, PeerId)>,
    /// Connections that were made to test somebody.
    probes: BTreeMap<ConnectionId, PeerId>,
    gateway: Option<String>,
    look_at: Instant,
}

impl Reaching {
    /// Nothing is known yet.
    pub(super) fn new(control: &Control, wanted: mpsc::Receiver<ReachRelay>, inbound: mpsc::Sender<Inbound>) -> Self {
        let mut accept = control.clone();
        Self {
            control: control.clone(),
            reach: Reach::default(),
            standing: Standing::Unknown,
            serving: Serving::new(control.clone()),
            hop_streams: None,
            stop_streams: accept.accept(STOP_PROTOCOL).expect("no protocol is registered twice"),
            reservations: Reservations::new(control.clone(), inbound),
            choice: Choice::default(),
            told: BTreeMap::new(),
            relays: BTreeSet::new(),
            wanted,
            waiting: BTreeMap::new(),
            searches: HashMap::new(),
            probes: BTreeMap::new(),
            gateway: None,
            look_at: Instant::now(),
        }
    }

    /// What happens next.
    pub(super) async fn next(&mut self) -> RelayNews {
        let hop = async {
            match &mut self.hop_streams {
                Some(streams) => streams.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            Some((peer, stream)) = hop => RelayNews::Hop(peer, stream),
            Some((peer, stream)) = self.stop_streams.next() => RelayNews::Stop(peer, stream),
            asked = self.reservations.next() => asked.map_or(RelayNews::Nothing, RelayNews::Asked),
            Some(wanted) = self.wanted.recv() => RelayNews::Reach(wanted),
            else => std::future::pending().await,
        }
    }

    /// A connection was made only to test whether somebody can be reached.
    pub(super) fn probes(&mut self, peer: PeerId, connection: ConnectionId) {
        while self.probes.len() >= PROBES_MAX {
            self.probes.pop_first();
        }
        self.probes.insert(connection, peer);
    }

    /// True once for such a connection that has ended.
    pub(super) fn is_probe_over(&mut self, connection: ConnectionId) -> bool {
        self.probes.remove(&connection).is_some()
    }

    /// True while others test whether this node is reached.
    pub(super) fn is_testing(&self, now: Instant) -> bool {
        self.reach.is_testing(now)
    }
}

impl Driver {
    /// Looks whether this node is reached, whether it relays, and whether it needs relays.
    pub(super) fn reach(&mut self, now: Instant) {
        for connection in self.book.superfluous(now) {
            self.swarm.close_connection(connection);
        }
        if now < self.reaching.look_at {
            return;
        }
        self.reaching.look_at = now + LOOK_EVERY;
        self.note_failed_meetings();
        let (own, floor) = (self.listens_on(), self.widest_scope());
        let standing = self.reaching.reach.judge(&own, floor, now);
        if standing != self.reaching.standing {
            tracing::info!(?standing, "how this node is reached has changed");
            self.reaching.standing = standing;
        }
        self.offer(self.reaching.standing.offers_relay());
        let needed = self.reaching.standing.needs_relay();
        let candidates: Vec<Candidate> = self.relays_in(floor);
        for relay in self.reaching.choice.due(needed, &candidates, now) {
            self.reaching.reservations.ask(relay);
        }
        for relay in self.reaching.choice.released(now) {
            self.give_up(&relay);
        }
    }

    fn offer(&mut self, offers: bool) {
        match (offers, &self.reaching.hop_streams) {
            (true, None) => self.reaching.hop_streams = self.reaching.control.accept(HOP_PROTOCOL).ok(),
            (false, Some(_)) => self.reaching.hop_streams = None,
            _ => {}
        }
    }

    /// Peers that relay, connected without a relay between, as far away as the farthest peer.
    fn relays_in(&self, floor: Option<Scope>) -> Vec<Candidate> {
        let there = |peer: &&PeerId| self.seen_at(peer).into_iter().map(Scope::of_ip).max() == floor;
        let relays = self.reaching.relays.iter().filter(there);
        relays.map(|peer| Candidate { peer: *peer, known: self.is_acquaintance(peer) }).collect()
    }

    /// True for a peer that has proven to speak for somebody who lives here or is followed from here.
    fn is_acquaintance(&self, peer: &PeerId) -> bool {
        let wants = self.shared.store.wants();
        let dids = self.standings.get(peer).map(|standing| standing.tally.dids()).unwrap_or_default();
        dids.iter().any(|did| wants.contains(did))
    }

    /// The widest scope in which a peer is connected without a relay between.
    pub(super) fn widest_scope(&self) -> Option<Scope> {
        let direct = self.remotes.values().filter(|remote| remote.relay.is_none());
        direct.filter_map(|remote| Scope::of(&remote.address)).max()
    }

    /// Where this node listens itself.
    fn listens_on(&self) -> Vec<Multiaddr> {
        self.swarm.listeners().filter(|address| !is_relayed(address)).cloned().collect()
    }

    pub(super) fn on_relay_news(&mut self, news: RelayNews) {
        let now = Instant::now();
        match news {
            RelayNews::Hop(peer, stream) => self.on_hop(peer, stream),
            RelayNews::Stop(relay, stream) => {
                let at = self.reaching.told.get(&relay).cloned();
                self.reaching.reservations.hear(relay, at, stream);
            }
            RelayNews::Asked(Asked { relay, answer }) => match answer {
                Ok((stream, lasts)) => self.on_reserved(relay, stream, lasts, now),
                Err(cause) => {
                    tracing::debug!(%relay, %cause, "no reservation is kept");
                    self.reaching.choice.refused(&relay, now);
                    self.give_up(&relay);
                }
            },
            RelayNews::Reach(wanted) => self.reach_relay(wanted),
            RelayNews::Nothing => {}
        }
    }

    fn on_hop(&mut self, peer: PeerId, stream: Stream) {
        let class = if self.is_acquaintance(&peer) { Class::Acquaintance } else { Class::Stranger };
        let guest = Guest { class, ip: self.seen_at(&peer).into_iter().next() };
        let own = listen::most_useful(self.listens_on(), TOLD_MAX);
        if let Some(answer) = self.reaching.serving.answer(peer, guest, own, stream) {
            self.served.spawn(answer);
        }
    }

    /// A relay keeps a reservation: it is told to others at the address at which this node has reached it, whatever it says
    /// of itself (`RCH-7`).
    fn on_reserved(&mut self, relay: PeerId, stream: Stream, lasts: Duration, now: Instant) {
        let Some(at) = self.where_reached(&relay) else {
            self.reaching.choice.refused(&relay, now);
            return self.give_up(&relay);
        };
        let is_new = self.reaching.choice.kept(&relay, lasts, now);
        if !self.reaching.choice.held().contains(&relay) {
            return;
        }
        self.reaching.reservations.hold(relay, stream);
        if is_new {
            tracing::info!(%relay, "a relay keeps a reservation for this node");
            let relayed = Relayed { relay, at };
            self.swarm.add_external_address(self.told_as(&relayed));
            self.reaching.told.insert(relay, relayed);
            self.finding.news(now);
        }
    }

    fn told_as(&self, relayed: &Relayed) -> Multiaddr {
        relayed.address().with(Protocol::P2p(*self.swarm.local_peer_id()))
    }

    /// Where this node has dialled a peer, or where it is known to listen.
    fn where_reached(&self, peer: &PeerId) -> Option<Multiaddr> {
        let known = self.book.get(peer)?;
        let remotes = known.connections().filter_map(|connection| self.remotes.get(connection));
        let dialled = remotes.filter(|remote| remote.outgoing && remote.relay.is_none());
        let dialled = dialled.map(|remote| split(remote.address.clone()).0);
        let seen_at = self.seen_at(peer);
        let listens =
            known.addresses().iter().filter(|address| listen::ip(address).is_some_and(|ip| seen_at.contains(&ip)));
        dialled.chain(listens.cloned()).find(is_direct)
    }

    /// A relay keeps no reservation any more, or none is needed there.
    fn give_up(&mut self, relay: &PeerId) {
        self.reaching.reservations.release(relay);
        if let Some(relayed) = self.reaching.told.remove(relay) {
            tracing::info!(%relay, "a relay keeps no reservation any more");
            let address = self.told_as(&relayed);
            self.swarm.remove_external_address(&address);
            self.finding.news(Instant::now());
        }
    }

    /// Connects a relay, so that somebody is reached through it.
    fn reach_relay(&mut self, wanted: ReachRelay) {
        let ReachRelay { relay: Relayed { relay, at }, answer } = wanted;
        let reached = !self.seen_at(&relay).is_empty();
        let crowded = self.reaching.waiting.values().map(Vec::len).sum::<usize>() >= WAITING_MAX;
        if reached || crowded || relay == *self.swarm.local_peer_id() {
            // Whoever asked may have given up.
            let _ = answer.send(reached);
            return;
        }
        let options = DialOpts::peer_id(relay).condition(PeerCondition::DisconnectedAndNotDialing).addresses(vec![at]);
        let dialled = self.swarm.dial(options.allocate_new_port().build());
        if let Err(libp2p::swarm::DialError::DialPeerConditionFalse(_)) | Ok(()) = dialled {
            self.reaching.waiting.entry(relay).or_default().push(answer);
        } else {
            let _ = answer.send(false);
        }
    }

    /// A connection without a relay between stands.
    pub(super) fn direct_opened(&mut self, peer: PeerId, connection: ConnectionId, visits: bool, now: Instant) {
        self.answer_waiting(peer, true);
        let from = self.remotes.get(&connection).and_then(|remote| listen::ip(&remote.address));
        if let Some(from) = from.filter(|_| visits) {
            self.reaching.reach.visited(from, now);
        }
        let made = self.swarm.behaviour_mut().dcutr.has_made(connection);
        tracing::debug!(%peer, made, "connected without a relay");
    }

    /// A dial has failed.
    pub(super) fn not_reached(&mut self, peer: PeerId) {
        if self.seen_at(&peer).is_empty() {
            self.answer_waiting(peer, false);
        }
    }

    fn answer_waiting(&mut self, peer: PeerId, reached: bool) {
        for answer in self.reaching.waiting.remove(&peer).unwrap_or_default() {
            let _ = answer.send(reached);
        }
    }

    /// A connection without a relay between has ended; with the last one everything around relays ends too.
    pub(super) fn direct_closed(&mut self, peer: PeerId) {
        let others: Vec<ConnectionId> =
            self.book.get(&peer).map(|peer| peer.connections().copied().collect()).unwrap_or_default();
        let is_direct = |connection| self.remotes.get(connection).is_some_and(|remote| remote.relay.is_none());
        if others.iter().any(is_direct) {
            return;
        }
        self.reaching.serving.lost(&peer);
        self.reaching.relays.remove(&peer);
        self.reaching.choice.refused(&peer, Instant::now());
        self.give_up(&peer);
    }

    /// Notes whether a peer relays, and where a peer that this node has dialled sees it.
    pub(super) fn consider_relay(&mut self, connection: ConnectionId, peer: PeerId, info: &identify::Info) {
        let Some(remote) = self.remotes.get(&connection).filter(|remote| remote.relay.is_none()) else { return };
        let outgoing = remote.outgoing;
        if info.protocols.contains(&HOP_PROTOCOL) {
            self.reaching.relays.insert(peer);
        } else {
            self.reaching.relays.remove(&peer);
        }
        let Some(floor) = self.widest_scope().filter(|_| outgoing) else { return };
        let own = self.listens_on();
        for address in self.reaching.reach.seen_at(peer, &info.observed_addr, &own, floor, Instant::now()) {
            self.swarm.behaviour_mut().identify.suggest(address);
        }
    }

    /// This node has lost a listening address: it may be somewhere else now, and what was tested says nothing any more.
    pub(super) fn moved(&mut self) {
        for address in self.reaching.reach.moved() {
            self.swarm.remove_external_address(&address);
        }
    }

    pub(super) fn on_tested(&mut self, event: autonat::v2::client::Event) {
        let autonat::v2::client::Event { tested_addr, server, result, .. } = event;
        tracing::debug!(%tested_addr, %server, ?result, "a peer has tested an address");
        self.reaching.reach.tested(&tested_addr, result.is_ok());
        self.finding.news(Instant::now());
    }

    /// This node has tested somebody; the connection was made for that alone.
    pub(super) fn on_test_made(&mut self, event: &autonat::v2::server::Event) {
        tracing::debug!(client = %event.client, tested = %event.tested_addr, "tested a peer's address");
        let probes = self.reaching.probes.iter().filter(|(_, peer)| **peer == event.client);
        let probes: Vec<ConnectionId> = probes.map(|(connection, _)| *connection).collect();
        for probe in probes {
            self.swarm.close_connection(probe);
        }
    }

    pub(super) fn on_punched(&mut self, event: dcutr::Event) {
        self.note_failed_meetings();
        let dcutr::Event { remote_peer_id, result } = event;
        tracing::info!(peer = %remote_peer_id, ?result, "tried to meet without the relay between");
        self.standing(remote_peer_id).punched = Some(result.is_ok());
    }

    /// The side that came through the relay is told of no attempt that fails: it knows by its own dials (`RCH-11`).
    fn note_failed_meetings(&mut self) {
        for peer in self.swarm.behaviour_mut().dcutr.take_failed() {
            self.standing(peer).punched = Some(false);
        }
    }

    pub(super) fn on_gateway(&mut self, event: upnp::Event) {
        let now = Instant::now();
        let words = match event {
            upnp::Event::NewExternalAddr { external_addr, .. } => {
                if self.reaching.reach.mapped(&external_addr, now) {
                    self.swarm.behaviour_mut().identify.suggest(external_addr.clone());
                }
                format!("the router lets peers in at {external_addr}, it says")
            }
            upnp::Event::ExpiredExternalAddr { external_addr, .. } => {
                self.reaching.reach.unmapped(&external_addr);
                self.swarm.remove_external_address(&external_addr);
                format!("the router no longer lets peers in at {external_addr}")
            }
            upnp::Event::GatewayNotFound => "no router answers UPnP".to_owned(),
            upnp::Event::NonRoutableGateway => "the router is itself behind another one".to_owned(),
        };
        tracing::info!(%words, "UPnP");
        self.reaching.gateway = Some(words);
    }

    /// Somebody is reached through this relay: finds where the relay is (`RCH-8`).
    pub(super) fn seek_relay(&mut self, relay: PeerId, behind: PeerId) {
        if relay == *self.swarm.local_peer_id() {
            return;
        }
        let known = self.book.get(&relay).map(|known| known.addresses().to_vec()).unwrap_or_default();
        let mut at: Vec<Multiaddr> = self.where_reached(&relay).into_iter().chain(known).collect();
        at.retain(is_direct);
        if at.is_empty() {
            let heard = self.swarm.behaviour_mut().dht.heard_of(relay);
            at = heard.into_iter().map(|address| split(address).0).collect();
        }
        if !at.is_empty() {
            return self.learn_behind(behind, relay, at);
        }
        if self.reaching.searches.len() < RELAY_SEARCHES_MAX {
            let query = self.swarm.behaviour_mut().dht.inner().get_closest_peers(relay);
            self.reaching.searches.insert(query, (relay, behind));
        }
    }

    /// A search has come to those who should know where a relay is.
    pub(super) fn on_relay_found(&mut self, query: QueryId, peers: Vec<kad::PeerInfo>, last: bool) {
        let Some((relay, behind)) = self.reaching.searches.get(&query).copied() else { return };
        if last {
            self.reaching.searches.remove(&query);
        }
        let found = peers.into_iter().filter(|peer| peer.peer_id == relay).flat_map(|peer| peer.addrs);
        let at: Vec<Multiaddr> = found.filter(|address| self.gate.may_learn(address)).collect();
        self.learn_behind(behind, relay, at);
    }

    fn learn_behind(&mut self, behind: PeerId, relay: PeerId, at: Vec<Multiaddr>) {
        for at in at.into_iter().take(RELAY_ADDRESSES_MAX) {
            self.learn(behind, Relayed { relay, at: split(at).0 }.address());
        }
    }

    /// How a peer is connected.
    pub(super) fn link(&self, peer: &PeerId, way: Way) -> Link {
        match way {
            Way::Direct => Link::Direct,
            Way::Punched => Link::HolePunched,
            Way::Relayed(by) => {
                let punched = self.standings.get(peer).and_then(|standing| standing.punched);
                Link::Relayed { by: by.to_string(), tried: punched == Some(false) }
            }
        }
    }

    /// How this node can be reached, in words.
    pub(super) fn reachability(&self) -> Reachability {
        let relays: Vec<String> = self.reaching.told.keys().map(PeerId::to_string).collect();
        let (reservations, circuits) = self.reaching.serving.counts();
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let (state, words) = words(&self.reaching.standing, relays.len());
        let gateway = self.reaching.gateway.clone();
        Reachability { state, words, relays, reservations: count(reservations), circuits: count(circuits), gateway }
    }
}

fn words(standing: &Standing, relays: usize) -> (ReachState, String) {
    let (state, words) = match standing {
        Standing::Unknown => (
            ReachState::Unknown,
            "not known yet: nobody is connected who could tell, or the tests still run".to_owned(),
        ),
        Standing::Near(Scope::Machine) => {
            (ReachState::Machine, "from this machine, where all its peers are".to_owned())
        }
        Standing::Near(_) => {
            (ReachState::Home, "from this home or company network, where all its peers are".to_owned())
        }
        Standing::Tested(at) => (ReachState::World, format!("from anywhere: a peer dialled {at} and got through")),
        Standing::Open(at) => (
            ReachState::World,
            format!("from anywhere, as far as is known: it listens on {at}, which nobody has tested"),
        ),
        Standing::Visited => {
            (ReachState::World, "from anywhere: strangers get through to it; nobody has tested where".to_owned())
        }
        Standing::Silent => (ReachState::Nobody, "by nobody: it listens nowhere".to_owned()),
        Standing::Closed => (ReachState::Nobody, "by nobody: a router or firewall lets no peer in".to_owned()),
    };
    match (state, relays) {
        (ReachState::Nobody, 0) => (state, format!("{words}, and no relay keeps a reservation for it yet")),
        (ReachState::Nobody, 1) => (ReachState::Relayed, format!("through one relay; without it {words}")),
        (ReachState::Nobody, _) => (ReachState::Relayed, format!("through {relays} relays; without them {words}")),
        _ => (state, words),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rch_11_status_says_in_words_how_this_node_is_reached_and_why() {
        let at: Multiaddr = "/ip4/9.9.9.9/tcp/7767".parse().expect("address");
        for (standing, relays, state, part) in [
            (Standing::Unknown, 0, "unknown", "not known yet"),
            (Standing::Near(Scope::Machine), 0, "machine", "this machine"),
            (Standing::Near(Scope::Home), 0, "home", "this home"),
            (Standing::Tested(at.clone()), 2, "world", "a peer dialled /ip4/9.9.9.9/tcp/7767"),
            (Standing::Open(at), 0, "world", "nobody has tested"),
            (Standing::Visited, 1, "world", "strangers get through"),
            (Standing::Silent, 0, "nobody", "listens nowhere, and no relay"),
            (Standing::Silent, 1, "relayed", "through one relay"),
            (Standing::Closed, 3, "relayed", "through 3 relays; without them by nobody: a router"),
            (Standing::Closed, 0, "nobody", "lets no peer in"),
        ] {
            let (found, said) = words(&standing, relays);
            assert_eq!(found.name(), state, "{said}");
            assert!(said.contains(part), "{said}");
        }
    }
}
