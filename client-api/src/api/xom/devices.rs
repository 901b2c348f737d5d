//! `/api/xom/v1/devices`: the devices of an identity.

pub mod pair;

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use xom_node::model::{DeviceView, EndedBy, Kept};
use xom_protocol::DeviceId;

use super::access;
use crate::api::entities::{read_day_or_time, timestamp};
use crate::http::{ApiError, Call, Params};

/// All devices that the identity ever had, the live ones first.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let devices = call.node.devices(call.viewer()).await?;
    Ok(Json(devices.iter().map(device).collect()))
}

/// Gives a device a name.
pub async fn rename(call: Call, Path(id): Path<String>, params: Params) -> Result<Json<Value>, ApiError> {
    let name = params.text("name").ok_or_else(|| ApiError::invalid("name is missing"))?;
    call.node.name_device(call.viewer(), find(&call, &id).await?, &name).await?;
    get(call).await
}

/// Ends a device: by the control key, or by the device that admitted it or is it. What it wrote goes on counting,
/// or only what it wrote `before` a time, or its first `entries`.
pub async fn remove(call: Call, Path(id): Path<String>, mut params: Params) -> Result<Json<Value>, ApiError> {
    let access = access::take(&call, &mut params)?;
    let device = find(&call, &id).await?;
    let with_granted = params.flag("with_granted").unwrap_or(false);
    let by = call.node.end_device_keeping(call.viewer(), device, &access, with_granted, kept(&params)?).await?;
    let by = match by {
        EndedBy::ControlKey => "control-key",
        EndedBy::Device => "device",
    };
    Ok(Json(json!({"device": device.to_string(), "ended_by": by})))
}

/// What of a device that ends is kept.
pub fn kept(params: &Params) -> Result<Kept, ApiError> {
    match (params.text("before"), params.text("entries")) {
        (None, None) => Ok(Kept::All),
        (Some(before), None) => {
            let ms = read_day_or_time(&before);
            ms.map(Kept::Before).ok_or_else(|| ApiError::invalid("before is no date like 2026-03-12"))
        }
        (None, Some(entries)) => {
            entries.parse().map(Kept::Entries).map_err(|_| ApiError::invalid("entries is no number"))
        }
        (Some(_), Some(_)) => Err(ApiError::invalid("give before or entries, not both")),
    }
}

/// The device with this id, its unique beginning, or this name.
pub async fn find(call: &Call, text: &str) -> Result<DeviceId, ApiError> {
    let devices = call.node.devices(call.viewer()).await?;
    let begins = |known: &&DeviceView| text.len() >= 4 && known.device.to_string().starts_with(text);
    let named = |known: &&DeviceView| known.name.as_deref() == Some(text);
    let found: Vec<&DeviceView> = devices.iter().filter(|known| begins(known) || named(known)).collect();
    match found[..] {
        [one] => Ok(one.device),
        [] => Err(ApiError::not_found().describe("no device has this id or name")),
        _ => Err(ApiError::invalid("several devices fit; give more of the id")),
    }
}

fn device(view: &DeviceView) -> Value {
    json!({
        "device": view.device.to_string(),
        "name": view.name,
        "granted_by": view.granted_by.map(|device| device.to_string()),
        "live": view.is_live,
        "here": view.is_here,
        "log": view.log.to_string(),
        "height": view.height,
        "last_at": view.last_ms.map(timestamp),
    })
}
