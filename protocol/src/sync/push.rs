//! Live push: what is newly stored goes to the peer at once, within a window of unacknowledged pushes.

use std::collections::VecDeque;

use super::applying::{Applying, Came, entry_bytes};
use super::comparison::Comparison;
use super::message::{Message, Push};
use super::output::Output;
use super::ranges::check_places;
use super::receipts;
use super::refusal::Refusal;
use super::set::{Item, LogState, Set};
use crate::entry::SignedEntry;
use crate::ids::LogId;
use crate::limits::{ACKNOWLEDGE_MS, PUSH_BYTES, PUSH_ENTRIES_MAX, PUSHES_BYTES, PUSHES_MAX};
use crate::log::Position;

/// What was pushed in both directions.
#[derive(Debug, Clone, Default)]
pub(super) struct Pushes {
    sent: u64,
    /// The pushes that they have not acknowledged.
    unacknowledged: VecDeque<Unacknowledged>,
    unacknowledged_bytes: u64,
    received: u64,
    /// The counter of ours that they acknowledged last.
    their_acknowledged: u64,
    /// What we acknowledged last: pushes, and the counter.
    acknowledged: (u64, u64),
}

/// A push on its way.
#[derive(Debug, Clone, Copy)]
struct Unacknowledged {
    bytes: u64,
    sent_ms: u64,
    /// What they hold once they have it: a log, up to a height.
    holds: Option<(LogId, u64)>,
}

/// A log that has grown at our side.
pub(super) struct Growth {
    pub(super) log: LogId,
    pub(super) from: u64,
    pub(super) entries: Vec<SignedEntry>,
    pub(super) position: Position,
}

impl Pushes {
    /// True while one more push is allowed.
    pub(super) fn has_room(&self) -> bool {
        (self.unacknowledged.len() as u64) < PUSHES_MAX && self.unacknowledged_bytes < PUSHES_BYTES
    }

    /// The number of the next push, which takes this much of the window.
    pub(super) fn reserve(&mut self, bytes: u64, now_ms: u64, holds: Option<(LogId, u64)>) -> u64 {
        self.sent += 1;
        self.unacknowledged.push_back(Unacknowledged { bytes, sent_ms: now_ms, holds });
        self.unacknowledged_bytes += bytes;
        self.sent
    }

    /// Pushes what is new, or tells the head where a push would not be taken or does not fit (`SYN-11`).
    pub(super) fn grown(
        &mut self,
        set: &mut Set,
        comparison: &Comparison,
        growth: Growth,
        now_ms: u64,
        out: &mut Vec<Output>,
    ) {
        let Growth { log, from, entries, position } = growth;
        let Some(state) = set.logs.get_mut(&log) else { return };
        if state.their_height() >= position.height {
            return;
        }
        let bytes = entries.iter().map(entry_bytes).sum::<u64>();
        let fits = bytes <= PUSH_BYTES && entries.len() <= PUSH_ENTRIES_MAX && self.has_room();
        if !fits || !takes_push(state, from, &entries) {
            return comparison.tell(set, &[Item::Log(log)], out);
        }
        state.told = Some((position, state.wanted));
        state.told_height = state.told_height.max(position.height);
        let (id, counter) = (state.salted, comparison.counter);
        let number = self.reserve(bytes, now_ms, Some((log, position.height)));
        receipts::sends(set, log, from, &entries, out);
        out.push(Output::Send(Message::Push(Push { number, id, from, counter, entries }).encode()));
    }

    /// Takes their acknowledgement; true if it says anything new (`SYN-11`). What they hold by it is told of
    /// own logs.
    pub(super) fn take_ack(
        &mut self,
        set: &mut Set,
        pushes: u64,
        counter: u64,
        our_counter: u64,
        out: &mut Vec<Output>,
    ) -> Result<bool, Refusal> {
        let acknowledged = self.sent - self.unacknowledged.len() as u64;
        let right = (acknowledged..=self.sent).contains(&pushes) && counter <= our_counter;
        Refusal::unless(right, "SYN-11", "an acknowledgement of what was not sent")?;
        for _ in acknowledged..pushes {
            let Some(done) = self.unacknowledged.pop_front() else { break };
            self.unacknowledged_bytes -= done.bytes;
            if let Some((log, height)) = done.holds {
                receipts::holds(set, log, height, out);
            }
        }
        if counter > self.their_acknowledged {
            receipts::holds_by_counter(set, counter, out);
        }
        let news = pushes > acknowledged || counter > self.their_acknowledged;
        self.their_acknowledged = counter;
        Ok(news)
    }

    /// Counts a push of theirs (`SYN-11`).
    pub(super) fn count(&mut self, number: u64, applying: &Applying) -> Result<(), Refusal> {
        Refusal::unless(number == self.received + 1, "SYN-11", "a push out of turn")?;
        self.received = number;
        let open = self.received - applying.pushes_done;
        Refusal::unless(open <= PUSHES_MAX, "SYN-11", "more pushes than the window holds")
    }

    /// Takes a push (`SYN-11`): what continues our log is stored, of anything else the head is noted.
    pub(super) fn take(
        &mut self,
        set: &mut Set,
        comparison: &mut Comparison,
        applying: &mut Applying,
        push: Push,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        self.count(push.number, applying)?;
        comparison.take_counter(push.counter)?;
        let unasked = || Refusal::grave("SYN-11", "a push of a log that was not asked for");
        let Some(Item::Log(log)) = set.item(&push.id) else { return Err(unasked()) };
        let state = set.logs.get_mut(&log).filter(|state| state.told_wanted).ok_or_else(unasked)?;
        check_places(&push.entries, log, push.from, "SYN-11")?;
        let last = push.entries.last().filter(|last| last.signature.is_some());
        let last = last.ok_or_else(|| Refusal::grave("SYN-11", "a push that ends without a signature"))?;
        let height = push.from + push.entries.len() as u64;
        if height >= state.their_height() {
            let position = Position { height, head: Some(crate::entry::Header::hash(&last.header)) };
            let wanted = state.theirs.is_none_or(|(_, wanted)| wanted);
            state.theirs = Some((position, wanted));
        }
        if state.takes_push(push.from) {
            applying.run(set, log, push.from, push.entries, Came::Pushed, out);
        } else {
            receipts::resent(set, log, &push.entries, out);
            applying.pushes_done += 1;
            set.refresh_log(log);
        }
        Ok(())
    }

    /// Acknowledges what has become durable; true if the counter rose (`SYN-6`, `SYN-11`).
    pub(super) fn acknowledge(&mut self, done: u64, counter: Option<u64>, out: &mut Vec<Output>) -> bool {
        let (pushes, before) = self.acknowledged;
        let counter = counter.unwrap_or(before);
        if (done, counter) == (pushes, before) {
            return false;
        }
        self.acknowledged = (done, counter);
        out.push(Output::Send(Message::Ack { pushes: done, counter }.encode()));
        counter > before
    }

    /// False once an acknowledgement is overdue (`SYN-11`).
    pub(super) fn are_in_time(&self, now_ms: u64) -> bool {
        let in_time = |push: &Unacknowledged| now_ms.saturating_sub(push.sent_ms) <= ACKNOWLEDGE_MS;
        self.unacknowledged.front().is_none_or(in_time)
    }
}

/// True if they want the log, and have or were told of what comes before.
fn takes_push(state: &LogState, from: u64, entries: &[SignedEntry]) -> bool {
    let Some((theirs, true)) = state.theirs else { return false };
    let known = theirs.height.max(state.told.map_or(0, |(told, _)| told.height));
    let is_signed = entries.last().is_some_and(|last| last.signature.is_some());
    is_signed && known >= from && state.serving == 0
}
