//! `/api/v2`: Mastodon's second versions.

pub mod filters;
pub mod instance;
pub mod notifications;
pub mod search;

use axum::Router;
use axum::routing::{get, post};

use super::v1::media;
use super::v1::notifications::away;
use super::v1::suggestions;
use crate::http::App;

/// The routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/instance", get(instance::get))
        .route("/search", get(search::get))
        .route("/suggestions", get(suggestions::list))
        .merge(filters())
        .merge(notifications())
        .merge(media::uploads(post(media::post)))
}

fn filters() -> Router<App> {
    let keyword = get(filters::keywords::get).put(filters::keywords::put).delete(filters::keywords::delete);
    Router::new()
        .route("/filters", get(filters::list).post(filters::post))
        .route("/filters/{id}", get(filters::get).put(filters::put).delete(filters::delete))
        .route("/filters/{id}/keywords", get(filters::keywords::list).post(filters::keywords::post))
        .route("/filters/{id}/statuses", get(filters::statuses::list).post(filters::statuses::post))
        .route("/filters/keywords/{id}", keyword)
        .route("/filters/statuses/{id}", get(filters::statuses::get).delete(filters::statuses::delete))
}

fn notifications() -> Router<App> {
    Router::new()
        .route("/notifications", get(notifications::list))
        .route("/notifications/policy", get(notifications::policy::get).patch(notifications::policy::patch))
        .route("/notifications/unread_count", get(away::unread_count))
        .route("/notifications/{group_key}", get(notifications::get))
        .route("/notifications/{group_key}/accounts", get(notifications::accounts))
        .route("/notifications/{group_key}/dismiss", post(notifications::dismiss))
}
