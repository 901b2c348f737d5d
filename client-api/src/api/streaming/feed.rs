//! A feed: the newest events of one identity, rendered for one name of the server, in a bounded log that every stream
//! reads at its own place.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::channel::{Channel, Facets};
use super::seats::Seat;

/// Most events of a log: who is further behind than this is cut off.
pub(super) const EVENTS_MAX: usize = 2_000;
/// Most bytes of the payloads of a log.
const BYTES_MAX: usize = 8 << 20;
/// Most events that a stream takes at once.
const TAKEN_MAX: usize = 64;

/// An event as streams carry it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Mastodon's name of it.
    pub event: &'static str,
    /// JSON, or the id of what is gone.
    pub payload: String,
    /// Where it belongs.
    pub facets: Facets,
}

/// Why a stream ends from this side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It did not take its events in time.
    TooSlow,
    /// The node was too busy to tell of everything.
    Missed,
    /// Nothing was heard of the client for too long.
    Silent,
    /// The token has ended (`R-API-9`).
    TokenEnded,
    /// The node stops.
    Stopping,
}

/// A place in a feed.
pub struct Cursor {
    feed: Arc<Feed>,
    next: u64,
    wake: watch::Receiver<Option<Cut>>,
    /// Where it came back and what was meanwhile is lost.
    pub has_gap: bool,
    /// The token is not allowed to read notifications.
    pub(super) skips_notifications: bool,
    _seat: Seat,
}

pub(super) struct Feed {
    /// Random, so that a number of another feed, or of one before a restart, is not taken for one of this.
    epoch: u64,
    log: Mutex<Log>,
    /// Sent anew with every event; why all streams end, once they do.
    state: watch::Sender<Option<Cut>>,
}

#[derive(Default)]
struct Log {
    /// The number of the first event that is kept.
    first: u64,
    items: VecDeque<Arc<Item>>,
    bytes: usize,
}

impl Cut {
    /// What the client is told.
    pub fn reason(self) -> &'static str {
        match self {
            Self::TooSlow => "too slow: events came faster than they were taken; read again and come back",
            Self::Missed => "events were missed; read again and come back",
            Self::Silent => "nothing was heard for too long",
            Self::TokenEnded => "the token has ended",
            Self::Stopping => "the node is stopping",
        }
    }
}

impl Feed {
    pub(super) fn new(epoch: u64) -> Self {
        Self { epoch, log: Mutex::default(), state: watch::Sender::new(None) }
    }

    pub(super) fn epoch(&self) -> u64 {
        self.epoch
    }

    /// True once all its streams end.
    pub(super) fn has_ended(&self) -> bool {
        self.state.borrow().is_some()
    }

    /// Adds events; the oldest make room.
    pub(super) fn push(&self, items: Vec<Item>) {
        if items.is_empty() {
            return;
        }
        let mut log = self.log();
        for item in items {
            log.bytes += item.payload.len();
            log.items.push_back(Arc::new(item));
            while log.items.len() > EVENTS_MAX || log.bytes > BYTES_MAX {
                let Some(oldest) = log.items.pop_front() else { break };
                log.bytes -= oldest.payload.len();
                log.first += 1;
            }
        }
        drop(log);
        self.state.send_modify(|_| ());
    }

    /// Ends all its streams.
    pub(super) fn end(&self, cut: Cut) {
        self.state.send_replace(Some(cut));
    }

    /// A place behind everything that there is, or behind the event that a client had last.
    pub(super) fn cursor(self: Arc<Self>, last_event: Option<&str>, seat: Seat) -> Cursor {
        let resumed = last_event.map(|id| self.place_of(id));
        let end = {
            let log = self.log();
            log.first + log.items.len() as u64
        };
        let wake = self.state.subscribe();
        let (next, has_gap) = match resumed {
            None => (end, false),
            Some(Some(next)) => (next, false),
            Some(None) => (end, true),
        };
        Cursor { next, wake, has_gap, skips_notifications: false, _seat: seat, feed: self }
    }

    /// The number of the event after the one with this id; none where it is not to be had any more.
    fn place_of(&self, id: &str) -> Option<u64> {
        let (epoch, number) = id.split_once('-')?;
        let next = number.parse::<u64>().ok()?.checked_add(1)?;
        let log = self.log();
        let is_kept = (log.first..=log.first + log.items.len() as u64).contains(&next);
        (is_kept && u64::from_str_radix(epoch, 16) == Ok(self.epoch)).then_some(next)
    }

    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Cursor {
    /// The next events that one of `wanted` takes, each with its id. May be dropped while it waits: nothing is lost.
    pub async fn next(&mut self, wanted: &[Channel]) -> Result<Vec<(String, Arc<Item>)>, Cut> {
        loop {
            // Before the look: what comes after it wakes.
            let cut = *self.wake.borrow_and_update();
            let found = self.look(wanted)?;
            if !found.is_empty() {
                return Ok(found);
            }
            if let Some(cut) = cut {
                return Err(cut);
            }
            if self.wake.changed().await.is_err() {
                return Err(Cut::Stopping);
            }
        }
    }

    fn look(&mut self, wanted: &[Channel]) -> Result<Vec<(String, Arc<Item>)>, Cut> {
        let log = self.feed.log.lock().unwrap_or_else(PoisonError::into_inner);
        let behind = self.next.checked_sub(log.first).ok_or(Cut::TooSlow)?;
        let mut found = Vec::new();
        for item in log.items.iter().skip(usize::try_from(behind).unwrap_or(usize::MAX)) {
            if found.len() == TAKEN_MAX {
                break;
            }
            let is_allowed = !(self.skips_notifications && item.facets.notification);
            if is_allowed && wanted.iter().any(|channel| channel.takes(&item.facets)) {
                found.push((format!("{:016x}-{}", self.feed.epoch, self.next), Arc::clone(item)));
            }
            self.next += 1;
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(number: usize, bytes: usize) -> Item {
        let facets = Facets { home: true, ..Facets::default() };
        Item { event: "update", payload: format!("{number}{}", " ".repeat(bytes)), facets }
    }

    fn feed() -> Arc<Feed> {
        Arc::new(Feed::new(7))
    }

    fn cursor(feed: &Arc<Feed>, last: Option<&str>) -> Cursor {
        Arc::clone(feed).cursor(last, Seat::default())
    }

    #[tokio::test]
    async fn everybody_gets_every_event_from_his_own_place_on() {
        let feed = feed();
        let mut early = cursor(&feed, None);
        feed.push((0..100).map(|number| item(number, 1)).collect());
        let mut late = cursor(&feed, None);
        feed.push(vec![item(100, 1)]);
        let mut got = Vec::new();
        while got.len() < 101 {
            got.extend(early.next(&[Channel::User]).await.expect("in time"));
        }
        let numbers: Vec<usize> = got.iter().map(|(_, item)| item.payload.trim().parse().unwrap()).collect();
        assert_eq!(numbers, (0..101).collect::<Vec<_>>());
        assert_eq!(late.next(&[Channel::User]).await.expect("in time").len(), 1);
        feed.push(vec![item(101, 1)]);
        feed.end(Cut::Stopping);
        let took = late.next(&[Channel::Notifications]).await;
        assert_eq!(took.expect_err("nothing for it, and the end"), Cut::Stopping);
        assert_eq!(early.next(&[Channel::User]).await.expect("what came before the end").len(), 1);
        assert_eq!(early.next(&[Channel::User]).await.expect_err("the end"), Cut::Stopping);
    }

    #[tokio::test]
    async fn who_is_too_slow_is_told_so_and_never_skips_in_silence() {
        for (count, bytes) in [(EVENTS_MAX + 1, 1), (10, BYTES_MAX / 8)] {
            let feed = feed();
            let mut slow = cursor(&feed, None);
            feed.push((0..count).map(|number| item(number, bytes)).collect());
            assert_eq!(slow.next(&[Channel::User]).await.expect_err("behind"), Cut::TooSlow);
            assert!(feed.log().items.len() <= EVENTS_MAX && feed.log().bytes <= BYTES_MAX);
        }
    }

    #[tokio::test]
    async fn r_api_8_a_token_that_reads_no_notifications_gets_none() {
        let feed = feed();
        let mut without = cursor(&feed, None);
        without.skips_notifications = true;
        let facets = Facets { notification: true, ..Facets::default() };
        feed.push(vec![Item { event: "notification", payload: "{}".into(), facets }, item(1, 1)]);
        let names = |got: Vec<(String, Arc<Item>)>| got.iter().map(|(_, item)| item.event).collect::<Vec<_>>();
        assert_eq!(names(without.next(&[Channel::User, Channel::Notifications]).await.expect("in time")), ["update"]);
        let mut with = cursor(&feed, Some("0000000000000007-0"));
        assert_eq!(names(with.next(&[Channel::User]).await.expect("in time")), ["update"]);
    }

    #[tokio::test]
    async fn who_comes_back_goes_on_behind_the_last_event_or_is_told_of_the_gap() {
        let feed = feed();
        let mut first = cursor(&feed, None);
        feed.push((0..3).map(|number| item(number, 1)).collect());
        let had = first.next(&[Channel::User]).await.expect("in time");
        let mut again = cursor(&feed, Some(&had[1].0));
        assert!(!again.has_gap);
        assert_eq!(again.next(&[Channel::User]).await.expect("the rest")[0].0, had[2].0);
        for lost in ["", "x", "0000000000000008-1", "0000000000000007-99", "0000000000000007-18446744073709551615"] {
            assert!(cursor(&feed, Some(lost)).has_gap, "{lost}");
        }
        feed.push((0..EVENTS_MAX).map(|number| item(number, 1)).collect());
        assert!(cursor(&feed, Some(&had[1].0)).has_gap, "it has made room");
        assert!(!cursor(&feed, Some(&had[2].0)).has_gap);
    }
}
