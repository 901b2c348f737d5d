//! `/api/v1/statuses/:id/{reblog,unreblog,reblogged_by}`.

use axum::Json;
use xom_node::command::Command;

use crate::api::entities::{Account, Status};
use crate::api::lookup::{Id, post, status};
use crate::api::page;
use crate::http::link::{ACCOUNTS, LinkHeader, Paging};
use crate::http::{ApiError, Call, Params};

/// Passes it on; answers with the repost.
pub async fn reblog(call: Call, id: Id, params: Params) -> Result<Json<Status>, ApiError> {
    if params.text("visibility").is_some_and(|visibility| matches!(visibility.as_str(), "private" | "direct")) {
        return Err(ApiError::not_yet("Reposts for followers only are"));
    }
    let id = post(&call, id).await?.id;
    let done = call.node.command(call.viewer(), Command::Repost(id)).await?;
    let found = status(&call, done.status.unwrap_or(id)).await?;
    Ok(Json(Status::new(&call.base, &found)))
}

/// Takes the repost back; answers with the post.
pub async fn unreblog(call: Call, id: Id, _params: Params) -> Result<Json<Status>, ApiError> {
    let id = post(&call, id).await?.id;
    call.node.command(call.viewer(), Command::Unrepost(id)).await?;
    let found = status(&call, id).await?;
    Ok(Json(Status::new(&call.base, &found)))
}

/// Who passed it on, newest first.
pub async fn reblogged_by(call: Call, id: Id, params: Params) -> Result<(LinkHeader, Json<Vec<Account>>), ApiError> {
    let paging = Paging::read(&params, ACCOUNTS)?;
    let (page, id) = (*paging.page(), post(&call, id).await?.id);
    let found = call.node.read(move |reader| reader.reposted_by(id, &page)).await?;
    Ok(page::accounts(&call, &paging, found))
}
