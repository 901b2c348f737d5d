//! `POST /api/v1/statuses`: a new post. A client that sends an `Idempotency-Key` may try again without fear.

use axum::Json;
use axum::http::HeaderMap;
use serde::Serialize;
use xom_node::model::StatusId;

use crate::api::entities::Status;
use crate::api::lookup::status;
use crate::api::v1::scheduled_statuses::{self, ScheduledStatus};
use crate::api::{idempotency, posting};
use crate::http::{ApiError, Call, Params};

/// What came of a new post.
#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
pub enum Posted {
    /// It was published.
    Status(Box<Status>),
    /// It waits for its time.
    Scheduled(Box<ScheduledStatus>),
}

/// Publishes, or keeps for later; durable when it answers, and so is the key under which it was asked for.
pub async fn post(call: Call, headers: HeaderMap, params: Params) -> Result<Json<Posted>, ApiError> {
    if let Some(scheduled) = scheduled_statuses::keep(&call, &params, idempotency::text(&call, &headers)?).await? {
        return Ok(Json(Posted::Scheduled(Box::new(scheduled))));
    }
    let key = idempotency::key(&call, &headers)?;
    let made = async || match key {
        Some(key) => call.node.made_under(key).await,
        None => Ok(None),
    };
    if let Some(id) = made().await? {
        return answer(&call, id).await;
    }
    let command = match posting::command(&call.node, call.viewer(), &params).await {
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

async fn answer(call: &Call, id: StatusId) -> Result<Json<Posted>, ApiError> {
    let found = status(call, id).await?;
    Ok(Json(Posted::Status(Box::new(Status::new(&call.base, &found)))))
}
