//! `POST /api/xom/v1/verify`: checks everything stored.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;
use xom_node::model::VerifyReport;
use xom_protocol::LogId;

use super::logs::{HeldLog, log};
use crate::http::{ApiError, Call, Params};

/// What a check of everything stored has found.
#[derive(Serialize, ToSchema)]
pub struct Verified {
    /// Every log held.
    logs: Vec<HeldLog>,
    /// Entries checked.
    entries: u64,
    /// Bodies checked against their commitment.
    bodies: u64,
    /// Checkpoints whose author lied; they are known to be void, and no fault of what is stored.
    void_checkpoints: Vec<VoidCheckpoint>,
    /// What is wrong, each a sentence with its rule; empty if all is well.
    faults: Vec<String>,
}

/// A checkpoint whose author lied.
#[derive(Serialize, ToSchema)]
pub struct VoidCheckpoint {
    /// The log that it stands in.
    log: String,
    /// Its place there.
    seq: u64,
}

/// Check everything stored
///
/// Chains, signatures, commitments, views; `faults` is empty if all is well. May take minutes.
#[utoipa::path(post, path = "/verify", operation_id = "verify", tag = "node",
    responses((status = 200, description = "What was found", body = Verified)))]
pub async fn post(call: Call, _params: Params) -> Result<Json<Verified>, ApiError> {
    Ok(Json(report(&call.node.verify().await?)))
}

/// A report.
pub fn report(report: &VerifyReport) -> Verified {
    Verified {
        logs: report.logs.iter().map(log).collect(),
        entries: report.entries,
        bodies: report.bodies,
        void_checkpoints: report.void_checkpoints.iter().map(void).collect(),
        faults: report.faults.clone(),
    }
}

fn void((log, seq): &(LogId, u64)) -> VoidCheckpoint {
    VoidCheckpoint { log: log.to_string(), seq: *seq }
}
