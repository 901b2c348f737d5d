//! One authenticated call: the node, who calls, and under which name the server was reached.

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::Uri;
use axum::http::request::Parts;
use xom_node::Handle;
use xom_node::model::OwnedIdentity;
use xom_protocol::Did;

use super::app::App;
use super::auth::bearer;
use super::base::Base;
use super::error::{ApiError, ErrorKind};

/// The header that chooses among the identities of this node by user name.
pub const AS_HEADER: &str = "x-xom-as";

/// A call that carried the owner's token; a handler that takes one is never run without.
#[derive(Clone)]
pub struct Call {
    /// The server's shared state.
    pub app: App,
    /// The node.
    pub node: Handle,
    /// The identity that the call acts for.
    pub identity: OwnedIdentity,
    /// For absolute addresses.
    pub base: Base,
    /// The request's target, for paging.
    pub uri: Uri,
}

/// The base of a call that needs no token.
#[derive(Debug, Clone)]
pub struct Anonymous(pub Base);

impl Call {
    /// Who calls.
    pub fn viewer(&self) -> Did {
        self.identity.did
    }
}

impl FromRequestParts<App> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let carried = bearer(&parts.headers);
        if !carried.is_some_and(|token| app.token().is(token)) {
            return Err(ApiError::new(ErrorKind::Unauthorized));
        }
        let username = match parts.headers.get(AS_HEADER) {
            Some(value) => Some(value.to_str().map_err(|_| no_such_identity())?),
            None => None,
        };
        let identity = app.identity(username).await?.ok_or_else(no_such_identity)?;
        let base = Base::of(parts).ok_or(ErrorKind::Misdirected)?;
        // Nested routers see the rest of the path only; paging needs the whole.
        let uri = parts.extensions.get().map_or_else(|| parts.uri.clone(), |OriginalUri(whole)| whole.clone());
        Ok(Self { app: app.clone(), node: app.node().clone(), identity, base, uri })
    }
}

impl FromRequestParts<App> for Anonymous {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, ApiError> {
        Ok(Self(Base::of(parts).ok_or(ErrorKind::Misdirected)?))
    }
}

fn no_such_identity() -> ApiError {
    ApiError::invalid("X-Xom-As names no identity of this node")
}
