//! `/api/xom/v1/peers/bans`, and under a peer `ban` and `unban`: who is kept away, why, and until when.

use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use xom_node::model::BanInfo;

use crate::api::entities::timestamp;
use crate::http::{ApiError, Call, Params};

/// How long the owner's ban is where he does not say.
const BAN_DEFAULT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// All bans.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    Ok(Json(call.node.bans().await?.iter().map(ban).collect()))
}

/// Keeps a peer away: `for_secs` (30 days where it is missing) and `reason`.
pub async fn post(call: Call, Path(peer): Path<String>, params: Params) -> Result<Json<Value>, ApiError> {
    let length = match params.text("for_secs") {
        None => BAN_DEFAULT,
        Some(text) => text.parse().map(Duration::from_secs).map_err(|_| ApiError::invalid("for_secs is no number"))?,
    };
    let reason = params.text("reason").unwrap_or_else(|| "by the owner".to_owned());
    let banned = call.node.ban(&peer, length, &reason).await?;
    if banned { Ok(Json(json!({}))) } else { Err(ApiError::invalid("no peer id, or your own, or too many bans")) }
}

/// Lets a peer in again.
pub async fn unban(call: Call, Path(peer): Path<String>) -> Result<Json<Value>, ApiError> {
    if call.node.unban(&peer).await? { Ok(Json(json!({}))) } else { Err(ApiError::not_found()) }
}

fn ban(ban: &BanInfo) -> Value {
    json!({
        "peer": ban.peer,
        "reason": ban.reason,
        "until": timestamp(ban.until_ms),
        "by": if ban.by_owner { "owner" } else { "rule" },
    })
}
