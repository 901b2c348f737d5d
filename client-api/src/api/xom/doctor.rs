//! `/api/xom/v1/doctor`: what a running node finds of itself. The command line adds what can be seen from outside.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use crate::doctor::Check;
use crate::doctor::running::{Found, checks};
use crate::http::{ApiError, Call};

/// What a node finds of itself.
#[derive(Serialize, ToSchema)]
pub struct Doctor {
    /// Where it listens for peers.
    listen: Vec<String>,
    /// Its checks.
    checks: Vec<DoctorCheck>,
}

/// One check.
#[derive(Serialize, ToSchema)]
pub struct DoctorCheck {
    /// What was looked at, one word.
    check: &'static str,
    /// How it came out: `ok`, `unknown`, `warn` or `fail`.
    state: &'static str,
    /// What was found.
    found: String,
    /// What to do about it.
    advice: Option<String>,
}

/// Check the running node
///
/// Its checks, and where it listens. `xom doctor` adds what can be seen from outside.
#[utoipa::path(get, path = "/doctor", operation_id = "getDoctor", tag = "node",
    responses((status = 200, description = "What was found", body = Doctor)))]
pub async fn get(call: Call) -> Result<Json<Doctor>, ApiError> {
    let (status, health) = (call.node.status().await?, call.node.health().await?);
    let found = checks(Found { status: &status, health: &health });
    let checks = found.iter().map(one).collect();
    Ok(Json(Doctor { listen: status.listen, checks }))
}

fn one(check: &Check) -> DoctorCheck {
    let (found, advice) = (check.found.clone(), check.advice.clone());
    DoctorCheck { check: check.name, state: check.state.name(), found, advice }
}
