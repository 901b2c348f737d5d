//! A node of mallory's that keeps the conversation's form and lies in what it serves: what is true of it
//! is taken, what breaks a rule is refused under its name, and everything else goes on.

use std::time::{Duration, Instant};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::identity::Keypair;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Stream, StreamProtocol, SwarmBuilder, noise, tcp, yamux};
use tokio::task::JoinHandle;
use xom_protocol::body::{Attachment, Body, LogHead, Post};
use xom_protocol::entry::{Header, Kind, SaltedBody, SignedEntry, commitment, size_class};
use xom_protocol::identity::{DeviceEnd, IdentityRecord, SignedObject, compose};
use xom_protocol::keys::{Domain, SecretKey, Signature};
use xom_protocol::log::{Position, root_log_id};
use xom_protocol::phrase::Phrase;
use xom_protocol::sync::{Frontier, IdentitySummary, Input, LogSummary, Outcome, Output, Session, SessionConfig};
use xom_protocol::{BlobId, Did, Digest, LogId};

use crate::harness::{DEADLINE, Over, Person, network, texts, wait_until};

/// A time at which mallory says that it signed, milliseconds since 1970.
const TIME_MS: u64 = 1_700_000_000_000;

/// What mallory serves: an identity, and a log that may break any rule.
struct Forgery {
    phrase: Phrase,
    objects: Vec<SignedObject>,
    did: Did,
    log: LogId,
    entries: Vec<SignedEntry>,
    /// The raw answer to whoever asks for a blob.
    blob_answer: Vec<u8>,
}

impl Forgery {
    fn new() -> Self {
        let mut entropy = [0; 32];
        getrandom::fill(&mut entropy).expect("entropy");
        Self::from_entropy(entropy)
    }

    fn from_entropy(entropy: [u8; 32]) -> Self {
        let phrase = Phrase::from_entropy(&entropy).expect("not zero");
        let genesis = phrase.genesis(network());
        let did = Did(genesis.id().0);
        let log = root_log_id(network(), &did, &phrase.device_key().public().device_id());
        Self { phrase, objects: vec![genesis], did, log, entries: Vec::new(), blob_answer: Vec::new() }
    }

    fn key(&self) -> SecretKey {
        self.phrase.device_key()
    }

    fn record(&self) -> IdentityRecord {
        IdentityRecord::from_objects(network(), self.objects.clone()).expect("a valid identity")
    }

    fn position(&self) -> Position {
        let head = self.entries.last().map(|entry| Header::hash(&entry.header));
        Position { height: self.entries.len() as u64, head }
    }

    /// Adds an entry that is right in everything that `change` leaves alone.
    fn add(&mut self, kind: Kind, bytes: Vec<u8>, change: impl FnOnce(&mut Header)) {
        let salt = [7; 32];
        let Position { height, head } = self.position();
        let mut header = Header {
            author: self.did,
            device: self.key().public().device_id(),
            log: self.log,
            seq: height,
            prev: head,
            commitment: commitment(network(), &salt, &bytes),
            size_class: size_class(bytes.len()).expect("fits"),
            time_ms: TIME_MS,
            kind,
        };
        change(&mut header);
        let header = header.encode();
        let signature = Some(self.key().sign(Domain::Entry, network(), &header));
        self.entries.push(SignedEntry { header, signature, body: Some(SaltedBody { salt, bytes }) });
    }

    fn post(&mut self, text: &str) {
        self.post_with(text, |_| {});
    }

    fn post_with(&mut self, text: &str, change: impl FnOnce(&mut Header)) {
        let body = Body::Post(Post { text: text.to_owned(), ..Post::default() });
        self.add(Kind::Post, body.encode(), change);
    }

    /// Serves all this to whoever asks, until dropped.
    async fn serve(self) -> Liar {
        let keys = Keypair::generate_ed25519();
        let own = keys.public().to_peer_id();
        let mut swarm = SwarmBuilder::with_existing_identity(keys)
            .with_tokio()
            .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
            .expect("noise")
            .with_behaviour(|_| libp2p_stream::Behaviour::new())
            .expect("behaviour")
            .with_swarm_config(|config| config.with_idle_connection_timeout(DEADLINE))
            .build();
        swarm.listen_on("/ip4/127.0.0.1/tcp/0".parse().expect("address")).expect("listens");
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                break address;
            }
        };
        let sync = StreamProtocol::new("/xom/sync/1");
        let mut streams = swarm.behaviour().new_control().accept(sync).expect("once");
        let blob = StreamProtocol::new("/xom/blob/2");
        let mut asked = swarm.behaviour().new_control().accept(blob).expect("once");
        let did = self.did;
        let task = tokio::spawn(async move {
            let mut talks = tokio::task::JoinSet::new();
            let lies = std::sync::Arc::new(self);
            loop {
                tokio::select! {
                    _ = swarm.select_next_some() => {}
                    Some((peer, stream)) = streams.next() => {
                        talks.spawn(talk(std::sync::Arc::clone(&lies), own, peer, stream));
                    }
                    Some((_, mut stream)) = asked.next() => {
                        let answer = lies.blob_answer.clone();
                        talks.spawn(async move {
                            let _ = stream.write_all(&answer).await;
                            let _ = stream.close().await;
                        });
                    }
                }
            }
        });
        Liar { did, address, task }
    }
}

/// Mallory's node while it runs.
struct Liar {
    did: Did,
    address: Multiaddr,
    task: JoinHandle<()>,
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Holds one conversation as an honest node would, but for what it serves.
async fn talk(lies: std::sync::Arc<Forgery>, own: PeerId, peer: PeerId, stream: Stream) {
    let (mut reader, mut writer) = stream.split();
    let config = SessionConfig {
        network: network(),
        nonce: [9; 32],
        epoch: 1,
        our_peer_id: own.to_bytes(),
        their_peer_id: peer.to_bytes(),
        devices: Vec::new(),
    };
    let identity = IdentitySummary { did: lies.did, digest: Some(lies.record().digest()), counter: 1 };
    let log = LogSummary { did: lies.did, log: lies.log, position: lies.position(), counter: 1, wanted: false };
    let frontier = Frontier { identities: vec![identity], logs: vec![log], counter: 1, resume: None };
    let (mut session, began) = (Session::new(config), Instant::now());
    let mut inputs = vec![Input::Opened(frontier)];
    loop {
        while let Some(input) = inputs.pop() {
            let now_ms = u64::try_from(began.elapsed().as_millis()).expect("short");
            for output in session.step(input, now_ms) {
                match output {
                    Output::Send(frame) => {
                        let length = u32::try_from(frame.len()).expect("short").to_be_bytes();
                        let sent = async {
                            writer.write_all(&length).await?;
                            writer.write_all(&frame).await?;
                            writer.flush().await
                        };
                        if sent.await.is_err() {
                            return;
                        }
                    }
                    Output::Load { request, from, to, .. } => {
                        let at = |seq: u64| usize::try_from(seq).expect("small").min(lies.entries.len());
                        inputs.push(Input::Loaded { request, entries: lies.entries[at(from)..at(to)].to_vec() });
                    }
                    Output::LoadIdentity { request, .. } => {
                        let objects = lies.objects.iter().map(SignedObject::encode).collect();
                        inputs.push(Input::LoadedIdentity { request, objects });
                    }
                    Output::LoadAimed { request, .. } => inputs.push(Input::LoadedAimed { request, items: Vec::new() }),
                    Output::Apply { ticket, .. } => {
                        let outcome = Outcome::Dropped;
                        inputs.push(Input::Applied { ticket, outcome, position: Position::EMPTY });
                    }
                    Output::Close(_) => return,
                    _ => {}
                }
            }
        }
        let mut length = [0; 4];
        if reader.read_exact(&mut length).await.is_err() {
            return;
        }
        let mut frame = vec![0; usize::try_from(u32::from_be_bytes(length)).expect("fits")];
        if reader.read_exact(&mut frame).await.is_err() {
            return;
        }
        inputs.push(Input::Received(frame));
    }
}

/// Bob follows mallory, and alice. Of mallory he ends with these posts, and with this rule counted if
/// one is given; what alice posts arrives all the same.
async fn check(lies: Forgery, posts: &[String], rule: Option<&str>) {
    let (alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let mallory = lies.serve().await;
    bob.follow(alice.invite().await).await;
    let bob = follow(bob, &[&mallory]).await;
    if let Some(rule) = rule {
        wait_until(&format!("{rule} is counted"), async || (bob.refusals(rule).await > 0).then_some(())).await;
    }
    bob.has_posts(mallory.did, posts).await;
    alice.post("still here").await;
    bob.has_posts(alice.did(), &["still here".to_owned()]).await;
    assert_eq!(bob.posts_of(mallory.did).await, posts);
}

/// Follows by DID, and starts again with the addresses as bootstrap.
async fn follow(mut bob: Person, liars: &[&Liar]) -> Person {
    for liar in liars {
        bob.follow(liar.did.to_string()).await;
    }
    bob.stop().await;
    bob.start_with(liars.iter().map(|liar| liar.address.clone()).collect()).await;
    bob
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_the_rules_is_taken_from_anybody() {
    let mut lies = Forgery::new();
    let posts = texts("post", 40);
    posts.iter().for_each(|text| lies.post(text));
    check(lies, &posts, None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_a_bad_signature_is_taken_up_to_the_one_before() {
    let mut lies = Forgery::new();
    let posts = texts("post", 80);
    posts.iter().for_each(|text| lies.post(text));
    lies.entries[64].signature = Some(Signature([1; 64]));
    check(lies, &posts[..33], Some("ENC-12")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_with_a_broken_chain_is_taken_up_to_the_break() {
    let mut lies = Forgery::new();
    let posts = texts("post", 33);
    posts.iter().for_each(|text| lies.post(text));
    lies.post_with("elsewhere", |header| header.prev = Some(Digest([5; 32])));
    check(lies, &posts, Some("LOG-4")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_under_the_key_of_another_is_refused() {
    let mut lies = Forgery::new();
    let posts = texts("post", 33);
    posts.iter().for_each(|text| lies.post(text));
    let stranger = SecretKey::from_seed(&[3; 32]).expect("seed").public().device_id();
    lies.post_with("stolen", |header| header.device = stranger);
    check(lies, &posts, Some("LOG-7")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_body_in_mid_log_is_opaque_and_the_rest_goes_on() {
    let mut lies = Forgery::new();
    lies.post("before");
    lies.add(Kind::Post, vec![0xff; 40], |_| {});
    lies.post("after");
    check(lies, &["before".to_owned(), "after".to_owned()], None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_is_not_the_one_committed_to_is_dropped_and_the_rest_goes_on() {
    let mut lies = Forgery::new();
    ["one", "two", "three"].into_iter().for_each(|text| lies.post(text));
    lies.entries[1].body = Some(SaltedBody { salt: [8; 32], bytes: b"something else".to_vec() });
    check(lies, &["one".to_owned(), "three".to_owned()], Some("LOG-6")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_ten_years_ahead_is_kept_and_shown_when_it_came() {
    let mut lies = Forgery::new();
    let ten_years = Duration::from_secs(10 * 365 * 24 * 3_600);
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    let now_ms = u64::try_from(now.as_millis()).expect("fits");
    let ahead_ms = now_ms + u64::try_from(ten_years.as_millis()).expect("fits");
    lies.post_with("from the future", |header| header.time_ms = ahead_ms);
    lies.post("and on");
    let mallory = lies.serve().await;
    let bob = follow(Person::new("bob", Over::Tcp).await, &[&mallory]).await;
    let both = async || Some(bob.statuses_of(mallory.did).await).filter(|statuses| statuses.len() == 2);
    let statuses = wait_until("both are held", both).await;
    assert!(statuses.iter().all(|status| status.time_ms < now_ms + 600_000), "{statuses:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_removed_device_wrote_above_its_accepted_head_does_not_count() {
    let mut lies = Forgery::new();
    let posts = texts("post", 33);
    posts.iter().for_each(|text| lies.post(text));
    let Position { height, head } = lies.position();
    let head = LogHead { log: lies.log, height, head: head.expect("not empty") };
    let device = lies.key().public().device_id();
    let end = DeviceEnd { device, heads: vec![head], stands: Vec::new() };
    let control = lies.phrase.control_key(0);
    let removal = compose::device_remove(&lies.record().state().place(), end, &[&control]).expect("removes");
    lies.objects.push(removal);
    lies.post("after the theft");
    check(lies, &posts, Some("ID-7")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fork_is_kept_as_proof_and_the_first_branch_is_shown_as_disputed() {
    let mut liars = Vec::new();
    for branch in ["left", "right"] {
        let mut lies = Forgery::from_entropy([42; 32]);
        texts("post", 5).iter().for_each(|text| lies.post(text));
        texts(branch, 3).iter().for_each(|text| lies.post(text));
        liars.push(lies.serve().await);
    }
    let (alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    bob.follow(alice.invite().await).await;
    let bob = follow(bob, &[&liars[0], &liars[1]]).await;
    let did = liars[0].did;
    wait_until("the log is disputed", async || {
        let logs = bob.node().read(|reader| reader.logs()).await.expect("reads");
        logs.iter().any(|log| log.did == did && log.disputed && log.height == 8).then_some(())
    })
    .await;
    alice.post("still here").await;
    bob.has_posts(alice.did(), &["still here".to_owned()]).await;
}

/// A post of mallory's with a picture for which she sends `bytes` bytes of something else.
async fn check_blob(claimed: u64, sent: usize, rule: &str) {
    let mut lies = Forgery::new();
    let attachment = Attachment::new(BlobId::of(b"a picture"), "image/png", claimed);
    let post = Post { text: "look".to_owned(), attachments: vec![attachment], ..Post::default() };
    lies.add(Kind::Post, Body::Post(post).encode(), |_| {});
    lies.blob_answer = [&[0][..], &vec![1; sent]].concat();
    let mallory = lies.serve().await;
    let bob = follow(Person::new("bob", Over::Tcp).await, &[&mallory]).await;
    wait_until(&format!("{rule} is counted"), async || (bob.refusals(rule).await > 0).then_some(())).await;
    bob.has_posts(mallory.did, &["look".to_owned()]).await;
    assert_eq!(bob.node().blob(BlobId::of(b"a picture")).await.expect("reads"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_not_those_of_the_blob_are_dropped() {
    check_blob(1_000, 1_000, "BLOB-4").await;
}
