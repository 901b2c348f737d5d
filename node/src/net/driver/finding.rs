//! Finding: the table of who is where, and who answers on the local network.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Instant;

use libp2p::kad::store::RecordStore;
use libp2p::kad::{self, GetProvidersOk, InboundRequest, ProviderRecord, QueryResult};
use libp2p::{Multiaddr, PeerId, identify, mdns};
use xom_protocol::Did;

use super::Driver;
use crate::net::address::{Relayed, split};
use crate::net::dht::{self, FOUND_MAX, KEY_BYTES};
use crate::net::guarded::{ADDRESSES_MAX, RELAYS_MAX};
use crate::net::listen;
use crate::net::neighbours::AGAIN_EVERY;
use crate::net::scope::Scope;

impl Driver {
    /// Makes statements and begins searches that are due.
    pub(super) fn find(&mut self, now: Instant) {
        if self.finding.must_state(now) {
            self.state_who_lives_here();
        }
        if self.finding.is_due(now) {
            let reached: BTreeSet<Did> = self.standings.values().flat_map(|standing| standing.tally.dids()).collect();
            for did in self.finding.due(&reached, now) {
                let key = dht::key(self.shared.network, &did);
                let query = self.swarm.behaviour_mut().dht.inner().get_providers(key);
                self.searches.insert(query, did);
            }
        }
    }

    fn state_who_lives_here(&mut self) {
        let network = self.shared.network;
        let locals = self.shared.store.locals();
        let live: BTreeSet<Did> = locals.iter().map(|local| local.did).chain(self.kept.iter().copied()).collect();
        let table = self.swarm.behaviour_mut().dht.inner();
        for gone in self.stated.difference(&live) {
            table.stop_providing(&dht::key(network, gone));
        }
        for did in &live {
            if let Err(cause) = table.start_providing(dht::key(network, did)) {
                tracing::warn!(%cause, "it can't be stated where an identity lives");
            }
        }
        self.stated = live;
    }

    /// States at once of whom is newly kept here, and of nobody who is not any more (`KEEP-4`).
    pub(super) fn state_who_is_kept(&mut self, kept: BTreeSet<Did>) {
        let network = self.shared.network;
        let table = self.swarm.behaviour_mut().dht.inner();
        for gone in self.kept.difference(&kept) {
            table.stop_providing(&dht::key(network, gone));
            self.stated.remove(gone);
        }
        for did in kept.difference(&self.kept) {
            if let Err(cause) = table.start_providing(dht::key(network, did)) {
                tracing::warn!(%cause, "it can't be stated who is kept");
            }
            self.stated.insert(*did);
        }
        self.kept = kept;
    }

    pub(super) fn on_table(&mut self, event: kad::Event) {
        let now = Instant::now();
        match event {
            kad::Event::InboundRequest { request: InboundRequest::AddProvider { record: Some(record) } } => {
                self.keep_statement(record, now);
            }
            kad::Event::OutboundQueryProgressed { id, result: QueryResult::GetProviders(result), step, .. } => {
                let Some(did) = self.searches.get(&id).copied() else { return };
                if let Ok(GetProvidersOk::FoundProviders { providers, .. }) = result {
                    self.found(providers);
                }
                if step.last {
                    self.searches.remove(&id);
                    self.finding.ended(&did, now);
                }
            }
            kad::Event::OutboundQueryProgressed { id, result: QueryResult::GetClosestPeers(result), step, .. } => {
                self.on_relay_found(id, result.map(|found| found.peers).unwrap_or_default(), step.last);
            }
            kad::Event::RoutingUpdated { is_new_peer: true, .. } => self.finding.news(now),
            _ => {}
        }
    }

    /// Keeps the statement of a peer about itself, with the addresses at which we see it (`FIND-3`).
    fn keep_statement(&mut self, mut record: ProviderRecord, now: Instant) {
        let seen_at = self.seen_at(&record.provider);
        let at_itself = |address: &Multiaddr| listen::ip(address).is_some_and(|ip| seen_at.contains(&ip));
        // Of a relay that it names only the id is kept: nobody has seen it there (`RCH-8`).
        let addresses = std::mem::take(&mut record.addresses);
        let relays: BTreeSet<PeerId> = addresses.iter().filter_map(relay_in).collect();
        record.addresses = addresses;
        record.addresses.retain(|address| at_itself(address) && self.gate.may_learn(address));
        record.addresses.truncate(ADDRESSES_MAX);
        let relays = relays.into_iter().take(RELAYS_MAX).map(|relay| Relayed { relay, at: Multiaddr::empty() });
        record.addresses.extend(relays.map(|relayed| relayed.address()));
        let fits = record.key.to_vec().len() == KEY_BYTES && !record.addresses.is_empty();
        if !fits || !self.allowances.spend(record.provider, now) {
            tracing::debug!(peer = %record.provider, "a statement was not kept");
            return;
        }
        if let Err(cause) = self.swarm.behaviour_mut().dht.inner().store_mut().add_provider(record) {
            tracing::debug!(%cause, "a statement was not kept");
        }
    }

    /// Takes the nodes on which an identity is said to live: dials them, and lets their logs prove it.
    fn found(&mut self, providers: impl IntoIterator<Item = PeerId>) {
        for peer in providers.into_iter().take(FOUND_MAX) {
            for address in self.swarm.behaviour_mut().dht.heard_of(peer) {
                self.learn(peer, split(address).0);
            }
            for relay in self.swarm.behaviour_mut().dht.relays_of(peer) {
                self.seek_relay(relay, peer);
            }
        }
    }

    pub(super) fn learn(&mut self, peer: PeerId, address: Multiaddr) {
        let Ok(address) = address.with_p2p(peer) else { return };
        if self.book.stated(address, Instant::now()).is_some() {
            self.want(&peer);
        }
    }

    /// Puts a peer that serves the table into it, where it says that it listens and we see it.
    pub(super) fn enter(&mut self, peer: PeerId, info: &identify::Info) {
        if !info
            .protocols
            .iter()
            .any(|protocol| self.swarm.behaviour_mut().dht.inner().protocol_names().contains(protocol))
        {
            return;
        }
        let seen_at = self.seen_at(&peer);
        let at_itself = |address: &&Multiaddr| listen::ip(address).is_some_and(|ip| seen_at.contains(&ip));
        let fitting = info.listen_addrs.iter().filter(at_itself).filter(|address| self.gate.may_learn(address));
        let addresses: Vec<Multiaddr> = fitting.take(ADDRESSES_MAX).cloned().collect();
        let table = self.swarm.behaviour_mut().dht.inner();
        dht::enter(table, peer, addresses);
    }

    /// The IP addresses at which a connected peer is seen.
    pub(super) fn seen_at(&self, peer: &PeerId) -> BTreeSet<IpAddr> {
        let connections = self.book.get(peer).into_iter().flat_map(|peer| peer.connections());
        let remotes = connections.filter_map(|connection| self.remotes.get(connection));
        remotes.filter_map(|remote| listen::ip(&remote.address)).collect()
    }

    /// The widest scope in which a peer is connected may have changed: what is nearer leaves the table
    /// (`FIND-1`).
    pub(super) fn judge_scope(&mut self) {
        let widest = self.widest_scope().unwrap_or(Scope::Machine);
        if !self.gate.set_floor(widest) {
            return;
        }
        let mut nearer = Vec::new();
        for bucket in self.swarm.behaviour_mut().dht.inner().kbuckets() {
            for entry in bucket.iter() {
                let peer = *entry.node.key.preimage();
                let addresses = entry.node.value.iter().filter(|address| !self.gate.may_learn(address));
                nearer.extend(addresses.map(|address| (peer, address.clone())));
            }
        }
        for (peer, address) in nearer {
            self.swarm.behaviour_mut().dht.inner().remove_address(&peer, &address);
        }
    }

    /// Others on the local network have announced themselves, or somebody has announced them (`FIND-6`).
    pub(super) fn on_local_peers(&mut self, event: mdns::Event) {
        match event {
            mdns::Event::Discovered(announced) => self.greet(announced, Instant::now()),
            // A peer that still announces itself at another address has not gone.
            mdns::Event::Expired(gone) => {
                let here: BTreeSet<PeerId> = self.announced().into_iter().collect();
                self.neighbours.gone(gone.into_iter().map(|(peer, _)| peer).filter(|peer| !here.contains(peer)));
            }
        }
    }

    /// Gives those another chance for whom there was no room when they announced themselves (`FIND-6`).
    pub(super) fn look_at_neighbours_again(&mut self, now: Instant) {
        if now < self.neighbours_due {
            return;
        }
        self.neighbours_due = now + AGAIN_EVERY;
        let announced = self.announced().into_iter().map(|peer| (peer, ())).collect();
        for (peer, ()) in self.neighbours.waiting(announced) {
            let at = self.swarm.behaviour_mut().mdns.heard(peer);
            self.greet(at.into_iter().take(ADDRESSES_MAX).map(|address| (peer, address)).collect(), now);
        }
    }

    /// Everybody who announces himself on the local network now.
    fn announced(&mut self) -> Vec<PeerId> {
        let mdns = self.swarm.behaviour_mut().mdns.inner().as_ref();
        mdns.map(|mdns| mdns.discovered_nodes().copied().collect()).unwrap_or_default()
    }

    fn greet(&mut self, announced: Vec<(PeerId, Multiaddr)>, now: Instant) {
        for (peer, address) in announced {
            let near = matches!(Scope::of(&address), Some(Scope::Link | Scope::Home));
            let book = &self.book;
            let connected = |peer: &PeerId| book.get(peer).is_some_and(|peer| peer.is_connected());
            if near && self.neighbours.admit(peer, now, connected) {
                self.learn(peer, split(address).0);
            }
        }
    }
}

/// The relay through which somebody is reached at this address.
fn relay_in(address: &Multiaddr) -> Option<PeerId> {
    Relayed::of(&split(address.clone()).0).map(|relayed| relayed.relay)
}
