//! The transports under the swarm: TCP and QUIC, or TCP alone with the cipher of a swarm key around it (`PNET-2`), or
//! the memory of this process.
//!
//! It must never know what is said on a stream; it counts its bytes.

use std::io;
use std::sync::Arc;

use futures::future::Either;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::transport::Boxed;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, Transport, dns, noise, quic, tcp, yamux};

use super::memory::InProcess;
use super::swarm_key::SwarmKey;
use super::traffic::{Counted, Traffic};
use crate::error::StartError;

/// An authenticated connection with its streams.
type Connection = (PeerId, StreamMuxerBox);

/// What all transports are made with.
pub(super) struct Making<'a> {
    /// The key of this node.
    pub(super) keys: &'a Keypair,
    /// The key of a closed network.
    pub(super) swarm_key: Option<&'a SwarmKey>,
    /// Everything stays in this process.
    pub(super) in_process: bool,
    /// Counts bytes.
    pub(super) traffic: &'a Arc<Traffic>,
    /// How streams are multiplexed over TCP.
    pub(super) yamux: fn() -> yamux::Config,
    /// Limits of QUIC.
    pub(super) quic: fn(quic::Config) -> quic::Config,
}

impl Making<'_> {
    /// Everything that this node dials and listens with. Without a resolver configuration the node runs, and only
    /// names in addresses stay unresolved.
    pub(super) fn make(&self) -> Result<Boxed<Connection>, StartError> {
        let all = match dns::tokio::Transport::system(self.sockets()?) {
            Ok(named) => named.boxed(),
            Err(cause) => {
                tracing::warn!(%cause, "no name resolution: addresses with names can't be dialled");
                self.sockets()?
            }
        };
        let traffic = Arc::clone(self.traffic);
        let counted = move |streams| StreamMuxerBox::new(Counted::new(streams, Arc::clone(&traffic)));
        Ok(all.map(move |(peer, streams), _| (peer, counted(streams))).boxed())
    }

    fn sockets(&self) -> Result<Boxed<Connection>, StartError> {
        let tcp = || tcp::tokio::Transport::new(tcp::Config::default().nodelay(true));
        let noise = || noise::Config::new(self.keys).map_err(|e| StartError::Entropy(e.to_string()));
        if self.in_process {
            let memory = InProcess::default().upgrade(Version::V1Lazy).authenticate(noise()?).multiplex((self.yamux)());
            return Ok(memory.map(|(peer, streams), _| (peer, StreamMuxerBox::new(streams))).boxed());
        }
        let Some(key) = self.swarm_key else {
            let tcp = tcp().upgrade(Version::V1Lazy).authenticate(noise()?).multiplex((self.yamux)());
            let tcp = tcp.map(|(peer, streams), _| (peer, StreamMuxerBox::new(streams)));
            let quic = quic::tokio::Transport::new((self.quic)(quic::Config::new(self.keys)));
            let quic = quic.map(|(peer, streams), _| (peer, StreamMuxerBox::new(streams)));
            return Ok(tcp.or_transport(quic).map(|either, _| Either::into_inner(either)).boxed());
        };
        let cipher = key.cipher();
        let closed = tcp().and_then(move |socket, _| cipher.handshake(socket));
        let closed = closed.upgrade(Version::V1).authenticate(noise()?).multiplex((self.yamux)());
        Ok(closed.map(|(peer, streams), _| (peer, StreamMuxerBox::new(streams))).boxed())
    }
}

/// Refuses addresses over which a closed network can't run: with a swarm key there is TCP alone (`PNET-2`).
pub(super) fn fit_closed_network<'a>(addresses: impl IntoIterator<Item = &'a Multiaddr>) -> Result<(), StartError> {
    let over_udp = |address: &&Multiaddr| address.iter().any(|part| matches!(part, Protocol::Udp(_)));
    match addresses.into_iter().find(over_udp) {
        Some(address) => Err(StartError::NotTcp { address: address.to_string() }),
        None => Ok(()),
    }
}

/// The swarm key of a file, if there is one.
pub(super) fn read_swarm_key(path: Option<&std::path::Path>) -> Result<Option<SwarmKey>, StartError> {
    let read = |path: &std::path::Path| {
        let wrong =
            |cause: &dyn std::fmt::Display| StartError::SwarmKey { path: path.into(), cause: cause.to_string() };
        SwarmKey::read(path).map_err(|e| wrong(&e)).inspect(|_| warn_if_open(path))
    };
    path.map(read).transpose()
}

/// A key that everybody on this machine can read closes nothing to them.
fn warn_if_open(path: &std::path::Path) {
    if is_open_to_all(path).unwrap_or(false) {
        tracing::warn!(path = %path.display(), "every user of this machine can read the swarm key");
    }
}

#[cfg(unix)]
fn is_open_to_all(path: &std::path::Path) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt;
    Ok(std::fs::metadata(path)?.permissions().mode() & 0o004 != 0)
}

#[cfg(not(unix))]
fn is_open_to_all(_: &std::path::Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pnet_2_quic_is_no_transport_of_a_closed_network() {
        let parse = |text: &str| text.parse::<Multiaddr>().unwrap();
        let tcp = [parse("/ip4/0.0.0.0/tcp/7767"), parse("/dns4/xom.example/tcp/1")];
        assert!(fit_closed_network(&tcp).is_ok());
        for text in ["/ip4/0.0.0.0/udp/7767/quic-v1", "/dns4/xom.example/udp/1/quic-v1"] {
            let refusal = fit_closed_network([&tcp[0], &parse(text)]).expect_err("refused").to_string();
            assert!(refusal.contains(text) && refusal.contains("swarm key") && refusal.contains("TCP"), "{refusal}");
        }
    }
}
