//! The people of the log tests: alice, bob and carol are honest, mallory is not.

use xom_protocol::body::{Body, Erase, Follow, Post, Profile, Reaction};
use xom_protocol::entry::{Header, Kind, Reference, SaltedBody, SignedEntry, VerifiedEntry, commitment, size_class};
use xom_protocol::keys::{Domain, PublicKey, SecretKey};
use xom_protocol::log::{Composer, Position, Run, log_id, root_log_id, verify_run};
use xom_protocol::{Did, LogId, Network};

/// The time of the first entry in tests: 2026-01-01, milliseconds.
pub(crate) const START_MS: u64 = 1_767_225_600_000;

/// One device of one person, with its log as it grows.
pub(crate) struct Writer {
    pub(crate) composer: Composer,
    pub(crate) entries: Vec<VerifiedEntry>,
}

pub(crate) fn did(name: &str) -> Did {
    Did(xom_protocol::Digest::of(&[b"test identity ", name.as_bytes()]).0)
}

pub(crate) fn key(name: &str) -> SecretKey {
    SecretKey::from_seed(&xom_protocol::Digest::of(&[b"test key ", name.as_bytes()]).0).expect("not zero")
}

/// The root log of a person's device.
pub(crate) fn writer(name: &str, device: &str) -> Writer {
    let key = key(device);
    let log = root_log_id(Network::MAIN, &did(name), &key.public().device_id());
    writer_of(name, key, log)
}

/// Another log of a person's device.
pub(crate) fn side_writer(name: &str, device: &str, purpose: &str) -> Writer {
    let key = key(device);
    let log = log_id(Network::MAIN, &did(name), &key.public().device_id(), purpose, b"1");
    writer_of(name, key, log)
}

fn writer_of(name: &str, key: SecretKey, log: LogId) -> Writer {
    let (network, author) = (Network::MAIN, did(name));
    let composer = Composer { network, key, author, log, position: Position::EMPTY, last_time_ms: 0 };
    Writer { composer, entries: Vec::new() }
}

impl Writer {
    pub(crate) fn key(&self) -> PublicKey {
        self.composer.key.public()
    }

    pub(crate) fn log(&self) -> LogId {
        self.composer.log
    }

    pub(crate) fn height(&self) -> u64 {
        self.composer.position.height
    }

    /// Writes `body` as the next entry; gives a reference to it.
    pub(crate) fn write(&mut self, body: &Body) -> Reference {
        let entry = self.composer.compose(body, self.salt(), self.time()).expect("composed");
        self.push(entry)
    }

    /// Writes posts up to `height`; a bare checkpoint where one is due.
    pub(crate) fn fill_to(&mut self, height: u64) {
        while self.height() < height {
            if Header::is_checkpoint_place(self.height()) {
                let body = self.bare_checkpoint();
                self.write(&body);
            } else {
                self.post(&format!("post {}", self.height()));
            }
        }
    }

    fn bare_checkpoint(&self) -> Body {
        let zero = xom_protocol::Digest([0; 32]);
        let prev = self.composer.position.head.expect("above 0");
        Body::Checkpoint(xom_protocol::body::Checkpoint {
            root: zero,
            height: self.height(),
            prev,
            identity: zero,
            statements: zero,
            logs: Vec::new(),
        })
    }

    pub(crate) fn post(&mut self, text: &str) -> Reference {
        self.write(&post(text))
    }

    pub(crate) fn like(&mut self, target: Reference, rev: u64) -> Reference {
        self.write(&Body::Reaction(Reaction { target, rev, emoji: Reaction::FAVOURITE.into() }))
    }

    pub(crate) fn follow(&mut self, subject: Did, rev: u64) -> Reference {
        self.write(&Body::Follow(Follow { subject, rev }))
    }

    pub(crate) fn name(&mut self, name: &str, rev: u64) -> Reference {
        self.write(&Body::Profile(Profile { rev, name: Some(name.into()), ..Profile::default() }))
    }

    pub(crate) fn erase(&mut self, target: Reference) -> Reference {
        self.write(&Body::Erase(Erase { target, purge: None }))
    }

    /// Writes bytes under any kind, without any check of the body.
    pub(crate) fn write_bytes(&mut self, kind: &str, bytes: &[u8]) -> Reference {
        let kind = Kind::from_name(kind).expect("kind");
        let header = self.header(kind, bytes);
        let signed = sign(&self.composer.key, &header, Some(SaltedBody { salt: self.salt(), bytes: bytes.to_vec() }));
        let run = self.verify(self.composer.position, vec![signed]);
        self.push(run.accepted.into_iter().next().expect("valid"))
    }

    /// The header that the next entry would have with this body.
    pub(crate) fn header(&self, kind: Kind, bytes: &[u8]) -> Header {
        Header {
            author: self.composer.author,
            device: self.key().device_id(),
            log: self.log(),
            seq: self.height(),
            prev: self.composer.position.head,
            commitment: commitment(Network::MAIN, &self.salt(), bytes),
            size_class: size_class(bytes.len()).expect("fits"),
            time_ms: self.time(),
            kind,
        }
    }

    /// Verifies a run against this log.
    pub(crate) fn verify(&self, from: Position, entries: Vec<SignedEntry>) -> Run {
        verify_run(Network::MAIN, &self.key(), self.composer.author, self.log(), from, entries)
    }

    /// A second writer that goes on from this one's position: a fork in the making.
    pub(crate) fn twin(&self) -> Self {
        Self { composer: self.composer.clone(), entries: self.entries.clone() }
    }

    fn push(&mut self, entry: VerifiedEntry) -> Reference {
        let reference = entry.header().reference(entry.id());
        self.composer.advance(&entry);
        self.entries.push(entry);
        reference
    }

    fn salt(&self) -> [u8; 32] {
        xom_protocol::Digest::of(&[b"test salt ", &self.height().to_be_bytes()]).0
    }

    fn time(&self) -> u64 {
        START_MS + self.height() * 60_000
    }
}

pub(crate) fn post(text: &str) -> Body {
    Body::Post(Post { text: text.into(), ..Post::default() })
}

/// Signs any header, valid or not.
pub(crate) fn sign(key: &SecretKey, header: &Header, body: Option<SaltedBody>) -> SignedEntry {
    let bytes = header.encode();
    let signature = key.sign(Domain::Entry, Network::MAIN, &bytes);
    SignedEntry { header: bytes, signature: Some(signature), body }
}

/// The entries as a range travels: signatures at multiples of 32 and at the end only.
pub(crate) fn as_range(entries: &[VerifiedEntry]) -> Vec<SignedEntry> {
    let mut range: Vec<SignedEntry> = entries.iter().map(VerifiedEntry::to_signed).collect();
    let last = range.len().saturating_sub(1);
    for (index, entry) in range.iter_mut().enumerate() {
        if index != last && !entries[index].header().seq.is_multiple_of(32) {
            entry.signature = None;
        }
    }
    range
}
