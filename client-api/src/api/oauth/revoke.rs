//! `POST /oauth/revoke` (RFC 7009): an app gives its token back.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use super::{authenticate, refused};
use crate::http::{ApiError, App, Params};

/// Ends the token and every stream that it holds open. One that is not there is no error.
pub async fn post(State(app): State<App>, headers: HeaderMap, mut params: Params) -> Result<Json<Value>, ApiError> {
    let by = authenticate(&app, &headers, &mut params).await?;
    let token = params.take_secret("token");
    let token = token.ok_or_else(|| refused("invalid_request", "Missing required parameter: token"))?;
    let Some(grant) = app.registry().find(token.trim()).await? else { return Ok(Json(json!({}))) };
    // Whoever holds a token may end it; the app that it is of must be named all the same.
    if grant.client.id != by.client.id {
        let why = "You are not authorized to revoke this token";
        return Err(ApiError::with_text(crate::http::ErrorKind::Forbidden, "unauthorized_client").describe(why));
    }
    app.registry().end(|other| other.digest() == grant.digest()).await?;
    Ok(Json(json!({})))
}
