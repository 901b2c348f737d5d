//! `/api/xom/v1/devices`: the devices of an identity.

pub mod pair;

use axum::Json;
use axum::extract::Path;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xom_node::model::{DeviceView, EndedBy, Kept};
use xom_protocol::DeviceId;

use super::access;
use crate::api::entities::{read_day_or_time, timestamp};
use crate::http::{ApiError, Call, Params, Secret, Sent};

/// A device of the identity.
#[derive(Serialize, ToSchema)]
pub struct Device {
    /// Its id.
    device: String,
    /// What the owner calls it.
    name: Option<String>,
    /// The device that admitted it; none where the control key did.
    granted_by: Option<String>,
    /// It may sign; false once it has ended.
    live: bool,
    /// It is the one of this node.
    here: bool,
    /// The log that it writes.
    log: String,
    /// Entries of that log that are held here.
    height: u64,
    /// When the newest of them was written, as that device says.
    last_at: Option<String>,
}

/// A name for a device.
#[derive(Deserialize, ToSchema)]
pub struct RenameRequest {
    /// The name.
    name: String,
}

/// How a device ends. What it wrote goes on counting, or only what `before` or `entries` says.
#[derive(Deserialize, ToSchema)]
pub struct RemoveRequest {
    /// What it wrote before this day or time goes on counting: `2026-03-12`, or a whole time.
    before: Option<String>,
    /// So many of its first entries go on counting.
    entries: Option<u64>,
    /// End the devices that it admitted too.
    with_granted: Option<bool>,
    /// Opens the control key where it lies sealed.
    #[schema(value_type = Option<String>)]
    passphrase: Option<Secret>,
    /// The 24 words, where the control key does not lie here.
    #[schema(value_type = Option<String>)]
    words: Option<Secret>,
}

/// A device that has ended.
#[derive(Serialize, ToSchema)]
pub struct Removed {
    /// Its id.
    device: String,
    /// What signed the end: `control-key` or `device`.
    ended_by: &'static str,
}

/// List the devices
///
/// All devices that the identity ever had, the live ones first.
#[utoipa::path(get, path = "/devices", operation_id = "listDevices", tag = "devices",
    responses((status = 200, description = "The devices", body = Vec<Device>)))]
pub async fn get(call: Call) -> Result<Json<Vec<Device>>, ApiError> {
    let devices = call.node.devices(call.viewer()).await?;
    Ok(Json(devices.iter().map(device).collect()))
}

/// Name a device
///
/// Gives a device a name, and answers all devices.
#[utoipa::path(post, path = "/devices/{id}/rename", operation_id = "renameDevice", tag = "devices",
    params(("id" = String, Path, description = "The device: its id, the beginning of it, or its name")),
    request_body = RenameRequest,
    responses((status = 200, description = "The devices", body = Vec<Device>)))]
pub async fn rename(
    call: Call,
    Path(id): Path<String>,
    Sent(wanted): Sent<RenameRequest>,
) -> Result<Json<Vec<Device>>, ApiError> {
    call.node.name_device(call.viewer(), find(&call, &id).await?, &wanted.name).await?;
    get(call).await
}

/// End a device
///
/// By the control key, or by the device that admitted it or is it. What it wrote goes on counting, or only what it
/// wrote `before` a time, or its first `entries`.
#[utoipa::path(post, path = "/devices/{id}/remove", operation_id = "removeDevice", tag = "devices",
    params(("id" = String, Path, description = "The device: its id, the beginning of it, or its name")),
    request_body = RemoveRequest,
    responses((status = 200, description = "It has ended", body = Removed)))]
pub async fn remove(
    call: Call,
    Path(id): Path<String>,
    Sent(how): Sent<RemoveRequest>,
) -> Result<Json<Removed>, ApiError> {
    let access = access::of(&call, how.passphrase, how.words)?;
    let device = find(&call, &id).await?;
    let kept = kept_of(how.before.as_deref(), how.entries)?;
    let with_granted = how.with_granted.unwrap_or(false);
    let by = call.node.end_device_keeping(call.viewer(), device, &access, with_granted, kept).await?;
    let ended_by = match by {
        EndedBy::ControlKey => "control-key",
        EndedBy::Device => "device",
    };
    Ok(Json(Removed { device: device.to_string(), ended_by }))
}

/// What of a device that ends is kept, as a form of the page says it.
pub fn kept(params: &Params) -> Result<Kept, ApiError> {
    let entries = params.text("entries").map(|entries| entries.parse());
    let entries = entries.transpose().map_err(|_| ApiError::invalid("entries is no number"))?;
    kept_of(params.text("before").as_deref(), entries)
}

fn kept_of(before: Option<&str>, entries: Option<u64>) -> Result<Kept, ApiError> {
    match (before, entries) {
        (None, None) => Ok(Kept::All),
        (Some(before), None) => {
            let ms = read_day_or_time(before);
            ms.map(Kept::Before).ok_or_else(|| ApiError::invalid("before is no date like 2026-03-12"))
        }
        (None, Some(entries)) => Ok(Kept::Entries(entries)),
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

fn device(view: &DeviceView) -> Device {
    Device {
        device: view.device.to_string(),
        name: view.name.clone(),
        granted_by: view.granted_by.map(|device| device.to_string()),
        live: view.is_live,
        here: view.is_here,
        log: view.log.to_string(),
        height: view.height,
        last_at: view.last_ms.map(timestamp),
    }
}
