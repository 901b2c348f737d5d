//! `/api/v1/statuses/:id`, and below it everything about statuses.

pub mod aside;
pub mod context;
pub mod create;
pub mod delete;
pub mod edit;
pub mod favourite;
pub mod history;
pub mod quotes;
pub mod reblog;
pub mod source;

use axum::Json;
use xom_node::model::StatusId;

use crate::api::entities::Status;
use crate::api::entities::status::statuses;
use crate::api::lookup::{Id, status};
use crate::http::{ApiError, Call, Params};

/// One status.
pub async fn get(call: Call, Id(id): Id) -> Result<Json<Status>, ApiError> {
    let found = status(&call, StatusId(id)).await?;
    Ok(Json(Status::new(&call.base, &found)))
}

/// Those of `id[]` that are held.
pub async fn list(call: Call, params: Params) -> Result<Json<Vec<Status>>, ApiError> {
    let ids = params.ids("id")?;
    let viewer = call.viewer();
    let read = call.node.read(move |reader| {
        let mut found = Vec::new();
        for id in ids {
            found.extend(reader.status(Some(&viewer), StatusId(id))?);
        }
        Ok(found)
    });
    let found = read.await?;
    Ok(Json(statuses(&call.base, &found)))
}
