//! A seeded simulator: nodes with in-memory stores, streams between them, one fake clock.
//!
//! Frames of one stream stay in order; everything else is delayed, overtaken and cut off at will.

use std::collections::BTreeMap;

use xom_protocol::sync::{CloseReason, Input, LocalDevice, Output, Session, SessionConfig};
use xom_protocol::{Did, Digest, Network};

use crate::sync_home::{Author, Home};

/// A small seeded generator (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }
}

/// One end of a stream.
pub(crate) struct End {
    pub(crate) node: usize,
    peer: usize,
    /// The other end.
    other: u64,
    session: Session,
    frames_ms: u64,
    work_ms: u64,
    pub(crate) in_sync: bool,
}

/// What happens at some time at one end.
enum Event {
    Frame(Vec<u8>),
    Work(Output),
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    pub(crate) now_ms: u64,
    pub(crate) homes: Vec<Home>,
    devices: Vec<Vec<LocalDevice>>,
    pub(crate) ends: BTreeMap<u64, End>,
    events: BTreeMap<(u64, u64), (u64, usize, Event)>,
    serial: u64,
    pub(crate) delay_ms: u64,
    pub(crate) closed: Vec<(usize, CloseReason)>,
    pub(crate) refused: Vec<(usize, String)>,
    pub(crate) peers: Vec<(usize, Did)>,
    /// All frame bodies by the node that sent them.
    pub(crate) sent: Vec<(usize, Vec<u8>)>,
}

impl World {
    pub(crate) fn new(seed: u64, nodes: usize) -> Self {
        let mut dice = Dice(seed);
        let homes = (0..nodes).map(|_| Home::new(dice.roll(u64::MAX))).collect();
        Self {
            dice,
            now_ms: 0,
            homes,
            devices: vec![Vec::new(); nodes],
            ends: BTreeMap::new(),
            events: BTreeMap::new(),
            serial: 0,
            delay_ms: 50,
            closed: Vec::new(),
            refused: Vec::new(),
            peers: Vec::new(),
            sent: Vec::new(),
        }
    }

    /// The node proves this device to every peer.
    pub(crate) fn prove(&mut self, node: usize, author: &Author) {
        self.devices[node].push(LocalDevice { did: author.did, key: author.key.clone() });
    }

    pub(crate) fn publish(&mut self, node: usize, author: &Author, count: u64, body_bytes: usize) {
        let inputs = self.homes[node].publish(author, count, body_bytes);
        self.tell(node, &inputs);
    }

    pub(crate) fn follow(&mut self, node: usize, did: Did) {
        let inputs = self.homes[node].follow(did);
        self.tell(node, &inputs);
    }

    /// Gives news to every session of a node.
    pub(crate) fn tell(&mut self, node: usize, inputs: &[Input]) {
        let ends: Vec<u64> = self.ends.iter().filter(|(_, end)| end.node == node).map(|(id, _)| *id).collect();
        for id in ends {
            for input in inputs {
                self.step(id, input.clone());
            }
        }
    }

    pub(crate) fn connect(&mut self, a: usize, b: usize) {
        let (first, second) = (self.next(), self.next());
        for (id, other, node, peer) in [(first, second, a, b), (second, first, b, a)] {
            let session = Session::new(SessionConfig {
                network: Network::MAIN,
                nonce: Digest::of(&[&self.dice.roll(u64::MAX).to_be_bytes()]).0,
                epoch: self.homes[node].epoch,
                our_peer_id: vec![u8::try_from(node).expect("fits")],
                their_peer_id: vec![u8::try_from(peer).expect("fits")],
                devices: self.devices[node].clone(),
            });
            let end = End { node, peer, other, session, frames_ms: 0, work_ms: 0, in_sync: false };
            self.ends.insert(id, end);
        }
        for (id, node, peer) in [(first, a, b), (second, b, a)] {
            let frontier = self.homes[node].frontier(peer);
            self.step(id, Input::Opened(frontier));
        }
    }

    /// Cuts every stream of the two nodes; what is on its way is lost.
    pub(crate) fn disconnect(&mut self, a: usize, b: usize) {
        self.ends.retain(|_, end| (end.node, end.peer) != (a, b) && (end.node, end.peer) != (b, a));
    }

    pub(crate) fn step(&mut self, id: u64, input: Input) {
        let Some(end) = self.ends.get_mut(&id) else { return };
        let now_ms = self.now_ms;
        let (node, other) = (end.node, end.other);
        let was_closed = end.session.is_closed();
        let outputs = end.session.step(input, now_ms);
        assert!(!was_closed || outputs.is_empty(), "a closed session speaks");
        for output in outputs {
            self.perform(id, node, other, output);
        }
    }

    fn perform(&mut self, id: u64, node: usize, other: u64, output: Output) {
        match output {
            Output::Send(body) => {
                self.sent.push((node, body.clone()));
                let delay = self.dice.roll(self.delay_ms + 1);
                if let Some(far) = self.ends.get_mut(&other) {
                    far.frames_ms = far.frames_ms.max(self.now_ms + delay);
                    let (at, far_node) = (far.frames_ms, far.node);
                    self.schedule(at, other, far_node, Event::Frame(body));
                }
            }
            Output::Load { .. }
            | Output::LoadIdentity { .. }
            | Output::LoadHeaders { .. }
            | Output::LoadAimed { .. }
            | Output::LoadSingles { .. }
            | Output::LoadReceipts
            | Output::Apply { .. } => {
                let delay = self.dice.roll(self.delay_ms + 1);
                let Some(end) = self.ends.get_mut(&id) else { return };
                end.work_ms = end.work_ms.max(self.now_ms + delay);
                let at = end.work_ms;
                self.schedule(at, id, node, Event::Work(output));
            }
            Output::PeerIs { did, .. } => self.peers.push((node, did)),
            Output::Settings { .. } => {}
            Output::Refused { rule, detail } => self.refused.push((node, format!("{rule}: {detail}"))),
            Output::SaveResume(resume) => {
                let peer = self.ends[&id].peer;
                self.homes[node].resumes.insert(peer, resume);
            }
            Output::Progress { .. } | Output::OwnHeadsKnown => {}
            Output::ReceiptsTaken => drop(self.homes[node].receipts_due.pop_front()),
            Output::PeerHolds { log, height } => self.homes[node].copies.push((log, height)),
            Output::SentBodies { log, places } => {
                self.homes[node].sent.extend(places.into_iter().map(|place| (log, place)))
            }
            Output::Resent { headers } => self.homes[node].resent.extend(headers),
            Output::InSync => {
                if let Some(end) = self.ends.get_mut(&id) {
                    end.in_sync = true;
                }
            }
            Output::Close(reason) => self.closed.push((node, reason)),
        }
    }

    fn next(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    fn schedule(&mut self, at_ms: u64, end: u64, node: usize, event: Event) {
        let serial = self.next();
        self.events.insert((at_ms, serial), (end, node, event));
    }

    /// Lets this much time pass.
    pub(crate) fn run(&mut self, for_ms: u64) {
        let until_ms = self.now_ms + for_ms;
        let mut tick_ms = self.now_ms + 1_000;
        loop {
            let next_ms = self.events.first_key_value().map_or(u64::MAX, |((at, _), _)| *at);
            if next_ms.min(tick_ms) > until_ms {
                self.now_ms = until_ms;
                return;
            }
            if next_ms > tick_ms {
                self.now_ms = tick_ms;
                tick_ms += 1_000;
                let ends: Vec<u64> = self.ends.keys().copied().collect();
                for end in ends {
                    self.step(end, Input::Ticked);
                }
                continue;
            }
            let Some(((at_ms, _), (id, node, event))) = self.events.pop_first() else { return };
            self.now_ms = self.now_ms.max(at_ms);
            match event {
                Event::Frame(body) => self.step(id, Input::Received(body)),
                Event::Work(work) => self.work(id, node, work),
            }
        }
    }

    /// The node's part. A batch is stored even if its session is gone by now.
    fn work(&mut self, id: u64, node: usize, work: Output) {
        let home = &mut self.homes[node];
        match work {
            Output::Load { request, log, from, to, bytes_max, .. } => {
                let loaded = home.load(request, log, from, to, bytes_max);
                self.step(id, loaded);
            }
            Output::LoadHeaders { request, log, from, to } => {
                let loaded = home.load_headers(request, log, from, to);
                self.step(id, loaded);
            }
            Output::LoadIdentity { request, did } => {
                let objects = home.objects(did);
                self.step(id, Input::LoadedIdentity { request, objects });
            }
            Output::LoadAimed { request, peer, since, .. } => {
                let loaded = home.load_aimed(request, peer, since);
                self.step(id, loaded);
            }
            Output::LoadSingles { request, entries, .. } => {
                let loaded = home.load_singles(request, &entries);
                self.step(id, loaded);
            }
            Output::LoadReceipts => {
                let loaded = home.load_receipts();
                self.step(id, loaded);
            }
            Output::Apply { ticket, batch } => {
                let (answer, news) = home.apply(ticket, batch);
                self.tell(node, &news);
                self.step(id, answer);
            }
            _ => {}
        }
    }

    /// Fails if anybody refused or closed.
    pub(crate) fn assert_peaceful(&self) {
        assert_eq!((&self.refused, &self.closed), (&Vec::new(), &Vec::new()));
    }

    pub(crate) fn assert_equal(&self, a: usize, b: usize) {
        assert_eq!(self.homes[a].state(), self.homes[b].state());
    }
}
