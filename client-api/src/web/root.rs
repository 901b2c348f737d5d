//! The root of the node's own authority, for devices that shall trust it.

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use crate::http::{ApiError, App};

/// Where it is had.
pub const PATH: &str = "/tls/root.crt";

/// The certificate in the form that phones install. It says nothing that each handshake does not say.
pub(super) async fn get(State(app): State<App>) -> Result<Response, ApiError> {
    let root = app.root().ok_or_else(ApiError::not_found)?;
    let headers = [
        (header::CONTENT_TYPE, "application/x-x509-ca-cert"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"xom-root.crt\""),
    ];
    Ok((headers, root.der.to_vec()).into_response())
}
