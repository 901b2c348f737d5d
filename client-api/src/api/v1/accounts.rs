//! `/api/v1/accounts/:id`, and below it everything about accounts.

pub mod familiar_followers;
pub mod follows;
pub mod lookup;
pub mod mutes;
pub mod register;
pub mod relations;
pub mod relationships;
pub mod search;
pub mod statuses;
pub mod update_credentials;
pub mod verify_credentials;

use axum::Json;

use crate::api::entities::Account;
use crate::api::lookup::{Id, account};
use crate::http::{ApiError, Call};

/// One account.
pub async fn get(call: Call, id: Id) -> Result<Json<Account>, ApiError> {
    let found = account(&call, id).await?;
    Ok(Json(Account::new(&call.base, &found)))
}
