//! Circuits as a transport of libp2p: whoever is reached through a relay is dialled and heard like any other peer, and
//! proves who it is in the same way, over the relay's head.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use futures::future::{BoxFuture, Ready, ready};
use libp2p::core::Transport;
use libp2p::core::transport::{DialOpts, ListenerId, TransportError, TransportEvent};
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, Stream};
use libp2p_stream::{Control, OpenStreamError};
use tokio::sync::{mpsc, oneshot};
use xom_protocol::relay::{HopMessage, RelayStatus};

use super::HOP_PROTOCOL;
use super::messages::{MessageError, read, write};
use crate::net::address::Relayed;

/// Circuits that were opened from afar and wait to become connections.
const INBOUND_MAX: usize = 16;
/// Relays that wait to be connected.
const REACHING_MAX: usize = 64;

/// A circuit that can't be made.
#[derive(Debug, thiserror::Error)]
pub(in crate::net) enum CircuitError {
    /// There is no connection to the relay.
    #[error("the relay is not reached")]
    Relay,
    /// The relay does not relay.
    #[error("the relay opens no stream: {0}")]
    Open(#[from] OpenStreamError),
    /// It does not relay to this peer, or not now.
    #[error("the relay refuses: {0:?}")]
    Refused(RelayStatus),
    /// It answered something else.
    #[error("the relay answers something else")]
    Unexpected,
    /// The stream to the relay failed.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// The node stops.
    #[error("the node stops")]
    Stopping,
}

/// A relay is to be connected, so that somebody can be reached through it.
#[derive(Debug)]
pub(in crate::net) struct Reaching {
    /// The relay, and where it is.
    pub(in crate::net) relay: Relayed,
    /// Says whether it is connected now.
    pub(in crate::net) answer: oneshot::Sender<bool>,
}

/// Somebody has come through a relay.
#[derive(Debug)]
pub(in crate::net) struct Inbound {
    /// The stream to the relay, which carries what the two say.
    pub(in crate::net) stream: Stream,
    /// Through whom, and where that is.
    pub(in crate::net) relay: Relayed,
    /// Who, as the relay says; it proves itself on the connection.
    pub(in crate::net) source: PeerId,
}

/// The transport.
pub(in crate::net) struct Circuits {
    control: Control,
    reaching: mpsc::Sender<Reaching>,
    inbound: mpsc::Receiver<Inbound>,
    listener: Option<ListenerId>,
}

impl Circuits {
    /// The transport, who answers it where relays are to be reached, and where circuits from afar are handed to it.
    pub(in crate::net) fn new(control: Control) -> (Self, mpsc::Receiver<Reaching>, mpsc::Sender<Inbound>) {
        let (reaching, asked) = mpsc::channel(REACHING_MAX);
        let (give, inbound) = mpsc::channel(INBOUND_MAX);
        (Self { control, reaching, inbound, listener: None }, asked, give)
    }

    /// The address on which all circuits from afar arrive.
    pub(in crate::net) fn listen_address() -> Multiaddr {
        Multiaddr::empty().with(Protocol::P2pCircuit)
    }
}

impl Transport for Circuits {
    type Output = Stream;
    type Error = CircuitError;
    type ListenerUpgrade = Ready<Result<Stream, CircuitError>>;
    type Dial = BoxFuture<'static, Result<Stream, CircuitError>>;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<Self::Error>> {
        if address != Self::listen_address() || self.listener.is_some() {
            return Err(TransportError::MultiaddrNotSupported(address));
        }
        self.listener = Some(id);
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.listener.take_if(|listener| *listener == id).is_some()
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<Self::Error>> {
        // Two who meet in the middle do so directly and never through a relay.
        let Some((relay, destination)) = Relayed::with_destination(&address).filter(|_| !options.role.is_listener())
        else {
            return Err(TransportError::MultiaddrNotSupported(address));
        };
        let (mut control, reaching) = (self.control.clone(), self.reaching.clone());
        Ok(async move {
            let (answer, answered) = oneshot::channel();
            let through = relay.relay;
            reaching.try_send(Reaching { relay, answer }).map_err(|_| CircuitError::Relay)?;
            if !answered.await.map_err(|_| CircuitError::Stopping)? {
                return Err(CircuitError::Relay);
            }
            let mut stream = control.open_stream(through, HOP_PROTOCOL).await?;
            write(&mut stream, &HopMessage::Connect(destination.to_bytes()).encode()).await?;
            match HopMessage::decode(&read(&mut stream).await?).map_err(MessageError::from)? {
                HopMessage::Status { status: RelayStatus::Ok, .. } => Ok(stream),
                HopMessage::Status { status, .. } => Err(CircuitError::Refused(status)),
                _ => Err(CircuitError::Unexpected),
            }
        }
        .boxed())
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        let Some(listener_id) = self.listener else { return Poll::Pending };
        match self.inbound.poll_recv(cx) {
            Poll::Ready(Some(Inbound { stream, relay, source })) => Poll::Ready(TransportEvent::Incoming {
                listener_id,
                upgrade: ready(Ok(stream)),
                local_addr: relay.address(),
                send_back_addr: Multiaddr::empty().with(Protocol::P2p(source)),
            }),
            Poll::Ready(None) | Poll::Pending => Poll::Pending,
        }
    }
}

impl From<CircuitError> for io::Error {
    fn from(cause: CircuitError) -> Self {
        Self::other(cause)
    }
}
