//! `POST /api/v1/accounts`: somebody registers through an app, as far as the settings let strangers.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use crate::api::compose::now_ms;
use crate::http::call::Caller;
use crate::http::{ApiError, App, ErrorKind, Params};
use crate::people::{Newcomer, Role};

/// The scope that the app's own token needs.
const SCOPE: &str = "write:accounts";

/// Makes an identity and answers the app's token for it. No e-mail address is asked for; one that is sent is not kept.
pub async fn post(caller: Caller, State(app): State<App>, mut params: Params) -> Result<Json<Value>, ApiError> {
    let Caller::App(grant) = caller else { return Err(for_apps()) };
    if grant.did.is_some() || !grant.scopes.cover(SCOPE) {
        return Err(for_apps());
    }
    if !params.flag("agreement").unwrap_or(false) {
        return Err(blank("agreement", "Agreement must be accepted", "ERR_ACCEPTED", "must be accepted"));
    }
    let username = params.text("username");
    let username =
        username.ok_or_else(|| blank("username", "Username can't be blank", "ERR_BLANK", "can't be blank"))?;
    let password = params.take_secret("password");
    let password =
        password.ok_or_else(|| blank("password", "Password can't be blank", "ERR_BLANK", "can't be blank"))?;
    let code = params.take_secret("invite_code");
    let newcomer = Newcomer { username, password, role: Role::Member };
    let did = app.people().register(newcomer, code.as_ref().map(|code| code.as_str()), now_ms()).await?;
    let made = app.registry().issue_to_newcomer(&grant.client, did, grant.scopes.clone(), now_ms()).await;
    let (grant, token) = made?;
    Ok(Json(json!({
        "access_token": token.as_str(),
        "token_type": "Bearer",
        "scope": grant.scopes.to_string(),
        "created_at": grant.created_ms / 1_000,
    })))
}

fn for_apps() -> ApiError {
    ApiError::with_text(ErrorKind::Forbidden, "This method requires an application token with the scope write:accounts")
}

fn blank(field: &str, text: &str, code: &str, why: &str) -> ApiError {
    ApiError::invalid(text).with("details", json!({ field: [{ "error": code, "description": why }] }))
}
