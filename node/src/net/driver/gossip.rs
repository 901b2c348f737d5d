//! Topics: what was announced in them is checked against the store and passed on, and what is new is announced.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::gossipsub::{self, MessageId};
use libp2p::{Multiaddr, PeerId};
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::task::JoinSet;
use xom_protocol::gossip::{Announcement, Topic};
use xom_protocol::{Did, Rule};

use super::Driver;
use crate::error::{StoreError, TopicError};
use crate::model::TopicView;
use crate::net::crowd::Place;
use crate::net::gossip::{Joined, Known, Verdict};
use crate::net::ingest::blocking;
use crate::net::listen;
use crate::net::shared::Shared;
use crate::store::{Notice, Stored};

/// Announcements that are being checked (`GSP-6`).
const CHECKS_MAX: usize = 64;
/// How often it is looked whether something owed can be announced.
const OWED_EVERY: Duration = Duration::from_secs(1);

/// Topics, and what goes on in them.
pub(super) struct Gossip {
    joined: Joined,
    checks: JoinSet<Check>,
    notices: broadcast::Receiver<Notice>,
    owed_at: Instant,
}

/// An announcement that was looked up in the store.
pub(super) struct Check {
    peer: PeerId,
    id: MessageId,
    topic: Topic,
    announcement: Announcement,
    outcome: Result<Found, StoreError>,
}

/// What the store says of it.
enum Found {
    /// It is not signed by the device that it names.
    Wrong(Rule),
    /// Nobody is to blame for what it is.
    Known {
        known: Known,
        /// Where the author's devices say that they can be reached; none where nothing is wanted of the author.
        wanted: Option<Vec<Multiaddr>>,
    },
}

/// What there is to do.
pub(super) enum News {
    /// An announcement was looked up.
    Checked(Box<Check>),
    /// A log has grown.
    Stored(Arc<Stored>),
}

impl Gossip {
    /// No topic is joined yet.
    pub(super) fn new(shared: &Shared) -> Self {
        let (joined, checks) = (Joined::default(), JoinSet::new());
        Self { joined, checks, notices: shared.store.notices(), owed_at: Instant::now() }
    }

    /// The next news. May be dropped and called again without losing any.
    pub(super) async fn next(&mut self) -> News {
        loop {
            tokio::select! {
                Some(check) = self.checks.join_next() => match check {
                    Ok(check) => return News::Checked(Box::new(check)),
                    Err(cause) => tracing::error!(%cause, "an announcement was not checked"),
                },
                notice = self.notices.recv() => match notice {
                    Ok(Notice::Entries(stored)) if !self.joined.topics_of(&stored.author).is_empty() => {
                        return News::Stored(stored);
                    }
                    // What was missed is compared by sync.
                    Ok(_) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => std::future::pending().await,
                },
            }
        }
    }
}

impl Driver {
    /// Joins a topic, or gives it another roster.
    pub(super) fn join_topic(&mut self, topic: Topic, roster: BTreeSet<Did>) -> Result<(), TopicError> {
        if self.gossip.joined.join(topic, roster)? {
            self.swarm.behaviour_mut().gossip.join(topic);
        }
        Ok(())
    }

    /// Leaves a topic; false if it was not joined.
    pub(super) fn leave_topic(&mut self, topic: &Topic) -> bool {
        let was = self.gossip.joined.leave(topic);
        if was {
            self.swarm.behaviour_mut().gossip.leave(topic);
        }
        was
    }

    /// The topics that are joined.
    pub(super) fn topics(&self) -> Vec<TopicView> {
        let gossip = &self.swarm.behaviour().gossip;
        let view = |(topic, roster): (&Topic, &BTreeSet<Did>)| TopicView {
            topic: *topic,
            authors: u64::try_from(roster.len()).unwrap_or(u64::MAX),
            peers: gossip.peers_of(topic).iter().map(PeerId::to_string).collect(),
            mesh: gossip.mesh_of(topic).iter().map(PeerId::to_string).collect(),
        };
        self.gossip.joined.topics().map(view).collect()
    }

    pub(super) fn on_gossip(&mut self, event: gossipsub::Event) {
        let gossipsub::Event::Message { propagation_source: peer, message_id: id, message } = event else { return };
        let now_ms = self.shared.now_ms();
        let topic = Topic::parse(message.topic.as_str());
        let (Some(topic), Ok(announcement)) = (topic, Announcement::decode(&message.data)) else {
            return self.swarm.behaviour_mut().gossip.ignore(&id, &peer);
        };
        let worth = self.gossip.joined.is_worth_checking(&topic, &announcement, now_ms);
        if !worth || self.gossip.checks.len() >= CHECKS_MAX {
            return self.swarm.behaviour_mut().gossip.ignore(&id, &peer);
        }
        let shared = Arc::clone(&self.shared);
        self.gossip.checks.spawn(async move {
            let to_check = announcement.clone();
            let outcome = blocking(move || check(&shared, &to_check)).await;
            Check { peer, id, topic, announcement, outcome }
        });
    }

    pub(super) fn on_gossip_news(&mut self, news: News) {
        match news {
            News::Checked(check) => self.on_checked(*check),
            News::Stored(stored) => self.on_stored(&stored),
        }
    }

    fn on_checked(&mut self, check: Check) {
        let Check { peer, id, topic, announcement, outcome } = check;
        let now_ms = self.shared.now_ms();
        let gossip = &mut self.swarm.behaviour_mut().gossip;
        match outcome {
            Ok(Found::Wrong(rule)) => gossip.reject(&id, &peer, rule),
            Ok(Found::Known { known, wanted }) => {
                match self.gossip.joined.judge(&topic, &announcement, known, now_ms) {
                    Verdict::Passed => {
                        gossip.pass_on(&topic, &id, &peer);
                        if let Some(stated) = wanted {
                            self.fetch(&announcement.header().author, peer, stated);
                        }
                    }
                    Verdict::Ignored => gossip.ignore(&id, &peer),
                }
            }
            Err(cause) => {
                tracing::debug!(%cause, "an announcement could not be checked");
                gossip.ignore(&id, &peer);
            }
        }
    }

    /// Has what was announced brought by sync: from whoever announced it, or from where its author is (`GSP-7`).
    fn fetch(&mut self, author: &Did, from: PeerId, stated: Vec<Multiaddr>) {
        let now = Instant::now();
        if self.book.talks(&from) {
            self.tell_connected();
            self.remember(&from);
        }
        self.sessions.want(&from, now);
        if stated.iter().any(|address| self.book.is_connected_at(address)) {
            return;
        }
        let own: Vec<Multiaddr> = self.swarm.listeners().chain(self.swarm.external_addresses()).cloned().collect();
        for address in listen::not_nearer(stated, &own) {
            if let Some(peer) = self.book.stated(address.clone(), now) {
                self.want(&peer);
            }
            self.book.hasten(&address, now);
        }
        self.finding.hasten(author, now);
    }

    /// Announces a head that was stored just now (`GSP-5`).
    fn on_stored(&mut self, stored: &Stored) {
        let Some(announcement) = stored.entries.last().and_then(|entry| Announcement::of(entry)) else { return };
        if announcement.height() == stored.position.height
            && self.gossip.joined.stored(&announcement, self.shared.now_ms())
        {
            self.announce(&announcement);
        }
    }

    fn announce(&mut self, announcement: &Announcement) {
        for topic in self.gossip.joined.topics_of(&announcement.header().author) {
            self.swarm.behaviour_mut().gossip.announce(&topic, announcement.encode());
        }
    }

    /// Announces what is owed, looks at the places in the meshes, and lets those go who say too much.
    pub(super) fn gossip(&mut self, now: Instant) {
        if now >= self.gossip.owed_at {
            self.gossip.owed_at = now + OWED_EVERY;
            for announcement in self.gossip.joined.due(self.shared.now_ms()) {
                self.announce(&announcement);
            }
        }
        let (book, remotes) = (&self.book, &self.remotes);
        let network = |peer: &PeerId| {
            let mut connections = book.get(peer)?.connections();
            let remote = connections.find_map(|connection| remotes.get(connection))?;
            listen::ip(&remote.address).and_then(Place::in_the_world)
        };
        self.swarm.behaviour_mut().gossip.look_at_places(now, network);
        for (peer, refused) in self.swarm.behaviour_mut().gossip.take_refused() {
            let tally = Arc::clone(&self.standing(peer).tally);
            for (rule, times) in refused.rules {
                tally.counts.refused_often(rule, times);
                self.shared.totals.refused_often(rule, times);
            }
            if refused.let_go {
                self.punish(peer, Rule("GSP-6"));
            }
        }
    }
}

/// Looks an announcement up. Blocking.
fn check(shared: &Shared, announcement: &Announcement) -> Result<Found, StoreError> {
    if let Err(cause) = announcement.verify(shared.network) {
        return Ok(Found::Wrong(cause.rule()));
    }
    let header = announcement.header();
    let unchecked = Found::Known { known: Known::Unchecked, wanted: None };
    let snapshot = shared.store.snapshot()?;
    let known = shared.identities.get(&snapshot, &header.author)?;
    let Some(record) = known.and_then(|known| known.record) else { return Ok(unchecked) };
    let state = record.state();
    if state.live_device(&header.device).is_none() {
        return Ok(unchecked);
    }
    let held = snapshot.heads_of(&header.author)?;
    let height = match held.iter().find(|held| held.log == header.log) {
        Some(held) if held.device == header.device => held.position.height,
        Some(_) => return Ok(unchecked),
        None => {
            let root = state.root_log(&header.device);
            if root != header.log && !snapshot.opened_logs(&root)?.contains(&header.log) {
                return Ok(unchecked);
            }
            0
        }
    };
    let wanted = shared.store.wants().contains(&header.author).then(|| {
        let stated = state.live_devices().flat_map(|(_, device)| &device.services);
        stated.filter_map(|text| text.parse().ok()).collect()
    });
    Ok(Found::Known { known: Known::Height(height), wanted })
}
