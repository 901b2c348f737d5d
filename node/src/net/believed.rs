//! A behaviour of libp2p that claims to know where this node is reached. What it claims is not believed but told to the
//! driver, which has others test what seems worth it (`RCH-2`).

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

/// A behaviour whose claims are left out, and whose place the driver's suggestions take.
pub(super) struct Believed<B> {
    inner: B,
    suggestions: VecDeque<Multiaddr>,
    waker: Option<Waker>,
}

impl<B: NetworkBehaviour> Believed<B> {
    /// Leaves out what `inner` claims.
    pub(super) fn new(inner: B) -> Self {
        Self { inner, suggestions: VecDeque::new(), waker: None }
    }

    /// Has an address tested by others.
    pub(super) fn suggest(&mut self, address: Multiaddr) {
        self.suggestions.push_back(address);
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Believed<B> {
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
        self.inner.handle_pending_outbound_connection(connection, peer, addresses, role)
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
        if let Some(address) = self.suggestions.pop_front() {
            return Poll::Ready(ToSwarm::NewExternalAddrCandidate(address));
        }
        self.waker = Some(cx.waker().clone());
        loop {
            match self.inner.poll(cx) {
                Poll::Ready(
                    ToSwarm::NewExternalAddrCandidate(_)
                    | ToSwarm::ExternalAddrConfirmed(_)
                    | ToSwarm::ExternalAddrExpired(_),
                ) => {}
                other => return other,
            }
        }
    }
}
