//! `/api/xom/v1/bootstrap`: the nodes that this one begins with, and the owner's own list of them (`FIND-7`).

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xom_node::handle::BootstrapAddress;

use crate::http::{ApiError, Call, Sent};

/// A node to begin with.
#[derive(Serialize, ToSchema)]
pub struct BootstrapNode {
    /// Where it is, a multiaddress.
    address: String,
    /// Who named it: `settings` or `list`.
    from: &'static str,
}

/// A node to begin with, to be added or taken out.
#[derive(Deserialize, ToSchema)]
pub struct BootstrapRequest {
    /// Where it is, as `xom status` there shows it.
    address: String,
}

/// What became of the list.
#[derive(Serialize, ToSchema)]
pub struct BootstrapAdded {
    /// Where the node is.
    address: String,
    /// It was not on the list before.
    added: bool,
}

/// What was taken off the list.
#[derive(Serialize, ToSchema)]
pub struct BootstrapRemoved {
    /// Where the node is.
    address: String,
}

/// List the nodes to begin with
///
/// Those of the settings and those of the owner's list.
#[utoipa::path(get, path = "/bootstrap", operation_id = "listBootstrap", tag = "network",
    responses((status = 200, description = "All of them", body = Vec<BootstrapNode>)))]
pub async fn get(call: Call) -> Result<Json<Vec<BootstrapNode>>, ApiError> {
    Ok(Json(call.node.bootstrap().await?.iter().map(one).collect()))
}

/// Add a node to begin with
///
/// Puts `address` on the owner's list.
#[utoipa::path(post, path = "/bootstrap", operation_id = "addBootstrap", tag = "network",
    request_body = BootstrapRequest,
    responses((status = 200, description = "It is on the list", body = BootstrapAdded)))]
pub async fn post(call: Call, Sent(wanted): Sent<BootstrapRequest>) -> Result<Json<BootstrapAdded>, ApiError> {
    let address = wanted.address.trim().to_owned();
    let added = call.node.add_bootstrap(&address).await?;
    Ok(Json(BootstrapAdded { address, added }))
}

/// Take a node to begin with off the list
///
/// Those of the settings stay.
#[utoipa::path(post, path = "/bootstrap/remove", operation_id = "removeBootstrap", tag = "network",
    request_body = BootstrapRequest,
    responses((status = 200, description = "It was on the list and is not any more", body = BootstrapRemoved)))]
pub async fn remove(call: Call, Sent(wanted): Sent<BootstrapRequest>) -> Result<Json<BootstrapRemoved>, ApiError> {
    let address = wanted.address.trim().to_owned();
    let removed = call.node.remove_bootstrap(&address).await?;
    if removed { Ok(Json(BootstrapRemoved { address })) } else { Err(ApiError::not_found()) }
}

fn one(listed: &BootstrapAddress) -> BootstrapNode {
    let from = if listed.from_settings { "settings" } else { "list" };
    BootstrapNode { address: listed.address.to_string(), from }
}
