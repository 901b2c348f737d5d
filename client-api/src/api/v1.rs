//! `/api/v1`: Mastodon's first versions.

pub mod accounts;
pub mod apps;
pub mod bookmarks;
pub mod domain_blocks;
pub mod empty;
pub mod filters;
pub mod instance;
pub mod lists;
pub mod markers;
pub mod media;
pub mod notifications;
pub mod polls;
pub mod preferences;
pub mod push;
pub mod reports;
pub mod statuses;
pub mod tags;
pub mod timelines;

use axum::Router;
use axum::routing::{delete, get, patch, post};

use super::streaming;
use super::v2::search;
use crate::http::App;

/// The routes.
pub fn router() -> Router<App> {
    Router::new()
        .route("/apps", post(apps::post))
        .route("/apps/verify_credentials", get(apps::verify_credentials))
        .route("/instance", get(instance::get))
        .route("/search", get(search::get))
        .merge(about())
        .merge(accounts())
        .merge(statuses())
        .merge(own())
        .merge(filters())
        .merge(streaming::router())
        .route("/polls/{id}", get(polls::get))
        .route("/polls/{id}/votes", post(polls::vote))
        .route("/timelines/home", get(timelines::home::get))
        .route("/timelines/public", get(timelines::public::get))
        .route("/timelines/tag/{tag}", get(timelines::tag::get))
        .route("/push/subscription", get(push::get).post(push::post).put(push::put).delete(push::delete))
        .route("/notifications", get(notifications::list))
        .route("/notifications/clear", post(notifications::away::clear))
        .route("/notifications/unread_count", get(notifications::away::unread_count))
        .route("/notifications/{id}", get(notifications::get))
        .route("/notifications/{id}/dismiss", post(notifications::away::dismiss))
        .route("/media/{id}", get(media::get).put(media::put))
        .merge(media::uploads(post(media::post)))
}

fn accounts() -> Router<App> {
    let update = patch(accounts::update_credentials::patch);
    Router::new()
        .route("/accounts", post(accounts::register::post))
        .route("/accounts/verify_credentials", get(accounts::verify_credentials::get))
        .merge(media::pictures(update))
        .route("/accounts/lookup", get(accounts::lookup::get))
        .route("/accounts/search", get(accounts::search::get))
        .route("/accounts/relationships", get(accounts::relationships::get))
        .route("/accounts/familiar_followers", get(accounts::familiar_followers::get))
        .route("/accounts/{id}", get(accounts::get))
        .route("/accounts/{id}/statuses", get(accounts::statuses::get))
        .route("/accounts/{id}/followers", get(accounts::follows::followers))
        .route("/accounts/{id}/following", get(accounts::follows::following))
        .route("/accounts/{id}/follow", post(accounts::relations::follow))
        .route("/accounts/{id}/unfollow", post(accounts::relations::unfollow))
        .route("/accounts/{id}/block", post(accounts::relations::block))
        .route("/accounts/{id}/unblock", post(accounts::relations::unblock))
        .route("/accounts/{id}/mute", post(accounts::mutes::mute))
        .route("/accounts/{id}/unmute", post(accounts::mutes::unmute))
        .route("/accounts/{id}/note", post(accounts::mutes::note))
        .route("/accounts/{id}/remove_from_followers", post(accounts::mutes::remove_from_followers))
        .route("/accounts/{id}/lists", get(lists::accounts::of_account))
        .route("/accounts/{id}/featured_tags", get(empty::list_below))
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
        .route("/statuses/{id}/history", get(statuses::history::get))
        .route("/statuses/{id}/bookmark", post(statuses::aside::bookmark))
        .route("/statuses/{id}/unbookmark", post(statuses::aside::unbookmark))
        .route("/statuses/{id}/pin", post(statuses::aside::pin))
        .route("/statuses/{id}/unpin", post(statuses::aside::unpin))
        .route("/statuses/{id}/mute", post(statuses::aside::mute))
        .route("/statuses/{id}/unmute", post(statuses::aside::unmute))
}

/// The node as an instance, in parts.
fn about() -> Router<App> {
    Router::new()
        .route("/instance/rules", get(empty::public_list))
        .route("/instance/peers", get(empty::public_list))
        .route("/instance/activity", get(empty::public_list))
        .route("/instance/domain_blocks", get(empty::public_list))
        .route("/instance/extended_description", get(instance::about::extended_description))
        .route("/instance/privacy_policy", get(instance::about::privacy_policy))
        .route("/instance/translation_languages", get(instance::about::translation_languages))
        .route("/custom_emojis", get(empty::public_list))
        .route("/announcements", get(empty::list))
        .route("/announcements/{id}/dismiss", post(empty::item))
}

/// What the caller sets for himself.
fn own() -> Router<App> {
    let domains = get(domain_blocks::list).post(domain_blocks::post).delete(domain_blocks::delete);
    let list = get(lists::get).put(lists::put).delete(lists::delete);
    let members = get(lists::accounts::get).post(lists::accounts::post).delete(lists::accounts::delete);
    Router::new()
        .route("/preferences", get(preferences::get))
        .route("/markers", get(markers::get).post(markers::post))
        .route("/bookmarks", get(bookmarks::bookmarks))
        .route("/favourites", get(bookmarks::favourites))
        .route("/mutes", get(accounts::mutes::mutes))
        .route("/blocks", get(accounts::mutes::blocks))
        .route("/domain_blocks", domains)
        .route("/followed_tags", get(tags::followed))
        .route("/tags/{name}", get(tags::get))
        .route("/tags/{name}/follow", post(tags::follow))
        .route("/tags/{name}/unfollow", post(tags::unfollow))
        .route("/lists", get(lists::list).post(lists::post))
        .route("/lists/{id}", list)
        .route("/lists/{id}/accounts", members)
        .route("/timelines/list/{id}", get(lists::timeline))
        .route("/reports", post(reports::post))
        .route("/conversations", get(empty::list))
        .route("/conversations/{id}", delete(empty::item))
        .route("/conversations/{id}/read", post(empty::item))
        .route("/follow_requests", get(empty::list))
        .route("/follow_requests/{id}/authorize", post(empty::item))
        .route("/follow_requests/{id}/reject", post(empty::item))
        .route("/featured_tags", get(empty::list))
        .route("/featured_tags/suggestions", get(empty::list))
}

fn filters() -> Router<App> {
    Router::new()
        .route("/filters", get(filters::list).post(filters::post))
        .route("/filters/{id}", get(filters::get).put(filters::put).delete(filters::delete))
}
