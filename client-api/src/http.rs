//! The HTTP server: who may talk to the node, how much, and in which shape it answers.
//!
//! Everything that holds for every address is here and in the files below: `Host` and `Origin` checks,
//! limits, response headers, authentication, errors, and how parameters are read.

pub mod answers;
pub mod app;
pub mod arrival;
pub mod auth;
pub mod base;
pub mod call;
pub mod cors;
mod crowd;
pub mod error;
pub mod form;
pub mod guard;
pub mod headers;
pub mod limits;
pub mod link;
mod patient;
pub mod rate;
pub mod request_id;
pub mod scopes;
pub mod server;
pub mod stream;

pub use app::{Access, App, HttpConfig};
pub use arrival::Arrival;
pub use auth::Token;
pub use base::{Base, Hosts};
pub use call::{Call, Caller};
pub use error::{ApiError, ErrorKind};
pub use form::{Params, Secret, Sent};
pub use server::{ListenError, Listener, Stopping, serve, serve_tls};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state, map_response};
use axum::response::Response;

/// Everything that is served, ready for [`serve`]: the client API, and `page`, whose routes may use cookies.
pub fn router(app: App, page: Router<App>) -> Router {
    let page = page.layer(from_fn(guard::same_origin));
    let shaped = map_response(|answer: Response| std::future::ready(error::shaped(answer)));
    let routes = crate::api::router()
        .layer(shaped)
        .merge(page)
        .fallback(guard::not_found)
        .method_not_allowed_fallback(guard::method_not_allowed)
        .with_state(app.clone());
    // The layers of a router whose only route is its fallback run before the inner router chooses a route.
    Router::new()
        .fallback_service(routes)
        .layer(from_fn_with_state(app.clone(), crate::api::xom::once::layer))
        .layer(from_fn(guard::strip_slash))
        .layer(from_fn(limits::in_time))
        .layer(from_fn_with_state(app.clone(), limits::in_flight))
        .layer(from_fn(cors::preflight))
        .layer(from_fn(limits::header_bytes))
        .layer(from_fn_with_state(app.clone(), guard::known_host))
        .layer(from_fn_with_state(app.clone(), headers::finish))
        .layer(from_fn_with_state(app, answers::count))
}
