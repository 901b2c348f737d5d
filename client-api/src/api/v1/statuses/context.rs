//! `/api/v1/statuses/:id/context`: the thread around a status.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use xom_node::StoreError;

use crate::api::entities::Context;
use crate::api::lookup::{Id, post};
use crate::http::{ApiError, Call};

/// From the first post down to the parent, and the answers. Thousands of them are rendered where they are read, so
/// that nobody else waits for it.
pub async fn get(call: Call, id: Id) -> Result<Response, ApiError> {
    let (id, viewer) = (post(&call, id).await?.id, call.viewer());
    let base = call.base.clone();
    let read = call.node.read(move |reader| {
        let found = reader.context(Some(&viewer), id)?;
        let written = found.map(|found| serde_json::to_vec(&Context::new(&base, &found)));
        written.transpose().map_err(|cause| StoreError::Damaged(format!("a thread that can't be written: {cause}")))
    });
    let json = read.await?.ok_or_else(ApiError::not_found)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}
