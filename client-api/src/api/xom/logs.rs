//! `/api/xom/v1/logs`: how far every log is held.

use axum::Json;
use serde_json::{Value, json};
use xom_node::model::LogView;

use crate::http::{ApiError, Call};

/// All logs of all identities.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let logs = call.node.read(|reader| reader.logs()).await?;
    Ok(Json(logs.iter().map(log).collect()))
}

/// One log.
pub fn log(log: &LogView) -> Value {
    json!({
        "did": log.did.to_string(),
        "device": log.device.to_string(),
        "log": log.log.to_string(),
        "height": log.height,
        "head": log.head.map(|head| head.to_string()),
        "disputed": log.disputed,
        "void_from": log.void_from,
    })
}
