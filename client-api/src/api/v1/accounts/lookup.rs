//! `/api/v1/accounts/lookup`: the account that `acct` names: `lan`, `lan@<short>.xom`, or a DID.

use axum::Json;

use crate::api::entities::Account;
use crate::api::lookup::here;
use crate::http::{ApiError, Call, Params};

/// The account, or a 404.
pub async fn get(call: Call, params: Params) -> Result<Json<Account>, ApiError> {
    let acct = params.text("acct").ok_or_else(ApiError::not_found)?;
    let acct = here(&call.base, &acct);
    let found = call.node.read(move |reader| reader.resolve_account(&acct)).await?;
    let found = found.ok_or_else(ApiError::not_found)?;
    Ok(Json(Account::new(&call.base, &found)))
}
