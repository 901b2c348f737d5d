//! `/oauth`: tokens for apps (RFC 6749, 7009, 7636, 8414, 9207), as Mastodon serves them. The page of consent is the
//! page's.

pub mod metadata;
pub mod revoke;
pub mod token;
pub mod userinfo;

use axum::Router;
use axum::http::{HeaderMap, header};
use axum::routing::{get, post};
use data_encoding::BASE64;
use std::sync::Arc;
use zeroize::Zeroizing;

use crate::http::{ApiError, App, ErrorKind, Params};
use crate::oauth::{Client, RegistryError};

/// The routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/token", post(token::post))
        .route("/revoke", post(revoke::post))
        .route("/userinfo", get(userinfo::get).post(userinfo::get))
}

/// An app that calls, and whether it has shown its secret.
struct Authenticated {
    client: Arc<Client>,
    by_secret: bool,
}

/// An error of RFC 6749: its code, and words for people.
fn refused(code: &str, why: &str) -> ApiError {
    let kind = if code == "invalid_client" { ErrorKind::Unauthorized } else { ErrorKind::Malformed };
    ApiError::with_text(kind, code).describe(why)
}

/// Finds out which app calls: by `client_id` and `client_secret` in the body, or by HTTP Basic. A secret that is given
/// must be right.
async fn authenticate(app: &App, headers: &HeaderMap, params: &mut Params) -> Result<Authenticated, ApiError> {
    let (id, secret) = match basic(headers) {
        Some((id, secret)) => (Some(id), Some(secret)),
        None => (params.text("client_id"), params.take_secret("client_secret")),
    };
    let unknown = || refused("invalid_client", "Client authentication failed: unknown client, or a wrong secret");
    let client = app.registry().client(&id.ok_or_else(unknown)?).await?.ok_or_else(unknown)?;
    match secret {
        Some(secret) if client.has_secret(&secret) => Ok(Authenticated { client, by_secret: true }),
        Some(_) => Err(unknown()),
        None => Ok(Authenticated { client, by_secret: false }),
    }
}

/// The id and secret of HTTP Basic. What RFC 6749 wants form-encoded there needs it not: ours are plain.
fn basic(headers: &HeaderMap) -> Option<(String, Zeroizing<String>)> {
    let (scheme, text) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let text = scheme.eq_ignore_ascii_case("basic").then_some(text.trim())?;
    let pair = Zeroizing::new(String::from_utf8(BASE64.decode(text.as_bytes()).ok()?).ok()?);
    let (id, secret) = pair.split_once(':')?;
    Some((id.to_owned(), Zeroizing::new(secret.to_owned())))
}

impl From<RegistryError> for ApiError {
    fn from(cause: RegistryError) -> Self {
        match cause {
            RegistryError::Store(cause) => cause.into(),
            RegistryError::Entropy(_) => Self::new(ErrorKind::Unavailable),
            RegistryError::TooOften | RegistryError::Full => Self::with_text(ErrorKind::Busy, cause.to_string()),
            RegistryError::Removed => refused("invalid_client", &cause.to_string()),
        }
    }
}
