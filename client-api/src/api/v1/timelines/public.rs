//! `/api/v1/timelines/public`: all public posts that this node holds.

use axum::Json;
use xom_node::model::PublicScope;

use crate::api::entities::Status;
use crate::api::page;
use crate::http::link::{LinkHeader, Paging, STATUSES};
use crate::http::{ApiError, Call, Params};

/// A page of it.
pub async fn get(call: Call, params: Params) -> Result<(LinkHeader, Json<Vec<Status>>), ApiError> {
    let paging = Paging::read(&params, STATUSES)?;
    let (scope, only_media) = (scope(&params), params.flag("only_media").unwrap_or(false));
    let (viewer, page) = (call.viewer(), *paging.page());
    let found = call.node.read(move |reader| reader.public(Some(&viewer), scope, only_media, &page)).await?;
    Ok(page::statuses(&call, &paging, found))
}

/// Whose posts the parameters `local` and `remote` ask for.
pub fn scope(params: &Params) -> PublicScope {
    let flag = |name| params.flag(name).unwrap_or(false);
    match (flag("local"), flag("remote")) {
        (true, false) => PublicScope::Local,
        (false, true) => PublicScope::Remote,
        (true, true) | (false, false) => PublicScope::All,
    }
}
