//! `/api/xom/v1/status`: the state of the node.

use std::collections::BTreeMap;

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::peers::refusals;
use crate::http::{ApiError, Call};

/// The state of the node.
#[derive(Serialize, ToSchema)]
pub struct NodeState {
    /// The version of xom.
    version: &'static str,
    /// The identity that the call acts for.
    did: String,
    /// Seconds since the start.
    uptime_secs: u64,
    /// The libp2p peer id.
    peer: String,
    /// Where it listens for peers.
    listen: Vec<String>,
    /// The fingerprint of the swarm key, in a closed network.
    swarm_key: Option<String>,
    /// How it can be reached.
    reachability: ReachabilityState,
    /// Peers that are connected.
    peers_connected: u64,
    /// Bytes sent to peers since the start.
    bytes_sent: u64,
    /// Bytes received from peers since the start.
    bytes_received: u64,
    /// Entries stored.
    entries: u64,
    /// Identities known.
    identities: u64,
    /// Bytes of the data folder.
    disk_bytes: u64,
    /// Refusals of what peers sent, by rule, since the start.
    refusals: BTreeMap<String, u64>,
    /// The least number of whole copies that any own log has elsewhere.
    copies: Option<u64>,
    /// What the owner should know, each a sentence.
    warnings: Vec<String>,
}

/// How a node can be reached.
#[derive(Serialize, ToSchema)]
pub struct ReachabilityState {
    /// From where, one word.
    state: &'static str,
    /// That, and how it is known, in words.
    words: String,
    /// The relays that keep a reservation for it.
    relays: Vec<String>,
    /// For how many others it keeps a reservation.
    reservations: u64,
    /// How many pairs talk through it.
    circuits: u64,
    /// What the router of the local network did when it was asked to let peers in; none where it is not asked.
    gateway: Option<String>,
}

/// Show the state of the node
///
/// What `xom status` shows.
#[utoipa::path(get, path = "/status", operation_id = "getStatus", tag = "node",
    responses((status = 200, description = "The state", body = NodeState)))]
pub async fn get(call: Call) -> Result<Json<NodeState>, ApiError> {
    let status = call.node.status().await?;
    let copies = call.node.holders(call.viewer(), false).await?;
    let fewest = copies.logs.iter().map(|log| log.copies.saturating_sub(log.behind)).min();
    let reach = status.reachability;
    Ok(Json(NodeState {
        version: env!("CARGO_PKG_VERSION"),
        did: call.viewer().to_string(),
        uptime_secs: status.uptime_secs,
        peer: status.peer,
        listen: status.listen,
        swarm_key: status.swarm_key,
        reachability: ReachabilityState {
            state: reach.state.name(),
            words: reach.words,
            relays: reach.relays,
            reservations: reach.reservations,
            circuits: reach.circuits,
            gateway: reach.gateway,
        },
        peers_connected: status.peers_connected,
        bytes_sent: status.traffic.0,
        bytes_received: status.traffic.1,
        entries: status.entries,
        identities: status.identities,
        disk_bytes: status.disk_bytes,
        refusals: refusals(&status.refusals),
        copies: fewest,
        warnings: status.warnings,
    }))
}
