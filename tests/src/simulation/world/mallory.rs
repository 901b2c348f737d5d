//! What mallory's nodes do otherwise than all others.

use xom_protocol::sync::message::Message;
use xom_protocol::sync::{Batch, Frontier, Input, Outcome, Ticket};

use super::World;
use super::queue::Event;
use super::streams::EndId;
use crate::simulation::people::People;
use crate::simulation::plan::Mallory;
use crate::simulation::store::{Store, Taken};
use crate::simulation::tally::{PING_BYTES, PINGS};
use xom_protocol::entry::Header;
use xom_protocol::log::Position;

/// Of a thousand nodes, so many are victims.
const VICTIMS: usize = 20;
/// Frames of a flood, each time.
const FLOOD_FRAMES: usize = 40;
/// How often they are sent.
const FLOOD_MS: u64 = 1_000;
/// How long a stream stands at which nothing is said to be held.
const STALE_MS: u64 = 1_800_000;

impl World {
    pub(super) fn choose_mallory(&mut self) {
        let count = self.nodes.len() * self.plan.mallory_percent as usize / 100;
        let mut numbers: Vec<usize> = (0..self.nodes.len()).collect();
        for at in (1..numbers.len()).rev() {
            numbers.swap(at, self.random.below(at as u64 + 1) as usize);
        }
        let (his, honest) = numbers.split_at(count);
        for (at, number) in his.iter().enumerate() {
            self.nodes[*number].mallory = Some(Mallory::ALL[at % Mallory::ALL.len()]);
        }
        let victims = if count == 0 { 0 } else { (self.nodes.len() * VICTIMS).div_ceil(1_000) };
        let eclipsing: Vec<u32> =
            his.iter().filter(|at| self.nodes[**at].mallory == Some(Mallory::Eclipses)).map(|at| *at as u32).collect();
        for victim in &honest[..victims.min(honest.len())] {
            self.nodes[*victim].is_victim = true;
            self.nodes[*victim].keepers.extend(&eclipsing);
        }
    }

    /// An eclipsing node dials all victims, again and again.
    pub(super) fn crowd_victims(&mut self, node: u32) {
        let victims: Vec<u32> = self.nodes.iter().filter(|node| node.is_victim).map(|node| node.number).collect();
        for victim in victims {
            self.dial(node, victim);
        }
    }

    /// What mallory does with a new stream.
    pub(super) fn begin_mischief(&mut self, end: EndId, mallory: Option<Mallory>) {
        match mallory {
            Some(Mallory::Floods) => self.schedule(self.now_ms + FLOOD_MS, Event::Flood { end }),
            Some(Mallory::IsStale) => self.schedule(self.now_ms + STALE_MS, Event::Cut { end }),
            Some(Mallory::Withholds | Mallory::Eclipses) | None => {}
        }
    }

    pub(super) fn flood(&mut self, id: EndId) {
        let Some(end) = self.ends.get(id) else { return };
        let (node, other) = (end.node, end.other);
        for _ in 0..FLOOD_FRAMES {
            self.count_sent(node, PINGS, PING_BYTES);
            self.send(node, other, Message::Ping.encode());
        }
        self.schedule(self.now_ms + FLOOD_MS, Event::Flood { end: id });
    }
}

/// What a node says that it holds: those that eclipse say nothing. Of stale ones the store holds nothing.
pub(super) fn frontier(mallory: Option<Mallory>, store: &Store, people: &People) -> Frontier {
    let frontier = store.frontier(people);
    match mallory {
        Some(Mallory::Eclipses) => Frontier { counter: frontier.counter, ..Frontier::default() },
        Some(Mallory::Withholds | Mallory::IsStale | Mallory::Floods) | None => frontier,
    }
}

/// True if a node passes on what it got.
pub(super) fn passes_on(mallory: Option<Mallory>, news: &Input) -> bool {
    matches!(mallory, None | Some(Mallory::Floods)) || !matches!(news, Input::Stored { .. })
}

/// What mallory takes without storing it; none where it is stored as usual.
pub(super) fn take(mallory: Option<Mallory>, ticket: Ticket, batch: &Batch) -> Option<Taken> {
    let (Some(Mallory::IsStale), Batch::Run { from, entries, .. }) = (mallory, batch) else { return None };
    let height = from + entries.len() as u64;
    let position = Position { height, head: entries.last().map(|last| Header::hash(&last.header)) };
    let answer = Input::Applied { ticket, outcome: Outcome::Applied, position };
    Some(Taken { answer, news: Vec::new(), grown: None })
}
