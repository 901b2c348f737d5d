//! `/api/xom/v1/status`: the state of the node.

use axum::Json;
use serde_json::{Value, json};

use super::peers::refusals;
use crate::http::{ApiError, Call};

/// What `xom status` shows.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let status = call.node.status().await?;
    let copies = call.node.holders(call.viewer(), false).await?;
    let fewest = copies.logs.iter().map(|log| log.copies.saturating_sub(log.behind)).min();
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "did": call.viewer().to_string(),
        "uptime_secs": status.uptime_secs,
        "peer": status.peer,
        "listen": status.listen,
        "swarm_key": status.swarm_key,
        "reachability": {
            "state": status.reachability.state.name(),
            "words": status.reachability.words,
            "relays": status.reachability.relays,
            "reservations": status.reachability.reservations,
            "circuits": status.reachability.circuits,
            "gateway": status.reachability.gateway,
        },
        "peers_connected": status.peers_connected,
        "bytes_sent": status.traffic.0,
        "bytes_received": status.traffic.1,
        "entries": status.entries,
        "identities": status.identities,
        "disk_bytes": status.disk_bytes,
        "refusals": refusals(&status.refusals),
        "copies": fewest,
        "warnings": status.warnings,
    })))
}
