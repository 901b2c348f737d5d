//! Errors as clients see them: Mastodon's shape everywhere, problem details (RFC 9457) in our own API.
//!
//! Causes that tell about the machine go to the log, never to the client.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use xom_node::keys::AccessError;
use xom_node::{CommandError, StoreError};

/// Text of Mastodon's 404.
const NOT_FOUND_TEXT: &str = "Record not found";

/// What went wrong, one page of documentation each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request can't be read.
    Malformed,
    /// The token is missing or wrong.
    Unauthorized,
    /// Another origin, or not allowed.
    Forbidden,
    /// Nothing at this address, or not held here.
    NotFound,
    /// The address knows other methods.
    MethodNotAllowed,
    /// The request took too long to come in or to answer.
    Timeout,
    /// The text names several things.
    Ambiguous,
    /// The body is too large.
    TooLarge,
    /// The type of the body is not taken here.
    UnsupportedType,
    /// A `Host` that is not ours.
    Misdirected,
    /// Readable, but refused: a bound, a rule, something that this version can't do.
    Invalid,
    /// The folder is behind its own log: nothing is signed here any more.
    Behind,
    /// The key that would have to sign is sealed.
    Locked,
    /// Too much at once.
    Busy,
    /// Too many or too long headers.
    HeadersTooLarge,
    /// Our fault.
    Internal,
    /// The node is stopping or can't sign.
    Unavailable,
}

/// An answer that is an error.
#[derive(Debug, Clone)]
pub struct ApiError {
    kind: ErrorKind,
    text: String,
    description: Option<String>,
    more: serde_json::Map<String, Value>,
}

impl ErrorKind {
    /// Every kind.
    pub const ALL: [Self; 17] = [
        Self::Malformed,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Timeout,
        Self::Ambiguous,
        Self::TooLarge,
        Self::UnsupportedType,
        Self::Misdirected,
        Self::Invalid,
        Self::Behind,
        Self::Locked,
        Self::Busy,
        Self::HeadersTooLarge,
        Self::Internal,
        Self::Unavailable,
    ];

    /// The name in addresses of documentation.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::Timeout => "timeout",
            Self::Ambiguous => "ambiguous",
            Self::TooLarge => "too-large",
            Self::UnsupportedType => "unsupported-type",
            Self::Misdirected => "misdirected",
            Self::Invalid => "invalid",
            Self::Behind => "behind",
            Self::Locked => "locked",
            Self::Busy => "busy",
            Self::HeadersTooLarge => "headers-too-large",
            Self::Internal => "internal",
            Self::Unavailable => "unavailable",
        }
    }

    /// The `type` of such problems: where they are explained on this node. Without a host, so that it is the same on
    /// every node and under every name of one (RFC 9457, section 3.1.1).
    pub fn address(self) -> String {
        format!("/api/docs#error-{}", self.slug())
    }

    /// The status code.
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::Ambiguous | Self::Behind => StatusCode::CONFLICT,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Misdirected => StatusCode::MISDIRECTED_REQUEST,
            Self::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Locked => StatusCode::LOCKED,
            Self::Busy => StatusCode::TOO_MANY_REQUESTS,
            Self::HeadersTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The kind that a status code of a client's fault stands for.
    fn of_status(status: StatusCode) -> Self {
        Self::ALL.into_iter().find(|kind| kind.status() == status).unwrap_or(Self::Malformed)
    }

    /// What it means and what to do, one sentence or two.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Malformed => "The request could not be read.",
            Self::Unauthorized => "The access token is invalid",
            Self::Forbidden => "This action is not allowed",
            Self::NotFound => NOT_FOUND_TEXT,
            Self::MethodNotAllowed => "This address does not know that method.",
            Self::Timeout => "The request took too long; try again.",
            Self::Ambiguous => "The text fits several things; give more of it.",
            Self::TooLarge => "The body is too large.",
            Self::UnsupportedType => {
                "The body's type is not taken; send application/json, application/x-www-form-urlencoded or multipart/form-data."
            }
            Self::Misdirected => {
                "This server does not answer to that Host; use localhost, or add the name to the settings."
            }
            Self::Invalid => "Validation failed",
            Self::Behind => "This folder is an old copy; give it a new device key.",
            Self::Locked => "The device key is sealed; open it with `xom unlock` or on the page, and try again.",
            Self::Busy => "Too many requests at once; try again in a moment.",
            Self::HeadersTooLarge => "The headers are too large.",
            Self::Internal => "Something went wrong on this node; its log tells more.",
            Self::Unavailable => "The node can't do this now; try again later.",
        }
    }
}

impl ApiError {
    /// An error with its usual text.
    pub fn new(kind: ErrorKind) -> Self {
        Self { kind, text: kind.meaning().to_owned(), description: None, more: serde_json::Map::new() }
    }

    /// An error with a text of its own.
    pub fn with_text(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::new(kind) }
    }

    /// Mastodon's 404.
    pub fn not_found() -> Self {
        Self::new(ErrorKind::NotFound)
    }

    /// A 422 in Mastodon's words.
    pub fn invalid(why: impl AsRef<str>) -> Self {
        Self::with_text(ErrorKind::Invalid, format!("Validation failed: {}", why.as_ref()))
    }

    /// Something that a client may ask for and that this version can't do.
    pub fn not_yet(what: &str) -> Self {
        Self::with_text(ErrorKind::Invalid, format!("{what} not supported by this version of xom"))
    }

    /// Adds `error_description`.
    pub fn describe(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Adds a member of its own.
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// Which kind it is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// True if this is its `code`.
    pub fn is(&self, code: &str) -> bool {
        self.more.get("code").is_some_and(|found| found == code)
    }

    /// The text for people.
    pub fn text(&self) -> &str {
        &self.text
    }

    fn members(&self) -> serde_json::Map<String, Value> {
        let mut members = self.more.clone();
        members.insert("error".into(), json!(self.text));
        if let Some(description) = &self.description {
            members.insert("error_description".into(), json!(description));
        }
        members
    }

    /// The same answer with the members of RFC 9457, for our own API.
    pub(crate) fn into_problem(self, path: &str, request_id: &str) -> Response {
        let status = self.kind.status();
        let mut members = self.members();
        members.insert("type".into(), json!(self.kind.address()));
        members.insert("title".into(), json!(status.canonical_reason().unwrap_or("Error")));
        members.insert("status".into(), json!(status.as_u16()));
        members.insert("detail".into(), json!(self.description.as_deref().unwrap_or(&self.text)));
        members.insert("instance".into(), json!(path));
        members.insert("request_id".into(), json!(request_id));
        if self.kind == ErrorKind::Busy {
            members.insert("retry_after".into(), json!(1));
        }
        respond(self.kind, Value::Object(members), "application/problem+json")
    }
}

/// What the framework itself has refused, in plain text and in words of its own; none of any other answer.
pub fn plain_refusal(answer: &Response) -> Option<ErrorKind> {
    let is_plain =
        answer.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    let is_ours = answer.extensions().get::<ApiError>().is_some();
    (answer.status().is_client_error() && is_plain && !is_ours).then(|| ErrorKind::of_status(answer.status()))
}

/// Gives what the framework has refused the shape of every other error.
pub fn shaped(answer: Response) -> Response {
    match plain_refusal(&answer) {
        Some(kind) => ApiError::new(kind).into_response(),
        None => answer,
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = respond(self.kind, Value::Object(self.members()), "application/json; charset=utf-8");
        response.extensions_mut().insert(self);
        response
    }
}

fn respond(kind: ErrorKind, body: Value, content_type: &'static str) -> Response {
    let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))];
    let mut response = (kind.status(), content_type, body.to_string()).into_response();
    let headers = response.headers_mut();
    match kind {
        ErrorKind::Unauthorized => {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"xom\""));
        }
        ErrorKind::Busy | ErrorKind::Unavailable => {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        _ => {}
    }
    response
}

impl From<ErrorKind> for ApiError {
    fn from(kind: ErrorKind) -> Self {
        Self::new(kind)
    }
}

impl From<StoreError> for ApiError {
    fn from(cause: StoreError) -> Self {
        match cause {
            StoreError::Stopping => Self::with_text(ErrorKind::Unavailable, "The node is stopping"),
            StoreError::Storage(_) | StoreError::Damaged(_) => {
                tracing::error!(%cause, "a request failed");
                Self::new(ErrorKind::Internal)
            }
        }
    }
}

impl From<CommandError> for ApiError {
    fn from(cause: CommandError) -> Self {
        match cause {
            CommandError::StatusNotFound | CommandError::AccountNotFound | CommandError::NotYours => {
                Self::not_found().describe(cause.to_string())
            }
            CommandError::Busy => Self::new(ErrorKind::Busy),
            CommandError::Behind => Self::with_text(ErrorKind::Behind, cause.to_string()),
            CommandError::DeviceEnded => {
                Self::with_text(ErrorKind::Forbidden, cause.to_string()).with("code", json!("device-ended"))
            }
            CommandError::Retired => {
                Self::with_text(ErrorKind::Forbidden, cause.to_string()).with("code", json!("retired"))
            }
            CommandError::Clock(_) | CommandError::Damaged(_) => {
                Self::with_text(ErrorKind::Unavailable, cause.to_string())
            }
            CommandError::Store(cause) => cause.into(),
            CommandError::Access(cause) => {
                let kind = match cause {
                    AccessError::DeviceSealed | AccessError::NoDevice => ErrorKind::Locked,
                    AccessError::Passphrase(_) | AccessError::NoWords => ErrorKind::Invalid,
                    AccessError::NoEntropy | AccessError::NoMemory => ErrorKind::Unavailable,
                    _ => ErrorKind::Forbidden,
                };
                Self::with_text(kind, cause.to_string()).with("code", json!(cause.code()))
            }
            CommandError::Recovery(cause) => {
                Self::with_text(ErrorKind::Forbidden, cause.to_string()).with("reason", json!(cause.code()))
            }
            CommandError::NotLocal(_)
            | CommandError::Adopt(_)
            | CommandError::Refused(_)
            | CommandError::Policy(_)
            | CommandError::Body(_)
            | CommandError::Invite(_)
            | CommandError::Blob(_) => Self::invalid(cause.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storage_error_does_not_show_its_cause() {
        let error = ApiError::from(StoreError::Storage("/home/lan/.xom/db: disk on fire".into()));
        assert_eq!(error.kind().status(), 500);
        assert!(!error.text().contains("lan"));
    }

    #[test]
    fn every_kind_has_a_page_of_its_own() {
        let mut slugs: Vec<&str> = ErrorKind::ALL.iter().map(|kind| kind.slug()).collect();
        slugs.sort_unstable();
        slugs.dedup();
        assert_eq!(slugs.len(), ErrorKind::ALL.len());
        assert!(ErrorKind::ALL.iter().all(|kind| kind.status().is_client_error() || kind.status().is_server_error()));
    }
}
