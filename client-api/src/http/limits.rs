//! Every bound of the server, and the layers that keep them.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::app::App;
use super::arrival::Arrival;
use super::error::{ApiError, ErrorKind};

/// Largest body, bytes.
pub const BODY_BYTES_MAX: usize = 1 << 20;
/// Largest body with a medium, bytes: the largest blob and what multipart puts around it.
pub const MEDIA_BODY_BYTES_MAX: usize = xom_protocol::limits::BLOB_BYTES_MAX as usize + (64 << 10);
/// Longest request line and headers, bytes.
pub const HEADER_BYTES_MAX: usize = 16 << 10;
/// Most headers of a request.
pub const HEADERS_MAX: usize = 100;
/// Most requests that are being answered.
pub const REQUESTS_IN_FLIGHT_MAX: usize = 100;
/// Most of them that came over TLS, from other machines: whatever they do, this machine's own are answered.
pub const REQUESTS_FROM_OUTSIDE_MAX: usize = 80;
/// Most uploads that are being taken in; each has a temporary file of up to a whole medium.
pub const UPLOADS_IN_FLIGHT_MAX: usize = 4;
/// Most open connections; more wait to be accepted.
pub const CONNECTIONS_MAX: usize = 512;
/// Most of them over TLS from one address (one network of 64 bits in IPv6): a household behind one router has as many.
pub const CONNECTIONS_PER_ADDRESS_MAX: usize = 64;
/// Longest time of a TLS handshake.
pub const HANDSHAKE_SECS_MAX: u64 = 10;
/// Most streams that are open; each server-sent one takes one of [`CONNECTIONS_MAX`].
pub const STREAMS_MAX: usize = 400;
/// Most streams that one token has open: a household with several apps and windows, and room beside it.
pub const STREAMS_PER_TOKEN_MAX: usize = 250;
/// Longest time to answer a request, its body included.
pub const REQUEST_SECS_MAX: u64 = 30;
/// The same for what reads or writes the whole store or a medium.
pub const LONG_REQUEST_SECS_MAX: u64 = 3_600;
/// Longest time until the headers of a request are there; also how long a connection may idle.
pub const HEADER_SECS_MAX: u64 = 30;
/// Longest time in which the reader of an answer takes less than [`STALL_BYTES`] of what is there to be sent.
pub const STALL_SECS_MAX: u64 = 60;
/// See [`STALL_SECS_MAX`]; the slowest line that is served has some 270 bytes a second.
pub const STALL_BYTES: usize = 16 << 10;
/// Longest time that open requests get when the server stops; the whole stop takes 10 s.
pub const SHUTDOWN_SECS_MAX: u64 = 8;
/// Most parameters of one request.
pub const PARAMS_MAX: usize = 4_096;
/// Most files of one request: each is a file on disk.
pub const FILES_MAX: usize = 4;
/// Deepest nesting of a parameter's name.
pub const PARAM_DEPTH_MAX: usize = 8;
/// Most statuses of a page.
pub const STATUSES_PAGE_MAX: usize = 40;
/// Most accounts of a page.
pub const ACCOUNTS_PAGE_MAX: usize = 80;
/// Most ids that can be asked for at once.
pub const IDS_MAX: usize = 200;
/// Most posts or source addresses of one import request.
pub const IMPORT_BATCH_MAX: usize = 1_000;

/// What may take long, each for the whole store or a whole medium.
const LONG_PATHS: [&str; 9] = [
    "/statuses",
    "/api/v1/media",
    "/api/v2/media",
    "/api/xom/v1/verify",
    "/api/xom/v1/export",
    "/api/xom/v1/backup",
    "/api/xom/v1/compact",
    "/api/xom/v1/views/rebuild",
    "/api/xom/v1/import/posts",
];

/// Refuses requests whose headers are too large, also where the connection's own limit is wider.
pub async fn header_bytes(request: Request, next: Next) -> Response {
    let target = request.uri().path().len() + request.uri().query().map_or(0, str::len);
    let headers: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if target + headers > HEADER_BYTES_MAX || request.headers().len() > HEADERS_MAX {
        return ApiError::new(ErrorKind::HeadersTooLarge).into_response();
    }
    next.run(request).await
}

/// Refuses what would be more requests in flight than [`REQUESTS_IN_FLIGHT_MAX`].
pub async fn in_flight(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_outside = Arrival::of(request.extensions()).is_some_and(|arrival| arrival.over_tls);
    let Ok(_of_outside) = is_outside.then(|| app.requests_from_outside().try_acquire()).transpose() else {
        return ApiError::new(ErrorKind::Busy).into_response();
    };
    let Ok(_permit) = Arc::clone(app.requests()).try_acquire_owned() else {
        return ApiError::new(ErrorKind::Busy).into_response();
    };
    next.run(request).await
}

/// Gives a request up that takes too long. What was commanded by then is carried out all the same.
pub async fn in_time(request: Request, next: Next) -> Response {
    let secs = secs_max(request.uri().path());
    within(Duration::from_secs(secs), next.run(request)).await
}

fn secs_max(path: &str) -> u64 {
    if LONG_PATHS.contains(&path.trim_end_matches('/')) { LONG_REQUEST_SECS_MAX } else { REQUEST_SECS_MAX }
}

async fn within(limit: Duration, answer: impl Future<Output = Response>) -> Response {
    match tokio::time::timeout(limit, answer).await {
        Ok(response) => response,
        Err(_elapsed) => ApiError::new(ErrorKind::Timeout).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_upload_has_the_same_time_on_the_page_as_over_the_api() {
        for path in ["/api/v2/media", "/api/v2/media/", "/statuses"] {
            assert_eq!(secs_max(path), LONG_REQUEST_SECS_MAX, "{path}");
        }
        assert_eq!(secs_max("/api/v1/statuses"), REQUEST_SECS_MAX);
    }

    #[tokio::test]
    async fn r_api_13_a_request_that_never_ends_is_given_up() {
        let answer = within(Duration::from_millis(1), std::future::pending()).await;
        assert_eq!(answer.status(), 408);
    }
}
