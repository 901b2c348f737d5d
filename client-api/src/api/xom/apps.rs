//! `/api/xom/v1/apps`: which apps the owner has let in, and putting them out. For the owner's own token only.

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};

use crate::api::entities::timestamp;
use crate::http::{ApiError, Call};
use crate::oauth::Grant;

/// Every login of an app, of all identities of this node.
pub async fn get(call: Call) -> Result<Json<Value>, ApiError> {
    let mut list = Vec::new();
    for grant in call.app.registry().grants().await? {
        list.push(entity(&call, &grant).await?);
    }
    Ok(Json(json!(list)))
}

/// Ends one login by its id, or all of an app by the id of the app, which is forgotten then. Their streams end too.
pub async fn revoke(call: Call, Path(id): Path<String>) -> Result<Json<Value>, ApiError> {
    let registry = call.app.registry();
    let of_app = registry.grants().await?.iter().filter(|grant| grant.client.id == id).count();
    if registry.remove(&id).await? {
        return Ok(Json(json!({"revoked": of_app})));
    }
    match registry.end(|grant| grant.did.is_some() && grant.id() == id).await? {
        0 => Err(ApiError::not_found()),
        count => Ok(Json(json!({"revoked": count}))),
    }
}

async fn entity(call: &Call, grant: &Grant) -> Result<Value, ApiError> {
    let identity = match &grant.did {
        Some(did) => call.app.identity_of(did).await?,
        None => None,
    };
    Ok(json!({
        "id": grant.id(),
        "app": grant.client.id,
        "name": grant.client.name,
        "website": grant.client.website,
        "identity": identity.map(|identity| identity.username),
        "did": grant.did.map(|did| did.to_string()),
        "scopes": grant.scopes.names(),
        "created_at": timestamp(grant.created_ms),
        "last_used_at": grant.last_used_ms().map(timestamp),
    }))
}
