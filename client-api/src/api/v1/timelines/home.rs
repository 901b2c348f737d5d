//! `/api/v1/timelines/home`: own posts and those of follows. Complete: no cap, nothing ranked away.

use axum::Json;

use crate::api::entities::Status;
use crate::api::page;
use crate::http::link::{LinkHeader, Paging, STATUSES};
use crate::http::{ApiError, Call, Params};

/// A page of it.
pub async fn get(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<Status>>), ApiError> {
    let paging = Paging::read(&params, STATUSES)?;
    let (viewer, page) = (call.viewer(), *paging.page());
    let found = call.node.read(move |reader| reader.home(&viewer, &page)).await?;
    Ok(page::statuses(&call, &paging, found))
}
