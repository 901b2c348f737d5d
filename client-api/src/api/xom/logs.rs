//! `/api/xom/v1/logs`: how far every log is held.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use xom_node::model::LogView;

use crate::http::{ApiError, Call};

/// How far a log is held.
#[derive(Serialize, ToSchema)]
pub struct HeldLog {
    /// Whose it is.
    did: String,
    /// The device that writes it.
    device: String,
    /// The log.
    log: String,
    /// Entries held: their places are 0 to one below.
    height: u64,
    /// The hash of the newest header; none while empty.
    head: Option<String>,
    /// The log is forked and not settled.
    disputed: bool,
    /// From this place on entries are void; none where all count.
    void_from: Option<u64>,
}

/// List all logs
///
/// How far every log of every identity is held here.
#[utoipa::path(get, path = "/logs", operation_id = "listLogs", tag = "entries",
    responses((status = 200, description = "The logs", body = Vec<HeldLog>)))]
pub async fn get(call: Call) -> Result<Json<Vec<HeldLog>>, ApiError> {
    let logs = call.node.read(|reader| reader.logs()).await?;
    Ok(Json(logs.iter().map(log).collect()))
}

/// One log.
pub fn log(log: &LogView) -> HeldLog {
    HeldLog {
        did: log.did.to_string(),
        device: log.device.to_string(),
        log: log.log.to_string(),
        height: log.height,
        head: log.head.map(|head| head.to_string()),
        disputed: log.disputed,
        void_from: log.void_from,
    }
}
