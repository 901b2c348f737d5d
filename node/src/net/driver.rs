//! The task that owns the swarm: dials, connections, streams, and the conversations on them.

mod bans;
mod connections;
mod finding;
mod gossip;
mod health;
mod reaching;
mod streams;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use libp2p::kad::QueryId;
use libp2p::swarm::ConnectionId;
use libp2p::{Multiaddr, PeerId, Swarm};
use libp2p_stream::{Control, IncomingStreams};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use xom_protocol::Did;
use xom_protocol::gossip::Topic;

use self::gossip::Gossip;
use self::reaching::Reaching;
use super::blobs::{self, Connected};
use super::clocks;
use super::conversation::End;
use super::dht::{Allowances, Finding};
use super::guarded::Gate;
use super::ingest::Budget;
use super::keep;
use super::listen;
use super::neighbours::Neighbours;
use super::peers::{PeerBook, PeerRecord};
use super::recover;
use super::sessions::Sessions;
use super::shared::Shared;
use super::swarm::{Behaviour, Listening};
use super::tally::PeerTally;
use crate::error::TopicError;
use crate::model::{BanInfo, Health, PeerInfo, Reachability, TopicView};

/// How often due dials and the ends of bans are looked for.
const TICK: Duration = Duration::from_millis(100);
/// How often the clocks of peers are looked at.
const CLOCKS_EVERY: Duration = Duration::from_secs(5);
/// How long connections may take to say goodbye when the node stops.
const GOODBYE: Duration = Duration::from_millis(500);
/// Peers whose counters are kept; those of others start anew.
const TALLIES_MAX: usize = 2_048;

/// What others ask of the driver.
#[derive(Debug)]
pub(super) enum Ask {
    /// Learn addresses that the owner named, and dial them.
    Name(Vec<Multiaddr>),
    /// Forget that the owner named this address.
    Unname(Multiaddr),
    /// Learn where the devices of one identity say that they can be reached (`SYN-20`).
    Stated {
        /// With their peer ids.
        addresses: Vec<Multiaddr>,
        /// All of them are dialled; otherwise only while none is connected.
        all: bool,
    },
    /// Look for the nodes of some identities, and state of others that they are kept here.
    Seek {
        /// Of these, and of no others (`FIND-5`).
        wanted: BTreeSet<Did>,
        /// And of no others (`KEEP-4`).
        kept: BTreeSet<Did>,
    },
    /// Own addresses with the peer id, the most useful first, at most so many.
    Addresses(usize, oneshot::Sender<Vec<Multiaddr>>),
    /// How this node can be reached.
    Reachability(oneshot::Sender<Reachability>),
    /// All peers known.
    Peers(oneshot::Sender<Vec<PeerInfo>>),
    /// How the network stands.
    Health(oneshot::Sender<Health>),
    /// Join a topic, or give it another roster.
    JoinTopic(Topic, BTreeSet<Did>, oneshot::Sender<Result<(), TopicError>>),
    /// Leave a topic; false if it was not joined.
    LeaveTopic(Topic, oneshot::Sender<bool>),
    /// The topics that are joined.
    Topics(oneshot::Sender<Vec<TopicView>>),
    /// Who is kept away.
    Bans(oneshot::Sender<Vec<BanInfo>>),
    /// Keep a peer away, as the owner says.
    Ban {
        /// Whom.
        peer: PeerId,
        /// For how long.
        length: Duration,
        /// Why.
        reason: String,
        /// False where it is this node, or one too many.
        answer: oneshot::Sender<bool>,
    },
    /// Let a peer in again; false where it was not kept away.
    Unban(PeerId, oneshot::Sender<bool>),
}

/// A peer's record for the store; none to forget it.
pub(super) type Remembered = (PeerId, Option<PeerRecord>);

/// What is kept of a peer while the node runs.
#[derive(Debug, Clone)]
struct Standing {
    tally: Arc<PeerTally>,
    budget: Arc<Budget>,
    bans: u32,
    /// How the last attempt to meet without the relay between went.
    punched: Option<bool>,
}

/// A conversation that has ended.
struct Ended {
    peer: PeerId,
    number: u64,
    end: End,
}

/// The other end of a connection.
#[derive(Debug)]
struct Remote {
    address: Multiaddr,
    /// This node has dialled.
    outgoing: bool,
    /// Who stands between.
    relay: Option<PeerId>,
}

/// Owns the swarm.
pub(super) struct Driver {
    swarm: Swarm<Behaviour>,
    control: Control,
    sync_streams: IncomingStreams,
    blob_streams: IncomingStreams,
    recover_streams: IncomingStreams,
    keep_streams: IncomingStreams,
    shared: Arc<Shared>,
    book: PeerBook,
    sessions: Sessions,
    standings: BTreeMap<PeerId, Standing>,
    /// The other end of each connection.
    remotes: BTreeMap<ConnectionId, Remote>,
    /// Addresses of dials to nobody in particular.
    seeds: BTreeMap<ConnectionId, Multiaddr>,
    /// Dials to peers of the address book.
    dialled: BTreeSet<ConnectionId>,
    /// Which of the addresses that others tell may be dialled.
    gate: Arc<Gate>,
    /// Of a closed network: who has not its swarm key does not get in.
    closed: bool,
    finding: Finding,
    allowances: Allowances,
    /// Searches under way, and for whom.
    searches: HashMap<QueryId, Did>,
    /// The identities of which was stated that they live here.
    stated: BTreeSet<Did>,
    /// The identities of which is stated that they are kept here.
    kept: BTreeSet<Did>,
    /// Peers that announced themselves on the local network.
    neighbours: Neighbours,
    neighbours_due: Instant,
    /// Being reached, and relaying.
    reaching: Reaching,
    gossip: Gossip,
    conversations: JoinSet<Ended>,
    served: JoinSet<()>,
    serving: blobs::Serving,
    answering: recover::Answering,
    keeping: keep::Answering,
    connected: watch::Sender<Connected>,
    remember: mpsc::Sender<Remembered>,
    asks: mpsc::Receiver<Ask>,
    clocks_due: Instant,
    stop: CancellationToken,
}

/// What a driver is made of.
pub(super) struct Parts {
    pub(super) swarm: Listening,
    pub(super) gate: Arc<Gate>,
    pub(super) closed: bool,
    pub(super) shared: Arc<Shared>,
    pub(super) book: PeerBook,
    pub(super) connected: watch::Sender<Connected>,
    pub(super) remember: mpsc::Sender<Remembered>,
    pub(super) asks: mpsc::Receiver<Ask>,
    pub(super) stop: CancellationToken,
}

impl Driver {
    /// Takes over a swarm that listens.
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { swarm, gate, closed, shared, book, connected, remember, asks, stop } = parts;
        let Listening { swarm, reaching, inbound } = swarm;
        let mut control = swarm.behaviour().streams.new_control();
        let mut accept = |protocol| control.accept(protocol).expect("no protocol is registered twice");
        let (sync_streams, blob_streams) = (accept(super::SYNC_PROTOCOL), accept(super::BLOB_PROTOCOL));
        let (recover_streams, keep_streams) = (accept(super::RECOVER_PROTOCOL), accept(super::KEEP_PROTOCOL));
        let reaching = Reaching::new(&control, reaching, inbound);
        let sessions = Sessions::new(*swarm.local_peer_id(), stop.child_token());
        let gossip = Gossip::new(&shared);
        Self {
            control,
            sync_streams,
            blob_streams,
            recover_streams,
            keep_streams,
            keeping: keep::Answering::new(Arc::clone(&shared)),
            answering: recover::Answering::new(Arc::clone(&shared)),
            serving: blobs::Serving::new(Arc::clone(&shared)),
            shared,
            book,
            sessions,
            standings: BTreeMap::new(),
            remotes: BTreeMap::new(),
            seeds: BTreeMap::new(),
            dialled: BTreeSet::new(),
            gate,
            closed,
            finding: Finding::default(),
            allowances: Allowances::default(),
            searches: HashMap::new(),
            stated: BTreeSet::new(),
            kept: BTreeSet::new(),
            reaching,
            gossip,
            neighbours: Neighbours::default(),
            neighbours_due: Instant::now(),
            conversations: JoinSet::new(),
            served: JoinSet::new(),
            connected,
            remember,
            asks,
            clocks_due: Instant::now(),
            stop,
            swarm,
        }
    }

    /// Runs until the node stops; then lets conversations and connections end.
    pub(super) async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        self.keep_bans();
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
                event = self.swarm.select_next_some() => self.on_swarm_event(event),
                Some((peer, stream)) = self.sync_streams.next() => self.on_sync_stream(peer, stream),
                Some((peer, stream)) = self.blob_streams.next() => self.on_blob_stream(peer, stream),
                Some((peer, stream)) = self.recover_streams.next() => self.on_recover_stream(peer, stream),
                news = self.reaching.next() => self.on_relay_news(news),
                news = self.gossip.next() => self.on_gossip_news(news),
                Some((peer, stream)) = self.keep_streams.next() => self.on_keep_stream(peer, stream),
                Some(ended) = self.conversations.join_next() => self.on_conversation_end(ended),
                Some(_) = self.served.join_next() => {}
                Some(ask) = self.asks.recv() => self.on_ask(ask),
                _ = tick.tick() => {}
            }
            self.do_what_is_due();
        }
        self.finish().await;
    }

    fn do_what_is_due(&mut self) {
        let now = Instant::now();
        if self.shared.own_heads().may_sign(now) {
            self.shared.store.allow_signing();
        }
        if now >= self.clocks_due {
            self.clocks_due = now + CLOCKS_EVERY;
            let known = self.standings.values().filter_map(|standing| standing.tally.clock.ahead_ms());
            self.shared.store.set_clock_offset(clocks::median(known.collect()));
        }
        self.pardon(now);
        for dial in self.book.due(now) {
            self.dial(dial);
        }
        self.let_forgotten_go();
        self.find(now);
        self.reach(now);
        self.gossip(now);
        self.look_at_neighbours_again(now);
        for (peer, permit) in self.sessions.due(now) {
            self.open_conversation(peer, permit);
        }
    }

    fn on_ask(&mut self, ask: Ask) {
        // Who asked may be gone; then nobody waits for the answer.
        match ask {
            Ask::Name(addresses) => {
                for address in addresses {
                    if let Some(peer) = self.book.name(address, Instant::now()) {
                        self.want(&peer);
                    }
                }
            }
            Ask::Unname(address) => self.book.unname(address),
            Ask::Stated { addresses, all } => {
                let connected = |address: &Multiaddr| self.book.is_connected_at(address);
                if !all && addresses.iter().any(connected) {
                    return;
                }
                let own: Vec<Multiaddr> =
                    self.swarm.listeners().chain(self.swarm.external_addresses()).cloned().collect();
                for address in listen::not_nearer(addresses, &own) {
                    if let Some(peer) = self.book.stated(address, Instant::now()) {
                        self.want(&peer);
                    }
                }
            }
            Ask::Seek { wanted, kept } => {
                self.finding.want(wanted, Instant::now());
                self.state_who_is_kept(kept);
            }
            Ask::Addresses(count, answer) => {
                let _ = answer.send(self.own_addresses(count));
            }
            Ask::Reachability(answer) => {
                let _ = answer.send(self.reachability());
            }
            Ask::Peers(answer) => {
                let _ = answer.send(self.peer_infos());
            }
            Ask::Health(answer) => {
                let _ = answer.send(self.health());
            }
            Ask::JoinTopic(topic, roster, answer) => {
                let _ = answer.send(self.join_topic(topic, roster));
            }
            Ask::LeaveTopic(topic, answer) => {
                let _ = answer.send(self.leave_topic(&topic));
            }
            Ask::Topics(answer) => {
                let _ = answer.send(self.topics());
            }
            Ask::Bans(answer) => {
                let _ = answer.send(self.ban_infos());
            }
            Ask::Ban { peer, length, reason, answer } => {
                let _ = answer.send(self.ban(peer, length, &reason, true));
            }
            Ask::Unban(peer, answer) => {
                let _ = answer.send(self.unban(&peer));
            }
        }
    }

    fn own_addresses(&self, count: usize) -> Vec<Multiaddr> {
        let all = self.swarm.listeners().chain(self.swarm.external_addresses()).cloned().collect();
        let own = *self.swarm.local_peer_id();
        let useful = listen::most_useful(all, count).into_iter();
        useful.map(|address| address.with_p2p(own).unwrap_or_else(|unchanged| unchanged)).collect()
    }

    fn peer_infos(&self) -> Vec<PeerInfo> {
        let info = |(id, peer): (&PeerId, &super::peers::Peer)| {
            let tally = self.standings.get(id).map(|standing| &standing.tally);
            PeerInfo {
                peer: id.to_string(),
                dids: tally.map(|tally| tally.dids()).unwrap_or_default(),
                addresses: peer.addresses().iter().map(Multiaddr::to_string).collect(),
                connected: peer.is_connected(),
                link: peer.way().map(|way| self.link(id, way)),
                in_sync: peer.is_connected() && tally.is_some_and(|tally| tally.in_sync()),
                last_seen_ms: peer.last_seen_ms(),
                entries_received: tally.map_or(0, |tally| tally.counts.entries_received()),
                entries_sent: tally.map_or(0, |tally| tally.counts.entries_sent()),
                refusals: tally.map(|tally| tally.counts.refusals()).unwrap_or_default(),
            }
        };
        self.book.iter().filter(|(_, peer)| !peer.is_passing()).map(info).collect()
    }

    /// There is something to talk about with a peer, now that it is in the book.
    fn want(&mut self, peer: &PeerId) {
        self.sessions.want(peer, Instant::now());
        self.tell_connected();
        self.remember(peer);
    }

    /// What is kept of a peer; made where there is nothing.
    fn standing(&mut self, peer: PeerId) -> &mut Standing {
        if self.standings.len() >= TALLIES_MAX && !self.standings.contains_key(&peer) {
            let book = &self.book;
            self.standings.retain(|peer, _| book.get(peer).is_some_and(|peer| peer.is_connected()));
        }
        self.standings.entry(peer).or_insert_with(|| Standing {
            tally: Arc::default(),
            budget: Arc::new(Budget::new(Instant::now())),
            bans: 0,
            punched: None,
        })
    }

    /// Keeps nothing of peers for whom the book had no room: neither on the disk nor in memory.
    fn let_forgotten_go(&mut self) {
        while self.remember.capacity() > 0 {
            let Some(peer) = self.book.pop_forgotten() else { return };
            if self.book.get(&peer).is_none() {
                self.sessions.forget(&peer);
                self.swarm.behaviour_mut().banned.unblock_peer(peer);
                self.remember(&peer);
            }
        }
    }

    /// Has a peer's record written; where the queue is full the next change does.
    fn remember(&self, peer: &PeerId) {
        if self.remember.try_send((*peer, self.book.record(peer))).is_err() {
            tracing::debug!(%peer, "not remembered this time");
        }
    }

    async fn finish(mut self) {
        // Conversations watch the same token; they end by themselves, after their last frames.
        let ended = async { while self.conversations.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(super::conversation::FLUSH, ended).await;
        self.conversations.shutdown().await;
        self.served.shutdown().await;
        let peers: Vec<PeerId> = self.swarm.connected_peers().copied().collect();
        for peer in peers {
            let _ = self.swarm.disconnect_peer_id(peer);
        }
        let goodbye = async {
            while self.swarm.connected_peers().next().is_some() {
                self.swarm.select_next_some().await;
            }
        };
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
    }
}
