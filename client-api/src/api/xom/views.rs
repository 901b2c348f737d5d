//! `POST /api/xom/v1/views/rebuild`: makes all views again from the entries.

use axum::Json;
use serde_json::{Value, json};

use crate::http::{ApiError, Call, Params};

/// Answers when it is done, with the number of entries read.
pub async fn rebuild(call: Call, _params: Params) -> Result<Json<Value>, ApiError> {
    let entries = call.node.rebuild_views().await?;
    Ok(Json(json!({"entries": entries})))
}
