//! Files of the page that are part of the program.

use axum::http::header;
use axum::response::IntoResponse;

/// The style sheet.
const STYLE: &str = include_str!("style.css");
/// The icon.
pub(super) const ICON: &str = include_str!("icon.svg");
/// The files change with the program only.
const CACHE: &str = "private, max-age=300";

pub(super) async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8"), (header::CACHE_CONTROL, CACHE)], STYLE)
}

pub(super) async fn icon() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "image/svg+xml"), (header::CACHE_CONTROL, CACHE)], ICON)
}
