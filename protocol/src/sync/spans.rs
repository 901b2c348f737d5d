//! Comparison by spans: which items differ, found out with prints over parts of both sets (`SYN-25`, `SYN-26`).
//!
//! A snapshot of one side, in the order of its salted ids. It says nothing of what it finds; [`super::comparison`]
//! offers it. What a peer can make it hold or do is bounded, whatever the peer answers.

use std::collections::BTreeMap;

use super::handshake::Salter;
use super::message::{SpanList, SpanPrint, Spans};
use super::refusal::Refusal;
use super::set::{Item, Set};
use crate::ids::Digest;
use crate::limits::{
    OFFERED_IDS_MAX, SPAN_LIST_MAX, SPAN_LISTED_MAX, SPAN_MESSAGES_MAX, SPAN_PRINT_BYTES, SPAN_PRINTS_MAX, SPAN_SPLIT,
    SPANS_WAITING_MAX,
};

/// A part of the space of salted ids, by the first 8 bytes of an id: from the first number up to, not including, the
/// second; 0 there is the end of the space.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first id.
    pub from: u64,
    /// The first id after it; 0 at the end.
    pub to: u64,
}

impl Span {
    /// All of it.
    const ALL: Self = Self { from: 0, to: 0 };

    /// True if it is not empty.
    pub(super) fn is_sound(self) -> bool {
        self.to == 0 || self.from < self.to
    }

    /// True if the mark of an item is in it.
    pub(super) fn contains(self, mark: u128) -> bool {
        let id = id_of(mark);
        id >= self.from && (self.to == 0 || id < self.to)
    }
}

/// The first 8 bytes of the salted id that a mark begins with.
fn id_of(mark: u128) -> u64 {
    u64::try_from(mark >> 64).expect("64 bits are left")
}

/// What one message found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The peer has these too, and stands elsewhere in them.
    pub(super) differing: Vec<Item>,
    /// The peer stands in these where we stand.
    pub(super) equal: Vec<Item>,
    /// The peer has nothing more to say but answers.
    pub(super) is_last: bool,
}

/// What a side is to say of a span.
#[derive(Debug, Clone, Copy)]
enum Due {
    Print(Span),
    List(Span),
}

/// One side of the exchange.
#[derive(Debug, Clone)]
pub(super) struct Exchange {
    /// Marks in order.
    marks: Vec<u128>,
    /// What each stands for.
    items: Vec<Item>,
    /// The sum of all marks before each place.
    sums: Vec<u128>,
    /// What we have still to send, by where it begins: messages go through the space in order (`SYN-26`), and what is
    /// first is divided to its end first, so that little waits.
    waiting: BTreeMap<u64, Due>,
    /// Messages sent and received.
    sent: u64,
    received: u64,
    /// Marks in their lists.
    listed: u64,
}

impl Exchange {
    /// Takes a snapshot of all that is ready to be compared.
    pub(super) fn of(set: &Set, salter: &Salter) -> Self {
        let identities = set.identities.iter().map(|(did, state)| {
            let stand = salter.identity_stand(set.network(), did, state.ours.as_ref());
            (mark(&state.salted, stand), Item::Identity(*did))
        });
        let logs = set.logs.iter().map(|(log, state)| {
            let stand = salter.log_stand(log, &state.ours);
            (mark(&state.salted, stand), Item::Log(*log))
        });
        let mut all: Vec<(u128, Item)> = identities.chain(logs).collect();
        all.sort_unstable_by_key(|(mark, _)| *mark);
        let (marks, items): (Vec<u128>, Vec<Item>) = all.into_iter().unzip();
        let mut sums = vec![0_u128];
        for mark in &marks {
            sums.push(sums.last().map_or(0, |sum| sum.wrapping_add(*mark)));
        }
        Self { marks, items, sums, waiting: BTreeMap::new(), sent: 0, received: 0, listed: 0 }
    }

    /// The first message, of the side that begins.
    pub(super) fn begin(&mut self) -> Spans {
        self.split(Span::ALL);
        self.next()
    }

    /// True if nothing waits to be sent.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// True if our last message has been answered.
    pub(super) fn is_answered(&self) -> bool {
        self.sent == self.received
    }

    /// The next message: as much of what waits as one takes.
    pub(super) fn next(&mut self) -> Spans {
        self.sent += 1;
        let mut spans = Spans { number: self.sent, more: false, prints: Vec::new(), lists: Vec::new() };
        let mut listed = 0;
        while let Some((from, due)) = self.waiting.first_key_value().map(|(from, due)| (*from, *due)) {
            match due {
                Due::Print(span) => {
                    if spans.prints.len() == SPAN_PRINTS_MAX {
                        break;
                    }
                    let (low, high) = self.places(span);
                    spans.prints.push(SpanPrint { span, print: self.print(low, high) });
                }
                Due::List(span) => {
                    let (low, high) = self.places(span);
                    listed += high - low;
                    if listed > SPAN_LISTED_MAX || spans.lists.len() == SPAN_PRINTS_MAX {
                        break;
                    }
                    spans.lists.push(SpanList { span, marks: self.marks[low..high].to_vec() });
                }
            }
            self.waiting.remove(&from);
        }
        spans.more = !self.waiting.is_empty();
        spans
    }

    /// Takes a message of theirs (`SYN-26`).
    pub(super) fn take(&mut self, spans: &Spans) -> Result<Found, Refusal> {
        self.received += 1;
        Refusal::unless(spans.number == self.received, "SYN-26", "spans out of turn")?;
        Refusal::unless(self.received <= SPAN_MESSAGES_MAX, "SYN-27", "spans without end")?;
        self.listed += spans.lists.iter().map(|list| list.marks.len() as u64).sum::<u64>();
        Refusal::unless(self.listed <= OFFERED_IDS_MAX, "SYN-27", "more marks than a set has")?;
        let mut found = Found { is_last: !spans.more, ..Found::default() };
        for list in &spans.lists {
            self.take_list(list, &mut found);
        }
        for print in &spans.prints {
            let (low, high) = self.places(print.span);
            if self.print(low, high) == print.print {
                found.equal.extend_from_slice(&self.items[low..high]);
            } else if high - low <= SPAN_LIST_MAX {
                self.waiting.insert(print.span.from, Due::List(print.span));
            } else {
                self.split(print.span);
            }
        }
        Refusal::unless(self.waiting.len() <= SPANS_WAITING_MAX, "SYN-27", "more spans than a set has")?;
        Ok(found)
    }

    /// Which of what they hold in a span we hold otherwise. What only one side knows is nobody's business.
    fn take_list(&self, list: &SpanList, found: &mut Found) {
        for mark in &list.marks {
            let first = self.marks.partition_point(|own| id_of(*own) < id_of(*mark));
            let own = self.marks[first..].iter().take_while(|own| id_of(**own) == id_of(*mark));
            let same_id = first..first + own.count();
            for at in same_id {
                let into = if self.marks[at] == *mark { &mut found.equal } else { &mut found.differing };
                into.push(self.items[at]);
            }
        }
    }

    /// Where a span begins and ends in our marks.
    fn places(&self, span: Span) -> (usize, usize) {
        let at = |id: u64| self.marks.partition_point(|mark| id_of(*mark) < id);
        (at(span.from), if span.to == 0 { self.marks.len() } else { at(span.to) })
    }

    /// Tells whether two sides have the same in a span.
    fn print(&self, low: usize, high: usize) -> [u8; SPAN_PRINT_BYTES] {
        print(self.sums[high].wrapping_sub(self.sums[low]), (high - low) as u64)
    }

    /// Has the parts of a span sent, each with about as many of our items.
    fn split(&mut self, span: Span) {
        let (low, high) = self.places(span);
        let mut to = span.to;
        for part in (1..SPAN_SPLIT).rev() {
            let at = low + (high - low) * part / SPAN_SPLIT;
            let Some((before, after)) = at
                .checked_sub(1)
                .and_then(|before| Some((id_of(*self.marks.get(before)?), id_of(*self.marks.get(at)?))))
            else {
                continue;
            };
            let from = shortest_between(before, after);
            if from > span.from && from != to && before < after {
                self.waiting.insert(from, Due::Print(Span { from, to }));
                to = from;
            }
        }
        self.waiting.insert(span.from, Due::Print(Span { from: span.from, to }));
    }
}

/// The print of some marks, by their sum and their number (`SYN-25`).
pub fn print(sum: u128, count: u64) -> [u8; SPAN_PRINT_BYTES] {
    let digest = Digest::of(&[&sum.to_be_bytes(), &count.to_be_bytes()]);
    let mut print = [0; SPAN_PRINT_BYTES];
    print.copy_from_slice(&digest.0[..SPAN_PRINT_BYTES]);
    print
}

/// The mark of an item: 8 bytes of its salted id, then 8 of where we stand in it (`SYN-25`).
fn mark(salted: &super::message::SaltedId, stand: [u8; 8]) -> u128 {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&salted[..8]);
    bytes[8..].copy_from_slice(&stand);
    u128::from_be_bytes(bytes)
}

/// Of the numbers above `before` and up to `after` the one with most zero bytes at its end.
fn shortest_between(before: u64, after: u64) -> u64 {
    let cut = |bytes: u32| after & (u64::MAX << (8 * bytes));
    (0..8).rev().map(cut).find(|cut| *cut > before).unwrap_or(after)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::LogId;

    /// A set of so many marks, spread over the space.
    fn exchange(count: u64) -> Exchange {
        let step = u64::MAX / count;
        let marks: Vec<u128> = (0..count).map(|n| (u128::from(n * step) << 64) | 7).collect();
        let mut sums = vec![0_u128];
        for mark in &marks {
            sums.push(sums.last().map_or(0, |sum| sum.wrapping_add(*mark)));
        }
        let items = marks.iter().map(|mark| Item::Log(LogId([mark.to_be_bytes()[0]; 32]))).collect();
        Exchange { marks, items, sums, waiting: BTreeMap::new(), sent: 0, received: 0, listed: 0 }
    }

    #[test]
    fn syn_26_the_parts_of_a_span_cover_it_and_are_apart() {
        for count in [33, 40, 500, 1_000, 70_000] {
            let mut exchange = exchange(count);
            exchange.split(Span::ALL);
            let part = |due: &Due| match due {
                Due::Print(span) | Due::List(span) => *span,
            };
            let parts: Vec<Span> = exchange.waiting.values().map(part).collect();
            assert!(parts.len() > 1 && parts.len() <= SPAN_SPLIT);
            assert_eq!((parts[0].from, parts[parts.len() - 1].to), (0, 0));
            assert!(parts.windows(2).all(|pair| pair[0].to == pair[1].from && pair[0].is_sound()));
            let sizes = parts.iter().map(|part| exchange.places(*part)).map(|(low, high)| high - low);
            assert!(sizes.max() <= Some(exchange.marks.len() / SPAN_SPLIT + 1));
        }
    }

    #[test]
    fn syn_26_what_one_message_does_not_take_follows_in_order() {
        let mut sides = [exchange(70_000), exchange(70_000)];
        for at in (0..70_000).step_by(29) {
            sides[1].marks[at] += 1;
        }
        let mut sum = 0_u128;
        sides[1].sums = std::iter::once(0)
            .chain(sides[1].marks.iter().map(|mark| {
                sum = sum.wrapping_add(*mark);
                sum
            }))
            .collect();
        let mut said = sides[0].begin();
        let (mut found, mut most) = (0, 0);
        for turn in 1.. {
            let apart = |pair: [Span; 2]| pair[0].to != 0 && pair[0].to <= pair[1].from;
            assert!(said.prints.windows(2).all(|pair| apart([pair[0].span, pair[1].span])), "turn {turn}");
            assert!(said.lists.windows(2).all(|pair| apart([pair[0].span, pair[1].span])), "turn {turn}");
            most = most.max(said.prints.len());
            let side = &mut sides[turn % 2];
            found += side.take(&said).expect("in order").differing.len();
            if side.is_empty() && !said.more && sides.iter().all(Exchange::is_empty) {
                break;
            }
            said = sides[turn % 2].next();
        }
        assert_eq!(most, SPAN_PRINTS_MAX, "more was to be said than a message takes");
        assert_eq!(found, 70_000_usize.div_ceil(29));
    }

    #[test]
    fn syn_27_more_spans_than_may_wait_are_refused() {
        let mut exchange = exchange(60_000);
        let step = u64::MAX / 2_048;
        let mut most = 0;
        for number in 1..=100 {
            // Each time of other spans: what waits for one that begins at the same place is the same.
            let span = |n: u64| Span { from: n * step + number, to: (n + 1) * step };
            let prints = (0..2_048).map(|n| SpanPrint { span: span(n), print: [9; 16] }).collect();
            let spans = Spans { number, more: false, prints, lists: Vec::new() };
            if let Err(refusal) = exchange.take(&spans) {
                assert_eq!(refusal.rule.0, "SYN-27");
                assert!(most > SPANS_WAITING_MAX / 2, "{most} waited");
                return;
            }
            most = exchange.waiting.len();
            assert!(exchange.next().lists.len() <= SPAN_PRINTS_MAX);
        }
        panic!("{most} spans wait");
    }
}
