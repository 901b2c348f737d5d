//! Streams as server-sent events: one stream each.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use axum::response::Response;
use futures::stream;
use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::call::StreamCall;
use super::channel::Channel;
use super::feed::{Cursor, Cut, Item};
use crate::http::stream::event_stream;
use crate::http::{ApiError, Params};

/// How often a line says that the stream goes on, as Mastodon's does.
const THUMP_EVERY: Duration = Duration::from_secs(15);
/// The first line, so that the headers go out.
const GREETING: &str = ":)\n";
/// Tells a client that came back that events which it missed are not to be had any more: it must read again.
const GAP: &str = "event: gap\ndata: {}\n\n";

struct Source {
    cursor: Cursor,
    channels: [Channel; 1],
    thump: Interval,
    stopping: CancellationToken,
    /// Ready when the token ends.
    ended: Pin<Box<dyn Future<Output = ()> + Send>>,
    /// What is written next.
    ready: VecDeque<String>,
    has_ended: bool,
}

/// Opens the stream of a name.
pub(super) fn open(name: &str, stream: &StreamCall, params: &Params) -> Result<Response, ApiError> {
    let only_media = params.flag("only_media").unwrap_or(false) && name.starts_with("public");
    let name = if only_media { format!("{name}:media") } else { name.to_owned() };
    let channel = Channel::read(&name, params.text("tag").as_deref(), params.text("list").as_deref())?;
    let cursor = stream.call.app.streams().open(stream)?;
    let mut ready = VecDeque::from([GREETING.to_owned()]);
    ready.extend(cursor.has_gap.then(|| GAP.to_owned()));
    let mut thump = interval_at(Instant::now() + THUMP_EVERY, THUMP_EVERY);
    thump.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let stopping = stream.stopping.clone();
    let ended = Box::pin(stream.call.ended());
    let source = Source { cursor, channels: [channel], thump, stopping, ended, ready, has_ended: false };
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
                return Some(line);
            }
            if self.has_ended {
                return None;
            }
            tokio::select! {
                () = self.stopping.cancelled() => self.end(Cut::Stopping),
                () = &mut self.ended => self.end(Cut::TokenEnded),
                found = self.cursor.next(&self.channels) => match found {
                    Ok(items) => self.ready.extend(items.iter().map(|(id, item)| lines(id, item))),
                    Err(cut) => self.end(cut),
                },
                _ = self.thump.tick() => self.ready.push_back(":thump\n".to_owned()),
            }
        }
    }

    /// A comment is what clients of Mastodon don't stumble over.
    fn end(&mut self, cut: Cut) {
        self.ready.push_back(format!(":{}\n\n", cut.reason()));
        self.has_ended = true;
    }
}

fn lines(id: &str, item: &Item) -> String {
    format!("id: {id}\nevent: {}\ndata: {}\n\n", item.event, item.payload)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::streaming::feed::Feed;
    use crate::api::streaming::seats::Seat;

    #[tokio::test]
    async fn r_api_9_a_source_ends_with_its_token_and_says_why() {
        let cursor = Arc::new(Feed::new(1)).cursor(None, Seat::default());
        let mut source = Source {
            cursor,
            channels: [Channel::User],
            thump: interval_at(Instant::now() + THUMP_EVERY, THUMP_EVERY),
            stopping: CancellationToken::new(),
            ended: Box::pin(std::future::ready(())),
            ready: VecDeque::new(),
            has_ended: false,
        };
        assert_eq!(source.next().await.as_deref(), Some(":the token has ended\n\n"));
        assert_eq!(source.next().await, None);
    }
}
