//! `/api/v1/accounts/:id/{follow,unfollow,block,unblock}`; each answers with the relationship that is then.

use axum::Json;
use xom_node::command::Command;
use xom_protocol::Did;

use crate::api::entities::Relationship;
use crate::api::lookup::{Id, account};
use crate::http::{ApiError, Call, Params};

/// Follows.
pub async fn follow(call: Call, id: Id, _params: Params) -> Result<Json<Relationship>, ApiError> {
    command(call, id, Command::Follow).await
}

/// Ends a follow.
pub async fn unfollow(call: Call, id: Id, _params: Params) -> Result<Json<Relationship>, ApiError> {
    command(call, id, Command::Unfollow).await
}

/// Blocks.
pub async fn block(call: Call, id: Id, _params: Params) -> Result<Json<Relationship>, ApiError> {
    command(call, id, Command::Block).await
}

/// Ends a block.
pub async fn unblock(call: Call, id: Id, _params: Params) -> Result<Json<Relationship>, ApiError> {
    command(call, id, Command::Unblock).await
}

async fn command(call: Call, id: Id, command: fn(Did) -> Command) -> Result<Json<Relationship>, ApiError> {
    let other = account(&call, id).await?;
    let viewer = call.viewer();
    call.node.command(viewer, command(other.did)).await?;
    let relationship = call.node.read(move |reader| reader.relationship(&viewer, &other.did)).await?;
    Ok(Json(Relationship::new(other.id, &relationship)))
}
