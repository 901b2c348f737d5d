//! `DELETE /api/v1/statuses/:id`: takes an own status back. Answers with its text, to write it again.

use axum::Json;
use xom_node::command::Command;
use xom_node::model::StatusId;

use crate::api::entities::Status;
use crate::api::lookup::{Id, status};
use crate::http::{ApiError, Call};

/// Hides it everywhere at once; its bytes go seven days later.
pub async fn delete(call: Call, Id(id): Id) -> Result<Json<Status>, ApiError> {
    let found = status(&call, StatusId(id)).await?;
    call.node.command(call.viewer(), Command::Erase { status: found.id, now: None }).await?;
    Ok(Json(Status::deleted(&call.base, &found)))
}
