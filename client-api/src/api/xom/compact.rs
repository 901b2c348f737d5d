//! `POST /api/xom/v1/compact`: gives the space of purged data back and overwrites what purges left behind.

use axum::Json;
use serde_json::{Value, json};

use crate::http::{ApiError, Call, Params};

/// Answers when it is done.
pub async fn post(call: Call, _params: Params) -> Result<Json<Value>, ApiError> {
    call.node.compact().await?;
    Ok(Json(json!({})))
}
