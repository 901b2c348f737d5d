//! `PUT /api/v1/statuses/:id`: a new version of an own post. What the client leaves out of its text is gone, but
//! media, poll, language and visibility stay where it says nothing of them.

use axum::Json;
use xom_node::command::Command;

use crate::api::compose;
use crate::api::entities::Status;
use crate::api::lookup::{Id, post, status};
use crate::http::{ApiError, Call, Params};

/// Publishes the new version.
pub async fn put(call: Call, id: Id, params: Params) -> Result<Json<Status>, ApiError> {
    let old = post(&call, id).await?;
    if old.account.did != call.viewer() {
        return Err(ApiError::not_found().describe("the status is of another account"));
    }
    let new = compose::post(&call.node, call.viewer(), &params, Some(&old)).await?;
    call.node.command(call.viewer(), Command::Edit { status: old.id, post: Box::new(new) }).await?;
    let found = status(&call, old.id).await?;
    Ok(Json(Status::new(&call.base, &found)))
}
