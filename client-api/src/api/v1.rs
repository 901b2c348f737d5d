//! `/api/v1`: Mastodon's first versions.

pub mod accounts;
pub mod apps;
pub mod instance;
pub mod media;
pub mod notifications;
pub mod polls;
pub mod statuses;
pub mod timelines;

use axum::Router;
use axum::routing::{get, patch, post};

use crate::http::App;

/// The routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/apps", post(apps::post))
        .route("/apps/verify_credentials", get(apps::verify_credentials))
        .route("/instance", get(instance::get))
        .merge(accounts())
        .merge(statuses())
        .route("/polls/{id}", get(polls::get))
        .route("/polls/{id}/votes", post(polls::vote))
        .route("/timelines/home", get(timelines::home::get))
        .route("/timelines/public", get(timelines::public::get))
        .route("/timelines/tag/{tag}", get(timelines::tag::get))
        .route("/notifications", get(notifications::list))
        .route("/notifications/{id}", get(notifications::get))
        .route("/media/{id}", get(media::get).put(media::put))
        .merge(media::uploads(post(media::post)))
}

fn accounts() -> Router<App> {
    let update = patch(accounts::update_credentials::patch);
    Router::new()
        .route("/accounts/verify_credentials", get(accounts::verify_credentials::get))
        .merge(media::pictures(update))
        .route("/accounts/lookup", get(accounts::lookup::get))
        .route("/accounts/search", get(accounts::search::get))
        .route("/accounts/relationships", get(accounts::relationships::get))
        .route("/accounts/{id}", get(accounts::get))
        .route("/accounts/{id}/statuses", get(accounts::statuses::get))
        .route("/accounts/{id}/followers", get(accounts::follows::followers))
        .route("/accounts/{id}/following", get(accounts::follows::following))
        .route("/accounts/{id}/follow", post(accounts::relations::follow))
        .route("/accounts/{id}/unfollow", post(accounts::relations::unfollow))
        .route("/accounts/{id}/block", post(accounts::relations::block))
        .route("/accounts/{id}/unblock", post(accounts::relations::unblock))
}

fn statuses() -> Router<App> {
    let one = get(statuses::get).put(statuses::edit::put).delete(statuses::delete::delete);
    Router::new()
        .route("/statuses", get(statuses::list).post(statuses::create::post))
        .route("/statuses/{id}", one)
        .route("/statuses/{id}/source", get(statuses::source::get))
        .route("/statuses/{id}/context", get(statuses::context::get))
        .route("/statuses/{id}/favourite", post(statuses::favourite::favourite))
        .route("/statuses/{id}/unfavourite", post(statuses::favourite::unfavourite))
        .route("/statuses/{id}/reblog", post(statuses::reblog::reblog))
        .route("/statuses/{id}/unreblog", post(statuses::reblog::unreblog))
        .route("/statuses/{id}/favourited_by", get(statuses::favourite::favourited_by))
        .route("/statuses/{id}/reblogged_by", get(statuses::reblog::reblogged_by))
}
