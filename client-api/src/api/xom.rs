//! `/api/xom/v1`: what Mastodon has no word for: identity, invites, peers, sync, checks, export, import.

pub mod access;
pub mod accounts;
pub mod apps;
pub mod backup;
pub mod bootstrap;
pub mod compact;
pub mod copies;
pub mod devices;
pub mod doctor;
pub mod door;
pub mod entries;
pub mod erasures;
pub mod errors;
pub mod export;
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
pub mod ownership;
pub mod peers;
pub mod recoveries;
pub mod refused;
pub mod status;
pub mod sync;
pub mod verify;
pub mod views;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{delete, get, post};

use crate::http::App;

/// Largest body of an import request, bytes.
const IMPORT_BODY_BYTES_MAX: usize = 4 << 20;
/// Largest list of the files that a backup has already, bytes.
const BACKUP_BODY_BYTES_MAX: usize = 16 * xom_node::backup::KNOWN_NAMES_MAX;

/// The routes.
pub fn router() -> Router<App> {
    let import = post(import::posts::post).layer(DefaultBodyLimit::max(IMPORT_BODY_BYTES_MAX));
    Router::new()
        .route("/accounts", get(accounts::list).post(accounts::post))
        .route("/accounts/codes", post(accounts::invite))
        .route("/accounts/{name}", delete(accounts::delete))
        .route("/accounts/{name}/password", post(accounts::set_password))
        .route("/accounts/{name}/role", post(accounts::set_role))
        .route("/apps", get(apps::get))
        .route("/apps/{id}/revoke", post(apps::revoke))
        .route("/identity", get(identity::get))
        .route("/reports", get(super::v1::reports::list))
        .route("/identities", get(identity::list))
        .route("/identities/{did}", get(identities::get))
        .route("/identities/{did}/document", get(identities::document))
        .route("/keys", get(keys::get))
        .route("/phrase", get(keys::words))
        .route("/phrase/asked", get(keys::asked))
        .route("/phrase/confirm", post(keys::confirm))
        .route("/phrase/postpone", post(keys::postpone))
        .route("/passphrase", post(keys::set_passphrase))
        .route("/unlock", post(keys::unlock))
        .route("/identity/rotate", post(ownership::rotate))
        .route("/identity/lock", post(ownership::lock))
        .route("/identity/unlock", post(ownership::unlock))
        .route("/identity/postpone-recovery", post(ownership::postpone))
        .route("/identity/cancel-recovery", post(ownership::cancel))
        .route("/guardians", get(guardians::get).post(guardians::post))
        .route("/recoveries", get(recoveries::get))
        .route("/recoveries/{code}/approve", post(recoveries::approve))
        .route("/recoveries/{code}/refuse", post(recoveries::refuse))
        .route("/invites", get(invites::get).post(invites::post))
        .route("/follow", post(follow::post))
        .route("/devices", get(devices::get))
        .route("/devices/pair", get(devices::pair::get).post(devices::pair::begin))
        .route("/devices/pair/confirm", post(devices::pair::confirm))
        .route("/devices/pair/stop", post(devices::pair::stop))
        .route("/devices/{id}/remove", post(devices::remove))
        .route("/devices/{id}/rename", post(devices::rename))
        .route("/keeps", get(keeps::get).post(keeps::post))
        .route("/keeps/requests", get(keeps::requests))
        .route("/keeps/policy", get(keeps::policy))
        .route("/keeps/{did}", delete(keeps::delete))
        .route("/keeps/{did}/allow", post(keeps::allow))
        .route("/keeps/{did}/deny", post(keeps::deny))
        .route("/keepers", get(keepers::get).post(keepers::post))
        .route("/keepers/{did}", delete(keepers::delete))
        .route("/peers", get(peers::get))
        .route("/peers/bans", get(peers::bans::get))
        .route("/peers/{peer}/ban", post(peers::bans::post))
        .route("/peers/{peer}/unban", post(peers::bans::unban))
        .route("/bootstrap", get(bootstrap::get).post(bootstrap::post))
        .route("/bootstrap/remove", post(bootstrap::remove))
        .route("/door", get(door::get).post(door::post))
        .route("/doctor", get(doctor::get))
        .route("/refused", post(refused::post))
        .route("/status", get(status::get))
        .route("/sync", get(sync::get))
        .route("/logs", get(logs::get))
        .route("/verify", post(verify::post))
        .route("/export", get(export::get))
        .route("/backup", post(backup::post).layer(DefaultBodyLimit::max(BACKUP_BODY_BYTES_MAX)))
        .route("/backup/key", post(backup::prepare))
        .route("/compact", post(compact::post))
        .route("/views/rebuild", post(views::rebuild))
        .route("/statuses/find", get(find::get))
        .route("/statuses/{id}/erase", post(find::erase))
        .route("/statuses/{id}/copies", get(copies::get))
        .route("/erasures", post(erasures::post))
        .route("/entries", post(entries::post))
        .route("/import/known", post(import::known::post))
        .route("/import/posts", import)
        .route("/errors/{slug}", get(errors::get))
}
