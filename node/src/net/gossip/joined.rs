//! The topics that were joined, their rosters, and what is passed on in them. A pure machine: time comes in.

use std::collections::{BTreeMap, BTreeSet};

use xom_protocol::gossip::{Announcement, Share, Topic};
use xom_protocol::limits::{ANNOUNCEMENT_OF_AUTHOR_EACH_MS, ANNOUNCEMENTS_OF_AUTHOR_MAX, ROSTER_MAX, TOPICS_MAX};
use xom_protocol::{Did, LogId};

use crate::error::TopicError;

/// How long what was announced of a log counts as known, milliseconds (`GSP-4`): by then it was fetched, or can't be.
const ANNOUNCED_MS: u64 = 60_000;
/// Logs of which is known what was announced.
const ANNOUNCED_MAX: usize = 4_096;
/// Logs whose newest head waits to be announced.
const OWED_MAX: usize = 1_024;

/// What the store knows of what was announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::net) enum Known {
    /// The identity is not held, or does not admit the device now, or the log is none of the device's that is known.
    Unchecked,
    /// So many entries of the log are held.
    Height(u64),
}

/// What becomes of an announcement (`GSP-4`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::net) enum Verdict {
    /// It is passed on, and what it announces is fetched.
    Passed,
    /// It is not passed on, and nobody is to blame.
    Ignored,
}

/// All of it.
#[derive(Debug, Default)]
pub(in crate::net) struct Joined {
    topics: BTreeMap<Topic, BTreeSet<Did>>,
    /// The height that was announced of each log, and when.
    announced: BTreeMap<LogId, (u64, u64)>,
    shares: BTreeMap<Did, Share>,
    owed: BTreeMap<LogId, Announcement>,
}

impl Joined {
    /// Joins a topic, or gives it another roster; true if it was not joined before.
    pub(in crate::net) fn join(&mut self, topic: Topic, roster: BTreeSet<Did>) -> Result<bool, TopicError> {
        if roster.len() > ROSTER_MAX {
            return Err(TopicError::RosterTooLong { authors: roster.len() });
        }
        if self.topics.len() >= TOPICS_MAX && !self.topics.contains_key(&topic) {
            return Err(TopicError::TooMany);
        }
        Ok(self.topics.insert(topic, roster).is_none())
    }

    /// Leaves a topic; false if it was not joined.
    pub(in crate::net) fn leave(&mut self, topic: &Topic) -> bool {
        let was = self.topics.remove(topic).is_some();
        let topics = &self.topics;
        let listed = |did: &Did| topics.values().any(|roster| roster.contains(did));
        self.shares.retain(|did, _| listed(did));
        self.owed.retain(|_, owed| listed(&owed.header().author));
        was
    }

    /// The topics with their rosters.
    pub(in crate::net) fn topics(&self) -> impl Iterator<Item = (&Topic, &BTreeSet<Did>)> {
        self.topics.iter()
    }

    /// The topics on whose roster an author is.
    pub(in crate::net) fn topics_of(&self, author: &Did) -> Vec<Topic> {
        self.topics.iter().filter(|(_, roster)| roster.contains(author)).map(|(topic, _)| *topic).collect()
    }

    /// True if it pays to check an announcement that has come in a topic: its author is on the roster, and no more of
    /// its log was announced lately.
    pub(in crate::net) fn is_worth_checking(&self, topic: &Topic, announcement: &Announcement, now_ms: u64) -> bool {
        let listed = self.topics.get(topic).is_some_and(|roster| roster.contains(&announcement.header().author));
        listed && announcement.height() > self.announced(&announcement.header().log, now_ms)
    }

    /// Judges an announcement whose signature is right (`GSP-4`, `GSP-6`).
    pub(in crate::net) fn judge(
        &mut self,
        topic: &Topic,
        announcement: &Announcement,
        known: Known,
        now_ms: u64,
    ) -> Verdict {
        let Known::Height(held) = known else { return Verdict::Ignored };
        let is_news = announcement.height() > held && self.is_worth_checking(topic, announcement, now_ms);
        if is_news && self.spend(announcement, now_ms) { Verdict::Passed } else { Verdict::Ignored }
    }

    /// A head was stored that may be announced; true if it is due now. Where its author has no share left the newest of
    /// its log is owed (`GSP-5`, `GSP-6`).
    pub(in crate::net) fn stored(&mut self, announcement: &Announcement, now_ms: u64) -> bool {
        let (log, author) = (announcement.header().log, announcement.header().author);
        if self.topics_of(&author).is_empty() || announcement.height() <= self.announced(&log, now_ms) {
            return false;
        }
        self.owed.remove(&log);
        let due = self.spend(announcement, now_ms);
        if !due && self.owed.len() < OWED_MAX {
            self.owed.insert(log, announcement.clone());
        }
        due
    }

    /// What is owed and can be announced now.
    pub(in crate::net) fn due(&mut self, now_ms: u64) -> Vec<Announcement> {
        let mut due = Vec::new();
        for (log, announcement) in std::mem::take(&mut self.owed) {
            if announcement.height() <= self.announced(&log, now_ms) {
                continue;
            }
            if self.spend(&announcement, now_ms) {
                due.push(announcement);
            } else {
                self.owed.insert(log, announcement);
            }
        }
        due
    }

    fn announced(&self, log: &LogId, now_ms: u64) -> u64 {
        let fresh = |(_, at_ms): &&(u64, u64)| now_ms.saturating_sub(*at_ms) < ANNOUNCED_MS;
        self.announced.get(log).filter(fresh).map_or(0, |(height, _)| *height)
    }

    /// Takes one of an author's share, and notes the height; false where nothing is left.
    fn spend(&mut self, announcement: &Announcement, now_ms: u64) -> bool {
        let (burst, each_ms) = (ANNOUNCEMENTS_OF_AUTHOR_MAX, ANNOUNCEMENT_OF_AUTHOR_EACH_MS);
        self.shares.retain(|_, share| !share.is_full(now_ms));
        let share = self.shares.entry(announcement.header().author).or_insert(Share::new(burst, each_ms, now_ms));
        if !share.take(now_ms) {
            return false;
        }
        if self.announced.len() >= ANNOUNCED_MAX {
            self.announced.retain(|_, (_, at_ms)| now_ms.saturating_sub(*at_ms) < ANNOUNCED_MS);
            if self.announced.len() >= ANNOUNCED_MAX {
                return false;
            }
        }
        self.announced.insert(announcement.header().log, (announcement.height(), now_ms));
        true
    }
}

#[cfg(test)]
mod tests;
