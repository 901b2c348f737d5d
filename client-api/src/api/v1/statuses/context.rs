//! `/api/v1/statuses/:id/context`: the thread around a status.

use axum::Json;

use crate::api::entities::Context;
use crate::api::lookup::{Id, post};
use crate::http::{ApiError, Call};

/// From the first post down to the parent, and the answers.
pub async fn get(call: Call, id: Id) -> Result<Json<Context>, ApiError> {
    let (id, viewer) = (post(&call, id).await?.id, call.viewer());
    let found = call.node.read(move |reader| reader.context(Some(&viewer), id)).await?;
    let found = found.ok_or_else(ApiError::not_found)?;
    Ok(Json(Context::new(&call.base, &found)))
}
