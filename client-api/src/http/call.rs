//! One authenticated call: the node, who calls, and under which name the server was reached.

use std::sync::Arc;

use axum::extract::{FromRequestParts, MatchedPath, OriginalUri};
use axum::http::Uri;
use axum::http::request::Parts;
use tokio_util::sync::CancellationToken;
use xom_node::Handle;
use xom_node::model::OwnedIdentity;
use xom_protocol::Did;

use super::app::App;
use super::auth::bearer;
use super::base::Base;
use super::error::{ApiError, ErrorKind};
use super::rate::RateSlot;
use super::scopes;
use crate::api::compose::now_ms;
use crate::oauth::Grant;
use crate::people::Role;

/// The header that chooses among the identities of this node by user name.
pub const AS_HEADER: &str = "x-xom-as";
/// Mastodon's words for a token that may not.
const OUTSIDE: &str = "This action is outside the authorized scopes";
/// What somebody without the role of the owner is told.
const OWNERS: &str = "This is for the owner of the node";
/// Mastodon's words for a token that speaks for nobody.
const NO_USER: &str = "This method requires an authenticated user";

/// Whose token a call carries.
#[derive(Clone)]
pub enum Caller {
    /// The owner's own, which opens everything.
    Owner,
    /// One of an app, which opens what it was allowed.
    App(Arc<Grant>),
}

/// A call that carried a token that is good for its route; a handler that takes one is never run without.
#[derive(Clone)]
pub struct Call {
    /// The server's shared state.
    pub app: App,
    /// The node.
    pub node: Handle,
    /// Whose token it is.
    pub caller: Caller,
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

    /// A hash of the token, which tells callers apart and says nothing of it.
    pub fn token_digest(&self) -> &[u8; 32] {
        match &self.caller {
            Caller::Owner => self.app.token().digest(),
            Caller::App(grant) => grant.digest(),
        }
    }

    /// Refuses what the token was not allowed, where one route serves several scopes.
    pub fn needs(&self, scope: &str) -> Result<(), ApiError> {
        match &self.caller {
            Caller::App(grant) if !grant.scopes.cover(scope) => Err(ApiError::with_text(ErrorKind::Forbidden, OUTSIDE)),
            Caller::Owner | Caller::App(_) => Ok(()),
        }
    }

    /// Is ready when the token is revoked or its app taken out; whatever goes on beyond the answer ends then
    /// (`R-API-9`). Never for the owner's own token.
    pub fn ended(&self) -> impl Future<Output = ()> + Send + 'static + use<> {
        let ended = match &self.caller {
            Caller::Owner => CancellationToken::new(),
            Caller::App(grant) => grant.ended().clone(),
        };
        ended.cancelled_owned()
    }

    /// The call of a request that carries its token elsewhere than in its header, as streams may.
    pub async fn of(parts: &Parts, app: &App, token: Option<&str>) -> Result<Self, ApiError> {
        let caller = Caller::of(parts, app, token).await?;
        let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let username = match parts.headers.get(AS_HEADER) {
            Some(value) => Some(value.to_str().map_err(|_| no_such_identity())?),
            None => None,
        };
        let identity = match &caller {
            Caller::Owner => app.identity(username).await?,
            Caller::App(grant) => {
                if !scopes::allows(&parts.method, route, &grant.scopes) {
                    return Err(ApiError::with_text(ErrorKind::Forbidden, OUTSIDE));
                }
                let did = grant.did.ok_or_else(|| ApiError::with_text(ErrorKind::Invalid, NO_USER))?;
                if scopes::is_of_node(route) && app.people().role(&did).await? != Role::Owner {
                    return Err(ApiError::with_text(ErrorKind::Forbidden, OWNERS));
                }
                let identity = app.identity_of(&did).await?;
                identity.filter(|identity| username.is_none_or(|name| identity.username == name))
            }
        };
        let identity = identity.ok_or_else(no_such_identity)?;
        let base = Base::of(parts).ok_or(ErrorKind::Misdirected)?;
        // Nested routers see the rest of the path only; paging needs the whole.
        let uri = parts.extensions.get().map_or_else(|| parts.uri.clone(), |OriginalUri(whole)| whole.clone());
        Ok(Self { app: app.clone(), node: app.node().clone(), caller, identity, base, uri })
    }
}

impl Caller {
    /// Whose token this is; one of an app is counted.
    pub async fn of(parts: &Parts, app: &App, token: Option<&str>) -> Result<Self, ApiError> {
        let token = token.ok_or(ErrorKind::Unauthorized)?;
        if app.token().is(token) {
            return Ok(Self::Owner);
        }
        let grant = app.registry().find(token).await?.ok_or(ErrorKind::Unauthorized)?;
        let now = now_ms();
        let quota = grant.count(now);
        if let Some(slot) = parts.extensions.get::<RateSlot>() {
            slot.fill(quota);
        }
        if !quota.admitted {
            return Err(ApiError::with_text(ErrorKind::Busy, "Too many requests"));
        }
        app.registry().note_use(&grant, now).await?;
        Ok(Self::App(grant))
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Self::of(parts, app, bearer(&parts.headers)).await
    }
}

impl FromRequestParts<App> for Call {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Self::of(parts, app, bearer(&parts.headers)).await
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
