//! `/api/xom/v1/recoveries`: the recovery of the own identity, and those that guardians who live here were
//! asked for.

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};
use xom_node::recovery::{RecoveryView, RequestState, RequestView};

use super::access;
use crate::http::{ApiError, Call, Params};

/// What goes on, and what was asked.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let viewer = call.viewer();
    let own = call.node.recovery(viewer).await?;
    let requests = call.node.recovery_requests().await?;
    let requests = requests.iter().filter(|request| request.guardian == viewer).map(request);
    Ok(Json(json!({ "own": own.as_ref().map(recovery), "requests": requests.collect::<Vec<_>>() })))
}

/// Approves the request with this code: its start, or after the delay its finish.
pub async fn approve(call: Call, Path(code): Path<String>, mut params: Params) -> Result<Json<Value>, ApiError> {
    let access = access::take(&call, &mut params)?;
    let act = call.node.approve_recovery(call.viewer(), code.clone(), access).await?;
    Ok(Json(json!({ "code": code, "state": act.name() })))
}

/// Refuses the request with this code.
pub async fn refuse(call: Call, Path(code): Path<String>) -> Result<Json<Value>, ApiError> {
    let act = call.node.refuse_recovery(call.viewer(), code.clone()).await?;
    Ok(Json(json!({ "code": code, "state": act.name() })))
}

fn recovery(view: &RecoveryView) -> Value {
    json!({
        "code": view.code,
        "devices": view.devices.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "postponed": view.postponed,
        "postponed_here": view.postponed_here,
        "finished": view.finished,
    })
}

fn request(view: &RequestView) -> Value {
    let due_ms = match view.state {
        RequestState::Started { due_ms } => Some(due_ms),
        _ => None,
    };
    json!({
        "code": view.code,
        "account": view.account.to_string(),
        "guardian": view.guardian.to_string(),
        "asked_ms": view.asked_ms,
        "state": view.state.name(),
        "due_ms": due_ms,
    })
}
