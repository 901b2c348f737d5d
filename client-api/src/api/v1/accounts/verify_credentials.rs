//! `/api/v1/accounts/verify_credentials`: who the token speaks for.

use axum::Json;

use super::update_credentials::credentials;
use crate::api::entities::CredentialAccount;
use crate::http::{ApiError, Call};

/// The caller's own account.
pub async fn get(call: Call) -> Result<Json<CredentialAccount>, ApiError> {
    credentials(&call).await
}
