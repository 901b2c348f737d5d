//! `/api/xom/v1/door`: whose replies this identity lets reach those who follow only it (`ADM-2`).

use axum::Json;
use serde_json::{Value, json};
use xom_node::admission::{DOOR_KEY, Door};

use crate::http::{ApiError, Call, Params};

/// How far it stands open.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let did = call.viewer();
    let setting = call.node.read(move |reader| reader.setting(&did, DOOR_KEY)).await?;
    Ok(Json(json!({ "door": Door::of(setting.as_deref()).name() })))
}

/// Sets it to `door`: open, introduced, followed or closed.
pub async fn post(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let door = params.text("door").as_deref().and_then(Door::from_name);
    let door = door.ok_or_else(|| ApiError::invalid("door is one of open, introduced, followed and closed"))?;
    let setting = [(DOOR_KEY.to_owned(), door.name().as_bytes().to_vec())].into();
    call.node.put_settings(call.viewer(), setting).await?;
    Ok(Json(json!({ "door": door.name() })))
}
