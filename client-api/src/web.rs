//! The page: server-rendered HTML for the owner's browser, without any script.
//!
//! Everything here but the login needs a session cookie; every form carries the session's CSRF token.
//! The guards for `Host` and `Origin` and the response headers are the server's.

mod apps;
mod assets;
mod authorize;
mod card;
mod compose;
mod copies;
mod devices;
mod fault;
mod guardians;
mod history;
mod holders;
mod home;
mod icons;
mod keys;
mod layout;
mod login;
mod notices;
mod poll;
mod profile;
mod prose;
mod qr;
mod react;
mod relate;
mod reports;
mod root;
pub mod session;
mod texts;
mod thread;
mod unlock;
mod visitor;
mod welcome;

use std::path::Path;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::map_response;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Router};
use xom_protocol::Did;

pub use root::PATH as ROOT_PATH;

use crate::http::App;
use crate::http::limits::MEDIA_BODY_BYTES_MAX;
use session::{LoginLinks, SessionError, Sessions};

/// What the page keeps beside the node: who is logged in.
#[derive(Clone)]
pub struct Web {
    inner: Arc<Inner>,
}

struct Inner {
    sessions: Sessions,
    links: LoginLinks,
    cookie: String,
}

impl Web {
    /// Reads who is logged in from the data folder. Cookies know no ports, so the port is in the cookie's name:
    /// two nodes on one machine don't log each other's owners out.
    pub fn open(data_dir: &Path, port: u16) -> Result<Self, SessionError> {
        let sessions = Sessions::open(data_dir)?;
        let inner = Inner { sessions, links: LoginLinks::default(), cookie: format!("xom_session_{port}") };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Makes a path with a one-time token that logs in as an identity.
    pub fn login_path(&self, did: Did) -> Result<String, SessionError> {
        Ok(format!("/login?t={}", self.inner.links.make(did, session::now_ms())?))
    }
}

/// The routes of the page.
pub fn router(web: Web) -> Router<App> {
    let upload = DefaultBodyLimit::max(MEDIA_BODY_BYTES_MAX);
    Router::new()
        .route("/", get(home::show))
        .route("/login", get(login::log_in).post(login::by_password))
        .route("/logout", post(login::log_out))
        .route("/welcome", get(welcome::show))
        .route("/welcome/check", get(welcome::check))
        .route("/welcome/confirm", post(welcome::confirm))
        .route("/welcome/postpone", post(welcome::postpone))
        .route("/keys", get(keys::show).post(keys::change))
        .route("/unlock", get(unlock::show).post(unlock::open))
        .route("/api/xom/v1/login-links", post(login::make_link))
        .route(authorize::PATH, get(authorize::ask).post(authorize::answer))
        .route("/apps", get(apps::show))
        .route("/apps/{id}/revoke", post(apps::revoke))
        .route("/reports", get(reports::show))
        .route("/copies", get(holders::show))
        .route("/devices", get(devices::show))
        .route("/devices/pair", post(devices::pair))
        .route("/devices/pair/confirm", post(devices::confirm))
        .route("/devices/pair/stop", post(devices::stop))
        .route("/devices/{id}/rename", post(devices::rename))
        .route("/devices/{id}/remove", post(devices::remove))
        .route("/notifications", get(notices::show))
        .route("/statuses", post(compose::publish).layer(upload))
        .route("/statuses/{id}", get(thread::show))
        .route("/statuses/{id}/copies", get(copies::show))
        .route("/statuses/{id}/react", post(react::act))
        .route("/statuses/{id}/vote", post(poll::vote))
        .route("/guardians", get(guardians::show).post(guardians::set))
        .route("/guardians/recovery", post(guardians::answer_recovery))
        .route("/guardians/requests/{code}/approve", post(guardians::approve))
        .route("/guardians/requests/{code}/refuse", post(guardians::refuse))
        .route("/follow", post(relate::follow))
        .route("/accounts/{id}", get(profile::show))
        .route("/accounts/{id}/history", get(history::show))
        .route("/accounts/{id}/follow", post(relate::follow_account))
        .route("/@{acct}", get(profile::show_by_name))
        .route("/@{acct}/{id}", get(thread::show_by_name))
        .route("/tags/{tag}", get(home::show_tag))
        .route("/public", get(home::show_public))
        .route(root::PATH, get(root::get))
        .route("/style.css", get(assets::style))
        .route("/icon.svg", get(assets::icon))
        .route("/favicon.ico", get(assets::icon))
        .layer(map_response(|answer: Response| std::future::ready(fault::shaped(answer))))
        .layer(Extension(web))
}
