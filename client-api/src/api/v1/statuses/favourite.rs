//! `/api/v1/statuses/:id/{favourite,unfavourite,favourited_by}`.

use axum::Json;
use xom_node::command::Command;
use xom_node::model::StatusId;

use crate::api::entities::{Account, Status};
use crate::api::lookup::{Id, post, status};
use crate::api::page;
use crate::http::link::{ACCOUNTS, LinkHeader, Paging};
use crate::http::{ApiError, Call, Params};

/// Likes it.
pub async fn favourite(call: Call, id: Id, _params: Params) -> Result<Json<Status>, ApiError> {
    command(&call, id, Command::Favourite).await
}

/// Takes the like back.
pub async fn unfavourite(call: Call, id: Id, _params: Params) -> Result<Json<Status>, ApiError> {
    command(&call, id, Command::Unfavourite).await
}

/// Who likes it, newest first.
pub async fn favourited_by(call: Call, id: Id, params: Params) -> Result<(LinkHeader, Json<Vec<Account>>), ApiError> {
    let paging = Paging::read(&params, ACCOUNTS)?;
    let (page, id) = (*paging.page(), post(&call, id).await?.id);
    let found = call.node.read(move |reader| reader.favourited_by(id, &page)).await?;
    Ok(page::accounts(&call, &paging, found))
}

async fn command(call: &Call, id: Id, command: fn(StatusId) -> Command) -> Result<Json<Status>, ApiError> {
    let id = post(call, id).await?.id;
    call.node.command(call.viewer(), command(id)).await?;
    let found = status(call, id).await?;
    Ok(Json(Status::new(&call.base, &found)))
}
