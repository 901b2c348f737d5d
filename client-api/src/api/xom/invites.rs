//! `/api/xom/v1/invites`: a signed link by which others follow this identity and find this node.

use axum::Json;
use serde_json::{Value, json};

use crate::http::{ApiError, Call, Params};

/// An invite with the addresses of now.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    invite(&call).await
}

/// The same; making one changes nothing.
pub async fn post(call: Call, _params: Params) -> Result<Json<Value>, ApiError> {
    invite(&call).await
}

async fn invite(call: &Call) -> Result<Json<Value>, ApiError> {
    let did = call.viewer();
    let invite = call.node.invite(did).await?;
    Ok(Json(json!({"did": did.to_string(), "invite": invite})))
}
