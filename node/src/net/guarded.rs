//! A behaviour of libp2p that dials by itself, held to this node's rules: addresses that peers told it are
//! dialled only if they are plain IP addresses, no nearer than the peers themselves, and not too often
//! (`FIND-1`, `R-GOS-10`).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use super::address::{Relayed, is_direct, split};
use super::listen;
use super::scope::Scope;

/// Addresses of one peer that are dialled at once.
pub(super) const ADDRESSES_MAX: usize = 4;
/// Relays of one peer that are believed (`RCH-8`).
pub(super) const RELAYS_MAX: usize = 3;
/// Dials to one address, whoever is said to be there, in one [`WINDOW`].
const DIALS_PER_ADDRESS_MAX: u32 = 6;
/// Dials in one [`WINDOW`], to whatever address: a walk through the table of peers asks some dozens.
const DIALS_MAX: u32 = 240;
/// The same for dials that a connected peer asks for, to be tested or to be met (`RCH-3`, `RCH-9`).
const ASKED_MAX: u32 = 60;
/// The time over which dials are counted.
const WINDOW: Duration = Duration::from_secs(60);

/// Says which of the addresses that others told may be dialled. Shared by the behaviours and the driver.
#[derive(Debug, Default)]
pub(super) struct Gate {
    /// The widest scope in which a peer is connected, as a number.
    floor: AtomicU8,
    dials: Mutex<Dials>,
    /// Dials that a connected peer asked for, on an account of their own.
    asked: Mutex<Dials>,
}

#[derive(Debug, Default)]
struct Dials {
    since: Option<Instant>,
    all: u32,
    by_address: BTreeMap<Multiaddr, u32>,
}

impl Gate {
    /// Sets the widest scope in which a peer is connected. True if it changed.
    pub(super) fn set_floor(&self, floor: Scope) -> bool {
        self.floor.swap(floor as u8, Ordering::Relaxed) != floor as u8
    }

    /// True for an address that may be learnt from peers: an IP address with a port, which no peer here is
    /// farther from than it.
    pub(super) fn may_learn(&self, address: &Multiaddr) -> bool {
        let (bare, _) = split(address.clone());
        let floor = self.floor.load(Ordering::Relaxed);
        is_direct(&bare) && listen::ip(&bare).is_some_and(|ip| Scope::of_ip(ip) as u8 >= floor)
    }

    /// True if all of these may be dialled now because a peer asks for it; they count as dialled (`RCH-3`, `RCH-9`).
    pub(super) fn may_dial_for(&self, addresses: &[Multiaddr], now: Instant) -> bool {
        let few = (1..=ADDRESSES_MAX).contains(&addresses.len());
        few && self.count(&self.asked, ASKED_MAX, addresses.to_vec(), now).len() == addresses.len()
    }

    /// The addresses that may be dialled now; they count as dialled.
    fn pass(&self, addresses: Vec<Multiaddr>, now: Instant) -> Vec<Multiaddr> {
        self.count(&self.dials, DIALS_MAX, addresses, now)
    }

    fn count(&self, account: &Mutex<Dials>, max: u32, mut addresses: Vec<Multiaddr>, now: Instant) -> Vec<Multiaddr> {
        addresses.retain(|address| self.may_learn(address));
        addresses.truncate(ADDRESSES_MAX);
        let mut dials = account.lock().unwrap_or_else(PoisonError::into_inner);
        if dials.since.is_none_or(|since| now.saturating_duration_since(since) >= WINDOW) {
            *dials = Dials { since: Some(now), ..Dials::default() };
        }
        addresses.retain(|address| {
            let so_far = dials.by_address.entry(split(address.clone()).0).or_default();
            *so_far += 1;
            let fits = *so_far <= DIALS_PER_ADDRESS_MAX;
            dials.all += u32::from(fits);
            fits && dials.all <= max
        });
        addresses
    }
}

/// A behaviour behind a gate.
pub(super) struct Guarded<B> {
    inner: B,
    gate: Arc<Gate>,
}

impl<B: NetworkBehaviour> Guarded<B> {
    /// Holds `inner` to the rules of `gate`.
    pub(super) fn new(inner: B, gate: Arc<Gate>) -> Self {
        Self { inner, gate }
    }

    /// The behaviour itself.
    pub(super) fn inner(&mut self) -> &mut B {
        &mut self.inner
    }

    /// Where the behaviour has heard that a peer is, as far as that may be believed.
    pub(super) fn heard_of(&mut self, peer: PeerId) -> Vec<Multiaddr> {
        let mut addresses = self.heard(peer);
        addresses.retain(|address| self.gate.may_learn(address));
        addresses.truncate(ADDRESSES_MAX);
        addresses
    }

    /// Through which relays the behaviour has heard that a peer is reached (`RCH-8`).
    pub(super) fn relays_of(&mut self, peer: PeerId) -> Vec<PeerId> {
        let addresses = self.heard(peer).into_iter().map(|address| split(address).0);
        let mut relays: Vec<PeerId> =
            addresses.filter_map(|address| Relayed::of(&address)).map(|relayed| relayed.relay).collect();
        relays.dedup();
        relays.truncate(RELAYS_MAX);
        relays
    }

    /// Where the behaviour has heard that a peer is, whatever the gate says: its dials are held to that anyway.
    pub(super) fn heard(&mut self, peer: PeerId) -> Vec<Multiaddr> {
        let asked = self.inner.handle_pending_outbound_connection(
            ConnectionId::new_unchecked(usize::MAX),
            Some(peer),
            &[],
            Endpoint::Dialer,
        );
        asked.unwrap_or_default()
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Guarded<B> {
    type ConnectionHandler = B::ConnectionHandler;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.inner.handle_pending_inbound_connection(connection, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        let heard = self.inner.handle_pending_outbound_connection(connection, peer, addresses, role)?;
        Ok(self.gate.pass(heard, Instant::now()))
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner.handle_established_outbound_connection(connection, peer, address, role, port)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Multiaddr {
        text.parse().expect("address")
    }

    #[test]
    fn find_1_what_was_learnt_from_the_world_leads_into_no_home() {
        let gate = Gate::default();
        let [here, home, world] =
            ["/ip4/127.0.0.1/tcp/1", "/ip4/192.168.1.1/tcp/80", "/ip4/8.8.8.8/tcp/1"].map(address);
        let named = address("/dns4/xom.example/tcp/1");
        let all = vec![here.clone(), home.clone(), world.clone(), named];
        let now = Instant::now();
        assert_eq!(gate.pass(all.clone(), now), [here, home.clone(), world.clone()]);
        assert!(gate.set_floor(Scope::Home) && !gate.set_floor(Scope::Home));
        assert_eq!(gate.pass(all.clone(), now), [home, world.clone()]);
        gate.set_floor(Scope::World);
        assert_eq!(gate.pass(all, now), [world]);
    }

    #[test]
    fn r_gos_10_a_table_full_of_other_peoples_addresses_brings_few_dials() {
        let (gate, now) = (Gate::default(), Instant::now());
        let victim = address("/ip4/9.9.9.9/tcp/443");
        let dials = |at| (0..1_000).filter(|_| !gate.pass(vec![victim.clone()], at).is_empty()).count();
        assert_eq!(u32::try_from(dials(now)), Ok(DIALS_PER_ADDRESS_MAX));
        let many = (0..1_000).map(|port| address(&format!("/ip4/9.9.9.9/tcp/{}", port + 1)));
        let passed = many.filter(|address| !gate.pass(vec![address.clone()], now).is_empty()).count();
        assert_eq!(u32::try_from(passed), Ok(DIALS_MAX - DIALS_PER_ADDRESS_MAX));
        assert_eq!(u32::try_from(dials(now + WINDOW)), Ok(DIALS_PER_ADDRESS_MAX));
        assert!(
            !gate.may_dial_for(&[], now + WINDOW * 3) && !gate.may_dial_for(&vec![victim.clone(); 5], now + WINDOW * 3)
        );
        let asked = (0..1_000).filter(|_| gate.may_dial_for(std::slice::from_ref(&victim), now + WINDOW * 4)).count();
        assert_eq!(u32::try_from(asked), Ok(DIALS_PER_ADDRESS_MAX), "RCH-3");
        gate.set_floor(Scope::World);
        assert!(!gate.may_dial_for(&[address("/ip4/192.168.1.1/tcp/80")], now + WINDOW * 5), "RCH-9");
        gate.set_floor(Scope::Machine);
        let crowd = (0..9).map(|port| address(&format!("/ip4/9.9.9.9/tcp/{}", port + 1)));
        assert_eq!(gate.pass(crowd.collect(), now + WINDOW * 6).len(), ADDRESSES_MAX);
    }
}
