//! `/api/xom/v1/devices/pair`: pairing a new device, from the offer to the grant.

use axum::Json;
use serde_json::{Value, json};
use xom_node::model::PairState;

use crate::api::entities::timestamp;
use crate::http::{ApiError, Call, Params};

/// Makes an offer; an older one is void.
pub async fn begin(call: Call, _params: Params) -> Result<Json<Value>, ApiError> {
    let offer = call.node.pair_begin(call.viewer()).await?;
    Ok(Json(json!({"offer": offer.text, "expires_at": timestamp(offer.expires_ms)})))
}

/// How far it has come. The offer itself is told once, when it is made.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    Ok(Json(state(&call.node.pair_state())))
}

/// The owner found these digits on both screens.
pub async fn confirm(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let digits = params.text("digits").ok_or_else(|| ApiError::invalid("digits are missing"))?;
    call.node.pair_confirm(digits).await?;
    get(call).await
}

/// The owner stops, or found other digits on the other screen.
pub async fn stop(call: Call, _params: Params) -> Result<Json<Value>, ApiError> {
    call.node.pair_stop().await?;
    get(call).await
}

fn state(state: &PairState) -> Value {
    match state {
        PairState::None => json!({"state": "none"}),
        PairState::Waiting(offer) => json!({"state": "waiting", "expires_at": timestamp(offer.expires_ms)}),
        PairState::Comparing { digits, confirmed } => {
            json!({"state": if *confirmed { "confirmed" } else { "comparing" }, "digits": digits})
        }
        PairState::Done(device) => json!({"state": "done", "device": device.to_string()}),
        PairState::Unanswered(device) => json!({"state": "unanswered", "device": device.to_string()}),
        PairState::Expired => json!({"state": "expired"}),
        PairState::Stopped => json!({"state": "stopped"}),
        PairState::Spent => json!({"state": "spent"}),
        PairState::Failed(reason) => json!({"state": "failed", "reason": reason}),
    }
}
