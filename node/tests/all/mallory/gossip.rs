//! Gossip by hand: peers that join a topic, and say in it whatever they like (R-GOS-1 to R-GOS-12).

mod honest;
mod many;
mod storms;
mod wire;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use futures::{AsyncWriteExt, StreamExt};
use libp2p::{Stream, StreamProtocol};
use libp2p_stream::IncomingStreams;
use tokio::task::JoinHandle;
use xom_protocol::entry::SignedEntry;
use xom_protocol::gossip::Topic;
use xom_protocol::{Did, encoding};

use self::wire::{Frame, Message};
use super::peer::{Peer, SYNC};
use super::persona::{Chain, Persona};
use super::{Line, Stage, Wares};
use crate::harness::{Over, Person, network, wait_until};

const GOSSIP: StreamProtocol = StreamProtocol::new("/xom/test/gossip/1.1.0");

/// What the node has said to a peer, and when the first of it came.
#[derive(Default)]
struct Heard {
    frames: Vec<Frame>,
}

/// A peer that gossips with a node.
struct Gossiper {
    peer: Peer,
    /// Where the node opens conversations.
    sync: IncomingStreams,
    stream: Stream,
    heard: Arc<Mutex<Heard>>,
    listening: JoinHandle<()>,
    began: Instant,
}

impl Gossiper {
    /// Connects to a node.
    async fn dial(to: &Person) -> Self {
        let ready = |control: &mut libp2p_stream::Control| {
            (control.accept(GOSSIP).expect("accepted once"), control.accept(SYNC).expect("accepted once"))
        };
        let (mut peer, (mut streams, sync)) = Peer::dial_ready(to, ready).await;
        let heard: Arc<Mutex<Heard>> = Arc::default();
        let ears = Arc::clone(&heard);
        let listening = tokio::spawn(async move {
            while let Some((_, mut stream)) = streams.next().await {
                while let Some(frame) = Frame::read(&mut stream).await {
                    ears.lock().expect("not poisoned").frames.push(frame);
                }
            }
        });
        let stream = peer.open(GOSSIP).await;
        Self { peer, sync, stream, heard, listening, began: Instant::now() }
    }

    /// Connects to a node and joins a topic; waits until the node knows.
    async fn join(to: &Person, topic: Topic) -> Self {
        let mut gossiper = Self::dial(to).await;
        let subscriptions = vec![(true, topic.to_string())];
        gossiper.say(Frame { subscriptions, ..Frame::default() }).await;
        let name = gossiper.peer.id.to_string();
        wait_until("the node knows who has joined", async || {
            let topics = to.node().topics().await.expect("topics");
            topics.iter().any(|view| view.topic == topic && view.peers.contains(&name)).then_some(())
        })
        .await;
        gossiper
    }

    /// Says something; a node that has hung up does not hear it.
    async fn say(&mut self, frame: Frame) {
        let _ = self.stream.write_all(&frame.encode()).await;
        let _ = self.stream.flush().await;
    }

    /// Says some bytes in a topic, as honest nodes do.
    async fn publish(&mut self, topic: Topic, data: Vec<u8>) {
        let message = Message { data, topic: topic.to_string(), ..Message::default() };
        self.say(Frame { messages: vec![message], ..Frame::default() }).await;
    }

    /// All messages that the node has sent so far.
    fn messages(&self) -> Vec<Message> {
        let heard = self.heard.lock().expect("not poisoned");
        heard.frames.iter().flat_map(|frame| frame.messages.clone()).collect()
    }

    /// True if the node has sent these bytes.
    fn has_heard(&self, data: &[u8]) -> bool {
        self.messages().iter().any(|message| message.data == data)
    }

    /// Waits until the node has sent these bytes.
    async fn hears(&self, data: &[u8]) {
        wait_until("it is passed on", async || self.has_heard(data).then_some(())).await;
    }

    /// How many ids the node has asked for.
    fn asked_for(&self) -> usize {
        let heard = self.heard.lock().expect("not poisoned");
        heard.frames.iter().flat_map(|frame| &frame.iwant).map(Vec::len).sum()
    }
}

impl Drop for Gossiper {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// A stage where alice is in a topic with bob and some whom she holds, each with a log of one post.
struct Forum {
    stage: Stage,
    topic: Topic,
    members: Vec<(Persona, Chain)>,
}

impl Forum {
    async fn new(names: &[&str]) -> Self {
        let stage = Stage::new(Over::Tcp).await;
        let topic = Topic::of(network(), "community", b"bees");
        let mut members = Vec::new();
        for name in names {
            let persona = Persona::new(name);
            let mut chain = persona.chain();
            chain.post("first");
            let served = stage.served(&persona, &chain, 1).await;
            drop(served);
            members.push((persona, chain));
        }
        let roster = members.iter().map(|(persona, _)| persona.did()).chain([stage.bob.did(), stage.alice.did()]);
        stage.alice.node().join_topic(topic, roster.collect()).await.expect("joins");
        Self { stage, topic, members }
    }

    /// A peer that has joined the topic at alice's.
    async fn peer(&self) -> Gossiper {
        Gossiper::join(&self.stage.alice, self.topic).await
    }

    /// The next post of a member, as it is announced.
    fn says(&mut self, member: usize, text: &str) -> Vec<u8> {
        let chain = &mut self.members[member].1;
        chain.post(text);
        announced(chain.last())
    }

    /// Whoever is in alice's mesh.
    async fn mesh(&self) -> BTreeSet<String> {
        let topics = self.stage.alice.node().topics().await.expect("topics");
        topics.into_iter().find(|view| view.topic == self.topic).expect("joined").mesh.into_iter().collect()
    }
}

/// An entry as it is announced.
fn announced(entry: &SignedEntry) -> Vec<u8> {
    let signature = entry.signature.expect("signed");
    encoding::encode(&(serde_bytes::Bytes::new(&entry.header), signature))
}

/// The DIDs of a roster.
fn roster(dids: &[Did]) -> BTreeSet<Did> {
    dids.iter().copied().collect()
}
