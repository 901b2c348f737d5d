//! Who opens a stream. A browser can set no header on a WebSocket or an event source, so the token may also come as a
//! parameter of the address or as the subprotocol. Cookies are never looked at (`R-API-3`).

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use tokio_util::sync::CancellationToken;

use crate::http::auth::bearer;
use crate::http::{ApiError, App, Call, Stopping};

/// The header in which a client numbers the last event that it had.
const LAST_EVENT_ID: &str = "last-event-id";

/// A call that may have brought its token in another way than by header.
pub struct StreamCall {
    /// The call.
    pub call: Call,
    /// The token's digest: streams are counted by it.
    pub holder: [u8; 32],
    /// The subprotocol to echo: the token, where it came so.
    pub protocol: Option<String>,
    /// The last event that the client had.
    pub last_event: Option<String>,
    /// Cancelled when the server stops.
    pub stopping: CancellationToken,
}

impl FromRequestParts<App> for StreamCall {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let offered = protocol(&parts.headers);
        let carried = match parts.headers.contains_key(header::AUTHORIZATION) {
            true => bearer(&parts.headers).map(str::to_owned),
            false => in_query(&parts.uri).or_else(|| offered.clone()),
        };
        let call = Call::of(parts, app, carried.as_deref()).await?;
        let stopping = parts.extensions.get().map(|Stopping(stopping)| stopping.clone()).unwrap_or_default();
        let last_event = parts.headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let protocol = offered.filter(|offered| Some(offered) == carried.as_ref());
        Ok(Self { holder: *call.token_digest(), call, protocol, last_event, stopping })
    }
}

/// The one subprotocol that is offered.
fn protocol(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(header::SEC_WEBSOCKET_PROTOCOL).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let text = value.to_str().ok()?.trim();
    (!text.is_empty() && !text.contains(',')).then(|| text.to_owned())
}

/// The parameter `access_token`.
fn in_query(uri: &Uri) -> Option<String> {
    let pairs: Vec<(String, String)> = serde_urlencoded::from_str(uri.query()?).ok()?;
    pairs.into_iter().find(|(name, _)| name == "access_token").map(|(_, token)| token)
}
