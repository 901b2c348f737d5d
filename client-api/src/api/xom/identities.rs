//! `/api/xom/v1/identities/:did` and its `/document`: any identity that this node knows, with its history in words.

use axum::Json;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use xom_protocol::Did;
use xom_protocol::identity::DeviceStatus;

use crate::api::entities::timestamp;
use crate::api::words::{When, history};
use crate::http::{ApiError, Call};

/// The media type of DID documents.
const DID_DOCUMENT: &str = "application/did+ld+json";

fn did(text: &str) -> Result<Did, ApiError> {
    text.parse().map_err(|_| ApiError::not_found())
}

/// The W3C DID document (`ID-13`).
pub async fn document(call: Call, Path(name): Path<String>) -> Result<Response, ApiError> {
    let did = did(&name)?;
    let document = call.node.read(move |reader| reader.did_document(&did)).await?.ok_or_else(ApiError::not_found)?;
    Ok(([(header::CONTENT_TYPE, DID_DOCUMENT)], Json(document)).into_response())
}

/// What is known of an identity, with its history.
pub async fn get(call: Call, Path(name): Path<String>) -> Result<Json<Value>, ApiError> {
    let did = did(&name)?;
    let known = call.node.read(move |reader| reader.identity_history(&did)).await?.ok_or_else(ApiError::not_found)?;
    let state = known.record.state();
    let lines = history(&known).into_iter().map(|line| {
        let seen = match line.when {
            When::Seen(ms) => Some(timestamp(ms)),
            When::Earlier | When::Now => None,
        };
        json!({ "seen_at": seen, "text": line.dated() })
    });
    let devices = state
        .devices
        .iter()
        .map(|(id, device)| json!({ "device": id.to_string(), "live": device.status == DeviceStatus::Live }));
    Ok(Json(json!({
        "did": did.to_string(),
        "epoch": state.epoch,
        "devices": devices.collect::<Vec<_>>(),
        "locked": !state.locks.is_empty(),
        "duplicity": state.duplicity.is_some(),
        "history": lines.collect::<Vec<_>>(),
    })))
}
