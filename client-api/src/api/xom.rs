//! `/api/xom/v1`: what Mastodon has no word for: identity, invites, peers, sync, checks, export, import.

pub mod access;
pub mod accounts;
pub mod answer;
pub mod apps;
pub mod backup;
pub mod bootstrap;
pub mod compact;
pub mod copies;
pub mod cursor;
pub mod devices;
pub mod doctor;
pub mod door;
pub mod entries;
pub mod erasures;
pub mod errors;
pub mod events;
pub mod export;
pub mod feeds;
pub mod find;
pub mod follow;
pub mod guardians;
pub mod identities;
pub mod identity;
pub mod import;
pub mod invites;
pub mod keepers;
pub mod keeps;
pub mod keys;
pub mod logs;
pub mod once;
pub mod openapi;
pub mod ownership;
pub mod peers;
pub mod proofs;
pub mod records;
pub mod recoveries;
pub mod refused;
pub mod reports;
pub mod status;
pub mod sync;
pub mod verify;
pub mod views;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::App;

/// Largest body of an import request, bytes.
const IMPORT_BODY_BYTES_MAX: usize = 4 << 20;
/// Largest list of the files that a backup has already, bytes.
const BACKUP_BODY_BYTES_MAX: usize = 16 * xom_node::backup::KNOWN_NAMES_MAX;

/// The routes, and beside them their description.
pub fn router() -> Router<App> {
    let (router, _) = described().split_for_parts();
    router.route("/openapi.json", get(openapi::get))
}

/// The routes with what describes them. Nothing is served here that is not described, but the description itself.
fn described() -> OpenApiRouter<App> {
    let import =
        OpenApiRouter::new().routes(routes!(import::posts::post)).layer(DefaultBodyLimit::max(IMPORT_BODY_BYTES_MAX));
    let backup = OpenApiRouter::new().routes(routes!(backup::post)).layer(DefaultBodyLimit::max(BACKUP_BODY_BYTES_MAX));
    OpenApiRouter::new()
        .routes(routes!(accounts::list, accounts::post))
        .routes(routes!(accounts::invite))
        .routes(routes!(accounts::delete))
        .routes(routes!(accounts::set_password))
        .routes(routes!(accounts::set_role))
        .routes(routes!(apps::get))
        .routes(routes!(apps::revoke))
        .routes(routes!(identity::get))
        .routes(routes!(reports::get))
        .routes(routes!(identity::list))
        .routes(routes!(identities::get))
        .routes(routes!(identities::document))
        .routes(routes!(keys::get))
        .routes(routes!(keys::words))
        .routes(routes!(keys::asked))
        .routes(routes!(keys::confirm))
        .routes(routes!(keys::postpone))
        .routes(routes!(keys::set_passphrase))
        .routes(routes!(keys::unlock))
        .routes(routes!(ownership::rotate))
        .routes(routes!(ownership::lock))
        .routes(routes!(ownership::unlock))
        .routes(routes!(ownership::postpone))
        .routes(routes!(ownership::cancel))
        .routes(routes!(guardians::get, guardians::post))
        .routes(routes!(recoveries::get))
        .routes(routes!(recoveries::approve))
        .routes(routes!(recoveries::refuse))
        .routes(routes!(invites::get, invites::post))
        .routes(routes!(follow::post))
        .routes(routes!(devices::get))
        .routes(routes!(devices::pair::get, devices::pair::begin))
        .routes(routes!(devices::pair::confirm))
        .routes(routes!(devices::pair::stop))
        .routes(routes!(devices::remove))
        .routes(routes!(devices::rename))
        .routes(routes!(keeps::get, keeps::post))
        .routes(routes!(keeps::requests))
        .routes(routes!(keeps::policy))
        .routes(routes!(keeps::delete))
        .routes(routes!(keeps::allow))
        .routes(routes!(keeps::deny))
        .routes(routes!(keepers::get, keepers::post))
        .routes(routes!(keepers::delete))
        .routes(routes!(peers::get))
        .routes(routes!(peers::bans::get))
        .routes(routes!(peers::bans::post))
        .routes(routes!(peers::bans::unban))
        .routes(routes!(bootstrap::get, bootstrap::post))
        .routes(routes!(bootstrap::remove))
        .routes(routes!(door::get, door::post))
        .routes(routes!(doctor::get))
        .routes(routes!(feeds::list))
        .routes(routes!(feeds::attempt))
        .routes(routes!(feeds::get))
        .routes(routes!(feeds::page, feeds::tuned))
        .routes(routes!(refused::post))
        .routes(routes!(status::get))
        .routes(routes!(sync::get))
        .routes(routes!(logs::get))
        .routes(routes!(verify::post))
        .routes(routes!(export::get))
        .routes(routes!(backup::prepare))
        .routes(routes!(compact::post))
        .routes(routes!(views::rebuild))
        .routes(routes!(find::get))
        .routes(routes!(find::erase))
        .routes(routes!(copies::get))
        .routes(routes!(erasures::post))
        .routes(routes!(entries::post))
        .routes(routes!(proofs::get))
        .routes(routes!(records::list, records::add))
        .routes(routes!(records::get, records::put, records::delete))
        .routes(routes!(events::get))
        .routes(routes!(import::known::post))
        .routes(routes!(errors::get))
        .merge(import)
        .merge(backup)
}
