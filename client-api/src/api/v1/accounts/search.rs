//! `/api/v1/accounts/search`: accounts alone, as a list.

use axum::Json;

use crate::api::entities::Account;
use crate::api::v2::search::{Part, find_accounts};
use crate::http::link::ACCOUNTS;
use crate::http::{ApiError, Call, Params};

/// The accounts that `q` names, or whose names begin so.
pub async fn get(call: Call, params: Params) -> Result<Json<Vec<Account>>, ApiError> {
    let query = params.text("q").unwrap_or_default().trim().to_owned();
    let part = Part::read(&params, ACCOUNTS)?;
    if query.is_empty() {
        return Ok(Json(Vec::new()));
    }
    let found = find_accounts(&call, &params, &query, part).await?;
    Ok(Json(found.iter().map(|account| Account::new(&call.base, account)).collect()))
}
