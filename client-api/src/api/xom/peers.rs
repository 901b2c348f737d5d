//! `/api/xom/v1/peers`: the nodes that this node knows.

pub mod bans;

use std::collections::BTreeMap;

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use xom_node::model::{Link, PeerInfo};

use crate::api::entities::timestamp;
use crate::http::{ApiError, Call};

/// A node that this node knows.
#[derive(Serialize, ToSchema)]
pub struct KnownPeer {
    /// Its libp2p peer id.
    peer: String,
    /// The identities that it has proved to speak for.
    dids: Vec<String>,
    /// Addresses known for it.
    addresses: Vec<String>,
    /// Connected now.
    connected: bool,
    /// How, where it is connected.
    link: Option<PeerLink>,
    /// Nothing is left to exchange.
    in_sync: bool,
    /// When it was last connected.
    last_seen_at: Option<String>,
    /// Entries received from it since the start.
    entries_received: u64,
    /// Entries sent to it since the start.
    entries_sent: u64,
    /// Refusals of what it sent, by rule, since the start.
    refusals: BTreeMap<String, u64>,
}

/// How a peer is connected.
#[derive(Serialize, ToSchema)]
pub struct PeerLink {
    /// `direct`, `hole-punched` or `relayed`.
    kind: &'static str,
    /// The relay between, where it is relayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    /// Where it is relayed: meeting directly was tried and failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    hole_punching_failed: Option<bool>,
}

/// List the peers
///
/// All nodes that this node knows, connected or not.
#[utoipa::path(get, path = "/peers", operation_id = "listPeers", tag = "network",
    responses((status = 200, description = "The peers", body = Vec<KnownPeer>)))]
pub async fn get(call: Call) -> Result<Json<Vec<KnownPeer>>, ApiError> {
    Ok(Json(call.node.peers().await.iter().map(peer).collect()))
}

/// One peer.
pub fn peer(peer: &PeerInfo) -> KnownPeer {
    KnownPeer {
        peer: peer.peer.clone(),
        dids: peer.dids.iter().map(ToString::to_string).collect(),
        addresses: peer.addresses.clone(),
        connected: peer.connected,
        link: peer.link.as_ref().map(link),
        in_sync: peer.in_sync,
        last_seen_at: peer.last_seen_ms.map(timestamp),
        entries_received: peer.entries_received,
        entries_sent: peer.entries_sent,
        refusals: refusals(&peer.refusals),
    }
}

/// How a peer is connected.
fn link(link: &Link) -> PeerLink {
    match link {
        Link::Direct => PeerLink { kind: "direct", by: None, hole_punching_failed: None },
        Link::HolePunched => PeerLink { kind: "hole-punched", by: None, hole_punching_failed: None },
        Link::Relayed { by, tried } => {
            PeerLink { kind: "relayed", by: Some(by.to_string()), hole_punching_failed: Some(*tried) }
        }
    }
}

/// Counts of refusals by rule.
pub fn refusals(refusals: &[(String, u64)]) -> BTreeMap<String, u64> {
    refusals.iter().cloned().collect()
}
