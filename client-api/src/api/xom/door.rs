//! `/api/xom/v1/door`: whose replies this identity lets reach those who follow only it (`ADM-2`).

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xom_node::admission::{DOOR_KEY, Door};

use crate::http::{ApiError, Call, Sent};

/// How far the door stands open.
#[derive(Serialize, ToSchema)]
pub struct DoorState {
    /// `open`, `introduced`, `followed` or `closed`.
    door: &'static str,
}

/// How far the door is to stand open.
#[derive(Deserialize, ToSchema)]
pub struct DoorRequest {
    /// `open`, `introduced`, `followed` or `closed`.
    door: String,
}

/// Show the door
///
/// Whose replies this identity lets reach those who follow only it.
#[utoipa::path(get, path = "/door", operation_id = "getDoor", tag = "identities",
    responses((status = 200, description = "How far it stands open", body = DoorState)))]
pub async fn get(call: Call) -> Result<Json<DoorState>, ApiError> {
    let did = call.viewer();
    let setting = call.node.read(move |reader| reader.setting(&did, DOOR_KEY)).await?;
    Ok(Json(DoorState { door: Door::of(setting.as_deref()).name() }))
}

/// Set the door
///
/// To `open`, `introduced`, `followed` or `closed`.
#[utoipa::path(post, path = "/door", operation_id = "setDoor", tag = "identities", request_body = DoorRequest,
    responses((status = 200, description = "How far it stands open now", body = DoorState)))]
pub async fn post(call: Call, Sent(wanted): Sent<DoorRequest>) -> Result<Json<DoorState>, ApiError> {
    let door = Door::from_name(&wanted.door);
    let door = door.ok_or_else(|| ApiError::invalid("door is one of open, introduced, followed and closed"))?;
    let setting = [(DOOR_KEY.to_owned(), door.name().as_bytes().to_vec())].into();
    call.node.put_settings(call.viewer(), setting).await?;
    Ok(Json(DoorState { door: door.name() }))
}
