//! `/api/xom/v1/reports`: what was reported to the owner of this node.

use axum::Json;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::{ApiError, Call};

/// A report that is kept for the owner.
#[derive(Serialize, Deserialize, ToSchema)]
pub struct KeptReport {
    /// Mastodon's entity `Report`.
    #[schema(value_type = Object)]
    report: Value,
    /// The DID that it is about.
    target: String,
    /// The DID that reported.
    by: String,
}

/// List the reports
///
/// All that are kept, newest first, with who reported.
#[utoipa::path(get, path = "/reports", operation_id = "listReports", tag = "node",
    responses((status = 200, description = "The reports", body = Vec<KeptReport>)))]
pub async fn get(call: Call) -> Result<Json<Vec<KeptReport>>, ApiError> {
    let Json(kept) = crate::api::v1::reports::list(call).await?;
    Ok(Json(kept.into_iter().filter_map(|report| serde_json::from_value(report).ok()).collect()))
}
