//! Login by a one-time link, or by name and password; and logout.

use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use maud::{Markup, html};
use serde::Deserialize;
use serde_json::{Value, json};
use xom_protocol::Did;

use super::fault::Fault;
use super::session::{LINK_MS, SESSION_MS, SessionError, Way, now_ms};
use super::visitor::Form;
use super::{Web, authorize, layout, texts, welcome};
use crate::http::call::Anonymous;
use crate::http::{ApiError, App, Base, Call, ErrorKind, Params};
use crate::people::PeopleError;

/// The query of a login link.
#[derive(Deserialize)]
pub(super) struct LoginQuery {
    #[serde(default)]
    t: String,
    /// Where to go afterwards: to the page of consent, from which somebody was sent here.
    #[serde(default)]
    next: String,
}

/// Takes a one-time token and begins a session. Nothing but a real visit uses the token up: browsers
/// and messengers look ahead at links.
pub(super) async fn log_in(
    Extension(web): Extension<Web>,
    State(app): State<App>,
    Anonymous(base): Anonymous,
    method: Method,
    headers: HeaderMap,
    Query(query): Query<LoginQuery>,
) -> Response {
    let looks_ahead = ["sec-purpose", "purpose", "x-moz"].iter().any(|name| headers.contains_key(*name));
    if method != Method::GET || looks_ahead {
        return how_to().into_response();
    }
    // A form may bring the whole link.
    let token = query.t.trim().rsplit("t=").next().unwrap_or_default();
    let Some(did) = web.inner.links.take(token, now_ms()) else {
        return (StatusCode::FORBIDDEN, how_to_because(texts::LINK_SPENT)).into_response();
    };
    begin(&web, &app, &base, did, Way::Link, &query.next).await.unwrap_or_else(IntoResponse::into_response)
}

/// Begins a session for somebody who shows the name and the password of one of the people. A form of another site does
/// not get here: the server refuses its origin.
pub(super) async fn by_password(
    Extension(web): Extension<Web>,
    State(app): State<App>,
    Anonymous(base): Anonymous,
    mut params: Params,
) -> Result<Response, Fault> {
    let next = params.text("next").unwrap_or_default();
    let password = params.take_secret("password").unwrap_or_default();
    let name = params.text("username").unwrap_or_default();
    match app.people().log_in(&name, &password, now_ms()).await {
        Ok(Some(did)) => begin(&web, &app, &base, did, Way::Password, &next).await,
        Ok(None) => Ok((StatusCode::FORBIDDEN, form_because(Some(texts::LOG_IN_WRONG), &next)).into_response()),
        Err(error @ PeopleError::TooOften) => {
            let why = error.to_string();
            Ok((StatusCode::TOO_MANY_REQUESTS, form_because(Some(&why), &next)).into_response())
        }
        Err(error) => Err(ApiError::from(error).into()),
    }
}

/// Begins a session, and leads on.
async fn begin(web: &Web, app: &App, base: &Base, did: Did, way: Way, next: &str) -> Result<Response, Fault> {
    let sessions = web.clone();
    let secret = blocking(move || sessions.inner.sessions.begin(did, way, now_ms())).await?;
    let cookie = set_cookie(base, &web.inner.cookie, &secret, SESSION_MS / 1000);
    let keys = app.node().keyring(did).state();
    let place = keys.map_or("/", |keys| welcome::after_login(keys.phrase));
    let place = if is_consent(next) { next } else { place };
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(place)).into_response())
}

/// True for the page of consent: the one place where a login may lead, so that no link leads elsewhere.
fn is_consent(next: &str) -> bool {
    let query = next.strip_prefix(authorize::PATH).and_then(|rest| rest.strip_prefix('?'));
    query.is_some_and(|query| query.bytes().all(|byte| byte.is_ascii_graphic()))
}

/// Ends the session.
pub(super) async fn log_out(
    Extension(web): Extension<Web>,
    Anonymous(base): Anonymous,
    form: Form,
) -> Result<Response, Fault> {
    let sessions = web.clone();
    blocking(move || sessions.inner.sessions.end(&form.visitor.secret)).await?;
    let cookie = set_cookie(&base, &web.inner.cookie, "", 0);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

/// `POST /api/xom/v1/login-links`: makes another one-time link, for the owner's token only.
pub(super) async fn make_link(Extension(web): Extension<Web>, call: Call) -> Result<Json<Value>, ApiError> {
    let path = web.login_path(call.viewer()).map_err(|error| {
        tracing::error!(%error, "can't make a login link");
        ApiError::new(ErrorKind::Internal)
    })?;
    Ok(Json(json!({ "url": call.base.url(&path), "expires_in": LINK_MS / 1000 })))
}

/// All that somebody who is not logged in sees.
pub(super) fn how_to() -> Markup {
    how_to_because(texts::LOG_IN_HOW)
}

fn how_to_because(reason: &str) -> Markup {
    let main = html! {
        section.card.notice {
            h1 { (texts::LOG_IN) }
            p { (reason) }
            pre { code { (texts::LOG_IN_COMMAND) } }
            p { (texts::LOG_IN_THEN) }
        }
        section.card.notice { (by_name(None, "")) }
    };
    layout::bare(texts::LOG_IN, &main)
}

fn form_because(why: Option<&str>, next: &str) -> Markup {
    let main = html! {
        section.card.notice {
            h1 { (texts::LOG_IN) }
            (by_name(why, next))
            p.hint { (texts::LOG_IN_OWNER) " " code { (texts::LOG_IN_COMMAND) } }
        }
    };
    layout::bare(texts::LOG_IN, &main)
}

/// The form for name and password; `next` is where a login leads.
pub(super) fn by_name(why: Option<&str>, next: &str) -> Markup {
    html! {
        p { (texts::LOG_IN_BY_NAME) }
        @if let Some(why) = why { p.fault role="alert" { (why) } }
        form.fields method="post" action="/login" {
            @if !next.is_empty() { input type="hidden" name="next" value=(next); }
            label { (texts::USERNAME) input type="text" name="username" required autocomplete="username" autocapitalize="none"; }
            label { (texts::PASSWORD) input type="password" name="password" required autocomplete="current-password"; }
            button { (texts::LOG_IN) }
        }
    }
}

/// `Secure` only where the page was reached over HTTPS, through a proxy: on loopback it is served over plain HTTP,
/// and not every browser takes such cookies as secure there.
fn set_cookie(base: &Base, name: &str, value: &str, max_age_secs: u64) -> String {
    let secure = if base.as_str().starts_with("https://") { "; Secure" } else { "" };
    format!("{name}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={max_age_secs}{secure}")
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SessionError> + Send + 'static,
) -> Result<T, Fault> {
    let failed = |error: String| {
        tracing::error!(error, "a session could not be kept");
        Fault::from(ErrorKind::Internal)
    };
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done.map_err(|error| failed(error.to_string())),
        Err(error) => Err(failed(error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_leads_to_the_page_of_consent_and_nowhere_else() {
        assert!(is_consent("/oauth/authorize?client_id=a&state=b%20c"));
        for elsewhere in [
            "",
            "/",
            "//evil.example",
            "/oauth/authorize",
            "/oauth/authorize.evil?x",
            "https://evil.example",
            "/oauth/authorize?a\r\nb",
        ] {
            assert!(!is_consent(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn the_cookie_is_kept_from_scripts_and_from_other_sites() {
        let cookie = |scheme| set_cookie(&Base::new(scheme, "localhost"), "xom_session_7766", "secret", 60);
        assert_eq!(cookie("http"), "xom_session_7766=secret; Path=/; HttpOnly; SameSite=Strict; Max-Age=60");
        assert_eq!(cookie("https"), "xom_session_7766=secret; Path=/; HttpOnly; SameSite=Strict; Max-Age=60; Secure");
    }
}
