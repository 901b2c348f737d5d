//! `POST /api/v1/statuses`: a new post. A client that sends an `Idempotency-Key` may try again without fear.

use axum::Json;
use axum::http::HeaderMap;
use xom_node::command::Command;
use xom_node::model::StatusId;

use crate::api::entities::Status;
use crate::api::lookup::{Id, post as parent_post, status};
use crate::api::{compose, idempotency};
use crate::http::{ApiError, Call, Params};

/// Publishes; durable when it answers, and so is the key under which it was asked for.
pub async fn post(call: Call, headers: HeaderMap, params: Params) -> Result<Json<Status>, ApiError> {
    let key = idempotency::key(&call, &headers)?;
    let made = async || match key {
        Some(key) => call.node.made_under(key).await,
        None => Ok(None),
    };
    if let Some(id) = made().await? {
        return answer(&call, id).await;
    }
    let command = match read(&call, &params).await {
        Ok(command) => command,
        // The same request may have come twice at once, and the first has used up the media.
        Err(refused) => {
            let id = made().await?.ok_or(refused)?;
            return answer(&call, id).await;
        }
    };
    let done = match key {
        Some(key) => call.node.command_once(call.viewer(), key, command).await?,
        None => call.node.command(call.viewer(), command).await?,
    };
    answer(&call, done.status.ok_or_else(ApiError::not_found)?).await
}

async fn read(call: &Call, params: &Params) -> Result<Command, ApiError> {
    let reply_to = match params.id("in_reply_to_id")? {
        Some(id) => Some(parent_post(call, Id(id)).await?.id),
        None => None,
    };
    let post = compose::post(&call.node, call.viewer(), params, None).await?;
    Ok(Command::Post { post: Box::new(post), reply_to, quote_of: None })
}

async fn answer(call: &Call, id: StatusId) -> Result<Json<Status>, ApiError> {
    let found = status(call, id).await?;
    Ok(Json(Status::new(&call.base, &found)))
}
