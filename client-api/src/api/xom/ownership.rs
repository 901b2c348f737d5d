//! `/api/xom/v1/identity/{rotate,lock,unlock,postpone-recovery,cancel-recovery}`: what an owner does with
//! his identity log.

use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use xom_protocol::phrase::Phrase;
use zeroize::Zeroizing;

use super::access::{self, ControlRequest};
use crate::http::{ApiError, Call, ErrorKind, Secret, Sent};

/// A rotation.
#[derive(Deserialize, ToSchema)]
pub struct RotateRequest {
    /// The 24 words.
    #[schema(value_type = String)]
    words: Option<Secret>,
    /// Seals the new control key where it is kept sealed.
    #[schema(value_type = Option<String>)]
    passphrase: Option<Secret>,
}

/// The identity has new control keys.
#[derive(Serialize, ToSchema)]
pub struct Rotated {
    /// How the new control key lies on this node.
    control_key: &'static str,
}

/// Whether the identity is locked.
#[derive(Serialize, ToSchema)]
pub struct LockState {
    /// What devices grant, drop or say of addresses does not count.
    locked: bool,
}

/// The guardians were asked to wait.
#[derive(Serialize, ToSchema)]
pub struct RecoveryPostponed {
    /// Always true.
    postponed: bool,
}

/// The recovery was stopped.
#[derive(Serialize, ToSchema)]
pub struct RecoveryCancelled {
    /// Always true.
    cancelled: bool,
}

/// Bring new control keys
///
/// Brings new control keys, by `words`; one that is kept sealed is sealed again with `passphrase`.
#[utoipa::path(post, path = "/identity/rotate", operation_id = "rotateIdentity", tag = "keys",
    request_body = RotateRequest,
    responses((status = 200, description = "The identity has new control keys", body = Rotated)))]
pub async fn rotate(call: Call, Sent(wanted): Sent<RotateRequest>) -> Result<Json<Rotated>, ApiError> {
    let (words, passphrase) = words(&call, wanted.words, wanted.passphrase)?;
    let kept = call.node.rotate(call.viewer(), words, passphrase).await?;
    Ok(Json(Rotated { control_key: kept.name() }))
}

/// Lock the identity
///
/// What devices grant, drop or say of addresses stops counting. Posts go on.
#[utoipa::path(post, path = "/identity/lock", operation_id = "lockIdentity", tag = "keys",
    responses((status = 200, description = "It is locked", body = LockState)))]
pub async fn lock(call: Call) -> Result<Json<LockState>, ApiError> {
    call.node.lock(call.viewer()).await?;
    Ok(Json(LockState { locked: true }))
}

/// Lift all locks
///
/// By the control key.
#[utoipa::path(post, path = "/identity/unlock", operation_id = "unlockIdentity", tag = "keys",
    request_body = ControlRequest,
    responses((status = 200, description = "It is not locked any more", body = LockState)))]
pub async fn unlock(call: Call, Sent(key): Sent<ControlRequest>) -> Result<Json<LockState>, ApiError> {
    let access = access::of(&call, key.passphrase, key.words)?;
    call.node.unlock_identity(call.viewer(), access).await?;
    Ok(Json(LockState { locked: false }))
}

/// Postpone the recovery of the own identity
///
/// Asks the guardians, as a device of the identity, to wait once more.
#[utoipa::path(post, path = "/identity/postpone-recovery", operation_id = "postponeRecovery", tag = "recovery",
    responses((status = 200, description = "They are asked to wait", body = RecoveryPostponed)))]
pub async fn postpone(call: Call) -> Result<Json<RecoveryPostponed>, ApiError> {
    call.node.postpone_recovery(call.viewer()).await?;
    Ok(Json(RecoveryPostponed { postponed: true }))
}

/// Stop the recovery of the own identity
///
/// By the control key.
#[utoipa::path(post, path = "/identity/cancel-recovery", operation_id = "cancelRecovery", tag = "recovery",
    request_body = ControlRequest,
    responses((status = 200, description = "It has stopped", body = RecoveryCancelled)))]
pub async fn cancel(call: Call, Sent(key): Sent<ControlRequest>) -> Result<Json<RecoveryCancelled>, ApiError> {
    let access = access::of(&call, key.passphrase, key.words)?;
    call.node.cancel_recovery(call.viewer(), access).await?;
    Ok(Json(RecoveryCancelled { cancelled: true }))
}

/// Reads the words, and beside them the passphrase that a new control key is sealed with.
pub(super) fn words(
    call: &Call,
    words: Option<Secret>,
    passphrase: Option<Secret>,
) -> Result<(Phrase, Option<Zeroizing<String>>), ApiError> {
    access::refuse_in_query(call)?;
    let text = words.ok_or_else(|| {
        let said = "a rotation is signed by the 24 words; give them";
        ApiError::with_text(ErrorKind::Forbidden, said).with("code", json!("words-needed"))
    })?;
    let phrase = Phrase::parse(&text.0).map_err(|error| {
        ApiError::with_text(ErrorKind::Forbidden, error.to_string()).with("code", json!("not-a-phrase"))
    })?;
    Ok((phrase, passphrase.map(|passphrase| passphrase.0)))
}
