//! Receipts and known copies on one stream: one message at a time in each direction, each acknowledged
//! once it is durable (`RCP-5`).

use super::applying::Applying;
use super::message::{Message, ReceiptNews};
use super::output::Output;
use super::refusal::Refusal;
use super::set::Set;
use crate::entry::SignedEntry;
use crate::ids::LogId;

/// Both directions.
#[derive(Debug, Clone)]
pub(super) struct ReceiptExchange {
    /// The node may have something for the peer.
    due: bool,
    /// The node was asked and has not answered.
    loading: bool,
    /// The number of our last message, and of the last one that they acknowledged.
    sent: u64,
    acknowledged: u64,
    /// The number of their last message, and of the last one that we acknowledged.
    received: u64,
    answered: u64,
    /// Theirs, until everything in common that was told before is durable.
    waiting: Option<ReceiptNews>,
}

impl Default for ReceiptExchange {
    fn default() -> Self {
        Self { due: true, loading: false, sent: 0, acknowledged: 0, received: 0, answered: 0, waiting: None }
    }
}

impl ReceiptExchange {
    /// The node may have something new for the peer.
    pub(super) fn set_due(&mut self) {
        self.due = true;
    }

    /// Sends what the node has loaded.
    pub(super) fn loaded(&mut self, news: ReceiptNews, out: &mut Vec<Output>) {
        if std::mem::take(&mut self.loading) && !news.is_empty() {
            self.sent += 1;
            out.push(Output::Send(Message::Receipts { number: self.sent, news }.encode()));
        }
    }

    /// Takes a message of theirs: it waits until what it is about can be held.
    pub(super) fn take(&mut self, number: u64, news: ReceiptNews) -> Result<(), Refusal> {
        let in_turn = number == self.received + 1 && self.answered == self.received;
        Refusal::unless(in_turn, "RCP-5", "receipts before the last were acknowledged")?;
        self.received = number;
        self.waiting = Some(news);
        Ok(())
    }

    /// Takes their acknowledgement.
    pub(super) fn take_ack(&mut self, number: u64, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let right = number == self.sent && self.acknowledged < number;
        Refusal::unless(right, "RCP-5", "an acknowledgement of receipts that were not sent")?;
        self.acknowledged = number;
        self.due = true;
        out.push(Output::ReceiptsTaken);
        Ok(())
    }

    /// Once everything in common is compared and durable: judges theirs, asks the node for ours.
    pub(super) fn follow_up(&mut self, applying: &mut Applying, out: &mut Vec<Output>) {
        if let Some(news) = self.waiting.take() {
            applying.receipts(news, out);
        }
        if self.due && !self.loading && self.sent == self.acknowledged {
            (self.due, self.loading) = (false, true);
            out.push(Output::LoadReceipts);
        }
    }

    /// Acknowledges what the node has taken. What it could not take is sent again in another session.
    pub(super) fn acknowledge(&mut self, applying: &mut Applying, out: &mut Vec<Output>) {
        if std::mem::take(&mut applying.receipts_done) {
            self.answered = self.received;
            out.push(Output::Send(Message::ReceiptsAck { number: self.received }.encode()));
        }
    }
}

/// The peer holds one of our own logs so far: by the head that it told, or by what it acknowledged (`RCP-6`).
pub(super) fn holds(set: &mut Set, log: LogId, height: u64, out: &mut Vec<Output>) {
    let Some(state) = set.logs.get_mut(&log).filter(|state| set.own.contains(&state.did)) else { return };
    let height = height.min(state.ours.height);
    if height > state.held_by_peer {
        state.held_by_peer = height;
        out.push(Output::PeerHolds { log, height });
    }
}

/// The peer is being sent these entries of a log, from a place on: bodies of our own logs may be copies of
/// theirs from now on (`RCP-6`).
pub(super) fn sends(set: &Set, log: LogId, from: u64, entries: &[SignedEntry], out: &mut Vec<Output>) {
    if !set.logs.get(&log).is_some_and(|state| set.own.contains(&state.did)) {
        return;
    }
    let with_body = (from..).zip(entries).filter(|(_, entry)| entry.body.is_some());
    let places: Vec<u64> = with_body.map(|(place, _)| place).collect();
    if !places.is_empty() {
        out.push(Output::SentBodies { log, places });
    }
}

/// Everything that was told up to this counter of ours is durable at the peer (`SYN-6`).
pub(super) fn holds_by_counter(set: &mut Set, counter: u64, out: &mut Vec<Output>) {
    for log in set.own_logs.clone() {
        let Some(state) = set.logs.get(&log) else { continue };
        let takes = matches!(state.theirs, Some((_, true))) && state.counter <= counter;
        if let Some((told, _)) = state.told.filter(|_| takes) {
            holds(set, log, told.height, out);
        }
    }
}

/// Of own logs: what the peer sends with a body though it is held already may break a promise (`RCP-3`).
pub(super) fn resent(set: &Set, log: LogId, entries: &[SignedEntry], out: &mut Vec<Output>) {
    let own = set.logs.get(&log).is_some_and(|state| set.own.contains(&state.did));
    let with_body = entries.iter().filter(|entry| own && entry.body.is_some());
    let headers: Vec<Vec<u8>> = with_body.map(|entry| entry.header.clone()).collect();
    if !headers.is_empty() {
        out.push(Output::Resent { headers });
    }
}
