//! `/api/xom/v1/bootstrap`: the nodes that this one begins with, and the owner's own list of them (`FIND-7`).

use axum::Json;
use serde_json::{Value, json};
use xom_node::handle::BootstrapAddress;

use crate::http::{ApiError, Call, Params};

/// All of them.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    Ok(Json(call.node.bootstrap().await?.iter().map(one).collect()))
}

/// Puts `address` on the list.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let address = address(&params)?;
    let added = call.node.add_bootstrap(&address).await?;
    Ok(Json(json!({ "address": address, "added": added })))
}

/// Takes `address` off the list.
pub async fn remove(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let address = address(&params)?;
    let removed = call.node.remove_bootstrap(&address).await?;
    if removed { Ok(Json(json!({ "address": address }))) } else { Err(ApiError::not_found()) }
}

fn address(params: &Params) -> Result<String, ApiError> {
    let missing = || ApiError::invalid("address is missing: where a node is, as `xom status` there shows it");
    Ok(params.text("address").ok_or_else(missing)?.trim().to_owned())
}

fn one(listed: &BootstrapAddress) -> Value {
    let from = if listed.from_settings { "settings" } else { "list" };
    json!({ "address": listed.address.to_string(), "from": from })
}
