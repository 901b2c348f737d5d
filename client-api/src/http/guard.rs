//! Checks before any handler: the `Host`, the `Origin` on cookie routes, and what has no route.

use std::future::{Ready, ready};

use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::arrival::Arrival;
use super::base::Base;
use super::error::{ApiError, ErrorKind};

/// Refuses every request whose `Host` is not ours, before anything looks at its path (`R-API-1`, `R-API-4`).
pub async fn known_host(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let arrival = Arrival::of(request.extensions());
    match app.hosts().check(request.headers(), request.uri(), arrival) {
        Some(base) => {
            request.extensions_mut().insert(base);
            next.run(request).await
        }
        None => ApiError::new(ErrorKind::Misdirected).into_response(),
    }
}

/// Refuses requests of other origins on routes that read cookies (`R-API-2`, `R-API-3`).
pub async fn same_origin(request: Request, next: Next) -> Response {
    let base = request.extensions().get::<Base>();
    let allowed = base.is_some_and(|base| is_same_origin(base, request.method(), request.headers()));
    if allowed { next.run(request).await } else { ApiError::new(ErrorKind::Forbidden).into_response() }
}

/// True if the headers that only a browser sets speak for our own page, or for no page at all.
pub fn is_same_origin(base: &Base, method: &Method, headers: &HeaderMap) -> bool {
    let site = headers.get("sec-fetch-site").map(|site| site.as_bytes());
    let reads = matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS);
    if !reads && matches!(site, Some(b"cross-site" | b"same-site")) {
        return false;
    }
    let mut origins = headers.get_all(header::ORIGIN).iter();
    match (origins.next(), origins.next()) {
        (None, _) => true,
        // Under our own no-referrer policy browsers send `null` with forms of our own page.
        (Some(origin), None) if origin == "null" => site == Some(b"same-origin"),
        (Some(origin), None) => origin == base.as_str(),
        (Some(_), Some(_)) => false,
    }
}

/// Makes `/path/` the same as `/path`.
pub async fn strip_slash(mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let bare = path.trim_end_matches('/');
    if !bare.is_empty()
        && bare.len() < path.len()
        && let Some(uri) = with_path(request.uri(), bare)
    {
        *request.uri_mut() = uri;
    }
    next.run(request).await
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let whole = uri.query().map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(whole).ok()?);
    Uri::from_parts(parts).ok()
}

/// What has no route is a JSON 404, never a page.
pub fn not_found() -> Ready<ApiError> {
    ready(ApiError::not_found())
}

/// A route that knows other methods.
pub fn method_not_allowed() -> Ready<ApiError> {
    ready(ApiError::new(ErrorKind::MethodNotAllowed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: Method, headers: &[(&'static str, &str)]) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        is_same_origin(&Base::new("http", "localhost:7766"), &method, &map)
    }

    #[test]
    fn r_api_2_a_cross_site_post_to_a_cookie_route_is_refused() {
        assert!(!check(Method::POST, &[("origin", "http://evil.example")]));
        assert!(!check(Method::POST, &[("sec-fetch-site", "cross-site")]));
        assert!(!check(Method::POST, &[("origin", "null")]));
        assert!(!check(Method::POST, &[("origin", "null"), ("sec-fetch-site", "cross-site")]));
        assert!(!check(Method::POST, &[("origin", "http://127.0.0.1:7766")]));
        assert!(!check(Method::POST, &[("origin", "http://localhost:7766"), ("origin", "http://evil.example")]));
    }

    #[test]
    fn our_own_page_and_clients_without_origin_pass() {
        assert!(check(Method::POST, &[("origin", "http://localhost:7766"), ("sec-fetch-site", "same-origin")]));
        assert!(check(Method::POST, &[("origin", "null"), ("sec-fetch-site", "same-origin")]));
        assert!(check(Method::GET, &[("sec-fetch-site", "cross-site")]));
        assert!(check(Method::POST, &[]));
    }

    #[test]
    fn r_api_3_a_foreign_origin_is_refused_on_reads_too() {
        assert!(!check(Method::GET, &[("origin", "http://evil.example")]));
    }

    #[test]
    fn only_the_slashes_at_the_end_go() {
        let uri: Uri = "/api/v2/instance/?a=b/".parse().unwrap();
        assert_eq!(with_path(&uri, "/api/v2/instance").unwrap().to_string(), "/api/v2/instance?a=b/");
    }
}
