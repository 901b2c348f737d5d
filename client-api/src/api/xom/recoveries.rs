//! `/api/xom/v1/recoveries`: the recovery of the own identity, and those that guardians who live here were
//! asked for.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use utoipa::ToSchema;
use xom_node::recovery::{RecoveryView, RequestState, RequestView};

use super::access::{self, ControlRequest};
use crate::http::{ApiError, Call, Sent};

/// What goes on, and what was asked.
#[derive(Serialize, ToSchema)]
pub struct Recoveries {
    /// The recovery of the own identity, if one goes on.
    own: Option<Recovery>,
    /// What this identity was asked for as a guardian.
    requests: Vec<RecoveryRequest>,
}

/// A recovery of the own identity.
#[derive(Serialize, ToSchema)]
pub struct Recovery {
    /// The code by which owner and guardians know it.
    code: String,
    /// The devices that the identity would have then.
    devices: Vec<String>,
    /// The guardians were asked to wait.
    postponed: bool,
    /// This device has asked them.
    postponed_here: bool,
    /// The guardians have finished it.
    finished: bool,
}

/// What a guardian was asked for.
#[derive(Serialize, ToSchema)]
pub struct RecoveryRequest {
    /// The code by which owner and guardians know it.
    code: String,
    /// Whose recovery: a DID.
    account: String,
    /// Who was asked: a DID.
    guardian: String,
    /// When, milliseconds since 1970.
    asked_ms: u64,
    /// How far it is: `asked`, `refused`, `start-approved`, `started`, `finish-approved` or `over`.
    state: &'static str,
    /// Where it has started: from when on the finish can be approved, milliseconds since 1970.
    due_ms: Option<u64>,
}

/// What a guardian said.
#[derive(Serialize, ToSchema)]
pub struct RecoveryAnswered {
    /// The code of the request.
    code: String,
    /// What the answer was: `start-approved`, `finish-approved` or `refused`.
    state: &'static str,
}

/// Show recoveries
///
/// The recovery of the own identity, and what this identity was asked for as a guardian.
#[utoipa::path(get, path = "/recoveries", operation_id = "listRecoveries", tag = "recovery",
    responses((status = 200, description = "What goes on", body = Recoveries)))]
pub async fn get(call: Call) -> Result<Json<Recoveries>, ApiError> {
    let viewer = call.viewer();
    let own = call.node.recovery(viewer).await?;
    let requests = call.node.recovery_requests().await?;
    let requests = requests.iter().filter(|request| request.guardian == viewer).map(request);
    Ok(Json(Recoveries { own: own.as_ref().map(recovery), requests: requests.collect() }))
}

/// Approve a recovery
///
/// Approves the request with this code: its start, or after the delay its finish.
#[utoipa::path(post, path = "/recoveries/{code}/approve", operation_id = "approveRecovery", tag = "recovery",
    params(("code" = String, Path, description = "The code of the request")), request_body = ControlRequest,
    responses((status = 200, description = "It is approved", body = RecoveryAnswered)))]
pub async fn approve(
    call: Call,
    Path(code): Path<String>,
    Sent(key): Sent<ControlRequest>,
) -> Result<Json<RecoveryAnswered>, ApiError> {
    let access = access::of(&call, key.passphrase, key.words)?;
    let act = call.node.approve_recovery(call.viewer(), code.clone(), access).await?;
    Ok(Json(RecoveryAnswered { code, state: act.name() }))
}

/// Refuse a recovery
///
/// Refuses the request with this code.
#[utoipa::path(post, path = "/recoveries/{code}/refuse", operation_id = "refuseRecovery", tag = "recovery",
    params(("code" = String, Path, description = "The code of the request")),
    responses((status = 200, description = "It is refused", body = RecoveryAnswered)))]
pub async fn refuse(call: Call, Path(code): Path<String>) -> Result<Json<RecoveryAnswered>, ApiError> {
    let act = call.node.refuse_recovery(call.viewer(), code.clone()).await?;
    Ok(Json(RecoveryAnswered { code, state: act.name() }))
}

fn recovery(view: &RecoveryView) -> Recovery {
    Recovery {
        code: view.code.clone(),
        devices: view.devices.iter().map(ToString::to_string).collect(),
        postponed: view.postponed,
        postponed_here: view.postponed_here,
        finished: view.finished,
    }
}

fn request(view: &RequestView) -> RecoveryRequest {
    let due_ms = match view.state {
        RequestState::Started { due_ms } => Some(due_ms),
        _ => None,
    };
    RecoveryRequest {
        code: view.code.clone(),
        account: view.account.to_string(),
        guardian: view.guardian.to_string(),
        asked_ms: view.asked_ms,
        state: view.state.name(),
        due_ms,
    }
}
