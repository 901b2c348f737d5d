//! `/api/v1/apps`: an app registers, and asks what it is. Anybody may; being registered opens nothing.

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use serde_json::{Value, json};

use crate::api::compose::now_ms;
use crate::http::auth::bearer;
use crate::http::{ApiError, App, Caller, Params};
use crate::oauth::{Client, Registration, scope};

/// Registers. The secret is shown here and never again.
pub async fn post(State(app): State<App>, headers: HeaderMap, params: Params) -> Result<Json<Value>, ApiError> {
    let scopes = params.text("scopes").or_else(|| params.text("scope")).unwrap_or_default();
    let registration = Registration::read(
        &params.text("client_name").unwrap_or_default(),
        params.text("website").as_deref(),
        &params.texts("redirect_uris"),
        &scopes,
    );
    let registration = registration.map_err(|error| ApiError::invalid(error.to_string()))?;
    let by_owner = bearer(&headers).is_some_and(|token| app.token().is(token));
    let (client, secret) = app.registry().register(registration, by_owner, now_ms()).await?;
    let mut entity = entity(&client, app.vapid_public());
    entity["client_id"] = json!(client.id);
    entity["client_secret"] = json!(secret.as_str());
    entity["client_secret_expires_at"] = json!(0);
    Ok(Json(entity))
}

/// What the app of the caller's token is. The owner's own token is of no app, and is shown as xom itself.
pub async fn verify_credentials(State(app): State<App>, caller: Caller) -> Json<Value> {
    let key = app.vapid_public();
    match caller {
        Caller::App(grant) => Json(entity(&grant.client, key)),
        Caller::Owner => Json(json!({
            "id": "0",
            "name": "xom",
            "website": null,
            "scopes": scope::names().collect::<Vec<_>>(),
            "redirect_uri": "",
            "redirect_uris": [],
            "vapid_key": key,
        })),
    }
}

fn entity(client: &Client, vapid_key: &str) -> Value {
    let uris: Vec<&str> = client.redirects.iter().map(|uri| uri.as_str()).collect();
    json!({
        "id": client.number.to_string(),
        "name": client.name,
        "website": client.website,
        "scopes": client.scopes.names(),
        "redirect_uri": uris.join("\n"),
        "redirect_uris": uris,
        "vapid_key": vapid_key,
    })
}
