//! `/metrics`: figures of the node for Prometheus, in its text format (version 0.0.4).
//!
//! Open to this machine; under the name of a proxy it is there only where the owner has switched it on (`--metrics`),
//! and needs the token of the file `metrics.token`. It never says what or who: no DID, no peer, no text.

mod process;
mod text;

use std::time::{Duration, SystemTime};

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use xom_node::model::{Health, NodeStatus};

use self::text::{Kind, Text};
use crate::http::auth::bearer;
use crate::http::call::Anonymous;
use crate::http::{ApiError, App, ErrorKind};

/// The format, as Prometheus names it.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Headers by which a proxy says that it asks for somebody else.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// All figures.
pub async fn get(State(app): State<App>, headers: HeaderMap, Anonymous(base): Anonymous) -> Result<Response, ApiError> {
    let here = base.is_loopback() && !FORWARDED.iter().any(|name| headers.contains_key(*name));
    if !here {
        let token = app.metrics_token().ok_or_else(ApiError::not_found)?;
        let carried = bearer(&headers).ok_or(ErrorKind::Unauthorized)?;
        if !token.is(carried) && !app.token().is(carried) {
            return Err(ErrorKind::Unauthorized.into());
        }
    }
    let (status, health) = (app.node().status().await?, app.node().health().await?);
    let mut text = Text::default();
    of_node(&mut text, &app, &status, &health);
    of_network(&mut text, &status, &health);
    process::add(&mut text);
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text.finish()).into_response())
}

fn of_node(text: &mut Text, app: &App, status: &NodeStatus, health: &Health) {
    let version = env!("CARGO_PKG_VERSION");
    text.family("xom_build_info", Kind::Gauge, "What runs; always 1.").labelled("version", version, 1);
    let started = SystemTime::now().checked_sub(Duration::from_secs(status.uptime_secs));
    let started = started.and_then(|time| time.duration_since(SystemTime::UNIX_EPOCH).ok()).unwrap_or_default();
    text.gauge("xom_start_time_seconds", "When the node started, seconds since 1970.", started.as_secs());
    text.gauge("xom_entries", "Entries stored.", status.entries);
    text.gauge("xom_identities", "Identities known.", status.identities);
    text.gauge("xom_data_bytes", "Size of the data folder.", status.disk_bytes);
    if let Some(free) = health.disk_free_bytes {
        text.gauge("xom_data_free_bytes", "Room that is left where the data folder is.", free);
    }
    let warnings = u64::try_from(status.warnings.len()).unwrap_or(u64::MAX);
    text.gauge("xom_warnings", "Warnings that `xom status` shows now.", warnings);
    let mut requests = text.family("xom_http_requests_total", Kind::Counter, "Answers by class of their code.");
    for (class, count) in app.answers().by_class() {
        requests.labelled("code", class, count);
    }
    text.gauge("xom_http_requests_in_flight", "Requests that are being answered.", app.requests_in_flight());
}

fn of_network(text: &mut Text, status: &NodeStatus, health: &Health) {
    text.gauge("xom_peers_known", "Peers of the address book.", health.peers_known);
    text.gauge("xom_peers_connected", "Peers that are connected.", status.peers_connected);
    text.gauge("xom_peers_banned", "Peers that are kept away for a while.", health.peers_banned);
    text.gauge("xom_table_nodes", "Nodes in the table of who is where.", health.table_nodes);
    let (sent, received) = status.traffic;
    text.counter("xom_network_sent_bytes_total", "Bytes sent to peers on all streams.", sent);
    text.counter("xom_network_received_bytes_total", "Bytes received from peers on all streams.", received);
    text.counter("xom_entries_sent_total", "Entries sent to peers.", health.entries_sent);
    text.counter("xom_entries_received_total", "Entries received from peers that were new.", health.entries_received);
    let mut refusals = text.family("xom_refusals_total", Kind::Counter, "Input of peers that was refused, by rule.");
    for (rule, count) in &status.refusals {
        refusals.labelled("rule", rule, *count);
    }
    if let Some(ahead_ms) = health.clock_ahead_ms {
        let help = "By how much the clocks of peers are ahead of this one, their median.";
        text.family("xom_clock_peers_ahead_seconds", Kind::Gauge, help).thousandths(ahead_ms);
    }
}
