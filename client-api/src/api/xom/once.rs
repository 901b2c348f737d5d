//! `Idempotency-Key` on every unsafe call of our own API: a client that got no answer sends the same request again and
//! gets the answer of the first. Answers of success are kept, for a day, on disk; the same key with another request is
//! refused (`R-API-19`).
//!
//! Calls that carry or answer secrets are left out: nothing of them is written down, and each can be repeated.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::body::Body;
use axum::body::{HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::openapi::PREFIX;
use crate::api::compose::now_ms;
use crate::http::auth::bearer;
use crate::http::call::AS_HEADER;
use crate::http::{ApiError, App, Call, ErrorKind};

/// The header with the key.
const HEADER: &str = "idempotency-key";
/// Says that an answer is the one of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// Longest key, bytes.
const KEY_BYTES_MAX: usize = 255;
/// How long an answer is kept.
const KEPT_MS: u64 = 24 * 3_600 * 1_000;
/// Most answers that are kept; the oldest go.
const KEPT_MAX: usize = 1_000;
/// Largest answer that is kept, bytes.
const ANSWER_BYTES_MAX: u64 = 256 << 10;
/// Largest request that can have a key, bytes: that of an import.
const REQUEST_BYTES_MAX: usize = 4 << 20;
/// Records: an answer by the digest of its key.
const ANSWERS: &str = "idempotent-answer";
/// Records: digests in the order in which they came, for the oldest to go.
const ORDER: &str = "idempotent-order";
/// Below which paths requests or answers hold secrets.
const SECRET_PATHS: [&str; 13] = [
    "/accounts",
    "/keys",
    "/phrase",
    "/passphrase",
    "/unlock",
    "/identity/",
    "/guardians",
    "/recoveries",
    "/devices",
    "/backup",
    "/erasures",
    "/statuses/",
    "/login-links",
];

/// Requests with keys that are being answered.
#[derive(Default)]
pub struct InHand {
    digests: Mutex<BTreeSet<[u8; 32]>>,
}

/// A request's place among those that are being answered.
struct Turn<'a> {
    hand: &'a InHand,
    digest: [u8; 32],
}

/// An answer that is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    at_ms: u64,
    /// The hash of the request.
    request: [u8; 32],
    status: u16,
    content_type: String,
    /// Base64.
    body: String,
}

impl InHand {
    fn take(&self, digest: [u8; 32]) -> Option<Turn<'_>> {
        self.lock().insert(digest).then_some(Turn { hand: self, digest })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<[u8; 32]>> {
        self.digests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.hand.lock().remove(&self.digest);
    }
}

/// The key of a request, if it has one.
pub fn key(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(key) = headers.get(HEADER) else { return Ok(None) };
    let key = key.to_str().map_err(|_| ApiError::invalid("Idempotency-Key is not text"))?;
    if key.len() > KEY_BYTES_MAX {
        return Err(ApiError::invalid(format!("Idempotency-Key is longer than {KEY_BYTES_MAX} bytes")));
    }
    Ok(Some(key).filter(|key| !key.is_empty()))
}

/// What a key stands for: it is one of this token and identity, and tells nothing of itself.
pub fn digest(call: &Call, key: &str) -> [u8; 32] {
    hash(&[b"xom idempotent record v1", call.token_digest(), &call.viewer().0, key.as_bytes()])
}

/// Answers a request that was answered before as it was then.
pub async fn layer(State(app): State<App>, request: Request, next: Next) -> Response {
    match answer(&app, request, next).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn answer(app: &App, request: Request, next: Next) -> Result<Response, ApiError> {
    let is_unsafe = matches!(*request.method(), Method::POST | Method::PUT | Method::PATCH | Method::DELETE);
    let ours = request.uri().path().strip_prefix(PREFIX);
    if !is_unsafe || ours.is_none_or(|path| SECRET_PATHS.iter().any(|secret| path.starts_with(secret))) {
        return Ok(next.run(request).await);
    }
    let (parts, body) = request.into_parts();
    let holder = match key(&parts.headers)? {
        Some(key) => scoped(app, &parts, key).await?,
        None => None,
    };
    let Some(digest) = holder else { return Ok(next.run(Request::from_parts(parts, body)).await) };
    let body = to_bytes(body, REQUEST_BYTES_MAX).await.map_err(|_| ErrorKind::TooLarge)?;
    let asked = hash(&[&digest, parts.method.as_str().as_bytes(), parts.uri.to_string().as_bytes(), &body]);
    let turn = app.in_hand().take(digest);
    let Some(_turn) = turn else {
        return Err(ApiError::with_text(ErrorKind::Busy, "A request with this Idempotency-Key is being answered"));
    };
    if let Some(kept) = find(app, digest).await? {
        return if kept.request == asked {
            Ok(replay(&kept))
        } else {
            Err(ApiError::invalid("this Idempotency-Key was used for another request"))
        };
    }
    let response = next.run(Request::from_parts(parts, Body::from(body))).await;
    keep(app, digest, asked, response).await
}

/// The digest of a key, of this token and identity; none where the token is none: the handler says so.
async fn scoped(app: &App, parts: &Parts, key: &str) -> Result<Option<[u8; 32]>, ApiError> {
    let Some(token) = bearer(&parts.headers) else { return Ok(None) };
    let holder = if app.token().is(token) {
        *app.token().digest()
    } else {
        match app.registry().find(token).await? {
            Some(grant) => *grant.digest(),
            None => return Ok(None),
        }
    };
    let identity = parts.headers.get(AS_HEADER).map_or(&b""[..], HeaderValue::as_bytes);
    Ok(Some(hash(&[b"xom idempotent answer v1", &holder, identity, key.as_bytes()])))
}

async fn find(app: &App, digest: [u8; 32]) -> Result<Option<Kept>, ApiError> {
    let found = app.node().read(move |reader| reader.record(ANSWERS, &digest)).await?;
    let kept: Option<Kept> = found.and_then(|value| serde_json::from_slice(&value).ok());
    Ok(kept.filter(|kept| now_ms().saturating_sub(kept.at_ms) < KEPT_MS))
}

fn replay(kept: &Kept) -> Response {
    let body = BASE64.decode(kept.body.as_bytes()).unwrap_or_default();
    let status = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
    let mut response = (status, body).into_response();
    if let Ok(content_type) = HeaderValue::from_str(&kept.content_type) {
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
    }
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}

/// Keeps an answer of success whose length is known and small.
async fn keep(app: &App, digest: [u8; 32], request: [u8; 32], response: Response) -> Result<Response, ApiError> {
    let is_small = response.body().size_hint().exact().is_some_and(|bytes| bytes <= ANSWER_BYTES_MAX);
    if !response.status().is_success() || !is_small {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.map_err(|_| ErrorKind::Internal)?;
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let kept = Kept {
        at_ms: now_ms(),
        request,
        status: parts.status.as_u16(),
        content_type: content_type.unwrap_or_default().to_owned(),
        body: BASE64.encode(&body),
    };
    let (order, value) = (order_key(kept.at_ms, &digest), serde_json::to_vec(&kept).unwrap_or_default());
    let put = app.node().records(move |records| {
        let known = records.range(ORDER, &[], KEPT_MAX)?;
        let too_old =
            |key: &[u8]| key.get(..8).is_none_or(|at| at < &kept.at_ms.saturating_sub(KEPT_MS).to_be_bytes()[..]);
        for (index, (key, _)) in known.iter().enumerate() {
            let makes_room = index == 0 && known.len() == KEPT_MAX;
            if !makes_room && !too_old(key) {
                break;
            }
            records.remove(ORDER, key)?;
            if let Some(digest) = key.get(8..) {
                records.remove(ANSWERS, digest)?;
            }
        }
        records.put(ORDER, &order, &[])?;
        records.put(ANSWERS, &digest, &value)
    });
    put.await?;
    Ok(Response::from_parts(parts, Body::from(body)))
}

fn order_key(at_ms: u64, digest: &[u8; 32]) -> Vec<u8> {
    [&at_ms.to_be_bytes()[..], digest].concat()
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}
