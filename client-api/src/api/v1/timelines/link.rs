//! `/api/v1/timelines/link`: public posts that name a web address.

use axum::Json;

use crate::api::compose::lower_scheme;
use crate::api::entities::Status;
use crate::api::page;
use crate::http::link::{LinkHeader, Paging, STATUSES};
use crate::http::{ApiError, Call, Params};

/// A page of them.
pub async fn get(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<Status>>), ApiError> {
    let paging = Paging::read(&params, STATUSES)?;
    let url = params.text("url").ok_or_else(|| ApiError::invalid("Url can't be blank"))?;
    let (viewer, page, url) = (call.viewer(), *paging.page(), lower_scheme(url.trim()));
    let found = call.node.read(move |reader| reader.link(&viewer, &url, &page)).await?;
    Ok(page::statuses(&call, &paging, found))
}
