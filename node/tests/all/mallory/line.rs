//! One sync stream of mallory's: speaks by hand, and answers requests from what it has to offer.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use futures::{AsyncReadExt, AsyncWriteExt, StreamExt};
use libp2p::Stream;
use libp2p_stream::IncomingStreams;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use xom_protocol::entry::{Header, SignedEntry};
use xom_protocol::limits::{ANCESTORS_MAX, FORK_LEAD};
use xom_protocol::log::Position;
use xom_protocol::sync::message::{Heads, Hello, IdentityHead, LogHead, Message, Offer, Push, Range, SaltedId};
use xom_protocol::sync::{Salter, frame_body_len};
use xom_protocol::{Did, Digest, LogId};

use super::peer::{Peer, SYNC, frame};
use super::persona::{Chain, Persona};
use crate::harness::{network, wait_until};

/// Frames that wait to be written.
const FRAMES_OUT: usize = 64;

/// What mallory claims to hold, and what it really gives.
#[derive(Clone, Default)]
pub(super) struct Wares {
    identities: Vec<(Did, Digest, Vec<Vec<u8>>)>,
    logs: Vec<Stock>,
}

#[derive(Clone)]
struct Stock {
    log: LogId,
    head: Position,
    entries: Vec<SignedEntry>,
}

impl Wares {
    /// An identity, given as it is.
    pub(super) fn identity(self, persona: &Persona) -> Self {
        self.objects(persona.did(), persona.record.digest(), persona.objects())
    }

    /// Any objects as those of an identity.
    pub(super) fn objects(mut self, did: Did, digest: Digest, objects: Vec<Vec<u8>>) -> Self {
        self.identities.push((did, digest, objects));
        self
    }

    /// A log, given as it is.
    pub(super) fn chain(self, chain: &Chain) -> Self {
        self.log(chain.log(), chain.position(), chain.entries.clone())
    }

    /// Any entries as those of a log.
    pub(super) fn log(mut self, log: LogId, head: Position, entries: Vec<SignedEntry>) -> Self {
        self.logs.push(Stock { log, head, entries });
        self
    }

    /// A log of which nothing is held and everything wanted.
    pub(super) fn wish(self, log: LogId) -> Self {
        self.log(log, Position::EMPTY, Vec::new())
    }

    fn ids(&self, salter: &Salter) -> Vec<SaltedId> {
        let identities = self.identities.iter().map(|(did, ..)| salter.identity(network(), did));
        identities.chain(self.logs.iter().map(|stock| salter.log(&stock.log))).collect()
    }

    fn heads(&self, salter: &Salter, asked: impl Fn(&SaltedId) -> bool) -> Heads {
        let mut heads = Heads { counter: 1, ..Heads::default() };
        for (did, digest, _) in &self.identities {
            let id = salter.identity(network(), did);
            heads.identities.extend(asked(&id).then_some(IdentityHead { id, digest: Some(*digest) }));
        }
        for stock in &self.logs {
            let id = salter.log(&stock.log);
            heads.logs.extend(asked(&id).then_some(LogHead { id, position: stock.head, wanted: true }));
        }
        heads
    }

    fn stock(&self, salter: &Salter, id: &SaltedId) -> Option<&Stock> {
        self.logs.iter().find(|stock| salter.log(&stock.log) == *id)
    }

    /// What an honest node would answer from this stock, whatever the stock is.
    fn answer(&self, salter: &Salter, message: &Message) -> Option<Message> {
        match message {
            Message::RangeRequest { request, id, from, to } => {
                let entries = self.stock(salter, id).map_or(&[][..], |stock| &stock.entries);
                let (first, last) = (index(*from).min(entries.len()), index(*to).min(entries.len()));
                let entries = entries[first..last.max(first)].to_vec();
                Some(Message::Range(Range { request: *request, from: *from, end: true, entries }))
            }
            Message::ForkRequest { request, id, at } => {
                let entries = self.stock(salter, id).map_or(&[][..], |stock| &stock.entries);
                let from = (at + 1).saturating_sub(FORK_LEAD);
                let end = index(at + 1).min(entries.len());
                let bare = |entry: &SignedEntry| SignedEntry { body: None, ..entry.clone() };
                let entries = entries[index(from).min(end)..end].iter().map(bare).collect();
                Some(Message::Range(Range { request: *request, from, end: true, entries }))
            }
            Message::AncestorsRequest { request, id, at, hash: named } => {
                let entries = self.stock(salter, id).map_or(&[][..], |stock| &stock.entries);
                let is_right = entries.get(index(*at)).is_some_and(|entry| hash(entry) == *named);
                let from = if is_right { (at + 1).saturating_sub(ANCESTORS_MAX as u64) } else { *at };
                let to = if is_right { at + 1 } else { *at };
                let bare = |entry: &SignedEntry| SignedEntry { signature: None, body: None, ..entry.clone() };
                let entries = entries.get(index(from)..index(to)).unwrap_or_default().iter().map(bare).collect();
                Some(Message::Range(Range { request: *request, from, end: true, entries }))
            }
            Message::IdentityRequest { request, id } => {
                let found = self.identities.iter().find(|(did, ..)| salter.identity(network(), did) == *id);
                let objects = found.map(|(.., objects)| objects.clone()).unwrap_or_default();
                Some(Message::IdentityObjects { request: *request, end: true, objects })
            }
            _ => None,
        }
    }
}

/// A conversation.
pub(super) struct Line {
    pub(super) salter: Salter,
    frames: mpsc::Sender<Vec<u8>>,
    wares: Arc<Mutex<Wares>>,
    heard: Arc<Mutex<Heard>>,
    pushes: u64,
    requests: u64,
    tasks: [JoinHandle<()>; 2],
}

/// What the node has said.
#[derive(Default)]
struct Heard {
    messages: Vec<Message>,
    ended: bool,
}

impl Line {
    /// Greets and offers `wares`.
    pub(super) async fn open(peer: &mut Peer, wares: Wares) -> Self {
        let line = Self::greet(peer, wares.clone()).await;
        let ids = wares.ids(&line.salter);
        line.offer(ids).await;
        line
    }

    /// Greets, and offers nothing yet.
    pub(super) async fn greet(peer: &mut Peer, wares: Wares) -> Self {
        Self::greet_on(peer, None, wares).await
    }

    /// Waits until the node opens a stream, greets and offers `wares`.
    pub(super) async fn answer(peer: &mut Peer, streams: &mut IncomingStreams, wares: Wares) -> Self {
        let line = Self::greet_on(peer, Some(streams), wares.clone()).await;
        let ids = wares.ids(&line.salter);
        line.offer(ids).await;
        line
    }

    async fn greet_on(peer: &mut Peer, streams: Option<&mut IncomingStreams>, wares: Wares) -> Self {
        let nonce = libp2p::PeerId::random().to_bytes();
        let nonce = Digest::of(&[&nonce]).0;
        let hello = Hello { version: 1, network: network().to_string(), nonce, epoch: 7, resume: None };
        let greeting = [frame(&Message::Hello(hello).encode()), frame(&Message::Proof(Vec::new()).encode())];
        let mut stream = match streams {
            None => peer.open(SYNC).await,
            Some(streams) => streams.next().await.expect("the node opens one").1,
        };
        stream.write_all(&greeting.concat()).await.expect("written");
        stream.flush().await.expect("flushed");
        let Some(Message::Hello(theirs)) = read(&mut stream).await else { panic!("no hello") };
        let salter = Salter::new(nonce, theirs.nonce);
        Self::run(stream, salter, wares)
    }

    fn run(stream: Stream, salter: Salter, wares: Wares) -> Self {
        let (mut reader, mut writer) = stream.split();
        let (frames, mut frames_out) = mpsc::channel::<Vec<u8>>(FRAMES_OUT);
        let (wares, heard) = (Arc::new(Mutex::new(wares)), Arc::new(Mutex::new(Heard::default())));
        let write = tokio::spawn(async move {
            while let Some(bytes) = frames_out.recv().await {
                if writer.write_all(&bytes).await.is_err() || writer.flush().await.is_err() {
                    return;
                }
            }
        });
        let (answers, stock, ears) = (frames.clone(), Arc::clone(&wares), Arc::clone(&heard));
        let listen = tokio::spawn(async move {
            let mut told = BTreeSet::new();
            while let Some(message) = read(&mut reader).await {
                let wares = stock.lock().expect("not poisoned").clone();
                for answer in reply(&wares, &salter, &message, &mut told) {
                    let _ = answers.send(frame(&answer.encode())).await;
                }
                ears.lock().expect("not poisoned").messages.push(message);
            }
            ears.lock().expect("not poisoned").ended = true;
        });
        Self { salter, frames, wares, heard, pushes: 0, requests: 0, tasks: [write, listen] }
    }

    pub(super) async fn say(&self, message: Message) {
        self.say_bytes(frame(&message.encode())).await;
    }

    /// Says any bytes; a node that has hung up does not hear them.
    pub(super) async fn say_bytes(&self, bytes: Vec<u8>) {
        let _ = self.frames.send(bytes).await;
    }

    /// Offers ids, as the first offer of this side.
    pub(super) async fn offer(&self, ids: Vec<SaltedId>) {
        self.say(Message::Offer(Offer { number: 1, more: false, counter: 1, ids })).await;
    }

    /// Claims to stand somewhere in a log.
    pub(super) async fn claim(&self, log: LogId, position: Position) {
        let head = LogHead { id: self.salter.log(&log), position, wanted: true };
        self.say(Message::Heads(Heads { counter: 1, logs: vec![head], identities: Vec::new() })).await;
    }

    /// Has other wares from now on, and says so.
    pub(super) async fn restock(&self, wares: Wares) {
        let heads = wares.heads(&self.salter, |_| true);
        *self.wares.lock().expect("not poisoned") = wares;
        self.say(Message::Heads(heads)).await;
    }

    /// Pushes entries of a log.
    pub(super) async fn push(&mut self, log: LogId, from: u64, entries: Vec<SignedEntry>) {
        self.pushes += 1;
        let id = self.salter.log(&log);
        self.say(Message::Push(Push { number: self.pushes, id, from, counter: 1, entries })).await;
    }

    /// Waits until every push was acknowledged.
    pub(super) async fn acknowledged(&self) {
        let done = |message: &Message| matches!(message, Message::Ack { pushes, .. } if *pushes == self.pushes);
        self.heard("the pushes are acknowledged", |message| done(message).then_some(())).await;
    }

    /// How many messages of some sort the node has said so far.
    pub(super) fn count(&self, is_one: impl Fn(&Message) -> bool) -> usize {
        self.heard.lock().expect("not poisoned").messages.iter().filter(|message| is_one(message)).count()
    }

    /// Waits for a message.
    pub(super) async fn heard<T>(&self, what: &str, pick: impl Fn(&Message) -> Option<T>) -> T {
        wait_until(what, async || self.heard.lock().expect("not poisoned").messages.iter().rev().find_map(&pick)).await
    }

    /// Waits until the node has asked for the objects of an identity so often.
    pub(super) async fn asked_for_objects(&self, times: usize) {
        let asked = |message: &&Message| matches!(message, Message::IdentityRequest { .. });
        wait_until(&format!("objects are asked for {times} times"), async || {
            let count = self.heard.lock().expect("not poisoned").messages.iter().filter(asked).count();
            (count >= times).then_some(())
        })
        .await;
    }

    /// Waits until the node has hung up; if the reason that it gave came through, it names this rule.
    pub(super) async fn closed_by(&self, rule: &str) {
        wait_until("the stream ends", async || self.heard.lock().expect("not poisoned").ended.then_some(())).await;
        let messages = &self.heard.lock().expect("not poisoned").messages;
        if let Some(Message::Bye { reason }) = messages.last() {
            assert_eq!(*reason, format!("refused by {rule}"));
        }
    }

    /// The objects of an identity as the node serves them to anybody who knows it.
    pub(super) async fn objects_of(peer: &mut Peer, did: Did) -> Vec<Vec<u8>> {
        let line = Self::greet(peer, Wares::default()).await;
        let id = line.salter.identity(network(), &did);
        line.offer(vec![id]).await;
        let head = |message: &Message| match message {
            Message::Heads(heads) => heads.identities.iter().any(|head| head.id == id).then_some(()),
            _ => None,
        };
        line.heard("the node knows the identity", head).await;
        line.say(Message::IdentityRequest { request: 1, id }).await;
        let objects = |message: &Message| match message {
            Message::IdentityObjects { objects, .. } => Some(objects.clone()),
            _ => None,
        };
        line.heard("the objects come", objects).await
    }

    /// The whole log as the node serves it to anybody who knows its id; the log must be wished for.
    pub(super) async fn fetch(&mut self, log: LogId, height: u64) -> Vec<SignedEntry> {
        let id = self.salter.log(&log);
        let head = |message: &Message| match message {
            Message::Heads(heads) => {
                heads.logs.iter().find(|head| head.id == id && head.position.height >= height).map(|_| ())
            }
            Message::Push(push) => (push.id == id && push.from + push.entries.len() as u64 >= height).then_some(()),
            _ => None,
        };
        self.heard("the node tells its head", head).await;
        self.requests += 1;
        let request = self.requests;
        self.say(Message::RangeRequest { request, id, from: 0, to: height }).await;
        let end = |message: &Message| matches!(message, Message::Range(part) if part.request == request && part.end);
        self.heard("the log comes", |message| end(message).then_some(())).await;
        let messages = &self.heard.lock().expect("not poisoned").messages;
        let part = |message: &Message| match message {
            Message::Range(part) if part.request == request => part.entries.clone(),
            _ => Vec::new(),
        };
        messages.iter().flat_map(part).collect()
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// What mallory says to a message: offers are compared, heads are told, requests are answered.
fn reply(wares: &Wares, salter: &Salter, message: &Message, told: &mut BTreeSet<SaltedId>) -> Vec<Message> {
    match message {
        Message::Offer(offer) => {
            let heads = wares.heads(salter, |id| offer.ids.contains(id));
            note(&heads, told);
            let compared = (!offer.more).then_some(Message::Compared { number: offer.number });
            std::iter::once(Message::Heads(heads)).chain(compared).collect()
        }
        Message::Heads(theirs) => {
            let mut ids = theirs.logs.iter().map(|head| head.id).collect::<BTreeSet<_>>();
            ids.extend(theirs.identities.iter().map(|head| head.id));
            let heads = wares.heads(salter, |id| ids.contains(id) && !told.contains(id));
            note(&heads, told);
            let is_empty = heads.logs.is_empty() && heads.identities.is_empty();
            if is_empty { Vec::new() } else { vec![Message::Heads(heads)] }
        }
        other => wares.answer(salter, other).into_iter().collect(),
    }
}

fn note(heads: &Heads, told: &mut BTreeSet<SaltedId>) {
    told.extend(heads.logs.iter().map(|head| head.id));
    told.extend(heads.identities.iter().map(|head| head.id));
}

async fn read(from: &mut (impl futures::AsyncRead + Unpin)) -> Option<Message> {
    let mut prefix = [0; 4];
    from.read_exact(&mut prefix).await.ok()?;
    let mut body = vec![0; frame_body_len(prefix).expect("an honest frame")];
    from.read_exact(&mut body).await.ok()?;
    Some(Message::decode(&body).expect("an honest message"))
}

fn index(seq: u64) -> usize {
    usize::try_from(seq).expect("short")
}

/// The hash of an entry, which the next header links to.
pub(super) fn hash(entry: &SignedEntry) -> Digest {
    Header::hash(&entry.header)
}
