//! `/api/xom/v1/identities/:did` and its `/document`: any identity that this node knows, with its history in words.

use axum::Json;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;
use xom_protocol::Did;
use xom_protocol::identity::DeviceStatus;

use crate::api::entities::timestamp;
use crate::api::words::{When, history};
use crate::http::{ApiError, Call};

/// The media type of DID documents.
const DID_DOCUMENT: &str = "application/did+ld+json";

/// What is known of an identity.
#[derive(Serialize, ToSchema)]
pub struct KnownIdentity {
    /// Who.
    did: String,
    /// How often its control keys were changed.
    epoch: u32,
    /// All devices that it ever had.
    devices: Vec<KnownDevice>,
    /// What devices grant, drop or say of addresses does not count.
    locked: bool,
    /// Its identity log is forked: two operations at one place were signed.
    duplicity: bool,
    /// What happened to it, oldest first.
    history: Vec<HistoryLine>,
}

/// A device of an identity.
#[derive(Serialize, ToSchema)]
pub struct KnownDevice {
    /// Its id.
    device: String,
    /// It may sign; false once it has ended.
    live: bool,
}

/// Something that happened to an identity.
#[derive(Serialize, ToSchema)]
pub struct HistoryLine {
    /// When this node saw it; none for what was there before.
    seen_at: Option<String>,
    /// What, in a sentence.
    text: String,
}

fn did(text: &str) -> Result<Did, ApiError> {
    text.parse().map_err(|_| ApiError::not_found())
}

/// Show a DID document
///
/// The W3C DID document of any identity that this node knows.
#[utoipa::path(get, path = "/identities/{did}/document", operation_id = "getDidDocument", tag = "identities",
    params(("did" = String, Path, description = "A DID")),
    responses((status = 200, description = "The document", body = Object, content_type = DID_DOCUMENT)))]
pub async fn document(call: Call, Path(name): Path<String>) -> Result<Response, ApiError> {
    let did = did(&name)?;
    let document = call.node.read(move |reader| reader.did_document(&did)).await?.ok_or_else(ApiError::not_found)?;
    Ok(([(header::CONTENT_TYPE, DID_DOCUMENT)], Json(document)).into_response())
}

/// Show an identity
///
/// What is known of any identity, with its history in words.
#[utoipa::path(get, path = "/identities/{did}", operation_id = "getKnownIdentity", tag = "identities",
    params(("did" = String, Path, description = "A DID")),
    responses((status = 200, description = "What is known of it", body = KnownIdentity)))]
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<KnownIdentity>, ApiError> {
    let did = did(&name)?;
    let known = call.node.read(move |reader| reader.identity_history(&did)).await?.ok_or_else(ApiError::not_found)?;
    let state = known.record.state();
    let lines = history(&known).into_iter().map(|line| {
        let seen_at = match line.when {
            When::Seen(ms) => Some(timestamp(ms)),
            When::Earlier | When::Now => None,
        };
        HistoryLine { seen_at, text: line.dated() }
    });
    let devices = state.devices.iter();
    let devices =
        devices.map(|(id, device)| KnownDevice { device: id.to_string(), live: device.status == DeviceStatus::Live });
    Ok(Json(KnownIdentity {
        did: did.to_string(),
        epoch: state.epoch,
        devices: devices.collect(),
        locked: !state.locks.is_empty(),
        duplicity: state.duplicity.is_some(),
        history: lines.collect(),
    }))
}
