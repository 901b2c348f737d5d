//! `/api/xom/v1/errors/:slug`: what an error's `type` means. Needs no token.

use std::future::{Ready, ready};

use axum::Json;
use axum::extract::Path;
use serde_json::{Value, json};

use crate::http::{ApiError, ErrorKind};

/// The documentation of one kind of error.
pub fn get(Path(slug): Path<String>) -> Ready<Result<Json<Value>, ApiError>> {
    let kind = ErrorKind::ALL.into_iter().find(|kind| kind.slug() == slug);
    ready(kind.ok_or_else(ApiError::not_found).map(|kind| {
        let title = kind.status().canonical_reason().unwrap_or("Error");
        Json(json!({"slug": kind.slug(), "status": kind.status().as_u16(), "title": title, "meaning": kind.meaning()}))
    }))
}
