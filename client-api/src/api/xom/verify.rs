//! `POST /api/xom/v1/verify`: checks everything stored.

use axum::Json;
use serde_json::{Value, json};
use xom_node::model::VerifyReport;
use xom_protocol::LogId;

use super::logs::log;
use crate::http::{ApiError, Call, Params};

/// Chains, signatures, commitments, views; `faults` is empty if all is well.
pub async fn post(call: Call, _params: Params) -> Result<Json<Value>, ApiError> {
    Ok(Json(report(&call.node.verify().await?)))
}

/// A report.
pub fn report(report: &VerifyReport) -> Value {
    json!({
        "logs": report.logs.iter().map(log).collect::<Vec<_>>(),
        "entries": report.entries,
        "bodies": report.bodies,
        "void_checkpoints": report.void_checkpoints.iter().map(void).collect::<Vec<_>>(),
        "faults": report.faults,
    })
}

fn void((log, seq): &(LogId, u64)) -> Value {
    json!({ "log": log.to_string(), "seq": seq })
}
