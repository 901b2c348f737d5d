//! `/api/v1/bookmarks` and `/api/v1/favourites`: what the caller put aside and what he likes, newest first.

use axum::Json;
use xom_node::private::BOOKMARK;

use crate::api::entities::Status;
use crate::api::page;
use crate::http::link::{LinkHeader, Paging, STATUSES};
use crate::http::{ApiError, Call, Params};

/// What was put aside, by when it was.
pub async fn bookmarks(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<Status>>), ApiError> {
    let paging = Paging::read(&params, STATUSES)?;
    let (viewer, page) = (call.viewer(), *paging.page());
    let found = call.node.read(move |reader| reader.set_aside(&viewer, &viewer, BOOKMARK, &page)).await?;
    Ok(page::set_aside(&call, &paging, found))
}

/// What he likes, by when he did.
pub async fn favourites(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<Status>>), ApiError> {
    let paging = Paging::read(&params, STATUSES)?;
    let (viewer, page) = (call.viewer(), *paging.page());
    let found = call.node.read(move |reader| reader.favourites(&viewer, &page)).await?;
    Ok(page::set_aside(&call, &paging, found))
}
