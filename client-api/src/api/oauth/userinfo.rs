//! `/oauth/userinfo`: who has logged in, in the words of `OpenID` Connect.

use axum::Json;
use serde_json::{Value, json};

use crate::api::entities::Account;
use crate::api::lookup::own_account;
use crate::http::{ApiError, Call};

/// The caller's own account.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let account = own_account(&call).await?;
    let shown = serde_json::to_value(Account::new(&call.base, &account)).unwrap_or_default();
    Ok(Json(json!({
        "iss": call.base.as_str(),
        "sub": account.did.to_string(),
        "name": shown["display_name"],
        "preferred_username": account.username,
        "profile": shown["url"],
        "picture": shown["avatar"],
    })))
}
