//! A behaviour of libp2p that dials where a peer asks it to: to test whether the peer can be reached there, or to meet
//! it in the middle. Held to this node's rules like everything that is dialled on somebody's word (`RCH-3`, `RCH-9`).

use std::collections::BTreeSet;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, DialFailure, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use super::guarded::Gate;

/// Dials whose connections are still looked for.
const DIALS_MAX: usize = 256;

/// Addresses that a peer gave where this node dials nobody on its word, or not so often.
#[derive(Debug, thiserror::Error)]
#[error("peers may not have these addresses dialled, or not so often")]
struct NotDialled;

/// A behaviour held to limits.
pub(super) struct Limited<B> {
    inner: B,
    gate: Arc<Gate>,
    /// Its own dials, until they have come to something or nothing.
    dials: BTreeSet<ConnectionId>,
    /// Whom it has dialled in vain since that was last looked at; at most [`DIALS_MAX`].
    failed: BTreeSet<PeerId>,
}

impl<B: NetworkBehaviour> Limited<B> {
    /// Holds `inner` to the rules of `gate`.
    pub(super) fn new(inner: B, gate: Arc<Gate>) -> Self {
        Self { inner, gate, dials: BTreeSet::new(), failed: BTreeSet::new() }
    }

    /// True once for a connection that this behaviour has made.
    pub(super) fn has_made(&mut self, connection: ConnectionId) -> bool {
        self.dials.remove(&connection)
    }

    /// Whom this behaviour has dialled in vain since this was last asked.
    pub(super) fn take_failed(&mut self) -> BTreeSet<PeerId> {
        std::mem::take(&mut self.failed)
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Limited<B> {
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
        if self.dials.contains(&connection) && !self.gate.may_dial_for(addresses, Instant::now()) {
            return Err(ConnectionDenied::new(NotDialled));
        }
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
        if let FromSwarm::DialFailure(DialFailure { connection_id, peer_id, .. }) = &event
            && self.dials.remove(connection_id)
            && self.failed.len() < DIALS_MAX
        {
            self.failed.extend(peer_id);
        }
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(&mut self, peer: PeerId, connection: ConnectionId, event: THandlerOutEvent<Self>) {
        self.inner.on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        let next = self.inner.poll(cx);
        if let Poll::Ready(ToSwarm::Dial { opts }) = &next {
            while self.dials.len() >= DIALS_MAX {
                self.dials.pop_first();
            }
            self.dials.insert(opts.connection_id());
        }
        next
    }
}
