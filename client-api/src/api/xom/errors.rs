//! `/api/xom/v1/errors/:slug`: what an error's `type` means. Needs no token.

use std::future::{Ready, ready};

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::{ApiError, ErrorKind};

/// What one kind of error means.
#[derive(Serialize, ToSchema)]
pub struct ErrorPage {
    /// Its name, which ends the `type` of such errors.
    slug: &'static str,
    /// The status code of answers.
    status: u16,
    /// The status code in words.
    title: &'static str,
    /// What it means and what to do.
    meaning: &'static str,
}

/// Explain an error
///
/// The documentation of one kind of error, for programs; people find it at `/api/docs`. Needs no token.
#[utoipa::path(get, path = "/errors/{slug}", operation_id = "getError", tag = "node", security(()),
    params(("slug" = String, Path, description = "The kind of error, as its `type` ends")),
    responses((status = 200, description = "What it means", body = ErrorPage)))]
pub fn get(Path(slug): Path<String>) -> Ready<Result<Json<ErrorPage>, ApiError>> {
    let kind = ErrorKind::ALL.into_iter().find(|kind| kind.slug() == slug);
    ready(kind.ok_or_else(ApiError::not_found).map(|kind| {
        let title = kind.status().canonical_reason().unwrap_or("Error");
        Json(ErrorPage { slug: kind.slug(), status: kind.status().as_u16(), title, meaning: kind.meaning() })
    }))
}
