//! `/api/v1/statuses/:id/source`: the plain text, for an editor.

use axum::Json;
use serde_json::{Value, json};
use xom_node::model::StatusContent;

use crate::api::lookup::{Id, post};
use crate::http::{ApiError, Call};

/// The text and the content warning of the newest version.
pub async fn get(call: Call, id: Id) -> Result<Json<Value>, ApiError> {
    let found = post(&call, id).await?;
    let StatusContent::Post(view) = &found.content else { return Err(ApiError::not_found()) };
    Ok(Json(json!({"id": found.id.0.to_string(), "text": view.post.text, "spoiler_text": view.post.warning})))
}
