//! `/api/xom/v1/invites`: a signed link by which others follow this identity and find this node.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{ApiError, Call, Params};

/// A signed link.
#[derive(Serialize, ToSchema)]
pub struct Invite {
    /// Whom it lets others follow.
    did: String,
    /// The link, `xom:did:xom:…?…`, with the addresses of now.
    invite: String,
}

/// Show an invite
///
/// An invite with the addresses of now.
#[utoipa::path(get, path = "/invites", operation_id = "getInvite", tag = "identities",
    responses((status = 200, description = "The invite", body = Invite)))]
pub async fn get(call: Call) -> Result<Json<Invite>, ApiError> {
    invite(&call).await
}

/// Make an invite
///
/// The same as `GET`; making one changes nothing.
#[utoipa::path(post, path = "/invites", operation_id = "makeInvite", tag = "identities",
    responses((status = 200, description = "The invite", body = Invite)))]
pub async fn post(call: Call, _params: Params) -> Result<Json<Invite>, ApiError> {
    invite(&call).await
}

async fn invite(call: &Call) -> Result<Json<Invite>, ApiError> {
    let did = call.viewer();
    let invite = call.node.invite(did).await?;
    Ok(Json(Invite { did: did.to_string(), invite }))
}
