//! `/api/v1/statuses/:id/quotes`, and who may quote. A public post of xom may be quoted by everybody, as it may be
//! read by everybody: what pretends otherwise is refused in words.

use axum::Json;
use axum::extract::Path;

use crate::api::entities::Status;
use crate::api::lookup::{Id, post};
use crate::api::page;
use crate::http::link::{LinkHeader, Paging, STATUSES};
use crate::http::{ApiError, Call, Params};

/// Posts that quote it, newest first.
pub async fn list(call: Call, id: Id, params: Params) -> Result<(LinkHeader, Json<Vec<Status>>), ApiError> {
    let paging = Paging::read(&params, STATUSES)?;
    let quoted = post(&call, id).await?.id;
    let (viewer, page) = (call.viewer(), *paging.page());
    let found = call.node.read(move |reader| reader.quotes(&viewer, quoted, &page)).await?;
    Ok(page::statuses(&call, &paging, found))
}

/// A quote is an entry of whoever quotes, and nobody else can take it back.
pub async fn revoke(
    call: Call,
    Path((id, _)): Path<(String, String)>,
    _params: Params,
) -> Result<Json<Status>, ApiError> {
    let id = crate::http::form::parse_id(&id).ok_or_else(ApiError::not_found)?;
    post(&call, Id(id)).await?;
    Err(ApiError::invalid("A quote is its author's own entry; block them to see them no more"))
}

/// Who may quote: everybody.
pub async fn interaction_policy(call: Call, id: Id, params: Params) -> Result<Json<Status>, ApiError> {
    let found = post(&call, id).await?;
    if found.account.did != call.viewer() {
        return Err(ApiError::not_found());
    }
    match params.text("quote_approval_policy").as_deref() {
        None | Some("public") => Ok(Json(Status::new(&call.base, &found))),
        Some(_) => Err(ApiError::invalid("Everybody may quote what everybody may read")),
    }
}
