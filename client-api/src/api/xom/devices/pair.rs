//! `/api/xom/v1/devices/pair`: pairing a new device, from the offer to the grant.

use axum::Json;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use xom_node::model::PairState;

use crate::api::entities::timestamp;
use crate::http::{ApiError, Call, Params, Sent};

/// What the new device is given.
#[derive(Serialize, ToSchema)]
pub struct PairingOffer {
    /// A text to type, or to show as a QR code. It is told once.
    offer: String,
    /// Until when it can be used.
    expires_at: String,
}

/// How far pairing has come.
#[derive(Default, Serialize, ToSchema)]
pub struct Pairing {
    /// `none`, `waiting`, `comparing`, `confirmed`, `done`, `unanswered`, `expired`, `stopped`, `spent` or `failed`.
    state: &'static str,
    /// Until when the offer can be used, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
    /// What both screens must show, while owners compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    digits: Option<String>,
    /// The new device, once it is done or did not answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<String>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What the owner has compared.
#[derive(Deserialize, ToSchema)]
pub struct ConfirmPairingRequest {
    /// The digits that stand on both screens.
    digits: String,
}

/// Begin to pair a device
///
/// Makes an offer; an older one is void.
#[utoipa::path(post, path = "/devices/pair", operation_id = "beginPairing", tag = "devices",
    responses((status = 200, description = "The offer", body = PairingOffer)))]
pub async fn begin(call: Call, _params: Params) -> Result<Json<PairingOffer>, ApiError> {
    let offer = call.node.pair_begin(call.viewer()).await?;
    Ok(Json(PairingOffer { offer: offer.text.to_string(), expires_at: timestamp(offer.expires_ms) }))
}

/// Show how far pairing has come
///
/// The offer itself is told once, when it is made.
#[utoipa::path(get, path = "/devices/pair", operation_id = "getPairing", tag = "devices",
    responses((status = 200, description = "How far it has come", body = Pairing)))]
pub async fn get(call: Call) -> Result<Json<Pairing>, ApiError> {
    Ok(Json(state(&call.node.pair_state())))
}

/// Confirm the digits
///
/// The owner found these digits on both screens.
#[utoipa::path(post, path = "/devices/pair/confirm", operation_id = "confirmPairing", tag = "devices",
    request_body = ConfirmPairingRequest,
    responses((status = 200, description = "How far it has come", body = Pairing)))]
pub async fn confirm(call: Call, Sent(compared): Sent<ConfirmPairingRequest>) -> Result<Json<Pairing>, ApiError> {
    call.node.pair_confirm(compared.digits).await?;
    get(call).await
}

/// Stop pairing
///
/// The owner stops, or found other digits on the other screen.
#[utoipa::path(post, path = "/devices/pair/stop", operation_id = "stopPairing", tag = "devices",
    responses((status = 200, description = "How far it had come", body = Pairing)))]
pub async fn stop(call: Call, _params: Params) -> Result<Json<Pairing>, ApiError> {
    call.node.pair_stop().await?;
    get(call).await
}

/// How far it has come.
pub(in crate::api::xom) fn state(state: &PairState) -> Pairing {
    let at = |state| Pairing { state, ..Pairing::default() };
    match state {
        PairState::None => at("none"),
        PairState::Waiting(offer) => Pairing { expires_at: Some(timestamp(offer.expires_ms)), ..at("waiting") },
        PairState::Comparing { digits, confirmed } => {
            let state = if *confirmed { "confirmed" } else { "comparing" };
            Pairing { digits: Some(digits.to_string()), ..at(state) }
        }
        PairState::Done(device) => Pairing { device: Some(device.to_string()), ..at("done") },
        PairState::Unanswered(device) => Pairing { device: Some(device.to_string()), ..at("unanswered") },
        PairState::Expired => at("expired"),
        PairState::Stopped => at("stopped"),
        PairState::Spent => at("spent"),
        PairState::Failed(reason) => Pairing { reason: Some(reason.to_string()), ..at("failed") },
    }
}
