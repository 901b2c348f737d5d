//! Batches that wait to be stored, bounded: while they are too many nothing more is read from the peer.

use std::collections::VecDeque;

use xom_protocol::entry::SignedEntry;
use xom_protocol::sync::{Batch, Ticket};

/// Bytes of batches that may wait before no more frames are read. Well-behaved peers stay below: what was asked for and
/// what was pushed are 4 MiB each (`SYN-10`, `SYN-11`), an identity 8 MiB (`SYN-8`).
const BYTES_MAX: usize = 24 << 20;
/// The same for their number: each costs a commit.
const BATCHES_MAX: usize = 1_024;
/// What a batch or an entry costs besides its bytes.
const OVERHEAD_BYTES: usize = 64;

/// Batches in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    batches: VecDeque<(Ticket, Batch, usize)>,
    bytes: usize,
}

impl Waiting {
    /// One more.
    pub(super) fn push(&mut self, ticket: Ticket, batch: Batch) {
        let bytes = bytes_of(&batch);
        self.bytes += bytes;
        self.batches.push_back((ticket, batch, bytes));
    }

    /// The oldest, with its bytes.
    pub(super) fn pop(&mut self) -> Option<(Ticket, Batch, usize)> {
        let next = self.batches.pop_front()?;
        self.bytes -= next.2;
        Some(next)
    }

    /// True while more may be read.
    pub(super) fn has_room(&self) -> bool {
        self.bytes < BYTES_MAX && self.batches.len() < BATCHES_MAX
    }
}

/// About how much memory a batch holds, and about how much came over the line for it.
fn bytes_of(batch: &Batch) -> usize {
    let entry = |entry: &SignedEntry| {
        let body = entry.body.as_ref().map_or(0, |body| body.bytes.len() + body.salt.len());
        OVERHEAD_BYTES + entry.header.len() + body
    };
    let objects = |objects: &[Vec<u8>]| objects.iter().map(|object| OVERHEAD_BYTES + object.len()).sum::<usize>();
    let bytes = match batch {
        Batch::Identity { objects: of, .. } => objects(of),
        Batch::Run { entries, .. } | Batch::Bodies { entries, .. } | Batch::Fork { entries, .. } => {
            entries.iter().map(entry).sum()
        }
        Batch::Ancestors { headers, .. } => objects(headers),
        Batch::Aimed { items } | Batch::Singles { items, .. } => {
            let item = |item: &xom_protocol::sync::Aimed| {
                objects(&item.objects) + item.entries.iter().map(entry).sum::<usize>()
            };
            items.iter().map(item).sum()
        }
        // A frame is the most that one of these can be of.
        Batch::Proven { .. } | Batch::Receipts(_) => xom_protocol::limits::FRAME_BYTES_MAX / 8,
    };
    OVERHEAD_BYTES + bytes
}

#[cfg(test)]
mod tests {
    use xom_protocol::Did;

    use super::*;

    fn batch(bytes: usize) -> Batch {
        Batch::Identity { did: Did([1; 32]), objects: vec![vec![0; bytes]] }
    }

    #[test]
    fn what_waits_is_bounded_by_bytes_and_by_number_and_has_room_again_once_it_is_taken() {
        let mut waiting = Waiting::default();
        let tickets = || (0..).map(Ticket);
        let large = tickets().take_while(|ticket| {
            waiting.push(*ticket, batch(1 << 20));
            waiting.has_room()
        });
        assert_eq!(large.count(), 23);
        while waiting.pop().is_some() {}
        assert!(waiting.has_room() && waiting.bytes == 0);
        let small = tickets().take_while(|ticket| {
            waiting.push(*ticket, batch(1));
            waiting.has_room()
        });
        assert_eq!(small.count(), BATCHES_MAX - 1);
        assert!(waiting.pop().is_some_and(|(ticket, _, bytes)| ticket == Ticket(0) && bytes == 1 + 2 * OVERHEAD_BYTES));
        assert!(waiting.has_room());
    }
}
