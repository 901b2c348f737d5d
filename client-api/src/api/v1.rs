//! `/api/v1`: Mastodon's first versions.

pub mod accounts;
pub mod apps;
pub mod bookmarks;
pub mod directory;
pub mod domain_blocks;
pub mod empty;
pub mod endorsements;
pub mod featured_tags;
pub mod filters;
pub mod instance;
pub mod lists;
pub mod markers;
pub mod media;
pub mod notifications;
pub mod polls;
pub mod preferences;
pub mod profile;
pub mod push;
pub mod reports;
pub mod scheduled_statuses;
pub mod statuses;
pub mod suggestions;
pub mod tags;
pub mod timelines;
pub mod trends;

use axum::Router;
use axum::routing::{delete, get, patch, post, put};

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
        .merge(discovery())
        .merge(notifications())
        .merge(streaming::router())
        .route("/polls/{id}", get(polls::get))
        .route("/polls/{id}/votes", post(polls::vote))
        .route("/timelines/home", get(timelines::home::get))
        .route("/timelines/public", get(timelines::public::get))
        .route("/timelines/tag/{tag}", get(timelines::tag::get))
        .route("/push/subscription", get(push::get).post(push::post).put(push::put).delete(push::delete))
        .route("/media/{id}", get(media::get).put(media::put).delete(media::delete))
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
        .route("/accounts/{id}/featured_tags", get(featured_tags::of_account))
        .route("/accounts/{id}/endorsements", get(endorsements::of_account))
        .route("/accounts/{id}/endorse", post(endorsements::endorse))
        .route("/accounts/{id}/unendorse", post(endorsements::unendorse))
        .route("/accounts/{id}/pin", post(endorsements::endorse))
        .route("/accounts/{id}/unpin", post(endorsements::unendorse))
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
        .route("/statuses/{id}/quotes", get(statuses::quotes::list))
        .route("/statuses/{id}/quotes/{quoting_id}/revoke", post(statuses::quotes::revoke))
        .route("/statuses/{id}/interaction_policy", put(statuses::quotes::interaction_policy))
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
        .route("/instance/activity", get(instance::about::activity))
        .route("/instance/terms_of_service", get(instance::about::terms_of_service))
        .route("/instance/terms_of_service/{date}", get(instance::about::terms_of_service_of))
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
    let scheduled = get(scheduled_statuses::get).put(scheduled_statuses::put).delete(scheduled_statuses::delete);
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
        .route("/scheduled_statuses", get(scheduled_statuses::list))
        .route("/scheduled_statuses/{id}", scheduled)
        .route("/conversations", get(empty::list))
        .route("/conversations/{id}", delete(empty::item))
        .route("/conversations/{id}/read", post(empty::item))
        .route("/follow_requests", get(empty::list))
        .route("/follow_requests/{id}/authorize", post(empty::item))
        .route("/follow_requests/{id}/reject", post(empty::item))
        .route("/featured_tags", get(featured_tags::list).post(featured_tags::post))
        .route("/featured_tags/suggestions", get(featured_tags::suggestions))
        .route("/featured_tags/{id}", delete(featured_tags::delete))
        .route("/tags/{name}/feature", post(featured_tags::feature))
        .route("/tags/{name}/unfeature", post(featured_tags::unfeature))
        .route("/endorsements", get(endorsements::list))
        .route("/profile", get(profile::get))
        .merge(media::profile(patch(profile::patch)))
        .route("/profile/avatar", delete(profile::delete_avatar))
        .route("/profile/header", delete(profile::delete_header))
}

/// What may interest the caller.
fn discovery() -> Router<App> {
    Router::new()
        .route("/trends", get(trends::tags))
        .route("/trends/tags", get(trends::tags))
        .route("/trends/links", get(trends::links))
        .route("/trends/statuses", get(trends::statuses))
        .route("/timelines/link", get(timelines::link::get))
        .route("/suggestions", get(suggestions::accounts))
        .route("/suggestions/{id}", delete(suggestions::delete))
        .route("/directory", get(directory::get))
}

fn notifications() -> Router<App> {
    Router::new()
        .route("/notifications", get(notifications::list))
        .route("/notifications/clear", post(notifications::away::clear))
        .route("/notifications/unread_count", get(notifications::away::unread_count))
        .route("/notifications/{id}", get(notifications::get))
        .route("/notifications/{id}/dismiss", post(notifications::away::dismiss))
        .route("/notifications/requests", get(notifications::requests::list))
        .route("/notifications/requests/accept", post(notifications::requests::accept_some))
        .route("/notifications/requests/dismiss", post(notifications::requests::dismiss_some))
        .route("/notifications/requests/merged", get(notifications::requests::merged))
        .route("/notifications/requests/{id}", get(notifications::requests::get))
        .route("/notifications/requests/{id}/accept", post(notifications::requests::accept))
        .route("/notifications/requests/{id}/dismiss", post(notifications::requests::dismiss))
}

fn filters() -> Router<App> {
    Router::new()
        .route("/filters", get(filters::list).post(filters::post))
        .route("/filters/{id}", get(filters::get).put(filters::put).delete(filters::delete))
}
