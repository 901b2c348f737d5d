//! The network: peers, sync and blobs over libp2p.
//!
//! It must never write to the store except through the writer's commands, and never serve what the
//! store has not verified.

mod address;
mod backoff;
mod believed;
mod blobs;
pub(crate) mod bootstrap;
mod clocks;
mod conversation;
mod crowd;
mod dht;
mod driver;
mod frame;
mod frontier;
mod gossip;
mod guarded;
mod identities;
mod ingest;
mod keep;
mod limited;
pub(crate) mod line;
mod listen;
mod memory;
mod neighbours;
mod own_heads;
pub(crate) mod pair;
mod peers;
pub(crate) mod ports;
mod reach;
mod recover;
mod relay;
mod scope;
mod services;
mod sessions;
mod shared;
mod swarm;
pub(crate) mod swarm_key;
mod tally;
mod traffic;
mod transport;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use libp2p::identity::Keypair;
use libp2p::{Multiaddr, PeerId, StreamProtocol};
use libp2p_stream::Control;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use xom_protocol::gossip::Topic;
use xom_protocol::{Did, Digest};

use self::driver::{Ask, Driver, Parts, Remembered};
use self::guarded::Gate;
use self::own_heads::OwnHeads;
use self::peers::{PeerBook, PeerRecord};
use self::shared::Shared;
pub(crate) use self::tally::Tally;
pub(crate) use self::traffic::Traffic;
use crate::config::NodeConfig;
use crate::error::{StartError, StoreError, TopicError};
use crate::model::{BanInfo, Health, PairState, PeerInfo, Reachability, TopicView};
use crate::store::Store;

/// The protocol of sync streams (`SYN-1`).
const SYNC_PROTOCOL: StreamProtocol = StreamProtocol::new("/xom/sync/1");
/// The protocol of blob streams (`BLOB-3`).
const BLOB_PROTOCOL: StreamProtocol = StreamProtocol::new("/xom/blob/2");
/// The protocol of questions to guardians (`REC-1`).
const RECOVER_PROTOCOL: StreamProtocol = StreamProtocol::new("/xom/recover/1");
/// The protocol of questions to holders (`KEEP-5`).
const KEEP_PROTOCOL: StreamProtocol = StreamProtocol::new("/xom/keep/1");
/// How long the owner waits at most until all holders that are connected have answered.
const HOLDERS_WAIT: Duration = Duration::from_secs(6);
/// Questions to the driver that wait: they come from the owner's clients only.
const ASKS_MAX: usize = 64;
/// Records of peers that wait to be written.
const REMEMBERED_MAX: usize = 256;

/// A swarm that listens, before anything is served.
pub(crate) struct Listening {
    swarm: swarm::Listening,
    gate: Arc<Gate>,
    traffic: Arc<Traffic>,
    swarm_key: Option<String>,
}

/// A cheap clone through which the rest of the node speaks to the network.
#[derive(Clone)]
pub(crate) struct Net {
    own: PeerId,
    asks: mpsc::Sender<Ask>,
    totals: Arc<Tally>,
    traffic: Arc<Traffic>,
    swarm_key: Option<String>,
    control: Control,
    pairs: mpsc::Sender<pair::Ask>,
    pairing: watch::Receiver<PairState>,
    guardians: recover::Asker,
    holders: mpsc::Sender<keep::Now>,
    connected: watch::Receiver<blobs::Connected>,
}

impl Listening {
    /// Listens where the settings say; fails, and has changed nothing, where an address is taken.
    pub(crate) async fn begin(keys: &Keypair, config: &NodeConfig) -> Result<Self, StartError> {
        let (gate, traffic) = (Arc::default(), Arc::default());
        let key = transport::read_swarm_key(config.swarm_key.as_deref())?;
        let swarm = swarm::listening(keys, config, key.as_ref(), &gate, &traffic).await?;
        Ok(Self { swarm, gate, traffic, swarm_key: key.map(|key| key.fingerprint()) })
    }

    /// Starts the tasks of the network in `tasks`; they end when `stop` says so.
    pub(crate) fn start(
        self,
        store: &Store,
        config: &NodeConfig,
        tasks: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) -> Result<Net, StoreError> {
        let own = *self.swarm.swarm.local_peer_id();
        let totals = Arc::new(Tally::default());
        let book = book(own, store, config)?;
        let has_seeds = !config.bootstrap.is_empty() || !store.snapshot()?.bootstrap()?.is_empty();
        let own_heads = OwnHeads::new(book.reachable(), has_seeds, Instant::now());
        // Until the driver finds that nobody is left to be asked for the own heads.
        store.hold_signing();
        let line = line::Line::new(config.upload_max, config.download_max, &self.traffic);
        let shared = Arc::new(Shared::new(store.clone(), own, own_heads, line, Arc::clone(&totals))?);
        let (asks, asked) = mpsc::channel(ASKS_MAX);
        let (remember, remembered) = mpsc::channel(REMEMBERED_MAX);
        let (connected, connections) = watch::channel(blobs::Connected::default());
        let mut control = self.swarm.swarm.behaviour().streams.new_control();
        let incoming = control.accept(pair::PAIR_PROTOCOL).expect("no protocol is registered twice");
        let (pairs, pair_asked) = mpsc::channel(ASKS_MAX);
        let (pair_state, pairing) = watch::channel(PairState::None);
        let granting = pair::Granting::new(store.clone(), own, incoming, pair_asked, pair_state, stop.clone());
        let guardians = recover::Asker::new(control.clone(), connections.clone());
        let (holders, asked_now) = mpsc::channel(ASKS_MAX);
        let (sharing, control_to_ask) = (Arc::clone(&shared), control.clone());
        let asking = keep::Asking::new(sharing, control_to_ask, connections.clone(), asked_now, stop.clone());
        let fetcher = blobs::Fetcher::new(Arc::clone(&shared), control.clone(), connections.clone(), stop.clone());
        let services = services::Services::new(Arc::clone(&shared), asks.clone(), stop.clone());
        let driver = Driver::new(Parts {
            swarm: self.swarm,
            gate: self.gate,
            closed: self.swarm_key.is_some(),
            shared,
            book,
            connected,
            remember,
            asks: asked,
            stop: stop.clone(),
        });
        tasks.spawn(driver.run());
        tasks.spawn(fetcher.run());
        tasks.spawn(granting.run());
        tasks.spawn(services.run());
        tasks.spawn(asking.run());
        tasks.spawn(keep_records(store.clone(), remembered));
        Ok(Net {
            own,
            asks,
            totals,
            traffic: self.traffic,
            swarm_key: self.swarm_key,
            control,
            pairs,
            pairing,
            guardians,
            holders,
            connected: connections,
        })
    }
}

impl Net {
    /// The own peer id.
    pub(crate) fn peer_id(&self) -> PeerId {
        self.own
    }

    /// Counters of all peers together.
    pub(crate) fn totals(&self) -> &Tally {
        &self.totals
    }

    /// The fingerprint of the swarm key of a closed network (`PNET-5`).
    pub(crate) fn swarm_key(&self) -> Option<String> {
        self.swarm_key.clone()
    }

    /// Bytes of all peers together.
    pub(crate) fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Opens streams.
    pub(crate) fn control(&self) -> Control {
        self.control.clone()
    }

    /// Who is connected now.
    fn connected(&self) -> watch::Receiver<blobs::Connected> {
        self.connected.clone()
    }

    /// Asks something of the pairing.
    pub(crate) async fn pair(&self, ask: pair::Ask) -> Result<(), StoreError> {
        self.pairs.send(ask).await.map_err(|_| StoreError::Stopping)
    }

    /// How far the newest offer to pair has come.
    pub(crate) fn pair_state(&self) -> PairState {
        self.pairing.borrow().clone()
    }

    /// Learns addresses that the owner named and dials them.
    pub(crate) async fn name(&self, addresses: Vec<Multiaddr>) -> Result<(), StoreError> {
        self.asks.send(Ask::Name(addresses)).await.map_err(|_| StoreError::Stopping)
    }

    /// The owner does not name this address any more.
    pub(crate) async fn unname(&self, address: Multiaddr) -> Result<(), StoreError> {
        self.asks.send(Ask::Unname(address)).await.map_err(|_| StoreError::Stopping)
    }

    /// Own addresses with the peer id, the most useful first.
    pub(crate) async fn addresses(&self, count: usize) -> Result<Vec<Multiaddr>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Addresses(count, answer)).await.map_err(|_| StoreError::Stopping)?;
        answered.await.map_err(|_| StoreError::Stopping)
    }

    /// Asks whoever is connected what he holds of those who live here, and waits for the answers, not for ever.
    pub(crate) async fn ask_holders(&self) {
        let (answer, answered) = oneshot::channel();
        if self.holders.send(answer).await.is_ok() {
            // Who does not answer in time is shown as he was before.
            drop(tokio::time::timeout(HOLDERS_WAIT, answered).await);
        }
    }

    /// Asks whoever is connected what the guardians who live there say.
    pub(crate) async fn ask_guardians(&self, ask: xom_protocol::recover::Ask) -> Vec<xom_protocol::recover::Answer> {
        self.guardians.ask(ask).await.into_iter().map(|(_, answer)| answer).collect()
    }

    /// How many connected peers hold these objects of a local identity, as of a second ago.
    pub(crate) fn agreeing_on(&self, did: &Did, digest: &Digest) -> usize {
        self.connected.borrow().values().filter(|peer| peer.agrees_on(did, digest)).count()
    }

    /// How this node can be reached.
    pub(crate) async fn reachability(&self) -> Result<Reachability, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Reachability(answer)).await.map_err(|_| StoreError::Stopping)?;
        answered.await.map_err(|_| StoreError::Stopping)
    }

    /// How the network stands.
    pub(crate) async fn health(&self) -> Result<Health, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Health(answer)).await.map_err(|_| StoreError::Stopping)?;
        answered.await.map_err(|_| StoreError::Stopping)
    }

    /// Joins a topic, or gives it another roster.
    pub(crate) async fn join_topic(&self, topic: Topic, roster: BTreeSet<Did>) -> Result<(), TopicError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::JoinTopic(topic, roster, answer)).await.map_err(|_| StoreError::Stopping)?;
        answered.await.unwrap_or(Err(TopicError::Store(StoreError::Stopping)))
    }

    /// Leaves a topic; false if it was not joined.
    pub(crate) async fn leave_topic(&self, topic: Topic) -> Result<bool, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::LeaveTopic(topic, answer)).await.map_err(|_| StoreError::Stopping)?;
        answered.await.map_err(|_| StoreError::Stopping)
    }

    /// The topics that are joined.
    pub(crate) async fn topics(&self) -> Result<Vec<TopicView>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Topics(answer)).await.map_err(|_| StoreError::Stopping)?;
        answered.await.map_err(|_| StoreError::Stopping)
    }

    /// Who is kept away.
    pub(crate) async fn bans(&self) -> Result<Vec<BanInfo>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Bans(answer)).await.map_err(|_| StoreError::Stopping)?;
        answered.await.map_err(|_| StoreError::Stopping)
    }

    /// Keeps a peer away for so long; false where it is none, or this node, or one too many.
    pub(crate) async fn ban(&self, peer: &str, length: Duration, reason: &str) -> Result<bool, StoreError> {
        let Ok(peer) = peer.parse() else { return Ok(false) };
        let (answer, answered) = oneshot::channel();
        let ask = Ask::Ban { peer, length, reason: reason.to_owned(), answer };
        self.asks.send(ask).await.map_err(|_| StoreError::Stopping)?;
        answered.await.map_err(|_| StoreError::Stopping)
    }

    /// Lets a peer in again; false where it was not kept away.
    pub(crate) async fn unban(&self, peer: &str) -> Result<bool, StoreError> {
        let Ok(peer) = peer.parse() else { return Ok(false) };
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Unban(peer, answer)).await.map_err(|_| StoreError::Stopping)?;
        answered.await.map_err(|_| StoreError::Stopping)
    }

    /// All peers known.
    pub(crate) async fn peers(&self) -> Result<Vec<PeerInfo>, StoreError> {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask::Peers(answer)).await.map_err(|_| StoreError::Stopping)?;
        answered.await.map_err(|_| StoreError::Stopping)
    }
}

/// The address book: what was remembered, and the addresses of the settings.
fn book(own: PeerId, store: &Store, config: &NodeConfig) -> Result<PeerBook, StoreError> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|e| StoreError::Storage(format!("no entropy: {e}")))?;
    let mut book = PeerBook::new(own, u64::from_le_bytes(seed));
    let (now, now_ms) = (Instant::now(), clocks::now_ms());
    let mut remembered = Vec::new();
    for (peer, record) in store.snapshot()?.peers()? {
        match (PeerId::from_bytes(&peer), PeerRecord::decode(&record)) {
            (Ok(peer), Ok(record)) => remembered.push((peer, record)),
            _ => tracing::warn!("a remembered peer can't be read and is left out"),
        }
    }
    book.restore_all(remembered, now, now_ms);
    for address in config.bootstrap.iter().cloned().chain(store.snapshot()?.bootstrap()?) {
        book.name(address, now);
    }
    Ok(book)
}

/// Writes records of peers, one after the other, until the driver is gone.
async fn keep_records(store: Store, mut records: mpsc::Receiver<Remembered>) {
    while let Some((peer, record)) = records.recv().await {
        let record = record.map(|record| record.encode());
        if let Err(cause) = store.put_peer(peer.to_bytes(), record).await {
            tracing::warn!(%cause, "a peer is not remembered");
        }
    }
}
