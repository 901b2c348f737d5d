//! `/api/xom/v1/doctor`: what a running node finds of itself. The command line adds what can be seen from outside.

use axum::Json;
use serde_json::{Value, json};

use crate::doctor::Check;
use crate::doctor::running::{Found, checks};
use crate::http::{ApiError, Call};

/// Its checks, and where it listens.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let (status, health) = (call.node.status().await?, call.node.health().await?);
    let found = checks(Found { status: &status, health: &health });
    Ok(Json(json!({ "listen": status.listen, "checks": found.iter().map(Check::json).collect::<Vec<_>>() })))
}
