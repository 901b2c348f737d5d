//! `/api/v2`: Mastodon's second versions.

pub mod instance;
pub mod search;

use axum::Router;
use axum::routing::{get, post};

use super::v1::media;
use crate::http::App;

/// The routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/instance", get(instance::get))
        .route("/search", get(search::get))
        .merge(media::uploads(post(media::post)))
}
