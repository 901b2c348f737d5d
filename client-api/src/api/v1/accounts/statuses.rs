//! `/api/v1/accounts/:id/statuses`: what somebody wrote and passed on, imports in their old place.

use axum::Json;
use xom_node::model::AuthorFilter;
use xom_node::private::PIN;

use crate::api::entities::Status;
use crate::api::lookup::{Id, account};
use crate::api::page;
use crate::http::link::{LinkHeader, Paging, STATUSES};
use crate::http::{ApiError, Call, Params};

/// A page of them.
pub async fn get(call: Call, id: Id, params: Params) -> Result<(LinkHeader, Json<Vec<Status>>), ApiError> {
    let paging = Paging::read(&params, STATUSES)?;
    let author = account(&call, id).await?.did;
    if params.flag("pinned").unwrap_or(false) {
        let (viewer, page) = (call.viewer(), *paging.page());
        let found = call.node.read(move |reader| reader.set_aside(&viewer, &author, PIN, &page)).await?;
        return Ok(page::set_aside(&call, &paging, found));
    }
    let flag = |name| params.flag(name).unwrap_or(false);
    let filter = AuthorFilter {
        only_media: flag("only_media"),
        exclude_replies: flag("exclude_replies"),
        exclude_reposts: flag("exclude_reblogs"),
        tagged: params.text("tagged").map(|tag| tag.trim_start_matches('#').to_owned()),
    };
    let (viewer, page) = (call.viewer(), *paging.page());
    let found = call.node.read(move |reader| reader.author_statuses(Some(&viewer), &author, &filter, &page)).await?;
    Ok(page::statuses(&call, &paging, found))
}
