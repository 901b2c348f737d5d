//! `/api/xom/v1/sync`: how far the exchange with peers is: each log held, each peer connected.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::logs::{HeldLog, log};
use super::peers::{KnownPeer, peer};
use crate::http::{ApiError, Call};

/// How far the exchange is.
#[derive(Serialize, ToSchema)]
pub struct SyncState {
    /// Nothing is left to exchange with any connected peer.
    in_sync: bool,
    /// The peers that are connected.
    peers: Vec<KnownPeer>,
    /// How far each log is held.
    logs: Vec<HeldLog>,
}

/// Show how far the exchange is
///
/// `in_sync` says that nothing is left to exchange with any connected peer. `GET /events` tells when it changes.
#[utoipa::path(get, path = "/sync", operation_id = "getSync", tag = "network",
    responses((status = 200, description = "How far it is", body = SyncState)))]
pub async fn get(call: Call) -> Result<Json<SyncState>, ApiError> {
    let peers = call.node.peers().await;
    let logs = call.node.read(|reader| reader.logs()).await?;
    let connected = || peers.iter().filter(|peer| peer.connected);
    Ok(Json(SyncState {
        in_sync: connected().all(|peer| peer.in_sync),
        peers: connected().map(peer).collect(),
        logs: logs.iter().map(log).collect(),
    }))
}
