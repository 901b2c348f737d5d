//! `/api/xom/v1/apps`: which apps the owner has let in, and putting them out. For the owner's own token only.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use utoipa::ToSchema;

use crate::api::entities::timestamp;
use crate::http::{ApiError, Call};
use crate::oauth::Grant;

/// A login of an app.
#[derive(Serialize, ToSchema)]
pub struct AppLogin {
    /// Names this login, for revoking it.
    id: String,
    /// The id of the app, for revoking all of its logins.
    app: String,
    /// What the app calls itself.
    name: String,
    /// Where the app says to live.
    website: Option<String>,
    /// The user name of the identity that it logged in as; none for an app that speaks for nobody.
    identity: Option<String>,
    /// The DID of that identity.
    did: Option<String>,
    /// What it may do.
    scopes: Vec<&'static str>,
    /// When it logged in.
    created_at: String,
    /// When its token was last used, to the minute or so.
    last_used_at: Option<String>,
}

/// What was revoked.
#[derive(Serialize, ToSchema)]
pub struct Revoked {
    /// How many logins ended.
    revoked: usize,
}

/// List the logins of apps
///
/// Every login of every app, of all identities of this node.
#[utoipa::path(get, path = "/apps", operation_id = "listApps", tag = "apps",
    responses((status = 200, description = "The logins", body = Vec<AppLogin>)))]
pub async fn get(call: Call) -> Result<Json<Vec<AppLogin>>, ApiError> {
    let mut list = Vec::new();
    for grant in call.app.registry().grants().await? {
        list.push(entity(&call, &grant).await?);
    }
    Ok(Json(list))
}

/// Revoke a login or an app
///
/// Ends one login by its id, or all of an app by the id of the app, which is forgotten then. Their streams end too.
#[utoipa::path(post, path = "/apps/{id}/revoke", operation_id = "revokeApp", tag = "apps",
    params(("id" = String, Path, description = "The id of a login or of an app")),
    responses((status = 200, description = "It has ended", body = Revoked)))]
pub async fn revoke(call: Call, Path(id): Path<String>) -> Result<Json<Revoked>, ApiError> {
    let registry = call.app.registry();
    let of_app = registry.grants().await?.iter().filter(|grant| grant.client.id == id).count();
    if registry.remove(&id).await? {
        return Ok(Json(Revoked { revoked: of_app }));
    }
    match registry.end(|grant| grant.did.is_some() && grant.id() == id).await? {
        0 => Err(ApiError::not_found()),
        revoked => Ok(Json(Revoked { revoked })),
    }
}

async fn entity(call: &Call, grant: &Grant) -> Result<AppLogin, ApiError> {
    let identity = match &grant.did {
        Some(did) => call.app.identity_of(did).await?,
        None => None,
    };
    Ok(AppLogin {
        id: grant.id(),
        app: grant.client.id.clone(),
        name: grant.client.name.clone(),
        website: grant.client.website.clone(),
        identity: identity.map(|identity| identity.username),
        did: grant.did.map(|did| did.to_string()),
        scopes: grant.scopes.names(),
        created_at: timestamp(grant.created_ms),
        last_used_at: grant.last_used_ms().map(timestamp),
    })
}
