//! `/api/xom/v1/sync`: how far the exchange with peers is: each log held, each peer connected.

use axum::Json;
use serde_json::{Value, json};

use super::logs::log;
use super::peers::peer;
use crate::http::{ApiError, Call};

/// `in_sync` says that nothing is left to exchange with any connected peer.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let peers = call.node.peers().await;
    let logs = call.node.read(|reader| reader.logs()).await?;
    let connected = || peers.iter().filter(|peer| peer.connected);
    Ok(Json(json!({
        "in_sync": connected().all(|peer| peer.in_sync),
        "peers": connected().map(peer).collect::<Vec<_>>(),
        "logs": logs.iter().map(log).collect::<Vec<_>>(),
    })))
}
