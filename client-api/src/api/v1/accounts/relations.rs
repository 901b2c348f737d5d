//! `/api/v1/accounts/:id/{follow,unfollow,block,unblock}`; each answers with the relationship that is then.

use axum::Json;
use xom_node::command::Command;
use xom_node::model;
use xom_node::private::NO_REPOSTS;
use xom_protocol::Did;

use crate::api::entities::Relationship;
use crate::api::lookup::{Id, account};
use crate::api::private;
use crate::api::v1::lists;
use crate::http::{ApiError, Call, Params};

/// Follows; without what they pass on where `reblogs` is false.
pub async fn follow(call: Call, id: Id, params: Params) -> Result<Json<Relationship>, ApiError> {
    let other = account(&call, id).await?;
    match call.app.strangers().text(other.id) {
        // Its addresses are learnt too.
        Some(invite) => call.node.follow_invite(call.viewer(), invite).await.map(|_| ()),
        None => call.node.command(call.viewer(), Command::Follow(other.did)).await.map(|_| ()),
    }?;
    let key = format!("{NO_REPOSTS}{}", other.did);
    match params.flag("reblogs") {
        Some(false) => private::add(&call, key).await?,
        Some(true) => private::remove(&call, [key]).await?,
        None => {}
    }
    relationship(&call, &other).await
}

/// Ends a follow; who is not followed is in no list either.
pub async fn unfollow(call: Call, id: Id, _params: Params) -> Result<Json<Relationship>, ApiError> {
    let other = account(&call, id).await?;
    call.node.command(call.viewer(), Command::Unfollow(other.did)).await?;
    lists::accounts::forget(&call, other.did).await?;
    relationship(&call, &other).await
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
    call.node.command(call.viewer(), command(other.did)).await?;
    relationship(&call, &other).await
}

/// How the caller stands to an account now.
pub async fn relationship(call: &Call, other: &model::Account) -> Result<Json<Relationship>, ApiError> {
    let (viewer, did) = (call.viewer(), other.did);
    let relationship = call.node.read(move |reader| reader.relationship(&viewer, &did)).await?;
    Ok(Json(Relationship::new(other.id, &relationship)))
}
