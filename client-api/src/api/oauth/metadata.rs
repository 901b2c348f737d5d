//! `/.well-known/oauth-authorization-server` (RFC 8414): what this node can do for apps, and where.

use std::future::{Ready, ready};

use axum::Json;
use serde_json::{Value, json};

use crate::http::call::Anonymous;
use crate::oauth::scope;

/// The metadata. The issuer is the name under which the node was reached, and so is `iss` in answers.
pub fn get(Anonymous(base): Anonymous) -> Ready<Json<Value>> {
    let scopes: Vec<&str> = scope::names().collect();
    ready(Json(json!({
        "issuer": base.as_str(),
        "authorization_endpoint": base.url("/oauth/authorize"),
        "token_endpoint": base.url("/oauth/token"),
        "revocation_endpoint": base.url("/oauth/revoke"),
        "userinfo_endpoint": base.url("/oauth/userinfo"),
        "app_registration_endpoint": base.url("/api/v1/apps"),
        "scopes_supported": scopes,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "service_documentation": "https://docs.joinmastodon.org/",
    })))
}
