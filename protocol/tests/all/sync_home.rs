//! A small in-memory store for sync tests: verifies what it is given, as a node does.
//!
//! An identity is a set of device keys here; what makes a real one valid is tested elsewhere.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use xom_protocol::entry::{Header, Kind, SaltedBody, SignedEntry, commitment, size_class};
use xom_protocol::keys::{Domain, PublicKey, SecretKey};
use xom_protocol::log::{Position, root_log_id, verify_ancestry, verify_run};
use xom_protocol::sync::message::ReceiptNews;
use xom_protocol::sync::{
    Aimed, Batch, Frontier, IdentitySummary, Input, LogSummary, Outcome, RequestId, Resume, Ticket,
};
use xom_protocol::{Did, Digest, EntryId, LogId, Network};

/// A device that writes one log.
#[derive(Clone)]
pub(crate) struct Author {
    pub(crate) did: Did,
    pub(crate) key: SecretKey,
}

impl Author {
    pub(crate) fn new(name: &str) -> Self {
        Self::on_device(name, "first")
    }

    pub(crate) fn on_device(name: &str, device: &str) -> Self {
        let seed = Digest::of(&[name.as_bytes(), device.as_bytes()]);
        let did = Did(Digest::of(&[b"did", name.as_bytes()]).0);
        Self { did, key: SecretKey::from_seed(&seed.0).expect("not zero") }
    }

    pub(crate) fn log(&self) -> LogId {
        root_log_id(Network::MAIN, &self.did, &self.key.public().device_id())
    }

    /// The next entry on top of a position, with a body of so many bytes.
    pub(crate) fn entry(&self, at: Position, body_bytes: usize) -> SignedEntry {
        let seq = at.height;
        let (salt, bytes) = ([7; 32], vec![u8::try_from(seq % 251).expect("fits"); body_bytes]);
        let is_checkpoint = Header::is_checkpoint_place(seq);
        let header = Header {
            author: self.did,
            device: self.key.public().device_id(),
            log: self.log(),
            seq,
            prev: at.head,
            commitment: commitment(Network::MAIN, &salt, &bytes),
            size_class: size_class(body_bytes).expect("fits"),
            time_ms: seq,
            kind: if is_checkpoint { Kind::Checkpoint } else { Kind::Post },
        };
        let header = header.encode();
        let signature = Some(self.key.sign(Domain::Entry, Network::MAIN, &header));
        SignedEntry { header, signature, body: Some(SaltedBody { salt, bytes }) }
    }

    /// A run of entries from a position on.
    pub(crate) fn run(&self, mut at: Position, count: u64, body_bytes: usize) -> Vec<SignedEntry> {
        let next = |_| {
            let entry = self.entry(at, body_bytes);
            at = Position { height: at.height + 1, head: Some(Header::hash(&entry.header)) };
            entry
        };
        (0..count).map(next).collect()
    }
}

pub(crate) struct StoredLog {
    pub(crate) did: Did,
    key: PublicKey,
    pub(crate) entries: Vec<SignedEntry>,
    wanted: bool,
    counter: u64,
}

impl StoredLog {
    pub(crate) fn position(&self) -> Position {
        let head = self.entries.last().map(|last| Header::hash(&last.header));
        Position { height: self.entries.len() as u64, head }
    }
}

type Heads = BTreeMap<LogId, Position>;

/// One node's store.
#[derive(Default)]
pub(crate) struct Home {
    pub(crate) epoch: u64,
    pub(crate) counter: u64,
    identities: BTreeMap<Did, (BTreeSet<Vec<u8>>, u64)>,
    pub(crate) logs: BTreeMap<LogId, StoredLog>,
    pub(crate) resumes: BTreeMap<usize, Resume>,
    /// Our own entries aimed at somebody, with the counter of when they were made.
    pub(crate) aimed_at: Vec<(Did, u64, SignedEntry)>,
    pub(crate) aimed_received: Vec<SignedEntry>,
    pub(crate) forks: Vec<(LogId, u64, Vec<SignedEntry>)>,
    pub(crate) proofs: Vec<(LogId, xom_protocol::sync::Proof)>,
    /// What is to be given to whoever asks, until somebody has taken it.
    pub(crate) receipts_due: VecDeque<ReceiptNews>,
    pub(crate) receipts_received: Vec<ReceiptNews>,
    /// What was answered about ancestors, with how it is taken.
    pub(crate) ancestors: Vec<(LogId, (u64, Digest), Outcome)>,
    /// How the next receipts are taken.
    pub(crate) receipts_outcome: Option<Outcome>,
    /// What peers were found to hold.
    pub(crate) copies: Vec<(LogId, u64)>,
    /// The places of whose bodies it was told that the peer was sent them.
    pub(crate) sent: Vec<(LogId, u64)>,
    /// Entries of others that authors have admitted.
    pub(crate) admitted: Vec<SignedEntry>,
    /// Headers of what came again with its body.
    pub(crate) resent: Vec<Vec<u8>>,
}

impl Home {
    pub(crate) fn new(epoch: u64) -> Self {
        Self { epoch, ..Self::default() }
    }

    /// Wants an identity of which nothing is held yet.
    pub(crate) fn follow(&mut self, did: Did) -> Vec<Input> {
        self.counter += 1;
        let counter = self.counter;
        self.identities.entry(did).or_insert((BTreeSet::new(), counter)).1 = counter;
        vec![Input::Identity(self.identity(did))]
    }

    /// Learns that a device belongs to an identity.
    pub(crate) fn admit(&mut self, did: Did, objects: impl IntoIterator<Item = Vec<u8>>) -> Vec<Input> {
        self.counter += 1;
        let counter = self.counter;
        let mut news = Vec::new();
        let known = self.identities.entry(did).or_default();
        for object in objects {
            let Some(key) = <&[u8; 32]>::try_from(object.as_slice()).ok().and_then(|k| PublicKey::from_bytes(k).ok())
            else {
                continue;
            };
            if known.0.insert(object) {
                known.1 = counter;
                let log = root_log_id(Network::MAIN, &did, &key.device_id());
                self.logs.insert(log, StoredLog { did, key, entries: Vec::new(), wanted: true, counter });
                news.push(log);
            }
        }
        let mut inputs = vec![Input::Identity(self.identity(did))];
        inputs.extend(news.into_iter().map(|log| Input::Log(self.log(log))));
        inputs
    }

    fn identity(&self, did: Did) -> IdentitySummary {
        let (objects, counter) = &self.identities[&did];
        let parts: Vec<&[u8]> = objects.iter().map(Vec::as_slice).collect();
        let digest = (!parts.is_empty()).then(|| Digest::of(&parts));
        IdentitySummary { did, digest, counter: *counter }
    }

    pub(crate) fn objects(&self, did: Did) -> Vec<Vec<u8>> {
        self.identities.get(&did).map_or_else(Vec::new, |(objects, _)| objects.iter().cloned().collect())
    }

    fn log(&self, log: LogId) -> LogSummary {
        let stored = &self.logs[&log];
        let StoredLog { did, wanted, counter, .. } = *stored;
        LogSummary { did, log, position: stored.position(), counter, wanted }
    }

    pub(crate) fn frontier(&self, peer: usize) -> Frontier {
        Frontier {
            identities: self.identities.keys().map(|did| self.identity(*did)).collect(),
            logs: self.logs.keys().map(|log| self.log(*log)).collect(),
            counter: self.counter,
            resume: self.resumes.get(&peer).copied(),
        }
    }

    /// Takes entries that are known to continue a log.
    pub(crate) fn append(&mut self, log: LogId, entries: Vec<SignedEntry>) -> Input {
        self.counter += 1;
        let counter = self.counter;
        let stored = self.logs.get_mut(&log).expect("held");
        stored.counter = counter;
        let from = stored.entries.len() as u64;
        stored.entries.extend(entries.iter().cloned());
        Input::Stored { log, from, entries, position: stored.position(), counter }
    }

    /// Holds these first entries of an author's log.
    pub(crate) fn hold(&mut self, author: &Author, entries: &[SignedEntry]) {
        self.admit(author.did, [author.key.public().to_bytes().to_vec()]);
        self.append(author.log(), entries.to_vec());
    }

    /// Publishes entries of an author whose log is held here.
    pub(crate) fn publish(&mut self, author: &Author, count: u64, body_bytes: usize) -> Vec<Input> {
        let log = author.log();
        let mut inputs = Vec::new();
        if !self.logs.contains_key(&log) {
            inputs.extend(self.admit(author.did, [author.key.public().to_bytes().to_vec()]));
        }
        let entries = author.run(self.logs[&log].position(), count, body_bytes);
        inputs.push(self.append(log, entries));
        inputs
    }

    pub(crate) fn load(&self, request: RequestId, log: LogId, from: u64, to: u64, bytes_max: u64) -> Input {
        let mut bytes = 0;
        let stored = self.logs.get(&log).map_or(&[][..], |stored| &stored.entries);
        let places = usize::try_from(from).expect("fits")..usize::try_from(to).expect("fits").min(stored.len());
        let fits = |entry: &&SignedEntry| {
            let is_first = bytes == 0;
            bytes += 300 + entry.body.as_ref().map_or(0, |body| body.bytes.len() as u64);
            is_first || bytes <= bytes_max
        };
        let entries = stored.get(places).unwrap_or_default().iter().take_while(fits).cloned().collect();
        Input::Loaded { request, entries }
    }

    pub(crate) fn load_headers(&self, request: RequestId, log: LogId, from: u64, to: u64) -> Input {
        let stored = self.logs.get(&log).map_or(&[][..], |stored| &stored.entries);
        let places = usize::try_from(from).expect("fits")..usize::try_from(to).expect("fits");
        let headers = stored.get(places).unwrap_or_default().iter().map(|entry| entry.header.clone()).collect();
        Input::LoadedHeaders { request, headers }
    }

    pub(crate) fn load_aimed(&self, request: RequestId, peer: Did, since: u64) -> Input {
        let ours = self.aimed_at.iter().filter(|(did, counter, _)| *did == peer && *counter > since);
        let mut by_author: BTreeMap<Did, Vec<SignedEntry>> = BTreeMap::new();
        for (_, _, entry) in ours {
            let author = Header::decode(&entry.header).expect("our own").author;
            by_author.entry(author).or_default().push(entry.clone());
        }
        let item = |(author, entries)| Aimed { objects: self.objects(author), entries };
        let items = by_author.into_iter().map(item).collect();
        Input::LoadedAimed { request, items }
    }

    pub(crate) fn load_singles(&self, request: RequestId, entries: &[EntryId]) -> Input {
        let is_asked = |entry: &&SignedEntry| entries.contains(&EntryId(Header::hash(&entry.header).0));
        let entries: Vec<SignedEntry> = self.admitted.iter().filter(is_asked).cloned().collect();
        let item = Aimed { objects: vec![vec![1]], entries };
        Input::LoadedSingles { request, items: if item.entries.is_empty() { Vec::new() } else { vec![item] } }
    }

    /// What is next to be given to a peer.
    pub(crate) fn load_receipts(&self) -> Input {
        Input::LoadedReceipts(self.receipts_due.front().cloned().unwrap_or(ReceiptNews::Receipts(Vec::new())))
    }

    /// Verifies and stores; returns the answer, and the news for all sessions.
    pub(crate) fn apply(&mut self, ticket: Ticket, batch: Batch) -> (Input, Vec<Input>) {
        let answer = |outcome, position| Input::Applied { ticket, outcome, position };
        match batch {
            Batch::Identity { did, objects } => (answer(Outcome::Applied, Position::EMPTY), self.admit(did, objects)),
            Batch::Run { did, log, from, mut entries, .. } => {
                let Some(stored) = self.logs.get(&log).filter(|stored| stored.did == did) else {
                    return (answer(Outcome::Dropped, Position::EMPTY), Vec::new());
                };
                let position = stored.position();
                let held = usize::try_from(position.height.saturating_sub(from)).expect("fits").min(entries.len());
                entries.drain(..held);
                let run = verify_run(Network::MAIN, &stored.key, did, log, position, entries);
                let outcome = run.refused.as_ref().map_or(Outcome::Applied, |refused| Outcome::Refused(refused.rule()));
                let accepted: Vec<SignedEntry> = run.accepted.iter().map(|entry| entry.to_signed()).collect();
                let news = if accepted.is_empty() { Vec::new() } else { vec![self.append(log, accepted)] };
                (answer(outcome, self.logs[&log].position()), news)
            }
            Batch::Bodies { log, from, entries, .. } => {
                let stored = self.logs.get_mut(&log).expect("is held");
                for (place, entry) in (usize::try_from(from).expect("fits")..).zip(entries) {
                    let held = &mut stored.entries[place];
                    assert_eq!(held.header, entry.header);
                    held.body = held.body.take().or(entry.body);
                }
                (answer(Outcome::Applied, stored.position()), Vec::new())
            }
            Batch::Aimed { items } => {
                self.aimed_received.extend(items.into_iter().flat_map(|item| item.entries));
                (answer(Outcome::Applied, Position::EMPTY), Vec::new())
            }
            Batch::Singles { items, .. } => {
                self.admitted.extend(items.into_iter().flat_map(|item| item.entries));
                (answer(Outcome::Applied, Position::EMPTY), Vec::new())
            }
            Batch::Ancestors { did, log, head, headers } => {
                let outcome = match verify_ancestry(did, log, head, &headers) {
                    Ok(_) => Outcome::Applied,
                    Err(e) => Outcome::Refused(e.rule()),
                };
                self.ancestors.push((log, head, outcome));
                (answer(outcome, Position::EMPTY), Vec::new())
            }
            Batch::Proven { log, proof, .. } => {
                self.proofs.push((log, proof));
                (answer(Outcome::Applied, Position::EMPTY), Vec::new())
            }
            Batch::Receipts(news) => {
                self.receipts_received.push(news);
                (answer(self.receipts_outcome.unwrap_or(Outcome::Applied), Position::EMPTY), Vec::new())
            }
            Batch::Fork { log, from, entries, .. } => {
                let (stored, first) = (&self.logs[&log].entries, usize::try_from(from).expect("fits"));
                let prev = Header::decode(&entries[0].header).expect("a header").prev;
                let below =
                    first.checked_sub(1).and_then(|seq| stored.get(seq)).map(|entry| Header::hash(&entry.header));
                let mut pairs = entries.iter().zip(stored.get(first..).unwrap_or_default());
                let rule = match (prev == below, pairs.all(|(theirs, ours)| theirs.header == ours.header)) {
                    (false, _) => Some("LOG-4"),
                    (true, true) => Some("SYN-13"),
                    (true, false) => None,
                };
                if let Some(rule) = rule {
                    return (answer(Outcome::Refused(xom_protocol::Rule(rule)), Position::EMPTY), Vec::new());
                }
                self.forks.push((log, from, entries));
                (answer(Outcome::Applied, Position::EMPTY), Vec::new())
            }
        }
    }

    /// The head of every log, and the objects of every identity.
    pub(crate) fn state(&self) -> (Heads, BTreeMap<Did, BTreeSet<Vec<u8>>>) {
        let heads = self.logs.iter().map(|(log, stored)| (*log, stored.position())).collect();
        let identities = self.identities.iter().map(|(did, (objects, _))| (*did, objects.clone())).collect();
        (heads, identities)
    }
}
