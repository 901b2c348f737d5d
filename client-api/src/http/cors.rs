//! Cross-origin rules: bearer routes answer any origin and never read cookies; the page answers none.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Where clients of any origin may call: routes that know bearer tokens only, or need none.
const OPEN_PREFIXES: [&str; 8] =
    ["/api", "/oauth", "/.well-known", "/nodeinfo", "/media", "/avatars", "/headers", "/health"];

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
const REQUEST_HEADERS: &str = "Authorization, Content-Type, Idempotency-Key, X-Xom-As";
const EXPOSED: &str = "Link, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-Request-Id, \
    Mastodon-Async-Refresh, Retry-After, Deprecation, Idempotency-Replayed";
/// How long a browser may keep the answer to a preflight.
const PREFLIGHT_SECS: &str = "86400";

/// Where the owner consents: a page with a cookie among routes without.
const CONSENT: &str = "/oauth/authorize";

/// True for addresses that clients of any origin may call.
pub fn is_open(path: &str) -> bool {
    if path.trim_end_matches('/') == CONSENT {
        return false;
    }
    OPEN_PREFIXES
        .iter()
        .any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

/// Answers `OPTIONS` everywhere, without a token.
pub async fn preflight(request: Request, next: Next) -> Response {
    if request.method() != Method::OPTIONS {
        return next.run(request).await;
    }
    let allow = [(header::ALLOW, HeaderValue::from_static(METHODS))];
    let mut response = (StatusCode::NO_CONTENT, allow).into_response();
    if is_open(request.uri().path()) {
        let headers = response.headers_mut();
        set(headers, header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        set(headers, header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS);
        set(headers, header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_SECS);
    }
    response
}

/// Adds what lets scripts of any origin read an open route's answer; cookies are never allowed with it.
pub(crate) fn open(headers: &mut HeaderMap) {
    set(headers, header::ACCESS_CONTROL_ALLOW_ORIGIN, "*");
    set(headers, header::ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
}

fn set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_not_open_to_other_origins() {
        for path in
            ["/", "/login", "/apiary", "/@lan", "/mediators", "/metrics", "/oauth/authorize", "/oauth/authorize/"]
        {
            assert!(!is_open(path), "{path}");
        }
        for path in ["/api", "/api/v1/instance", "/.well-known/nodeinfo", "/media/x", "/health", "/oauth/token"] {
            assert!(is_open(path), "{path}");
        }
    }
}
