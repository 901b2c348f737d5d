//! `POST /oauth/token`: a code, or an app's own secret, for a token.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::{Authenticated, authenticate, refused};
use crate::api::compose::now_ms;
use crate::http::{ApiError, App, Params};
use crate::oauth::code::Redemption;
use crate::oauth::{Grant, Scopes};

/// Answers the token, once.
pub async fn post(State(app): State<App>, headers: HeaderMap, mut params: Params) -> Result<Json<Value>, ApiError> {
    let by = authenticate(&app, &headers, &mut params).await?;
    match params.text("grant_type").as_deref() {
        Some("authorization_code") => of_code(&app, &by, &mut params).await,
        Some("client_credentials") => of_client(&app, &by, &params).await,
        Some(_) => Err(refused("unsupported_grant_type", "Use authorization_code or client_credentials")),
        None => Err(refused("invalid_request", "Missing required parameter: grant_type")),
    }
}

async fn of_code(app: &App, by: &Authenticated, params: &mut Params) -> Result<Json<Value>, ApiError> {
    let missing = |name: &str| refused("invalid_request", &format!("Missing required parameter: {name}"));
    let code = params.take_secret("code").ok_or_else(|| missing("code"))?;
    let redirect = params.text("redirect_uri").ok_or_else(|| missing("redirect_uri"))?;
    let verifier = params.take_secret("code_verifier");
    let redemption = Redemption {
        code: code.trim(),
        client: &by.client.id,
        authenticated: by.by_secret,
        redirect: &redirect,
        verifier: verifier.as_ref().map(|verifier| verifier.as_str()),
    };
    let made = app.registry().redeem(&by.client, &redemption, now_ms()).await?;
    let invalid = || {
        refused(
            "invalid_grant",
            "The code is unknown, expired or used, or it belongs to another app, redirect URI or code verifier",
        )
    };
    let (grant, token) = made.ok_or_else(invalid)?;
    Ok(answer(&grant, &token))
}

async fn of_client(app: &App, by: &Authenticated, params: &Params) -> Result<Json<Value>, ApiError> {
    if !by.by_secret {
        return Err(refused("invalid_client", "Client authentication failed: the secret is missing"));
    }
    let scopes = match params.text("scope") {
        Some(text) => Scopes::parse(&text).map_err(|error| refused("invalid_scope", &error.to_string()))?,
        None => by.client.scopes.clone(),
    };
    if !by.client.scopes.cover_all(&scopes) {
        return Err(refused("invalid_scope", "The app is not registered for these scopes"));
    }
    let (grant, token) = app.registry().issue_to_client(&by.client, scopes, now_ms()).await?;
    Ok(answer(&grant, &token))
}

fn answer(grant: &Grant, token: &Zeroizing<String>) -> Json<Value> {
    Json(json!({
        "access_token": token.as_str(),
        "token_type": "Bearer",
        "scope": grant.scopes.to_string(),
        "created_at": grant.created_ms / 1_000,
    }))
}
