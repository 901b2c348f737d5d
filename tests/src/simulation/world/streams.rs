//! The streams: two sessions each, and what becomes of everything that they put out.

use xom_protocol::Network;
use xom_protocol::entry::SignedEntry;
use xom_protocol::limits::PING_MS;
use xom_protocol::sync::message::{Message, ReceiptNews};
use xom_protocol::sync::{Batch, CloseReason, Input, Output, Session, SessionConfig};

use super::queue::Event;
use super::{World, mallory};
use crate::simulation::dice::{self, between};
use crate::simulation::plan::{HOUR_MS, Mallory};
use crate::simulation::store::Taken;
use crate::simulation::tally::{PING_BYTES, PINGS, frame_bytes, is_ping, sort_of};

/// After so long without anything the sessions look for what is overdue: a little more than `SYN-14` allows.
const TICK_MS: u64 = 61_000;
/// A connection breaks so often, on average.
const CUT_MS: f64 = 8.0 * HOUR_MS as f64;
/// What a store takes at most to read, and to write.
const READ_MS: u64 = 4;
const WRITE_MS: u64 = 30;

/// Names one end of a stream; not used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulation) struct EndId {
    slot: u32,
    turn: u32,
}

/// One end of a stream.
pub(in crate::simulation) struct End {
    pub(in crate::simulation) node: u32,
    pub(in crate::simulation) peer: u32,
    pub(in crate::simulation) other: EndId,
    pub(in crate::simulation) opened_ms: u64,
    dialled: bool,
    session: Box<Session>,
    /// When the last frame on the way to here arrives: frames stay in order.
    frames_ms: u64,
    /// The same for what the store does.
    work_ms: u64,
    heard_ms: u64,
    frames_heard: u64,
    /// Up to here pings of the other side are counted.
    pings_ms: u64,
    /// When something other than a tick happened.
    active_ms: u64,
    is_ticking: bool,
}

/// All ends.
#[derive(Default)]
pub(in crate::simulation) struct Ends {
    slots: Vec<(u32, Option<End>)>,
    free: Vec<u32>,
}

impl Ends {
    fn reserve(&mut self) -> EndId {
        if let Some(slot) = self.free.pop() {
            return EndId { slot, turn: self.slots[slot as usize].0 };
        }
        self.slots.push((0, None));
        EndId { slot: self.slots.len() as u32 - 1, turn: 0 }
    }

    fn put(&mut self, id: EndId, end: End) {
        self.slots[id.slot as usize].1 = Some(end);
    }

    fn remove(&mut self, id: EndId) -> Option<End> {
        let (turn, end) = self.slots.get_mut(id.slot as usize).filter(|(turn, _)| *turn == id.turn)?;
        let end = end.take()?;
        *turn += 1;
        self.free.push(id.slot);
        Some(end)
    }

    pub(in crate::simulation) fn get(&self, id: EndId) -> Option<&End> {
        self.slots.get(id.slot as usize).filter(|(turn, _)| *turn == id.turn)?.1.as_ref()
    }

    fn get_mut(&mut self, id: EndId) -> Option<&mut End> {
        self.slots.get_mut(id.slot as usize).filter(|(turn, _)| *turn == id.turn)?.1.as_mut()
    }

    pub(in crate::simulation) fn iter(&self) -> impl Iterator<Item = (EndId, &End)> + '_ {
        let id = |slot: usize, turn: u32| EndId { slot: slot as u32, turn };
        self.slots.iter().enumerate().filter_map(move |(slot, (turn, end))| Some((id(slot, *turn), end.as_ref()?)))
    }
}

impl World {
    /// A stream between two nodes that are awake; one that a side still believes in gives way.
    pub(super) fn open(&mut self, from: u32, to: u32) {
        for (node, peer) in [(from, to), (to, from)] {
            if let Some(old) = self.nodes[node as usize].streams.get(&peer).copied() {
                self.drop_end(old);
            }
        }
        let ids = [self.ends.reserve(), self.ends.reserve()];
        for (at, node, peer) in [(0, from, to), (1, to, from)] {
            let config = SessionConfig {
                network: Network::MAIN,
                nonce: dice::bytes(&mut self.random),
                epoch: self.nodes[node as usize].epoch,
                our_peer_id: node.to_be_bytes().to_vec(),
                their_peer_id: peer.to_be_bytes().to_vec(),
                devices: vec![self.people.of(node).device()],
            };
            let now = self.now_ms;
            let end = End {
                node,
                peer,
                other: ids[1 - at],
                opened_ms: now,
                dialled: at == 0,
                session: Box::new(Session::new(config)),
                frames_ms: now,
                work_ms: now,
                heard_ms: now,
                frames_heard: 0,
                pings_ms: now,
                active_ms: now,
                is_ticking: false,
            };
            self.ends.put(ids[at], end);
            self.nodes[node as usize].streams.insert(peer, ids[at]);
        }
        self.nodes[from as usize].dialled += 1;
        self.tally.streams += 1;
        for (at, node) in [(0, from), (1, to)] {
            let here = &self.nodes[node as usize];
            let (mallory, frontier) = (here.mallory, mallory::frontier(here.mallory, &here.store, &self.people));
            self.feed(ids[at], Input::Opened(frontier));
            self.begin_mischief(ids[at], mallory);
        }
        let cut = dice::waiting(&mut self.random, CUT_MS) as u64;
        self.schedule(self.now_ms + cut, Event::Cut { end: ids[(cut % 2) as usize] });
    }

    /// Forgets one end; the other knows nothing of it yet.
    pub(super) fn drop_end(&mut self, id: EndId) {
        self.count_pings(id);
        let Some(end) = self.ends.remove(id) else { return };
        let node = &mut self.nodes[end.node as usize];
        if node.streams.get(&end.peer) == Some(&id) {
            node.streams.remove(&end.peer);
        }
        node.dialled -= usize::from(end.dialled);
    }

    /// One end is gone; the other learns of it at once, or by silence.
    pub(super) fn lose(&mut self, id: EndId, at_once: bool) {
        let Some(other) = self.ends.get(id).map(|end| end.other) else { return };
        self.keep_alive(other);
        self.drop_end(id);
        let Some(peer) = self.ends.get(other).map(|end| end.node) else { return };
        if at_once {
            self.drop_end(other);
            self.review_soon(peer);
        } else {
            self.schedule(self.now_ms + TICK_MS, Event::Tick { end: other });
        }
    }

    /// A connection breaks: who was to send notices soon, the other after a while.
    pub(super) fn cut(&mut self, id: EndId) {
        let Some(node) = self.ends.get(id).map(|end| end.node) else { return };
        self.lose(id, false);
        self.review_soon(node);
    }

    /// Gives news to every session of a node.
    pub(super) fn tell(&mut self, node: u32, news: &Input) {
        let ends: Vec<EndId> = self.nodes[node as usize].streams.values().copied().collect();
        for end in ends {
            self.feed(end, news.clone());
        }
    }

    pub(super) fn arrive(&mut self, id: EndId, body: Vec<u8>) {
        self.keep_alive(id);
        let now = self.now_ms;
        let Some(end) = self.ends.get_mut(id) else { return };
        (end.heard_ms, end.pings_ms) = (now, now);
        end.frames_heard += 1;
        let node = end.node;
        self.count_received(node, frame_bytes(&body));
        self.feed(id, Input::Received(body));
    }

    pub(super) fn tick(&mut self, id: EndId) {
        self.keep_alive(id);
        self.step(id, Input::Ticked);
        let now = self.now_ms;
        let Some(end) = self.ends.get_mut(id) else { return };
        end.is_ticking = now < end.active_ms + 2 * TICK_MS;
        if end.is_ticking {
            self.schedule(now + TICK_MS, Event::Tick { end: id });
        }
    }

    /// Something that is not mere passing of time.
    fn feed(&mut self, id: EndId, input: Input) {
        self.keep_alive(id);
        let now = self.now_ms;
        let Some(end) = self.ends.get_mut(id) else { return };
        end.active_ms = now;
        if !std::mem::replace(&mut end.is_ticking, true) {
            self.schedule(now + TICK_MS, Event::Tick { end: id });
        }
        self.step(id, input);
    }

    /// While nothing is said, both sides ping each other (`SYN-14`): of these only the last is played, just before
    /// something happens, and the others are counted.
    fn keep_alive(&mut self, id: EndId) {
        self.count_pings(id);
        let now = self.now_ms;
        let Some(end) = self.ends.get(id) else { return };
        let is_due = end.frames_heard >= 2 && now >= end.heard_ms + PING_MS;
        if is_due && self.ends.get(end.other).is_some() {
            if let Some(end) = self.ends.get_mut(id) {
                end.heard_ms = now;
            }
            self.step(id, Input::Received(Message::Ping.encode()));
        }
    }

    fn count_pings(&mut self, id: EndId) {
        let now = self.now_ms;
        let Some(end) = self.ends.get_mut(id) else { return };
        let pings = (now - end.pings_ms) / PING_MS;
        end.pings_ms += pings * PING_MS;
        let (node, peer, other) = (end.node, end.peer, end.other);
        if pings > 0 && self.ends.get(other).is_some() {
            self.count_sent(peer, PINGS, pings * PING_BYTES);
            self.count_received(node, pings * PING_BYTES);
        }
    }

    /// Counts all pings up to now.
    pub(super) fn settle_pings(&mut self) {
        let ids: Vec<EndId> = self.ends.iter().map(|(id, _)| id).collect();
        ids.into_iter().for_each(|id| self.count_pings(id));
    }

    pub(super) fn count_sent(&mut self, node: u32, sort: usize, bytes: u64) {
        if self.tally.is_measuring {
            self.tally.nodes[node as usize].up += bytes;
            if self.nodes[node as usize].mallory.is_none() {
                self.tally.by_sort[sort] += bytes;
            }
        }
    }

    fn count_received(&mut self, node: u32, bytes: u64) {
        if self.tally.is_measuring {
            self.tally.nodes[node as usize].down += bytes;
        }
    }

    fn step(&mut self, id: EndId, input: Input) {
        let Some(end) = self.ends.get_mut(id) else { return };
        let (node, peer, other) = (end.node, end.peer, end.other);
        let outputs = end.session.step(input, self.now_ms);
        self.tally.steps += 1;
        for output in outputs {
            self.perform(id, (node, peer, other), output);
        }
    }

    fn perform(&mut self, id: EndId, (node, peer, other): (u32, u32, EndId), output: Output) {
        match output {
            Output::Send(body) if is_ping(&body) => {}
            Output::Send(body) => {
                self.count_sent(node, sort_of(&body), frame_bytes(&body));
                self.send(node, other, body);
            }
            Output::Load { .. } | Output::LoadIdentity { .. } | Output::LoadAimed { .. } | Output::LoadReceipts => {
                self.ask_store(id, output, 1 + READ_MS);
            }
            Output::Apply { .. } => self.ask_store(id, output, WRITE_MS),
            Output::Refused { rule, detail } => self.refused(node, peer, format!("{rule}: {detail}")),
            Output::Close(reason) => {
                if matches!(reason, CloseReason::Refused(_)) {
                    self.nodes[node as usize].punish(peer, self.now_ms);
                }
                self.drop_end(id);
                self.review_soon(node);
            }
            // Nobody forks, so nobody looks for where two branches part; nobody replies, so nobody is admitted.
            Output::LoadHeaders { .. }
            | Output::LoadSingles { .. }
            | Output::PeerIs { .. }
            | Output::Settings { .. }
            | Output::SaveResume(_)
            | Output::Progress { .. }
            | Output::OwnHeadsKnown
            | Output::ReceiptsTaken
            | Output::PeerHolds { .. }
            | Output::SentBodies { .. }
            | Output::Resent { .. }
            | Output::InSync => {}
        }
    }

    fn refused(&mut self, node: u32, peer: u32, what: String) {
        match (self.nodes[node as usize].mallory, self.nodes[peer as usize].mallory) {
            (None, None) => self.tally.refused_honest.push(format!("{node} refused {peer}: {what}")),
            (None, Some(_)) => self.tally.refused_mallory += 1,
            (Some(_), _) => {}
        }
    }

    /// A frame is on its way; where the other end is gone nobody hears it.
    pub(super) fn send(&mut self, node: u32, other: EndId, body: Vec<u8>) {
        let Some(peer) = self.ends.get(other).map(|end| end.node) else { return };
        let (here, there) = (self.nodes[node as usize].spot, self.nodes[peer as usize].spot);
        let arrives = self.now_ms + here.delay_ms(there, body.len(), &mut self.random);
        let Some(far) = self.ends.get_mut(other) else { return };
        far.frames_ms = far.frames_ms.max(arrives);
        let at = far.frames_ms;
        self.schedule(at, Event::Frame { end: other, body });
    }

    fn ask_store(&mut self, id: EndId, work: Output, takes_ms: u64) {
        let takes = between(&mut self.random, 1, takes_ms);
        let now = self.now_ms;
        let Some(end) = self.ends.get_mut(id) else { return };
        end.work_ms = end.work_ms.max(now + takes);
        let (at, node) = (end.work_ms, end.node);
        self.schedule(at, Event::Work { end: id, node, work });
    }

    /// The store's part. A batch is stored even if its session is gone by now; not if the node is.
    pub(super) fn work(&mut self, id: EndId, node: u32, work: Output) {
        let here = &mut self.nodes[node as usize];
        if !here.is_awake {
            return;
        }
        let mallory = here.mallory;
        let answer = match work {
            Output::Load { request, log, from, to, bytes_max, .. } => {
                let is_own = self.people.of(node).log == log;
                if mallory == Some(Mallory::Withholds) && !is_own {
                    Input::Loaded { request, entries: Vec::<SignedEntry>::new() }
                } else {
                    here.store.load(&self.people, request, &log, from..to, bytes_max)
                }
            }
            Output::LoadIdentity { request, did } => {
                let author = self.people.by_did(&did).map(|number| self.people.of(number));
                let objects = author.map(|author| author.object.clone()).into_iter().collect();
                Input::LoadedIdentity { request, objects }
            }
            Output::LoadAimed { request, .. } => Input::LoadedAimed { request, items: Vec::new() },
            Output::LoadReceipts => Input::LoadedReceipts(ReceiptNews::Receipts(Vec::new())),
            Output::Apply { ticket, batch } => {
                let came = if let Batch::Run { entries, .. } = &batch { entries.len() as u64 } else { 0 };
                let taken = mallory::take(mallory, ticket, &batch);
                let taken = taken.unwrap_or_else(|| here.store.apply(&self.people, ticket, batch));
                self.count_entries(node, came, &taken);
                for news in taken.news.iter().filter(|news| mallory::passes_on(mallory, news)) {
                    self.tell(node, news);
                }
                taken.answer
            }
            _ => return,
        };
        self.feed(id, answer);
    }

    fn count_entries(&mut self, node: u32, came: u64, taken: &Taken) {
        let here = &self.nodes[node as usize];
        if here.mallory.is_some() || !self.tally.is_measuring {
            return;
        }
        let new = taken.grown.as_ref().map_or(0, |(_, places)| places.end - places.start);
        self.tally.entries_new += new;
        self.tally.entries_again += came - new;
        let Some((author, places)) = &taken.grown else { return };
        if !here.follows.contains(author) || self.nodes[*author as usize].mallory.is_some() {
            return;
        }
        for at in &self.people.of(*author).times_ms[places.start as usize..places.end as usize] {
            if *at >= self.plan.measured_from_ms() {
                let delay = self.now_ms - at;
                self.tally.delays.push(delay);
                if here.rhythm.is_awake(*at) {
                    self.tally.delays_awake.push(delay);
                }
            }
        }
    }
}
