//! Identities and logs made by hand: valid ones as any node would, and forged ones as no node does.

use std::time::{SystemTime, UNIX_EPOCH};

use xom_protocol::body::{Body, LogHead, Post};
use xom_protocol::entry::{Header, Kind, Reference, SaltedBody, SignedEntry, commitment, size_class};
use xom_protocol::identity::{DeviceEnd, IdentityRecord, SignedObject, compose};
use xom_protocol::keys::{Domain, SecretKey};
use xom_protocol::log::{Composer, Position, log_id, root_log_id};
use xom_protocol::phrase::Phrase;
use xom_protocol::{Did, Digest, LogId, Network};

use crate::harness::network;

/// Ten years, milliseconds.
pub(super) const TEN_YEARS_MS: u64 = 10 * 365 * 24 * 3_600 * 1_000;

/// An identity with all its keys.
pub(super) struct Persona {
    phrase: Phrase,
    pub(super) record: IdentityRecord,
}

impl Persona {
    pub(super) fn new(name: &str) -> Self {
        let phrase = Phrase::from_entropy(&Digest::of(&[b"persona ", name.as_bytes()]).0).expect("entropy");
        let record = IdentityRecord::from_genesis(network(), phrase.genesis(network())).expect("genesis");
        Self { phrase, record }
    }

    pub(super) fn did(&self) -> Did {
        self.record.did()
    }

    pub(super) fn objects(&self) -> Vec<Vec<u8>> {
        self.record.objects().iter().map(SignedObject::encode).collect()
    }

    pub(super) fn device_key(&self) -> SecretKey {
        self.phrase.device_key()
    }

    /// The words.
    pub(super) fn words(&self) -> &Phrase {
        &self.phrase
    }

    /// The control key of the genesis.
    pub(super) fn first_control_key(&self) -> SecretKey {
        self.phrase.control_key(0)
    }

    /// A next key, which signs one rotation.
    pub(super) fn next_key(&self, number: u32) -> SecretKey {
        self.phrase.next_key(number)
    }

    /// The owner brings new control keys by her words.
    pub(super) fn rotate_by_words(&mut self) {
        let place = self.phrase.rotation_place(&self.record).expect("her words");
        let rotation = self.phrase.rotation(&place, &[]).expect("signed");
        self.record.insert(rotation).expect("valid");
    }

    /// The root log of the first device, still empty.
    pub(super) fn chain(&self) -> Chain {
        Chain::of(self.did(), self.device_key())
    }

    /// A second device, granted by the first, with its root log.
    pub(super) fn second_device(&mut self) -> Chain {
        let second = self.second();
        let grant = compose::grant(network(), self.did(), &self.device_key(), second.key()).expect("granted");
        self.record.insert(grant).expect("valid");
        second
    }

    /// The root log of the second device, still empty, granted or not.
    pub(super) fn second(&self) -> Chain {
        Chain::of(self.did(), SecretKey::from_seed(&Digest::of(&[b"second", &self.did().0]).0).expect("seed"))
    }

    /// The control key ends the device of `chain`; only what lies below `height` counts.
    pub(super) fn remove_device(&mut self, chain: &Chain, height: u64) {
        let last = chain.entries.get(usize::try_from(height - 1).expect("short")).expect("is there");
        let heads = vec![LogHead { log: chain.log(), height, head: Header::hash(&last.header) }];
        let end = DeviceEnd { device: chain.key().public().device_id(), heads, stands: Vec::new() };
        let control = self.phrase.control_key(0);
        let remove = compose::device_remove(&self.record.state().place(), end, &[&control]).expect("composed");
        self.record.insert(remove).expect("valid");
    }

    /// The device of `chain` locks the identity: what stands now goes on counting.
    pub(super) fn lock(&mut self, chain: &Chain) {
        let (rev, stands) = self.record.new_lock(&chain.key().public().device_id());
        let lock = compose::lock(network(), self.did(), chain.key(), rev, stands).expect("composed");
        self.record.insert(lock).expect("valid");
    }

    /// The control key names the head of `chain` as the one that counts.
    pub(super) fn settle(&mut self, chain: &Chain) {
        let Position { height, head } = chain.position();
        let anchors = vec![LogHead { log: chain.log(), height, head: head.expect("not empty") }];
        let control = self.phrase.control_key(0);
        let settle = compose::settle(&self.record.state().place(), anchors, &[&control]).expect("composed");
        self.record.insert(settle).expect("valid");
    }

    /// An order by the control key to purge an entry at once.
    pub(super) fn purge(&self, target: &Reference) -> xom_protocol::body::PurgeOrder {
        let control = self.phrase.control_key(0);
        xom_protocol::identity::purge::order(self.record.state(), &target.entry, &[&control]).expect("order")
    }
}

/// One log as it is written, with every entry as it travels.
#[derive(Clone)]
pub(super) struct Chain {
    composer: Composer,
    pub(super) entries: Vec<SignedEntry>,
}

impl Chain {
    /// The root log of a device, still empty.
    pub(super) fn of(author: Did, key: SecretKey) -> Self {
        let log = root_log_id(network(), &author, &key.public().device_id());
        let position = Position::EMPTY;
        let composer = Composer { network: network(), key, author, log, position, last_time_ms: 0 };
        Self { composer, entries: Vec::new() }
    }

    /// A log that the device of this one has opened, still empty.
    pub(super) fn opened(&self, purpose: &str, purpose_id: &[u8]) -> Self {
        let device = self.composer.key.public().device_id();
        let log = log_id(network(), &self.composer.author, &device, purpose, purpose_id);
        Self {
            composer: Composer { log, position: Position::EMPTY, last_time_ms: 0, ..self.composer.clone() },
            entries: Vec::new(),
        }
    }

    /// The same, ended earlier.
    pub(super) fn cut(&self, height: usize) -> Self {
        let mut cut = self.clone();
        cut.entries.truncate(height);
        let head = cut.entries.last().map(|last| Header::hash(&last.header));
        cut.composer.position = Position { height: height as u64, head };
        cut
    }

    pub(super) fn log(&self) -> LogId {
        self.composer.log
    }

    pub(super) fn key(&self) -> &SecretKey {
        &self.composer.key
    }

    pub(super) fn position(&self) -> Position {
        self.composer.position
    }

    /// Writes as an honest node does.
    pub(super) fn write(&mut self, body: &Body) -> Reference {
        let entry = self.composer.compose(body, self.salt(), now_ms()).expect("composed");
        self.composer.advance(&entry);
        self.entries.push(entry.to_signed());
        entry.header().reference(entry.id())
    }

    pub(super) fn post(&mut self, text: &str) -> Reference {
        self.write(&post(text))
    }

    /// Stores an app's own kind as an honest node does.
    pub(super) fn app(&mut self, kind: &str, bytes: &[u8]) {
        let kind = Kind::from_name(kind).expect("a name");
        let entry = self.composer.compose_bytes(kind, bytes.to_vec(), self.salt(), now_ms()).expect("composed");
        self.composer.advance(&entry);
        self.entries.push(entry.to_signed());
    }

    /// Writes any bytes as the body of any kind, at any time, with all links and signatures right.
    pub(super) fn write_raw(&mut self, kind: Kind, bytes: &[u8], time_ms: u64) {
        let header = Header { time_ms, ..self.next_header(kind, bytes) };
        let body = SaltedBody { salt: self.salt(), bytes: bytes.to_vec() };
        self.seal(header.encode(), Some(body));
    }

    /// Writes a post whose header is forged before it is signed.
    pub(super) fn forge(&mut self, text: &str, forge: impl FnOnce(&mut Header)) {
        self.forge_bytes(text, |header| {
            forge(header);
            header.encode()
        });
    }

    /// Writes a post whose header is encoded in the wrong way before it is signed.
    pub(super) fn forge_bytes(&mut self, text: &str, encode: impl FnOnce(&mut Header) -> Vec<u8>) {
        let bytes = post(text).encode();
        let mut header = self.next_header(Kind::Post, &bytes);
        let body = SaltedBody { salt: self.salt(), bytes };
        self.seal(encode(&mut header), Some(body));
    }

    /// Writes up to a height; what stands at the places of checkpoints says nothing.
    pub(super) fn fill(&mut self, name: &str, height: u64) {
        while self.position().height < height {
            match Header::is_checkpoint_place(self.position().height) {
                true => self.write_raw(Kind::Checkpoint, &[0xa0], now_ms()),
                false => self.app("example.filling", format!("{name} {}", self.position().height).as_bytes()),
            }
        }
    }

    /// The same log as it was at a height, to be continued in another way.
    pub(super) fn back_to(&self, height: usize) -> Self {
        let mut earlier = self.clone();
        earlier.entries.truncate(height);
        let head = earlier.entries.last().map(|last| Header::hash(&last.header));
        earlier.composer.position = Position { height: earlier.entries.len() as u64, head };
        earlier
    }

    /// Signs the newest entry again: for another network or another kind of object.
    pub(super) fn sign_again(&mut self, domain: Domain, network: Network) {
        let last = self.entries.last_mut().expect("has an entry");
        last.signature = Some(self.composer.key.sign(domain, network, &last.header));
    }

    /// The newest entry, to be damaged.
    pub(super) fn last(&mut self) -> &mut SignedEntry {
        self.entries.last_mut().expect("has an entry")
    }

    fn next_header(&self, kind: Kind, bytes: &[u8]) -> Header {
        Header {
            author: self.composer.author,
            device: self.composer.key.public().device_id(),
            log: self.log(),
            seq: self.position().height,
            prev: self.position().head,
            commitment: commitment(network(), &self.salt(), bytes),
            size_class: size_class(bytes.len()).unwrap_or(18),
            time_ms: now_ms(),
            kind,
        }
    }

    fn seal(&mut self, header: Vec<u8>, body: Option<SaltedBody>) {
        let signature = Some(self.composer.key.sign(Domain::Entry, network(), &header));
        let height = self.position().height + 1;
        self.composer.position = Position { height, head: Some(Header::hash(&header)) };
        self.entries.push(SignedEntry { header, signature, body });
    }

    fn salt(&self) -> [u8; 32] {
        Digest::of(&[b"salt", &self.log().0, &self.position().height.to_be_bytes()]).0
    }
}

pub(super) fn post(text: &str) -> Body {
    Body::Post(Post { text: text.to_owned(), ..Post::default() })
}

pub(super) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(since.as_millis()).expect("a date")
}
