//! `/api/v1/streaming`: what happens while somebody looks, over WebSocket and as server-sent events.
//!
//! Whoever comes first under an identity and a name of the server starts a feed: a short log of rendered events
//! that all streams of that identity and name read, each at its own place. So a stream costs no queue: who reads too
//! slowly falls out of the log and is cut off with the reason, and who comes back goes on where it was.

mod call;
mod channel;
mod feed;
mod render;
mod seats;
mod socket;
mod sse;

pub use call::StreamCall;
pub use channel::{Channel, Facets};
pub use feed::{Cursor, Cut, Item};
pub use seats::{Seat, Streams};

use axum::Router;
use axum::routing::get;

use crate::http::{App, Params};

/// Addresses of server-sent events, with the stream that each gives.
pub const EVENT_SOURCES: [(&str, &str); 9] = [
    ("/streaming/user", "user"),
    ("/streaming/user/notification", "user:notification"),
    ("/streaming/public", "public"),
    ("/streaming/public/local", "public:local"),
    ("/streaming/public/remote", "public:remote"),
    ("/streaming/hashtag", "hashtag"),
    ("/streaming/hashtag/local", "hashtag:local"),
    ("/streaming/list", "list"),
    ("/streaming/direct", "direct"),
];

/// The routes.
pub fn router() -> Router<App> {
    let mut router = Router::new().route("/streaming", get(socket::get)).route("/streaming/health", get(async || "OK"));
    for (path, name) in EVENT_SOURCES {
        let open = move |call: StreamCall, params: Params| std::future::ready(sse::open(name, &call, &params));
        router = router.route(path, get(open));
    }
    router
}
