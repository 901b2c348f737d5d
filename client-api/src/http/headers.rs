//! What every answer carries: security headers, CORS on open routes, request id, rate-limit headers.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::app::App;
use super::cors;
use super::error::ApiError;
use super::limits::REQUESTS_IN_FLIGHT_MAX;
use super::rate::RateSlot;
use crate::api::compose::now_ms;
use crate::api::entities::timestamp;
use crate::oauth::window::Quota;

/// Our own API, whose errors carry problem details.
const NATIVE_PREFIX: &str = "/api/xom/";
/// For pages: our own styles, pictures and forms, and no script at all.
const PAGE_POLICY: &str = "default-src 'none'; img-src 'self' data:; media-src 'self'; style-src 'self'; \
    font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// For everything else: nothing.
const CLOSED_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

/// The policy of pages, for one whose form leads to another place in the end: browsers look at redirects too.
pub fn page_policy_with_forms_to(target: &str) -> String {
    PAGE_POLICY.replace("form-action 'self'", format!("form-action 'self' {target}").trim_end())
}

/// Finishes every answer, also those of the guards.
pub async fn finish(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let id = app.request_ids().next();
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    let slot = RateSlot::default();
    request.extensions_mut().insert(slot.clone());
    let mut response = next.run(request).await;
    if path.starts_with(NATIVE_PREFIX)
        && let Some(error) = response.extensions_mut().remove::<ApiError>()
    {
        response = error.into_problem(&path, &id);
    }
    // Neither query nor headers: they may hold secrets.
    tracing::debug!(%method, path, status = response.status().as_u16(), id, "answered");
    let headers = response.headers_mut();
    secure(headers, &path);
    if cors::is_open(&path) {
        cors::open(headers);
        match slot.quota() {
            Some(quota) => of_app(headers, &quota),
            None => of_owner(headers, app.requests().available_permits()),
        }
    }
    if let Ok(id) = HeaderValue::from_str(&id) {
        headers.insert("x-request-id", id);
    }
    response
}

fn secure(headers: &mut HeaderMap, path: &str) {
    let policy = if cors::is_open(path) { CLOSED_POLICY } else { PAGE_POLICY };
    or_insert(headers, header::CONTENT_SECURITY_POLICY, policy);
    or_insert(headers, header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    or_insert(headers, header::REFERRER_POLICY, "no-referrer");
    or_insert(headers, header::X_FRAME_OPTIONS, "DENY");
    or_insert(headers, HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    or_insert(headers, header::CACHE_CONTROL, "private, no-store");
}

/// The owner's token is limited by requests in flight only, so that is what these count.
fn of_owner(headers: &mut HeaderMap, remaining: usize) {
    let remaining = u32::try_from(remaining).unwrap_or(u32::MAX);
    rate_limit(headers, REQUESTS_IN_FLIGHT_MAX as u32, remaining, now_ms() + 1_000);
}

/// Tokens of apps are counted; who came too often is told when to come again.
fn of_app(headers: &mut HeaderMap, quota: &Quota) {
    rate_limit(headers, quota.limit, quota.remaining, quota.reset_ms);
    if !quota.admitted {
        let secs = quota.reset_ms.saturating_sub(now_ms()).div_ceil(1_000).max(1);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
    }
}

fn rate_limit(headers: &mut HeaderMap, limit: u32, remaining: u32, reset_ms: u64) {
    headers.insert("x-ratelimit-limit", HeaderValue::from(limit));
    headers.insert("x-ratelimit-remaining", HeaderValue::from(remaining));
    if let Ok(reset) = HeaderValue::from_str(&timestamp(reset_ms)) {
        headers.insert("x-ratelimit-reset", reset);
    }
}

fn or_insert(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}
