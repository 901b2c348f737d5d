//! Who listens: a bounded number of streams, in total and for each token, and the feeds that they share.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use xom_node::model::Event;
use xom_node::{Handle, StoreError};
use xom_protocol::Did;

use super::call::StreamCall;
use super::feed::{Cursor, Cut, Feed};
use super::render::render;
use crate::http::limits::{STREAMS_MAX, STREAMS_PER_TOKEN_MAX};
use crate::http::{ApiError, Base, ErrorKind};

/// How long a feed goes on that nobody listens to, so that who comes back misses nothing.
const KEPT_SECS: u64 = 300;
/// How often a feed asks whether it is still listened to.
const ASK_EVERY: Duration = Duration::from_secs(30);
/// Most events that are rendered on one snapshot.
const RENDERED_MAX: usize = 256;

/// Whose feed, and under which name of the server.
type Key = (Did, String);

/// The streams that are open. Feeds end with it.
#[derive(Default)]
pub struct Streams {
    seats: Arc<Mutex<Seats>>,
    stop: CancellationToken,
}

#[derive(Default)]
struct Seats {
    taken: usize,
    by_holder: BTreeMap<[u8; 32], usize>,
    feeds: BTreeMap<Key, Kept>,
}

struct Kept {
    feed: Arc<Feed>,
    listeners: usize,
    /// Since when nobody listens, if nobody does.
    left: Instant,
}

/// One stream's place among those that may be open.
#[derive(Default)]
pub struct Seat {
    seats: Weak<Mutex<Seats>>,
    holder: [u8; 32],
    key: Option<(Key, u64)>,
}

/// What a feed's task works with.
struct Work {
    node: Handle,
    base: Base,
    key: Key,
    feed: Arc<Feed>,
    seats: Arc<Mutex<Seats>>,
    stop: CancellationToken,
}

impl Streams {
    /// Opens a stream, behind the last event that the client had where it says so and that is still to be had.
    pub fn open(&self, stream: &StreamCall) -> Result<Cursor, ApiError> {
        let (node, base) = (&stream.call.node, &stream.call.base);
        let key = (stream.call.viewer(), base.as_str().to_owned());
        let mut seats = lock(&self.seats);
        if !seats.has_room(&stream.holder) {
            return Err(too_many());
        }
        let known = seats.feeds.get(&key).filter(|kept| !kept.feed.has_ended()).map(|kept| Arc::clone(&kept.feed));
        let feed = match known {
            Some(feed) => feed,
            None => {
                let feed = Arc::new(Feed::new(epoch()?));
                let work = Work {
                    node: node.clone(),
                    base: base.clone(),
                    key: key.clone(),
                    feed: Arc::clone(&feed),
                    seats: Arc::clone(&self.seats),
                    stop: self.stop.clone(),
                };
                tokio::spawn(work.run(node.events()));
                seats.feeds.insert(key.clone(), Kept { feed: Arc::clone(&feed), listeners: 0, left: Instant::now() });
                feed
            }
        };
        seats.take(stream.holder)?;
        if let Some(kept) = seats.feeds.get_mut(&key) {
            kept.listeners += 1;
        }
        drop(seats);
        let seats = Arc::downgrade(&self.seats);
        let seat = Seat { seats, holder: stream.holder, key: Some((key, feed.epoch())) };
        let mut cursor = feed.cursor(stream.last_event.as_deref(), seat);
        cursor.skips_notifications = stream.call.needs("read:notifications").is_err();
        Ok(cursor)
    }

    /// Takes a place for a stream that has no feed.
    pub fn sit(&self, stream: &StreamCall) -> Result<Seat, ApiError> {
        let mut seats = lock(&self.seats);
        seats.take(stream.holder)?;
        Ok(Seat { seats: Arc::downgrade(&self.seats), holder: stream.holder, key: None })
    }

    /// How many are open.
    pub fn count(&self) -> usize {
        lock(&self.seats).taken
    }
}

impl Seats {
    fn has_room(&self, holder: &[u8; 32]) -> bool {
        let held = self.by_holder.get(holder).copied().unwrap_or(0);
        self.taken < STREAMS_MAX && held < STREAMS_PER_TOKEN_MAX
    }

    fn take(&mut self, holder: [u8; 32]) -> Result<(), ApiError> {
        if !self.has_room(&holder) {
            return Err(too_many());
        }
        self.taken += 1;
        *self.by_holder.entry(holder).or_default() += 1;
        Ok(())
    }
}

impl Drop for Streams {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(seats) = self.seats.upgrade() else { return };
        let mut seats = lock(&seats);
        seats.taken -= 1;
        if let Some(held) = seats.by_holder.get_mut(&self.holder) {
            *held -= 1;
            if *held == 0 {
                seats.by_holder.remove(&self.holder);
            }
        }
        let Some((key, epoch)) = self.key.take() else { return };
        // A feed that ended may have been followed by another under the same key.
        if let Some(kept) = seats.feeds.get_mut(&key).filter(|kept| kept.feed.epoch() == epoch) {
            kept.listeners -= 1;
            kept.left = Instant::now();
        }
    }
}

impl Work {
    /// Renders what is stored, until nobody listens any more or it can't follow.
    async fn run(self, mut events: Receiver<Event>) {
        let mut ask = tokio::time::interval(ASK_EVERY);
        ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let first = tokio::select! {
                () = self.stop.cancelled() => return self.feed.end(Cut::Stopping),
                _ = ask.tick() => match self.is_left() {
                    true => return,
                    false => continue,
                },
                first = events.recv() => first,
            };
            if let Err(cut) = self.take(first, &mut events).await {
                tracing::debug!(?cut, "a feed ends");
                return self.feed.end(cut);
            }
        }
    }

    async fn take(&self, first: Result<Event, RecvError>, events: &mut Receiver<Event>) -> Result<(), Cut> {
        let mut batch = vec![first.map_err(|ended| match ended {
            RecvError::Lagged(_) => Cut::Missed,
            RecvError::Closed => Cut::Stopping,
        })?];
        while batch.len() < RENDERED_MAX {
            match events.try_recv() {
                Ok(event) => batch.push(event),
                Err(TryRecvError::Lagged(_)) => return Err(Cut::Missed),
                Err(TryRecvError::Empty | TryRecvError::Closed) => break,
            }
        }
        let (viewer, base) = (self.key.0, self.base.clone());
        let rendered = self.node.read(move |reader| render(reader, &viewer, &base, &batch)).await;
        let items = rendered.map_err(|cause| match cause {
            StoreError::Stopping => Cut::Stopping,
            StoreError::Storage(_) | StoreError::Damaged(_) => {
                tracing::error!(%cause, "events could not be read");
                Cut::Missed
            }
        })?;
        self.feed.push(items);
        Ok(())
    }

    /// True, and the feed is forgotten, if nobody has listened for long.
    fn is_left(&self) -> bool {
        let mut seats = lock(&self.seats);
        let is_left = seats.feeds.get(&self.key).is_none_or(|kept| {
            let is_ours = kept.feed.epoch() == self.feed.epoch();
            !is_ours || kept.listeners == 0 && kept.left.elapsed() >= Duration::from_secs(KEPT_SECS)
        });
        if is_left && seats.feeds.get(&self.key).is_some_and(|kept| kept.feed.epoch() == self.feed.epoch()) {
            seats.feeds.remove(&self.key);
        }
        is_left
    }
}

fn lock(seats: &Mutex<Seats>) -> MutexGuard<'_, Seats> {
    seats.lock().unwrap_or_else(PoisonError::into_inner)
}

fn too_many() -> ApiError {
    ApiError::with_text(ErrorKind::Busy, "Too many streams are open")
}

fn epoch() -> Result<u64, ApiError> {
    let mut epoch = [0; 8];
    getrandom::fill(&mut epoch).map_err(|_| ErrorKind::Unavailable)?;
    Ok(u64::from_le_bytes(epoch))
}
