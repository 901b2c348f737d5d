//! The owner in the browser: the session behind a request, and forms that prove to come from our page.

use axum::extract::{FromRequest, FromRequestParts, MatchedPath, RawPathParams, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use xom_node::keys::KeyState;
use xom_node::{Handle, StoreError};
use xom_protocol::Did;

use super::fault::Fault;
use super::session::{Session, Way, csrf_fits, csrf_token, now_ms};
use super::{Web, login};
use crate::http::{App, ErrorKind, Params};
use crate::people::Role;

/// The routes that are about the own identity, or show what it may read.
const MEMBERS: [&str; 29] = [
    "/",
    "/logout",
    "/welcome",
    "/welcome/check",
    "/welcome/confirm",
    "/welcome/postpone",
    "/keys",
    "/unlock",
    "/oauth/authorize",
    "/apps",
    "/apps/{id}/revoke",
    "/notifications",
    "/statuses",
    "/statuses/{id}",
    "/statuses/{id}/copies",
    "/statuses/{id}/react",
    "/statuses/{id}/vote",
    "/follow",
    "/accounts/{id}",
    "/accounts/{id}/history",
    "/accounts/{id}/follow",
    "/@{acct}",
    "/@{acct}/{id}",
    "/tags/{tag}",
    "/public",
    "/guardians",
    "/guardians/recovery",
    "/guardians/requests/{code}/approve",
    "/guardians/requests/{code}/refuse",
];

/// Who is logged in. A handler that takes one is never run for anybody else.
pub(super) struct Visitor {
    /// The node.
    pub node: Handle,
    /// As whom.
    pub did: Did,
    /// The token for forms.
    pub csrf: String,
    /// The session's secret.
    pub secret: String,
    /// How the keys lie on this node.
    pub keys: KeyState,
    /// What the session may do on the node, beside what is done with the own identity.
    pub role: Role,
}

/// A form of our own page: its CSRF token has been checked.
pub(super) struct Form {
    /// Who sent it.
    pub visitor: Visitor,
    /// What is in it.
    pub params: Params,
}

impl FromRequestParts<App> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let web = parts.extensions.get::<Web>().ok_or_else(|| Fault::from(ErrorKind::Internal).into_response())?;
        let secret = cookie(&parts.headers, &web.inner.cookie);
        let found = secret.and_then(|secret| Some((secret, web.inner.sessions.find(secret, now_ms())?)));
        let role = match &found {
            Some((_, session)) => role(app, session).await.map_err(|error| Fault::from(error).into_response())?,
            None => None,
        };
        match found.zip(role) {
            Some(((secret, Session { did, .. }), role)) => {
                let route = parts.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
                if role < needed(route) {
                    return Err(Fault::owners().into_response());
                }
                let node = app.node().clone();
                let keys = node.keyring(did).state().map_err(|error| Fault::from(error).into_response())?;
                Ok(Self { node, did, csrf: csrf_token(secret), secret: secret.to_owned(), keys, role })
            }
            None => Err((StatusCode::UNAUTHORIZED, login::how_to()).into_response()),
        }
    }
}

impl FromRequest<App> for Form {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let visitor = Visitor::from_request_parts(&mut parts, app).await?;
        let params = Params::from_request(Request::from_parts(parts, body), app)
            .await
            .map_err(|error| Fault::from(error).into_response())?;
        let fits = params.raw_text("csrf").is_some_and(|token| csrf_fits(&visitor.secret, &token));
        if fits { Ok(Self { visitor, params }) } else { Err(Fault::from(ErrorKind::Forbidden).into_response()) }
    }
}

/// What a session may do; none where it has ended. A link of the owner's opens everything, whoever it is for.
async fn role(app: &App, session: &Session) -> Result<Option<Role>, StoreError> {
    match session.way {
        Way::Link => Ok(Some(Role::Owner)),
        Way::Password => app.people().role_in_session(&session.did, session.begun_ms).await,
    }
}

/// The least role that a route of the page takes. What shows or changes more than the own identity is the owner's, and
/// so is what is not listed here.
fn needed(route: &str) -> Role {
    match route {
        "/reports" => Role::Moderator,
        _ if MEMBERS.contains(&route) => Role::Member,
        _ => Role::Owner,
    }
}

/// The local id in a path; what is no id names nothing.
pub(super) struct Id(pub u64);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let path = RawPathParams::from_request_parts(parts, state).await.map_err(|_| ErrorKind::Malformed)?;
        let id = path.iter().find_map(|(name, value)| (name == "id").then(|| value.parse().ok())?);
        Ok(Self(id.ok_or(ErrorKind::NotFound)?))
    }
}

/// The value of a cookie.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    all.flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find_map(|(found, value)| (found == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, "a=b; xom_session_7766=secret".parse().unwrap());
        headers.append(header::COOKIE, "c=d".parse().unwrap());
        assert_eq!(cookie(&headers, "xom_session_7766"), Some("secret"));
        assert_eq!(cookie(&headers, "session_7766"), None);
        assert_eq!(cookie(&headers, "c"), Some("d"));
    }
}
