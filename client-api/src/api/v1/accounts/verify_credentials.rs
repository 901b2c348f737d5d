//! `/api/v1/accounts/verify_credentials`: who the token speaks for.

use axum::Json;

use crate::api::entities::CredentialAccount;
use crate::api::lookup::own_account;
use crate::http::{ApiError, Call};

/// The caller's own account.
pub async fn get(call: Call) -> Result<Json<CredentialAccount>, ApiError> {
    let account = own_account(&call).await?;
    let role = call.app.people().role(&call.viewer()).await?;
    Ok(Json(CredentialAccount::new(&call.base, &account).with_role(role)))
}
