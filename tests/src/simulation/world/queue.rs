//! What is to happen, in the order of time; what happens at one time, in the order in which it was planned.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use xom_protocol::sync::Output;

use super::streams::EndId;

/// One thing that happens.
pub(in crate::simulation) enum Event {
    /// A frame has arrived.
    Frame { end: EndId, body: Vec<u8> },
    /// The store of a node is ready with what a session asked of it.
    Work { end: EndId, node: u32, work: Output },
    /// Time has passed at one end of a stream.
    Tick { end: EndId },
    /// A connection breaks.
    Cut { end: EndId },
    /// A node starts.
    Wake { node: u32 },
    /// A node stops.
    Sleep { node: u32 },
    /// A node looks whom it should dial; reviews of an earlier waking count no more.
    Review { node: u32, round: u64 },
    /// A node dials whom it misses, before the next review.
    Dial { node: u32, round: u64 },
    /// A dial has got through, if the other side takes it.
    Dialled { from: u32, to: u32 },
    /// An author writes.
    Post { node: u32 },
    /// Mallory sends what brings nothing.
    Flood { end: EndId },
    /// It is checked whether streams brought what they should.
    Audit,
    /// The measured day begins.
    MeasureFrom,
    /// The measured day is over.
    MeasureTo,
}

struct Planned {
    at_ms: u64,
    serial: u64,
    event: Event,
}

/// All that is planned.
#[derive(Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Planned>,
    serial: u64,
}

impl Queue {
    pub(super) fn push(&mut self, at_ms: u64, event: Event) {
        self.serial += 1;
        self.heap.push(Planned { at_ms, serial: self.serial, event });
    }

    pub(super) fn pop(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|planned| (planned.at_ms, planned.event))
    }
}

impl Ord for Planned {
    /// The earliest is the greatest, so that it is popped first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at_ms, other.serial).cmp(&(self.at_ms, self.serial))
    }
}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Planned {}
