//! The authors, one log each, with real entries. A log is kept once for all: nobody forks here, so a verified head
//! stands for everything below it.

use std::collections::BTreeMap;

use xom_protocol::body::{Body, Post};
use xom_protocol::entry::SignedEntry;
use xom_protocol::keys::{PublicKey, SecretKey};
use xom_protocol::log::{Composer, Position, root_log_id};
use xom_protocol::sync::LocalDevice;
use xom_protocol::{Did, Digest, LogId, Network};

use super::dice;
use crate::random::Random;

/// Bytes of the one object that an identity is made of here: about what the objects of a fresh one come to.
const OBJECT_BYTES: usize = 1_000;
/// Characters of a post on average.
const TEXT_CHARS: f64 = 160.0;

pub(super) struct Author {
    pub(super) did: Did,
    pub(super) log: LogId,
    pub(super) key: PublicKey,
    /// The DID is its hash, and it begins with the device's key.
    pub(super) object: Vec<u8>,
    composer: Composer,
    pub(super) entries: Vec<SignedEntry>,
    heads: Vec<Digest>,
    /// When each entry was published, in the time of the simulation.
    pub(super) times_ms: Vec<u64>,
}

impl Author {
    fn new(random: &mut Random) -> Self {
        let key = SecretKey::from_seed(&dice::bytes(random)).expect("it is not zero");
        let public = key.public();
        let mut object = public.to_bytes().to_vec();
        object.resize(OBJECT_BYTES, 0);
        let did = did_of(&object);
        let log = root_log_id(Network::MAIN, &did, &public.device_id());
        let position = Position::EMPTY;
        let composer = Composer { network: Network::MAIN, key, author: did, log, position, last_time_ms: 0 };
        let (entries, heads, times_ms) = (Vec::new(), Vec::new(), Vec::new());
        Self { did, log, key: public, object, composer, entries, heads, times_ms }
    }

    pub(super) fn publish(&mut self, now_ms: u64, random: &mut Random) {
        let chars = 1 + dice::waiting(random, TEXT_CHARS) as usize;
        let words = format!("{} xin chào xóm, hôm nay trời đẹp. ", random.below(1_000));
        let text = words.chars().cycle().take(chars.min(5_000)).collect();
        let body = Body::Post(Post { text, ..Post::default() });
        let entry = self.composer.compose(&body, dice::bytes(random), now_ms).expect("a post");
        self.composer.advance(&entry);
        self.entries.push(entry.to_signed());
        self.heads.push(entry.hash());
        self.times_ms.push(now_ms);
    }

    pub(super) fn height(&self) -> u64 {
        self.entries.len() as u64
    }

    pub(super) fn position(&self, height: u64) -> Position {
        let head = height.checked_sub(1).map(|seq| self.heads[seq as usize]);
        Position { height, head }
    }

    /// What its own node proves to peers.
    pub(super) fn device(&self) -> LocalDevice {
        LocalDevice { did: self.did, key: self.composer.key.clone() }
    }
}

pub(super) fn did_of(object: &[u8]) -> Did {
    Did(Digest::of(&[b"did", object]).0)
}

/// All of them; the number of an author is that of the node on which it lives.
pub(super) struct People {
    pub(super) authors: Vec<Author>,
    by_did: BTreeMap<Did, u32>,
    by_log: BTreeMap<LogId, u32>,
}

impl People {
    pub(super) fn new(count: usize, history: u64, random: &mut Random) -> Self {
        let mut authors: Vec<Author> = (0..count).map(|_| Author::new(random)).collect();
        for author in &mut authors {
            (0..history).for_each(|_| author.publish(0, random));
        }
        let number = |at: usize| at as u32;
        let by_did = authors.iter().enumerate().map(|(at, author)| (author.did, number(at))).collect();
        let by_log = authors.iter().enumerate().map(|(at, author)| (author.log, number(at))).collect();
        Self { authors, by_did, by_log }
    }

    pub(super) fn of(&self, author: u32) -> &Author {
        &self.authors[author as usize]
    }

    pub(super) fn by_did(&self, did: &Did) -> Option<u32> {
        self.by_did.get(did).copied()
    }

    pub(super) fn by_log(&self, log: &LogId) -> Option<u32> {
        self.by_log.get(log).copied()
    }
}
