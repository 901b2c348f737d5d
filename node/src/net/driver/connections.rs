//! Dials and connections: what the swarm reports, noted in the address book.

use std::sync::Arc;
use std::time::Instant;

use libp2p::core::ConnectedPoint;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError, ListenError, SwarmEvent};
use libp2p::{Multiaddr, PeerId, identify, ping};
use xom_protocol::Rule;

use super::{Driver, Remote};
use crate::net::address::Relayed;
use crate::net::clocks::now_ms;
use crate::net::listen;
use crate::net::peers::{Dial, Way};
use crate::net::sessions::Opening;
use crate::net::swarm::{BehaviourEvent, network_version};

impl Driver {
    pub(super) fn dial(&mut self, dial: Dial) {
        let now = Instant::now();
        // A port of its own for each dial: the listening port may still be held by an old connection.
        let (options, seed) = match (dial.peer, dial.addresses.first()) {
            (Some(peer), _) => {
                let condition = PeerCondition::DisconnectedAndNotDialing;
                let options = DialOpts::peer_id(peer).condition(condition).addresses(dial.addresses);
                (options.allocate_new_port().build(), None)
            }
            (None, Some(address)) => {
                let options = DialOpts::unknown_peer_id().address(address.clone()).allocate_new_port().build();
                (options, Some(address.clone()))
            }
            (None, None) => return,
        };
        let connection = options.connection_id();
        if let Err(cause) = self.swarm.dial(options) {
            tracing::debug!(%cause, "not dialled");
            match (dial.peer, seed) {
                (Some(peer), _) => self.dial_failed(peer, None, now),
                (None, Some(address)) => self.book.seed_failed(&address, now),
                (None, None) => {}
            }
        } else if let Some(address) = seed {
            self.seeds.insert(connection, address);
        } else {
            self.dialled.insert(connection);
        }
    }

    pub(super) fn on_swarm_event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        let now = Instant::now();
        match event {
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_connected(peer_id, connection_id, endpoint, now);
            }
            SwarmEvent::ConnectionClosed { peer_id, connection_id, cause, .. } => {
                tracing::debug!(peer = %peer_id, ?cause, "connection closed");
                if self.reaching.is_probe_over(connection_id) {
                    return;
                }
                let relayed = self.remotes.remove(&connection_id).is_some_and(|remote| remote.relay.is_some());
                self.judge_scope();
                if !relayed {
                    self.direct_closed(peer_id);
                }
                if self.book.closed(&peer_id, connection_id, now, now_ms()) {
                    self.on_disconnected(peer_id);
                }
            }
            SwarmEvent::OutgoingConnectionError { connection_id, peer_id, error, .. } => {
                tracing::debug!(peer = ?peer_id, cause = %error, "dial failed");
                let dialled = self.dialled.remove(&connection_id);
                if let Some(peer) = peer_id {
                    self.not_reached(peer);
                }
                if let Some(address) = self.seeds.remove(&connection_id) {
                    self.book.seed_failed(&address, now);
                }
                let wrong = match &error {
                    DialError::WrongPeerId { address, .. } | DialError::LocalPeerId { address } => Some(address),
                    _ => None,
                };
                if let Some(peer) = peer_id.filter(|_| dialled) {
                    self.dial_failed(peer, wrong, now);
                }
            }
            SwarmEvent::IncomingConnectionError { error: ListenError::Transport(cause), send_back_addr, .. } => {
                tracing::debug!(%cause, remote = %send_back_addr, "not let in");
                if self.closed {
                    self.shared.totals.refused(Rule("PNET-3"));
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                connection_id,
                peer_id,
                info,
            })) => self.on_identified(connection_id, peer_id, &info),
            SwarmEvent::Behaviour(BehaviourEvent::Dht(event)) => self.on_table(event),
            SwarmEvent::Behaviour(BehaviourEvent::Mdns(event)) => self.on_local_peers(event),
            SwarmEvent::Behaviour(BehaviourEvent::Autonat(event)) => self.on_tested(event),
            SwarmEvent::Behaviour(BehaviourEvent::DialBack(event)) => self.on_test_made(&event),
            SwarmEvent::Behaviour(BehaviourEvent::Dcutr(event)) => self.on_punched(event),
            SwarmEvent::Behaviour(BehaviourEvent::Gateway(event)) => self.on_gateway(event),
            SwarmEvent::Behaviour(BehaviourEvent::Gossip(event)) => self.on_gossip(event),
            SwarmEvent::NewListenAddr { address, .. } => {
                // What is known to lead here is what the table tells others.
                self.swarm.add_external_address(address);
                self.finding.news(now);
            }
            SwarmEvent::ExpiredListenAddr { address, .. } => {
                self.swarm.remove_external_address(&address);
                self.moved();
                self.finding.news(now);
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                connection,
                peer,
                result: Err(ping::Failure::Timeout | ping::Failure::Other { .. }),
            })) => {
                // No answer on this connection: a dead one is closed now, not when the system notices.
                tracing::debug!(%peer, "ping unanswered");
                self.swarm.close_connection(connection);
            }
            SwarmEvent::ListenerClosed { reason: Err(cause), addresses, .. } => {
                tracing::warn!(%cause, ?addresses, "no longer listening");
            }
            _ => {}
        }
    }

    fn on_connected(&mut self, peer: PeerId, connection: ConnectionId, endpoint: ConnectedPoint, now: Instant) {
        if self.swarm.behaviour_mut().dial_back.has_made(connection) {
            return self.reaching.probes(peer, connection);
        }
        let ours = self.seeds.remove(&connection).is_some() | self.dialled.remove(&connection);
        let address = endpoint.get_remote_address().clone();
        let relay = relay_of(&endpoint);
        let dialled = ours.then(|| address.clone());
        tracing::debug!(%peer, %address, ours, ?relay, "connected");
        let was_relayed = self.book.get(&peer).and_then(|peer| peer.way()).is_some_and(Way::is_relayed);
        let visits = endpoint.is_listener() && relay.is_none() && !was_relayed;
        self.remotes.insert(connection, Remote { address, outgoing: endpoint.is_dialer(), relay });
        self.judge_scope();
        let dead = self.book.connected(peer, connection, relay, dialled, now, now_ms());
        // What comes in while others test where this node is reached is one of the tests, and no peer that came back.
        if !(visits && self.reaching.is_testing(now)) {
            for dead in dead {
                self.swarm.close_connection(dead);
            }
        }
        if relay.is_none() {
            self.direct_opened(peer, connection, visits, now);
        }
        let known = self.book.get(&peer).is_some_and(|peer| !peer.is_passing());
        let opening = match (ours, known) {
            (true, _) => Opening::Here,
            (false, true) => Opening::ThereOrHere,
            (false, false) => Opening::There,
        };
        self.sessions.connected(peer, opening, now);
        if known {
            self.tell_connected();
            self.remember(&peer);
        }
    }

    fn on_disconnected(&mut self, peer: PeerId) {
        self.sessions.disconnected(&peer);
        if let Some(standing) = self.standings.get(&peer) {
            standing.tally.disconnected();
        }
        self.tell_connected();
        if self.book.get(&peer).is_some() {
            self.remember(&peer);
        }
    }

    fn dial_failed(&mut self, peer: PeerId, wrong: Option<&Multiaddr>, now: Instant) {
        if self.book.dial_failed(&peer, wrong, now) {
            self.sessions.forget(&peer);
            self.remember(&peer);
        }
    }

    /// Takes what a peer says of itself: a listening address only where we see it at that IP address.
    fn on_identified(&mut self, connection: ConnectionId, peer: PeerId, info: &identify::Info) {
        if info.protocol_version != network_version(self.shared.network) {
            tracing::debug!(%peer, version = %info.protocol_version, "of another network");
            self.leave_alone(peer);
            return;
        }
        let seen_at = self.remotes.get(&connection).and_then(|remote| listen::ip(&remote.address));
        let mut news = false;
        for address in &info.listen_addrs {
            if seen_at.is_some() && listen::ip(address) == seen_at {
                news |= self.book.told(&peer, address.clone());
            }
        }
        if news {
            self.remember(&peer);
        }
        self.enter(peer, info);
        self.consider_relay(connection, peer, info);
    }

    /// Tells the blob tasks who can be asked.
    pub(super) fn tell_connected(&self) {
        let now = self.book.connected_peers().map(|peer| {
            let tally = self.standings.get(&peer).map(|standing| Arc::clone(&standing.tally));
            (peer, tally.unwrap_or_default())
        });
        self.connected.send_replace(Arc::new(now.collect()));
    }
}

/// The relay that stands between both ends of a connection.
fn relay_of(endpoint: &ConnectedPoint) -> Option<PeerId> {
    match endpoint {
        ConnectedPoint::Dialer { address, .. } => Relayed::with_destination(address).map(|(relayed, _)| relayed.relay),
        ConnectedPoint::Listener { local_addr, .. } => Relayed::of(local_addr).map(|relayed| relayed.relay),
    }
}
