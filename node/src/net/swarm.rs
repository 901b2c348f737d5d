//! The swarm: transports, limits and behaviours of libp2p, put together once at the start.
//!
//! It must never know what xom says on its streams.

use std::io;
use std::num::NonZeroU8;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::Either;
use libp2p::core::Transport;
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::swarm::{NetworkBehaviour, SwarmEvent};
use libp2p::{
    Multiaddr, PeerId, Swarm, SwarmBuilder, allow_block_list, autonat, connection_limits, dcutr, identify, mdns,
    memory_connection_limits, noise, ping, quic, upnp, yamux,
};
use tokio::sync::mpsc;
use xom_protocol::Network;

use super::believed::Believed;
use super::crowd::Crowds;
use super::gossip::{self, Metered};
use super::guarded::{Gate, Guarded};
use super::limited::Limited;
use super::memory::is_in_process;
use super::relay::{Circuits, Inbound, Reaching};
use super::scope::Scope;
use super::swarm_key::SwarmKey;
use super::traffic::Traffic;
use super::transport::{Making, fit_closed_network};
use super::{dht, listen};
use crate::config::NodeConfig;
use crate::error::StartError;

/// Connections that are still being made, in each direction: enough for a start with a full address book.
const PENDING_CONNECTIONS_MAX: u32 = 64;
/// Connections in each direction: a home node has few peers.
const CONNECTIONS_PER_DIRECTION_MAX: u32 = 128;
/// Connections to one peer: two of a simultaneous dial, and as many that have just died unnoticed.
const CONNECTIONS_PER_PEER_MAX: u32 = 4;
/// Share of the machine's memory above which no new connection is taken.
const MEMORY_SHARE_MAX: f64 = 0.8;
/// Streams that a peer may have open on one connection: one sync stream and some blobs (`R-SYN-11`).
const STREAMS_PER_CONNECTION_MAX: u16 = 32;
/// Streams of one connection that may be negotiating at the same time.
const STREAMS_NEGOTIATING_MAX: usize = 16;
/// How long a connection without any stream stays open.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a dial may take: short, so that a peer that comes back is not waited for on an old attempt.
const DIAL_TIMEOUT: Duration = Duration::from_secs(5);
/// How often a silent connection is probed; with the ping timeout, how late a dead TCP peer is noticed.
const PING_INTERVAL: Duration = Duration::from_secs(10);
/// How long a peer may take to answer a ping.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// Addresses of one peer that are tried at the same time.
const DIAL_CONCURRENCY: NonZeroU8 = NonZeroU8::new(4).expect("four is not zero");
/// How often the local network is asked again for peers.
const LOCAL_QUERY_INTERVAL: Duration = Duration::from_secs(60);
/// How long the start waits for a listener to name the addresses it listens on.
const LISTEN_WAIT: Duration = Duration::from_secs(2);

/// What a connection speaks besides xom's own streams.
#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    limits: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    crowds: Crowds,
    pub(super) banned: allow_block_list::Behaviour<allow_block_list::BlockedPeers>,
    pub(super) identify: Believed<identify::Behaviour>,
    ping: ping::Behaviour,
    pub(super) streams: libp2p_stream::Behaviour,
    pub(super) dht: Guarded<dht::Table>,
    pub(super) mdns: Guarded<Toggle<mdns::tokio::Behaviour>>,
    autonat: autonat::v2::client::Behaviour,
    pub(super) dial_back: Limited<autonat::v2::server::Behaviour>,
    pub(super) dcutr: Limited<dcutr::Behaviour>,
    gateway: Believed<Toggle<upnp::tokio::Behaviour>>,
    // The last one: it remembers who is connected without hearing that another behaviour has refused him.
    pub(super) gossip: Metered,
}

/// A swarm that listens, and what belongs to its transport for circuits.
pub(super) struct Listening {
    /// The swarm.
    pub(super) swarm: Swarm<Behaviour>,
    /// Relays that are to be reached.
    pub(super) reaching: mpsc::Receiver<Reaching>,
    /// Where circuits from afar go.
    pub(super) inbound: mpsc::Sender<Inbound>,
}

/// What a peer of this network says of itself in identify (`SYN-22`); peers of other networks are let go.
pub(super) fn network_version(network: Network) -> String {
    format!("/xom/{network}/1")
}

/// Makes the swarm and listens; fails before anything is served where an address is taken.
pub(super) async fn listening(
    keys: &Keypair,
    config: &NodeConfig,
    swarm_key: Option<&SwarmKey>,
    gate: &Arc<Gate>,
    traffic: &Arc<Traffic>,
) -> Result<Listening, StartError> {
    install_crypto_provider();
    let addresses = &config.listen;
    if swarm_key.is_some() {
        fit_closed_network(addresses.iter().chain(&config.bootstrap))?;
    }
    for address in addresses {
        listen::probe(address)?;
    }
    let mut listening = build(keys, config, swarm_key, gate, traffic)?;
    let swarm = &mut listening.swarm;
    let mut waiting = Vec::new();
    for address in addresses {
        let refused = |cause: &dyn std::fmt::Display| listen::refused(address, cause);
        let listener = swarm.listen_on(address.clone()).map_err(|e| refused(&listen::innermost(&e)))?;
        waiting.push(listener);
    }
    let circuits = Circuits::listen_address();
    swarm.listen_on(circuits.clone()).map_err(|e| listen::refused(&circuits, &listen::innermost(&e)))?;
    let named = async {
        while !waiting.is_empty() {
            match swarm.select_next_some().await {
                SwarmEvent::NewListenAddr { listener_id, .. } => waiting.retain(|id| *id != listener_id),
                SwarmEvent::ListenerClosed { listener_id, reason: Err(cause), .. }
                    if waiting.contains(&listener_id) =>
                {
                    return Err(cause);
                }
                _ => {}
            }
        }
        Ok(())
    };
    // No interface is up: the listeners stand all the same and name their addresses later.
    let outcome: Result<(), io::Error> = tokio::time::timeout(LISTEN_WAIT, named).await.unwrap_or(Ok(()));
    let listed = || addresses.iter().map(Multiaddr::to_string).collect::<Vec<_>>().join(", ");
    outcome.map_err(|cause| StartError::Listen { address: listed(), cause: cause.to_string() })?;
    // What is known to lead here is what the table tells others; later ones are added as they come.
    let listeners: Vec<Multiaddr> = swarm.listeners().cloned().collect();
    listeners.into_iter().for_each(|address| swarm.add_external_address(address));
    Ok(listening)
}

fn build(
    keys: &Keypair,
    config: &NodeConfig,
    swarm_key: Option<&SwarmKey>,
    gate: &Arc<Gate>,
    traffic: &Arc<Traffic>,
) -> Result<Listening, StartError> {
    let streams = libp2p_stream::Behaviour::new();
    let (circuits, reaching, inbound) = Circuits::new(streams.new_control());
    let noise = noise::Config::new(keys).map_err(|e| StartError::Entropy(e.to_string()))?;
    let circuits = circuits.upgrade(Version::V1Lazy).authenticate(noise).multiplex(yamux_config());
    let circuits = circuits.map(|(peer, streams), _| (peer, StreamMuxerBox::new(streams)));
    // Circuits first: a name in the address of a relay is no matter of theirs.
    let in_process = swarm_key.is_none() && config.listen.iter().any(is_in_process);
    let others = Making { keys, swarm_key, in_process, traffic, yamux: yamux_config, quic: quic_config }.make()?;
    let transport = circuits.or_transport(others).map(|either, _| Either::into_inner(either)).boxed();
    let swarm = SwarmBuilder::with_existing_identity(keys.clone())
        .with_tokio()
        .with_other_transport(|_| transport)
        .unwrap_or_else(|e| match e {})
        .with_behaviour(|keys| behaviour(keys, config, streams, gate))
        .unwrap_or_else(|e| match e {})
        .with_swarm_config(swarm_config)
        .with_connection_timeout(DIAL_TIMEOUT)
        .build();
    Ok(Listening { swarm, reaching, inbound })
}

fn behaviour(keys: &Keypair, config: &NodeConfig, streams: libp2p_stream::Behaviour, gate: &Arc<Gate>) -> Behaviour {
    let network = config.network;
    // Whoever is reached from this machine alone is announced to nobody, and asks no gateway.
    let reached = |address: &Multiaddr| Scope::of(address) != Some(Scope::Machine);
    let beyond = config.listen.iter().any(reached);
    let (announce, map) = (config.mdns && beyond, config.upnp && beyond);
    let own = keys.public().to_peer_id();
    let limits = connection_limits::ConnectionLimits::default()
        .with_max_pending_incoming(Some(PENDING_CONNECTIONS_MAX))
        .with_max_pending_outgoing(Some(PENDING_CONNECTIONS_MAX))
        .with_max_established_incoming(Some(CONNECTIONS_PER_DIRECTION_MAX))
        .with_max_established_outgoing(Some(CONNECTIONS_PER_DIRECTION_MAX))
        .with_max_established_per_peer(Some(CONNECTIONS_PER_PEER_MAX));
    let identify = identify::Config::new(network_version(network), keys.public())
        .with_agent_version(concat!("xom/", env!("CARGO_PKG_VERSION")).to_owned())
        .with_cache_size(0);
    Behaviour {
        limits: connection_limits::Behaviour::new(limits),
        memory: memory_connection_limits::Behaviour::with_max_percentage(MEMORY_SHARE_MAX),
        crowds: Crowds::default(),
        banned: allow_block_list::Behaviour::default(),
        identify: Believed::new(identify::Behaviour::new(identify)),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(PING_INTERVAL).with_timeout(PING_TIMEOUT)),
        streams,
        dht: Guarded::new(dht::table(own, network), Arc::clone(gate)),
        mdns: Guarded::new(Toggle::from(announce.then(|| local_discovery(own)).flatten()), Arc::clone(gate)),
        autonat: autonat::v2::client::Behaviour::default(),
        dial_back: Limited::new(autonat::v2::server::Behaviour::default(), Arc::clone(gate)),
        dcutr: Limited::new(dcutr::Behaviour::new(own), Arc::clone(gate)),
        gateway: Believed::new(Toggle::from(map.then(upnp::tokio::Behaviour::default))),
        gossip: gossip::behaviour(network),
    }
}

/// Announcing and asking on the local network (`FIND-6`), in a closed network as in an open one (`PNET-4`); without it
/// the node runs all the same.
fn local_discovery(own: PeerId) -> Option<mdns::tokio::Behaviour> {
    let config = mdns::Config { query_interval: LOCAL_QUERY_INTERVAL, ..mdns::Config::default() };
    mdns::tokio::Behaviour::new(config, own)
        .inspect_err(|cause| tracing::warn!(%cause, "peers on the local network are not looked for"))
        .ok()
}

fn yamux_config() -> yamux::Config {
    let mut config = yamux::Config::default();
    config.set_max_num_streams(usize::from(STREAMS_PER_CONNECTION_MAX));
    config
}

fn quic_config(mut config: quic::Config) -> quic::Config {
    config.max_concurrent_stream_limit = u32::from(STREAMS_PER_CONNECTION_MAX);
    config.handshake_timeout = DIAL_TIMEOUT;
    config
}

fn swarm_config(config: libp2p::swarm::Config) -> libp2p::swarm::Config {
    config
        .with_idle_connection_timeout(IDLE_TIMEOUT)
        .with_max_negotiating_inbound_streams(STREAMS_NEGOTIATING_MAX)
        .with_dial_concurrency_factor(DIAL_CONCURRENCY)
}

/// Two crypto backends are linked in; rustls wants to be told which one is meant, once per process.
fn install_crypto_provider() {
    if rustls::crypto::aws_lc_rs::default_provider().install_default().is_err() {
        tracing::debug!("a crypto provider was installed before");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn syn_22_a_node_names_its_network_as_the_spec_says() {
        assert_eq!(network_version(Network::MAIN), "/xom/main/1", "SYN-22");
        assert_eq!(network_version("test".parse().expect("a name")), "/xom/test/1", "SYN-22");
    }
}
