//! `/api/v1/statuses/:id/history`: every version of a post, the first one first.

use axum::Json;

use crate::api::entities::StatusEdit;
use crate::api::lookup::{Id, post};
use crate::http::{ApiError, Call};

/// The versions.
pub async fn get(call: Call, id: Id) -> Result<Json<Vec<StatusEdit>>, ApiError> {
    let found = post(&call, id).await?;
    let id = found.id;
    let versions = call.node.read(move |reader| reader.versions(id)).await?.ok_or_else(ApiError::not_found)?;
    let edit = |(time_ms, version): &(u64, _)| StatusEdit::new(&call.base, &found, *time_ms, version);
    Ok(Json(versions.iter().map(edit).collect()))
}
