//! A peer that speaks libp2p well and xom badly: refused, counted, let go; honest traffic goes on.

use std::error::Error;
use std::time::Duration;

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::identity::Keypair;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder, noise, tcp, yamux};
use libp2p_stream::Control;
use tokio::task::JoinHandle;

use super::blobs::PNG;
use crate::harness::{DEADLINE, Over, Person, wait_until};

const SYNC: StreamProtocol = StreamProtocol::new("/xom/sync/1");
const BLOB: StreamProtocol = StreamProtocol::new("/xom/blob/2");

/// Mallory's node: only raw streams.
struct Mallory {
    control: Control,
    target: PeerId,
    swarm: JoinHandle<()>,
}

impl Mallory {
    async fn connect(to: &Person) -> Self {
        let mut swarm: Swarm<libp2p_stream::Behaviour> =
            SwarmBuilder::with_existing_identity(Keypair::generate_ed25519())
                .with_tokio()
                .with_tcp(tcp::Config::default(), noise::Config::new, yamux::Config::default)
                .expect("noise")
                .with_behaviour(|_| libp2p_stream::Behaviour::new())
                .expect("behaviour")
                .with_swarm_config(|config| config.with_idle_connection_timeout(Duration::from_secs(60)))
                .build();
        let address: Multiaddr = to.listen();
        swarm.dial(address).expect("dials");
        let target = loop {
            if let SwarmEvent::ConnectionEstablished { peer_id, .. } = swarm.select_next_some().await {
                break peer_id;
            }
        };
        let control = swarm.behaviour().new_control();
        let swarm = tokio::spawn(async move {
            loop {
                swarm.select_next_some().await;
            }
        });
        Self { control, target, swarm }
    }

    /// Says something on sync streams until alice counts it. She takes none while she has just opened
    /// one herself.
    async fn insist(&mut self, alice: &Person, bytes: &[u8], rule: &str) {
        wait_until("alice counts it", async || {
            if let Ok(mut stream) = self.say(SYNC, bytes).await {
                let mut heard = Vec::new();
                let end = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut heard)).await;
                assert!(end.is_ok(), "the stream stays open");
            }
            (alice.refusals(rule).await > 0).then_some(())
        })
        .await;
    }

    async fn say(&mut self, protocol: StreamProtocol, bytes: &[u8]) -> Result<libp2p::Stream, Box<dyn Error>> {
        let mut stream = self.control.open_stream(self.target, protocol).await?;
        stream.write_all(bytes).await?;
        stream.flush().await?;
        Ok(stream)
    }
}

impl Drop for Mallory {
    fn drop(&mut self) {
        self.swarm.abort();
    }
}

async fn check_refused(bytes: &[u8], rule: &str) {
    let (alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    bob.follow(alice.invite().await).await;
    alice.post("before").await;
    bob.has_posts(alice.did(), &["before".to_owned()]).await;
    let mut mallory = Mallory::connect(&alice).await;
    mallory.insist(&alice, bytes, rule).await;
    alice.post("after").await;
    bob.has_posts(alice.did(), &["before".to_owned(), "after".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_longer_than_any_may_be_ends_the_conversation() {
    check_refused(&u32::MAX.to_be_bytes(), "SYN-1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_frame_ends_the_conversation() {
    check_refused(&[0; 4], "SYN-1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_no_message_ends_the_conversation() {
    check_refused(&[0, 0, 0, 2, 0xff, 0xff], "ENC-4").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_nested_without_end_ends_the_conversation() {
    let mut bomb = 100_000_u32.to_be_bytes().to_vec();
    bomb.extend([0x81; 100_000]);
    check_refused(&bomb, "ENC-5").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_keeps_breaking_rules_is_let_go() {
    let alice = Person::new("alice", Over::Tcp).await;
    let mut mallory = Mallory::connect(&alice).await;
    mallory.insist(&alice, &[0; 4], "SYN-1").await;
    wait_until("mallory is disconnected", async || (alice.connected().await == 0).then_some(())).await;
    let again = mallory.control.open_stream(mallory.target, SYNC).await;
    assert!(again.is_err(), "mallory is let in again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_is_not_served_for_its_hash_alone() {
    let alice = Person::new("alice", Over::Tcp).await;
    let blob = alice.node().add_blob(PNG.to_vec(), None).await.expect("stored").blob;
    let mut mallory = Mallory::connect(&alice).await;
    let entry = xom_protocol::EntryId([0; 32]);
    let request = xom_protocol::encoding::encode(&(blob, entry, 0_u64, 1_u64));
    let mut bytes = u32::try_from(request.len()).expect("short").to_be_bytes().to_vec();
    bytes.extend(request);
    let mut stream = mallory.say(BLOB, &bytes).await.expect("asks");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.expect("reads");
    assert_eq!(answer, [1], "not found, and nothing more");
}
