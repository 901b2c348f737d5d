//! `/api/xom/v1/peers`: the nodes that this node knows.

pub mod bans;

use axum::Json;
use serde_json::{Map, Value, json};
use xom_node::model::{Link, PeerInfo};

use crate::api::entities::timestamp;
use crate::http::{ApiError, Call};

/// All of them.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    Ok(Json(call.node.peers().await.iter().map(peer).collect()))
}

/// One peer.
pub fn peer(peer: &PeerInfo) -> Value {
    json!({
        "peer": peer.peer,
        "dids": peer.dids.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "addresses": peer.addresses,
        "connected": peer.connected,
        "link": peer.link.as_ref().map(link),
        "in_sync": peer.in_sync,
        "last_seen_at": peer.last_seen_ms.map(timestamp),
        "entries_received": peer.entries_received,
        "entries_sent": peer.entries_sent,
        "refusals": refusals(&peer.refusals),
    })
}

/// How a peer is connected.
fn link(link: &Link) -> Value {
    match link {
        Link::Direct => json!({ "kind": "direct" }),
        Link::HolePunched => json!({ "kind": "hole-punched" }),
        Link::Relayed { by, tried } => json!({ "kind": "relayed", "by": by, "hole_punching_failed": tried }),
    }
}

/// Counts of refusals by rule.
pub fn refusals(refusals: &[(String, u64)]) -> Map<String, Value> {
    refusals.iter().map(|(rule, count)| (rule.clone(), json!(count))).collect()
}
