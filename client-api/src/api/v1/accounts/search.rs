//! `/api/v1/accounts/search`: accounts alone, as a list.

use axum::Json;

use crate::api::entities::Account;
use crate::api::v2::search::find_accounts;
use crate::http::link::{ACCOUNTS, Paging};
use crate::http::{ApiError, Call, Params};

/// The accounts that `q` names or is a part of.
pub async fn get(call: Call, params: Params) -> Result<Json<Vec<Account>>, ApiError> {
    let query = params.text("q").unwrap_or_default().trim().to_owned();
    let limit = Paging::read(&params, ACCOUNTS)?.page().limit - 1;
    let is_later_page = params.number("offset")?.is_some_and(|offset| offset > 0);
    if query.is_empty() || is_later_page {
        return Ok(Json(Vec::new()));
    }
    let followed_only = params.flag("following").unwrap_or(false);
    let viewer = call.viewer();
    let read = call.node.read(move |reader| find_accounts(reader, &viewer, &query, followed_only, limit));
    let found = read.await?;
    Ok(Json(found.iter().map(|account| Account::new(&call.base, account)).collect()))
}
