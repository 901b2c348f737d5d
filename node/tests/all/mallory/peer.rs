//! Mallory's node: libp2p done well, and any bytes on its streams.

use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::identity::Keypair;
use libp2p::swarm::SwarmEvent;
use libp2p::{PeerId, Stream, StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use libp2p_stream::Control;
use tokio::task::{JoinHandle, JoinSet};

use xom_protocol::blob::Request;
use xom_protocol::limits::BLOB_GROUP_BYTES;

use crate::harness::{DEADLINE, Person};

pub(super) const SYNC: StreamProtocol = StreamProtocol::new("/xom/sync/1");
pub(super) const KEEP: StreamProtocol = StreamProtocol::new("/xom/keep/1");
pub(super) const BLOB: StreamProtocol = StreamProtocol::new("/xom/blob/2");

/// Between two groups that drip: less than anybody waits for one.
const DRIP_EVERY: Duration = Duration::from_secs(10);

/// A peer that is connected to one node.
pub(super) struct Peer {
    pub(super) control: Control,
    pub(super) target: PeerId,
    pub(super) id: PeerId,
    swarm: JoinHandle<()>,
    serving: Option<JoinHandle<()>>,
}

impl Peer {
    /// Dials a node under a new peer id, lower than the node's: so it is mallory's to open the sync stream.
    pub(super) async fn dial(to: &Person) -> Self {
        Self::dial_ready(to, |_| ()).await.0
    }

    /// The same, with something made ready before the node can ask for it.
    pub(super) async fn dial_ready<T>(to: &Person, ready: impl FnOnce(&mut Control) -> T) -> (Self, T) {
        let target: PeerId = to.node().status().await.expect("status").peer.parse().expect("peer id");
        let mut swarm = swarm(below(target));
        let made = ready(&mut swarm.behaviour().new_control());
        swarm.dial(to.listen()).expect("dials");
        let connected = async {
            loop {
                match swarm.select_next_some().await {
                    SwarmEvent::ConnectionEstablished { .. } => break,
                    SwarmEvent::OutgoingConnectionError { error, .. } => panic!("not connected: {error}"),
                    _ => {}
                }
            }
        };
        tokio::time::timeout(DEADLINE, connected).await.expect("connected in time");
        let control = swarm.behaviour().new_control();
        let id = *swarm.local_peer_id();
        let swarm = tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        (Self { control, target, id, swarm, serving: None }, made)
    }

    /// Opens a stream.
    pub(super) async fn open(&mut self, protocol: StreamProtocol) -> Stream {
        self.try_open(protocol).await.expect("opened")
    }

    pub(super) async fn try_open(&mut self, protocol: StreamProtocol) -> Option<Stream> {
        self.control.open_stream(self.target, protocol).await.ok()
    }

    /// Opens a stream and says these bytes on it.
    pub(super) async fn say(&mut self, protocol: StreamProtocol, bytes: &[u8]) -> Stream {
        let mut stream = self.open(protocol).await;
        stream.write_all(bytes).await.expect("written");
        stream.flush().await.expect("flushed");
        stream
    }

    /// Answers every request for a blob with these bytes.
    pub(super) fn serve_blobs(&mut self, answer: Vec<u8>) {
        self.serve_blobs_by(move |_| Served::Whole(answer.clone()));
    }

    /// Answers every request for groups of a blob as `answer` says.
    pub(super) fn serve_blobs_by(&mut self, answer: impl Fn(Request) -> Served + Send + 'static) {
        let mut streams = self.control.accept(BLOB).expect("accepted once");
        self.serving = Some(tokio::spawn(async move {
            let (mut open, mut slow) = (Vec::new(), JoinSet::new());
            while let Some((_, mut stream)) = streams.next().await {
                let mut prefix = [0; 4];
                if stream.read_exact(&mut prefix).await.is_err() {
                    continue;
                }
                let mut request = vec![0; usize::try_from(u32::from_be_bytes(prefix)).expect("short")];
                if stream.read_exact(&mut request).await.is_err() {
                    continue;
                }
                // Who hangs up while it is lied to is no concern of mallory's.
                match answer(Request::decode(&request).expect("a request")) {
                    Served::Whole(bytes) => {
                        let _ = stream.write_all(&bytes).await;
                        let _ = stream.close().await;
                    }
                    Served::Dripping(begin, rest) => {
                        slow.spawn(drip(stream, begin, rest));
                    }
                    Served::Hanging(bytes) => {
                        let _ = stream.write_all(&bytes).await;
                        let _ = stream.flush().await;
                        open.push(stream);
                    }
                }
            }
        }));
    }
}

/// How a request for a blob is answered.
pub(super) enum Served {
    /// With these bytes, and the stream ends.
    Whole(Vec<u8>),
    /// With these bytes, and then with nothing: the stream stays open.
    Hanging(Vec<u8>),
    /// With the first bytes at once, and of the rest a group every few seconds: never so long nothing that nobody would
    /// wait for more.
    Dripping(Vec<u8>, Vec<u8>),
}

async fn drip(mut stream: Stream, begin: Vec<u8>, rest: Vec<u8>) {
    let mut pace = tokio::time::interval(DRIP_EVERY);
    for bytes in std::iter::once(begin.as_slice()).chain(rest.chunks(BLOB_GROUP_BYTES)) {
        pace.tick().await;
        // Who hangs up while he waits is no concern of mallory's.
        if stream.write_all(bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.swarm.abort();
        if let Some(serving) = &self.serving {
            serving.abort();
        }
    }
}

/// A node of mallory's that does nothing by itself.
pub(super) fn swarm_of_any_key() -> Swarm<libp2p_stream::Behaviour> {
    swarm(Keypair::generate_ed25519())
}

/// A key whose peer id is below `target`.
fn below(target: PeerId) -> Keypair {
    let keys = std::iter::repeat_with(Keypair::generate_ed25519);
    keys.take(100_000).find(|key| PeerId::from(key.public()) < target).expect("half of all are")
}

fn swarm(key: Keypair) -> Swarm<libp2p_stream::Behaviour> {
    SwarmBuilder::with_existing_identity(key)
        .with_tokio()
        .with_tcp(tcp::Config::default().nodelay(true), noise::Config::new, yamux::Config::default)
        .expect("noise")
        .with_quic()
        .with_behaviour(|_| libp2p_stream::Behaviour::new())
        .expect("behaviour")
        .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
        .build()
}

/// A frame: length and body.
pub(super) fn frame(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("short");
    [&length.to_be_bytes(), body].concat()
}
