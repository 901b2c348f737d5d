//! `/api/xom/v1/events`: what goes on, as server-sent events: the exchange with peers, pairing, records of apps. Each
//! event says how things stand, so that whoever comes back needs none that he missed but those of records, of which a
//! `gap` tells.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use axum::response::Response;
use futures::stream;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, ToSchema};
use xom_node::Handle;
use xom_node::model::Event;

use super::devices::pair;
use crate::api::streaming::{Seat, StreamCall};
use crate::http::stream::event_stream;
use crate::http::{ApiError, Caller, Sent};

/// How often is looked whether something has changed.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// After so many looks without an event a line says that the stream goes on.
const QUIET_LOOKS: u32 = 15;

/// Which events are wanted.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// Only records of this kind; all kinds where it is missing.
    kind: Option<String>,
    /// The token, for browsers, whose event sources set no headers.
    #[serde(rename = "access_token")]
    #[param(rename = "access_token")]
    _access_token: Option<String>,
}

/// How far the exchange with peers is: the data of the event `sync`.
#[derive(PartialEq, Serialize, ToSchema)]
pub struct SyncProgress {
    /// Nothing is left to exchange with any connected peer.
    in_sync: bool,
    /// Peers that are connected.
    peers_connected: usize,
    /// Entries received from peers since the start.
    entries_received: u64,
    /// Entries sent to peers since the start.
    entries_sent: u64,
}

struct Source {
    node: Handle,
    events: Receiver<Event>,
    kind: Option<String>,
    sees_network: bool,
    sees_records: bool,
    sees_pairing: bool,
    look: Interval,
    quiet_looks: u32,
    stopping: CancellationToken,
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
    last_sync: Option<SyncProgress>,
    last_pairing: String,
    ready: VecDeque<String>,
    has_ended: bool,
    _seat: Seat,
}

/// Stream what goes on
///
/// Server-sent events: `sync` with a `SyncProgress` when the exchange with peers changes (scope `xom:network`), `record`
/// with `did`, `kind` and `key` when a record was put or deleted (scope `xom:records`), `pairing` with a `Pairing` (the
/// owner's token only), `gap` when records changed faster than they were taken: read them again.
#[utoipa::path(get, path = "/events", operation_id = "streamEvents", tag = "node", params(EventsQuery),
    responses((status = 200, description = "The events", body = String, content_type = "text/event-stream")))]
pub async fn get(stream: StreamCall, Sent(query): Sent<EventsQuery>) -> Result<Response, ApiError> {
    let call = &stream.call;
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let source = Source {
        events: call.node.events(),
        node: call.node.clone(),
        kind: query.kind,
        sees_network: call.needs("xom:network").is_ok(),
        sees_records: call.needs("xom:records").is_ok(),
        sees_pairing: matches!(call.caller, Caller::Owner),
        look,
        quiet_looks: 0,
        stopping: stream.stopping.clone(),
        ended: Box::pin(call.ended()),
        last_sync: None,
        last_pairing: String::new(),
        ready: VecDeque::from([":)\n\n".to_owned()]),
        has_ended: false,
        _seat: call.app.streams().sit(&stream)?,
    };
    let lines = stream::unfold(source, async |mut source| {
        let line = source.next().await?;
        Some((line, source))
    });
    Ok(event_stream(lines))
}

impl Source {
    async fn next(&mut self) -> Option<String> {
        loop {
            if let Some(line) = self.ready.pop_front() {
                self.quiet_looks = 0;
                return Some(line);
            }
            if self.has_ended {
                return None;
            }
            tokio::select! {
                () = self.stopping.cancelled() => self.end("the node is stopping"),
                () = &mut self.ended => self.end("the token has ended"),
                event = self.events.recv() => self.take(event),
                _ = self.look.tick() => self.look().await,
            }
        }
    }

    fn take(&mut self, event: Result<Event, RecvError>) {
        match event {
            Ok(Event::RecordChanged { author, kind, key }) => {
                if self.sees_records && self.kind.as_ref().is_none_or(|wanted| *wanted == kind) {
                    let data = json!({ "did": author.to_string(), "kind": kind, "key": key });
                    self.ready.push_back(event_of("record", &data));
                }
            }
            Ok(_) => {}
            Err(RecvError::Lagged(_)) if self.sees_records => self.ready.push_back(event_of("gap", &json!({}))),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => self.end("the node is stopping"),
        }
    }

    /// Tells how things stand where that has changed.
    async fn look(&mut self) {
        if self.sees_network {
            let now = progress(&self.node).await;
            if self.last_sync.as_ref() != Some(&now) {
                self.ready.push_back(event_of("sync", &now));
                self.last_sync = Some(now);
            }
        }
        if self.sees_pairing {
            let now = event_of("pairing", &pair::state(&self.node.pair_state()));
            if self.last_pairing != now {
                self.ready.push_back(now.clone());
                self.last_pairing = now;
            }
        }
        self.quiet_looks += 1;
        if self.ready.is_empty() && self.quiet_looks >= QUIET_LOOKS {
            self.ready.push_back(":thump\n\n".to_owned());
        }
    }

    fn end(&mut self, why: &str) {
        self.ready.push_back(format!(":{why}\n\n"));
        self.has_ended = true;
    }
}

async fn progress(node: &Handle) -> SyncProgress {
    let peers = node.peers().await;
    let connected = || peers.iter().filter(|peer| peer.connected);
    SyncProgress {
        in_sync: connected().all(|peer| peer.in_sync),
        peers_connected: connected().count(),
        entries_received: peers.iter().map(|peer| peer.entries_received).sum(),
        entries_sent: peers.iter().map(|peer| peer.entries_sent).sum(),
    }
}

fn event_of(name: &str, data: &impl Serialize) -> String {
    // JSON has no line break outside of texts, and none inside.
    format!("event: {name}\ndata: {}\n\n", serde_json::to_string(data).unwrap_or_default())
}
