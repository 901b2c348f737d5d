//! `POST /api/v1/statuses`: a new post. A client that sends an `Idempotency-Key` may try again without fear.

use axum::Json;
use axum::http::HeaderMap;
use xom_node::command::Command;
use xom_node::model::StatusId;

use crate::api::compose;
use crate::api::entities::Status;
use crate::api::lookup::{Id, post as parent_post, status};
use crate::http::{ApiError, Call, Params};

/// Publishes; durable when it answers.
pub async fn post(call: Call, headers: HeaderMap, params: Params) -> Result<Json<Status>, ApiError> {
    let mut claim = call.app.idempotency().claim(call.viewer(), &headers, &params).await?;
    if let Some(id) = claim.as_ref().and_then(|claim| claim.answered()) {
        return answer(&call, id).await;
    }
    let reply_to = match params.id("in_reply_to_id")? {
        Some(id) => Some(parent_post(&call, Id(id)).await?.id),
        None => None,
    };
    let post = compose::post(&call.node, call.viewer(), &params, None).await?;
    let command = Command::Post { post: Box::new(post), reply_to, quote_of: None };
    let done = call.node.command(call.viewer(), command).await?;
    let id = done.status.ok_or_else(ApiError::not_found)?;
    if let Some(claim) = &mut claim {
        claim.answer(id);
    }
    answer(&call, id).await
}

async fn answer(call: &Call, id: StatusId) -> Result<Json<Status>, ApiError> {
    let found = status(call, id).await?;
    Ok(Json(Status::new(&call.base, &found)))
}
