//! The client API: Mastodon's REST API as a view over the node, and our own beside it.
//!
//! One endpoint, or one tight family, a file; the address is the path of the file. Nothing here is a model: values
//! come from the node and leave as JSON.

pub mod avatars;
pub mod blobs;
pub mod compose;
pub mod docs;
pub mod entities;
pub mod health;
pub mod idempotency;
pub mod lookup;
pub mod metrics;
pub mod nodeinfo;
pub mod oauth;
pub mod oembed;
pub mod page;
pub mod posting;
pub mod private;
pub mod scheduled;
pub mod strangers;
pub mod streaming;
pub mod text;
pub mod v1;
pub mod v2;
pub mod well_known;
pub mod words;
pub mod xom;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::get;

use crate::http::App;
use crate::http::limits::BODY_BYTES_MAX;

/// Every route of the client API.
pub fn router() -> Router<App> {
    Router::new()
        .route("/health", get(health::get))
        .route("/metrics", get(metrics::get))
        .route("/.well-known/host-meta", get(well_known::host_meta))
        .route("/.well-known/webfinger", get(well_known::webfinger))
        .route("/.well-known/nodeinfo", get(well_known::nodeinfo))
        .route("/.well-known/oauth-authorization-server", get(oauth::metadata::get))
        .route("/nodeinfo/2.0", get(nodeinfo::get))
        .route("/api/oembed", get(oembed::get))
        .route("/media/{id}", get(blobs::get))
        .route("/media/{id}/preview", get(blobs::preview))
        .route("/avatars/{file}", get(avatars::avatar))
        .route("/headers/{file}", get(avatars::header))
        .route("/api/docs", get(docs::get))
        .route("/api/docs/style.css", get(docs::style))
        .nest("/oauth", oauth::router())
        .nest("/api/v1", v1::router())
        .nest("/api/v2", v2::router())
        .nest("/api/xom/v1", xom::router())
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
}
