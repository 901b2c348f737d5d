//! `/api/xom/v1/peers/bans`, and under a peer `ban` and `unban`: who is kept away, why, and until when.

use std::time::Duration;

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xom_node::model::BanInfo;

use crate::api::entities::timestamp;
use crate::api::xom::answer::Nothing;
use crate::http::{ApiError, Call, Sent};

/// How long the owner's ban is where he does not say.
const BAN_DEFAULT: Duration = Duration::from_secs(30 * 24 * 3_600);

/// A peer that is kept away.
#[derive(Serialize, ToSchema)]
pub struct Ban {
    /// Its peer id.
    peer: String,
    /// Why.
    reason: String,
    /// Until when.
    until: String,
    /// Who said so: `owner` or `rule`.
    by: &'static str,
}

/// A ban.
#[derive(Deserialize, ToSchema)]
pub struct BanRequest {
    /// How long, seconds; 30 days where it is missing.
    for_secs: Option<u64>,
    /// Why, for the owner's list.
    reason: Option<String>,
}

/// List the bans
///
/// Peers that are kept away, by the owner or by a rule.
#[utoipa::path(get, path = "/peers/bans", operation_id = "listBans", tag = "network",
    responses((status = 200, description = "The bans", body = Vec<Ban>)))]
pub async fn get(call: Call) -> Result<Json<Vec<Ban>>, ApiError> {
    Ok(Json(call.node.bans().await?.iter().map(ban).collect()))
}

/// Ban a peer
///
/// Keeps a peer away: for `for_secs` (30 days where it is missing), with a `reason`.
#[utoipa::path(post, path = "/peers/{peer}/ban", operation_id = "banPeer", tag = "network",
    params(("peer" = String, Path, description = "A peer id")), request_body = BanRequest,
    responses((status = 200, description = "It is kept away", body = Nothing)))]
pub async fn post(call: Call, Path(peer): Path<String>, how: Sent<BanRequest>) -> Result<Json<Nothing>, ApiError> {
    let Sent(how) = how;
    let length = how.for_secs.map_or(BAN_DEFAULT, Duration::from_secs);
    let reason = how.reason.unwrap_or_else(|| "by the owner".to_owned());
    let banned = call.node.ban(&peer, length, &reason).await?;
    if banned { Ok(Json(Nothing {})) } else { Err(ApiError::invalid("no peer id, or your own, or too many bans")) }
}

/// Lift a ban
///
/// Lets a peer in again.
#[utoipa::path(post, path = "/peers/{peer}/unban", operation_id = "unbanPeer", tag = "network",
    params(("peer" = String, Path, description = "A peer id")),
    responses((status = 200, description = "It is let in again", body = Nothing)))]
pub async fn unban(call: Call, Path(peer): Path<String>) -> Result<Json<Nothing>, ApiError> {
    if call.node.unban(&peer).await? { Ok(Json(Nothing {})) } else { Err(ApiError::not_found()) }
}

fn ban(ban: &BanInfo) -> Ban {
    Ban {
        peer: ban.peer.clone(),
        reason: ban.reason.clone(),
        until: timestamp(ban.until_ms),
        by: if ban.by_owner { "owner" } else { "rule" },
    }
}
