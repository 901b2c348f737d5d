//! A network of one process: what listens on `/memory/<port>` is known, told and dialled as the loopback address with
//! that TCP port, so that everything above is as it is with sockets. Chosen by whoever starts many nodes in one process.
//!
//! It must never open a socket.

use std::net::Ipv4Addr;
use std::pin::Pin;
use std::task::{Context, Poll};

use libp2p::Multiaddr;
use libp2p::core::Transport;
use libp2p::core::transport::{DialOpts, ListenerId, MemoryTransport, TransportError, TransportEvent};
use libp2p::multiaddr::Protocol;

/// libp2p's memory transport under loopback addresses.
#[derive(Default)]
pub(super) struct InProcess {
    inner: MemoryTransport,
    listeners: Vec<ListenerId>,
}

/// True for an address that is listened on in this process alone.
pub(super) fn is_in_process(address: &Multiaddr) -> bool {
    matches!(address.iter().next(), Some(Protocol::Memory(_)))
}

impl Transport for InProcess {
    type Output = <MemoryTransport as Transport>::Output;
    type Error = <MemoryTransport as Transport>::Error;
    type ListenerUpgrade = <MemoryTransport as Transport>::ListenerUpgrade;
    type Dial = <MemoryTransport as Transport>::Dial;

    fn listen_on(&mut self, id: ListenerId, address: Multiaddr) -> Result<(), TransportError<Self::Error>> {
        // Of more than 16 bits no port of a loopback address can be made.
        match address.iter().next() {
            Some(Protocol::Memory(port)) if u16::try_from(port).is_ok() => {}
            _ => return Err(TransportError::MultiaddrNotSupported(address)),
        }
        self.inner.listen_on(id, address)?;
        self.listeners.push(id);
        Ok(())
    }

    fn remove_listener(&mut self, id: ListenerId) -> bool {
        self.listeners.retain(|known| *known != id);
        self.inner.remove_listener(id)
    }

    fn dial(&mut self, address: Multiaddr, options: DialOpts) -> Result<Self::Dial, TransportError<Self::Error>> {
        let mut parts = address.iter();
        match (parts.next(), parts.next()) {
            (Some(Protocol::Ip4(Ipv4Addr::LOCALHOST)), Some(Protocol::Tcp(port))) => {
                self.inner.dial(Protocol::Memory(port.into()).into(), options)
            }
            _ => Err(TransportError::MultiaddrNotSupported(address)),
        }
    }

    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<TransportEvent<Self::ListenerUpgrade, Self::Error>> {
        Pin::new(&mut self.inner).poll(cx).map(|event| match event {
            TransportEvent::NewAddress { listener_id, listen_addr } => {
                TransportEvent::NewAddress { listener_id, listen_addr: as_loopback(&listen_addr) }
            }
            TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr } => {
                let (local_addr, send_back_addr) = (as_loopback(&local_addr), as_loopback(&send_back_addr));
                TransportEvent::Incoming { listener_id, upgrade, local_addr, send_back_addr }
            }
            other => other,
        })
    }
}

impl Drop for InProcess {
    /// The process goes on: the ports must be free for the next node.
    fn drop(&mut self) {
        for id in std::mem::take(&mut self.listeners) {
            self.inner.remove_listener(id);
        }
    }
}

/// The address under which a place in memory is known. Of the large numbers from which is dialled a part remains.
fn as_loopback(address: &Multiaddr) -> Multiaddr {
    let port = match address.iter().next() {
        Some(Protocol::Memory(port)) => u16::try_from(port % (1 << 16)).unwrap_or_default(),
        _ => 0,
    };
    Multiaddr::from(Ipv4Addr::LOCALHOST).with(Protocol::Tcp(port))
}
