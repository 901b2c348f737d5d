//! `/api/xom/v1/identity/{rotate,lock,unlock,postpone-recovery,cancel-recovery}`: what an owner does with
//! his identity log.

use axum::Json;
use serde_json::{Value, json};
use xom_protocol::phrase::Phrase;

use super::access;
use crate::http::{ApiError, Call, ErrorKind, Params};

/// Brings new control keys, by `words`; one that is kept sealed is sealed again with `passphrase`.
pub async fn rotate(call: Call, mut params: Params) -> Result<Json<Value>, ApiError> {
    let (words, passphrase) = words(&call, &mut params)?;
    let kept = call.node.rotate(call.viewer(), words, passphrase).await?;
    Ok(Json(json!({ "control_key": kept.name() })))
}

/// Locks: what devices grant, drop or say of addresses stops counting. Posts go on.
pub async fn lock(call: Call) -> Result<Json<Value>, ApiError> {
    call.node.lock(call.viewer()).await?;
    Ok(Json(json!({ "locked": true })))
}

/// Lifts all locks, by the control key.
pub async fn unlock(call: Call, mut params: Params) -> Result<Json<Value>, ApiError> {
    let access = access::take(&call, &mut params)?;
    call.node.unlock_identity(call.viewer(), access).await?;
    Ok(Json(json!({ "locked": false })))
}

/// Asks the guardians, as a device of the identity, to wait once more.
pub async fn postpone(call: Call) -> Result<Json<Value>, ApiError> {
    call.node.postpone_recovery(call.viewer()).await?;
    Ok(Json(json!({ "postponed": true })))
}

/// Stops a recovery that goes on, by the control key.
pub async fn cancel(call: Call, mut params: Params) -> Result<Json<Value>, ApiError> {
    let access = access::take(&call, &mut params)?;
    call.node.cancel_recovery(call.viewer(), access).await?;
    Ok(Json(json!({ "cancelled": true })))
}

/// Takes `words`, and beside them the passphrase that a new control key is sealed with.
pub(super) fn words(
    call: &Call,
    params: &mut Params,
) -> Result<(Phrase, Option<zeroize::Zeroizing<String>>), ApiError> {
    access::refuse_in_query(call)?;
    let text = params.take_secret("words").ok_or_else(|| {
        let said = "a rotation is signed by the 24 words; give them";
        ApiError::with_text(ErrorKind::Forbidden, said).with("code", json!("words-needed"))
    })?;
    let phrase = Phrase::parse(&text).map_err(|error| {
        ApiError::with_text(ErrorKind::Forbidden, error.to_string()).with("code", json!("not-a-phrase"))
    })?;
    Ok((phrase, params.take_secret("passphrase")))
}
