//! Comparison: offers of salted ids, and heads for what both sides have in common.
//!
//! An offered id is looked for in our whole set, whatever part of it we offered ourselves.

use std::collections::BTreeSet;

use super::handshake::{Agreement, SPANS_VERSION};
use super::message::{Heads, IdentityHead, LogHead, Message, Offer, SaltedId, Spans};
use super::output::Output;
use super::refusal::Refusal;
use super::set::{Item, Meeting, Set};
use super::spans::Exchange;
use crate::limits::{HEADS_MAX, OFFER_IDS_MAX, OFFERED_IDS_MAX, SPANS_ITEMS_MIN};

/// What has become of our first offer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum First {
    /// Nothing is agreed yet.
    #[default]
    Early,
    /// It is full, and waits for theirs: they may begin with spans (`SYN-24`).
    Waiting {
        /// Theirs is full too, if no spans come before it.
        theirs_is_full: bool,
    },
    /// We have begun with spans.
    Begun,
    /// It is out.
    Sent,
}

/// How far the two sides' offers have come.
#[derive(Debug, Clone, Default)]
pub(super) struct Comparison {
    /// Complete offers that we sent.
    offers: u64,
    /// Of these, how many they have compared.
    compared: u64,
    /// Complete offers of theirs.
    their_offers: u64,
    /// Ids in them.
    their_ids: u64,
    first: First,
    /// Spans under way.
    exchange: Option<Exchange>,
    /// What goes into the offer that ends them: what differs, and what has changed meanwhile.
    due: BTreeSet<Item>,
    /// Our newest counter, sent with every piece of news.
    pub(super) counter: u64,
    /// The newest counter of theirs that came with news.
    pub(super) their_counter: u64,
}

impl Comparison {
    /// True once each side has compared all that the other offered.
    pub(super) fn is_complete(&self) -> bool {
        self.first == First::Sent && self.their_offers > 0 && self.compared == self.offers
    }

    /// True once their first offer is complete.
    pub(super) fn has_their_offer(&self) -> bool {
        self.their_offers > 0
    }

    /// The first offer, or what comes before it: what has changed since a counter, everything, or spans (`SYN-6`,
    /// `SYN-24`). `resumes` if we asked for changes only.
    pub(super) fn begin(&mut self, set: &mut Set, agreement: &Agreement, resumes: bool, out: &mut Vec<Output>) {
        let is_large = agreement.since.is_none() && set.len() >= SPANS_ITEMS_MIN;
        match (is_large && agreement.version >= SPANS_VERSION, agreement.begins) {
            (false, _) => self.offer_all(set, agreement.since, out),
            (true, false) => self.first = First::Waiting { theirs_is_full: !resumes },
            (true, true) => {
                self.first = First::Begun;
                let mut exchange = Exchange::of(set, &agreement.salter);
                out.push(Output::Send(Message::Spans(exchange.begin()).encode()));
                self.exchange = Some(exchange);
            }
        }
    }

    /// Everything, or what has changed since a counter (`SYN-5`, `SYN-6`).
    fn offer_all(&mut self, set: &mut Set, since: Option<u64>, out: &mut Vec<Output>) {
        let is_due = |counter: u64| since.is_none_or(|since| counter > since);
        let mut ids = Vec::new();
        for state in set.identities.values_mut().filter(|state| is_due(state.counter)) {
            state.meeting.offered = true;
            ids.push(state.salted);
        }
        for state in set.logs.values_mut().filter(|state| is_due(state.counter)) {
            state.meeting.offered = true;
            ids.push(state.salted);
        }
        ids.sort_unstable();
        self.first = First::Sent;
        self.due.clear();
        self.offer(&ids, out);
    }

    /// Offers what spans have found, what has changed since they began, and in the first offer what is our own, of
    /// which the peer has to hear whether it differs or not (`SYN-24`).
    fn offer_due(&mut self, set: &mut Set, out: &mut Vec<Output>) {
        let mut due = std::mem::take(&mut self.due);
        let is_first = self.first != First::Sent;
        if is_first {
            due.extend(set.own_items());
        }
        self.first = First::Sent;
        let mut ids = Vec::new();
        let mut known = Vec::new();
        for item in due {
            let Some((salted, meeting, is_heard)) = met(set, item) else { continue };
            if meeting.matched || is_heard {
                known.push(item);
            } else if !meeting.offered {
                meeting.offered = true;
                ids.push(salted);
            }
        }
        self.tell(set, &known, out);
        ids.sort_unstable();
        if is_first || !ids.is_empty() {
            self.offer(&ids, out);
        }
    }

    /// Takes prints and lists of theirs, and says what comes next (`SYN-26`).
    pub(super) fn take_spans(
        &mut self,
        set: &mut Set,
        agreement: &Agreement,
        spans: &Spans,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        Refusal::unless(agreement.version >= SPANS_VERSION, "SYN-1", "a message of another version")?;
        let is_due =
            if agreement.begins { self.first == First::Begun } else { self.their_offers + self.their_ids == 0 };
        Refusal::unless(is_due, "SYN-24", "spans out of turn")?;
        let mut exchange = self.exchange.take().unwrap_or_else(|| Exchange::of(set, &agreement.salter));
        let is_asked = !agreement.begins || !exchange.is_answered();
        Refusal::unless(is_asked, "SYN-26", "spans that answer nothing")?;
        let found = exchange.take(spans)?;
        self.due.extend(found.differing);
        for item in found.equal {
            note_equal(set, item);
        }
        if agreement.begins && found.is_last && exchange.is_empty() {
            self.offer_due(set, out);
        } else {
            out.push(Output::Send(Message::Spans(exchange.next()).encode()));
            self.exchange = Some(exchange);
        }
        Ok(())
    }

    /// Their first offer is complete: spans are over, and ours is due if it has waited.
    fn follow_their_first(&mut self, set: &mut Set, out: &mut Vec<Output>) {
        let had_spans = self.exchange.take_if(|_| self.first != First::Begun).is_some();
        match self.first {
            First::Waiting { theirs_is_full } if !had_spans && !theirs_is_full => self.offer_all(set, None, out),
            First::Waiting { .. } => self.offer_due(set, out),
            First::Sent if had_spans => self.offer_due(set, out),
            First::Early | First::Begun | First::Sent => {}
        }
    }

    /// Offers something that is new at our side, or tells where it stands if they know of it.
    pub(super) fn announce(&mut self, set: &mut Set, item: Item, out: &mut Vec<Output>) {
        let Some((salted, meeting, is_heard)) = met(set, item) else { return };
        if is_heard || meeting.matched {
            self.tell(set, &[item], out);
        } else if self.first != First::Sent {
            self.due.insert(item);
        } else if !meeting.offered {
            meeting.offered = true;
            self.offer(&[salted], out);
        }
    }

    fn offer(&mut self, ids: &[SaltedId], out: &mut Vec<Output>) {
        self.offers += 1;
        let mut rest = ids;
        loop {
            let (part, after) = rest.split_at(rest.len().min(OFFER_IDS_MAX));
            let more = !after.is_empty();
            let offer = Offer { number: self.offers, more, counter: self.counter, ids: part.to_vec() };
            out.push(Output::Send(Message::Offer(offer).encode()));
            if !more {
                return;
            }
            rest = after;
        }
    }

    /// Takes a part of their offer and answers with heads; true if it brought anything (`SYN-5`).
    pub(super) fn take_offer(&mut self, set: &mut Set, offer: Offer, out: &mut Vec<Output>) -> Result<bool, Refusal> {
        Refusal::unless(offer.number == self.their_offers + 1, "SYN-5", "an offer out of turn")?;
        self.their_ids += offer.ids.len() as u64;
        Refusal::unless(self.their_ids <= OFFERED_IDS_MAX, "SYN-5", "too many ids")?;
        self.take_counter(offer.counter)?;
        let items: Vec<Item> = offer.ids.iter().filter_map(|id| meet(set, id)).collect();
        self.tell(set, &items, out);
        if !offer.more {
            self.their_offers = offer.number;
            out.push(Output::Send(Message::Compared { number: offer.number }.encode()));
            if offer.number == 1 {
                self.follow_their_first(set, out);
            }
        }
        Ok(!offer.ids.is_empty())
    }

    /// Notes that they have compared an offer of ours (`SYN-7`).
    pub(super) fn take_compared(&mut self, number: u64) -> Result<(), Refusal> {
        let right = number == self.compared + 1 && number <= self.offers;
        Refusal::unless(right, "SYN-7", "compared what was not offered")?;
        self.compared = number;
        Ok(())
    }

    /// Counters never fall (`SYN-6`).
    pub(super) fn take_counter(&mut self, counter: u64) -> Result<(), Refusal> {
        Refusal::unless(counter >= self.their_counter, "SYN-6", "a counter that falls")?;
        self.their_counter = counter;
        Ok(())
    }

    /// Takes heads and tells ours where we have not; true if anything was new (`SYN-7`).
    pub(super) fn take_heads(&mut self, set: &mut Set, heads: Heads, out: &mut Vec<Output>) -> Result<bool, Refusal> {
        self.take_counter(heads.counter)?;
        let mut untold = Vec::new();
        let mut news = false;
        for head in &heads.identities {
            news |= take_identity_head(set, head, &mut untold)?;
        }
        for head in &heads.logs {
            news |= take_log_head(set, head, &mut untold)?;
            if let Some(Item::Log(log)) = set.item(&head.id) {
                super::receipts::holds(set, log, head.position.height, out);
            }
        }
        self.tell(set, &untold, out);
        Ok(news)
    }

    /// Tells where we stand in these items, where that is not what we told last (`SYN-7`).
    pub(super) fn tell(&self, set: &mut Set, items: &[Item], out: &mut Vec<Output>) {
        for part in items.chunks(HEADS_MAX) {
            let mut heads = Heads { counter: self.counter, ..Heads::default() };
            for item in part {
                match item {
                    Item::Identity(did) => heads.identities.extend(identity_head(set, did)),
                    Item::Log(log) => heads.logs.extend(log_head(set, log)),
                }
            }
            if !heads.logs.is_empty() || !heads.identities.is_empty() {
                out.push(Output::Send(Message::Heads(heads).encode()));
            }
        }
    }
}

fn identity_head(set: &mut Set, did: &crate::ids::Did) -> Option<IdentityHead> {
    let state = set.identities.get_mut(did)?;
    let news = state.told != Some(state.ours);
    state.told = Some(state.ours);
    news.then_some(IdentityHead { id: state.salted, digest: state.ours })
}

fn log_head(set: &mut Set, log: &crate::ids::LogId) -> Option<LogHead> {
    let state = set.logs.get_mut(log)?;
    let now = (state.ours, state.wanted);
    let news = state.told != Some(now);
    state.told = Some(now);
    state.told_height = state.told_height.max(state.ours.height);
    state.told_wanted |= state.wanted;
    news.then_some(LogHead { id: state.salted, position: state.ours, wanted: state.wanted })
}

/// Id and meeting of an item, and whether they have said where they stand.
fn met(set: &mut Set, item: Item) -> Option<(SaltedId, &mut Meeting, bool)> {
    match item {
        Item::Identity(did) => {
            let state = set.identities.get_mut(&did)?;
            Some((state.salted, &mut state.meeting, state.theirs.is_some()))
        }
        Item::Log(log) => {
            let state = set.logs.get_mut(&log)?;
            Some((state.salted, &mut state.meeting, state.theirs.is_some()))
        }
    }
}

/// Notes that both hold the same of an item.
fn note_equal(set: &mut Set, item: Item) {
    match item {
        Item::Identity(did) => {
            if let Some(state) = set.identities.get_mut(&did) {
                state.meeting.equal = state.ours.is_some();
            }
        }
        Item::Log(log) => {
            if let Some(state) = set.logs.get_mut(&log) {
                state.meeting.equal = state.ours.height > 0;
            }
        }
    }
}

/// Notes that they know an id; returns the item if it is in our set.
fn meet(set: &mut Set, id: &SaltedId) -> Option<Item> {
    let item = set.item(id)?;
    let (meeting, unheard) = match item {
        Item::Identity(did) => {
            let state = set.identities.get_mut(&did)?;
            (&mut state.meeting, state.theirs.is_none())
        }
        Item::Log(log) => {
            let state = set.logs.get_mut(&log)?;
            (&mut state.meeting, state.theirs.is_none())
        }
    };
    if !meeting.matched && unheard {
        set.awaited += 1;
    }
    meeting.matched = true;
    Some(item)
}

fn unasked() -> Refusal {
    Refusal::grave("SYN-7", "a head of what is not in common")
}

fn take_identity_head(set: &mut Set, head: &IdentityHead, untold: &mut Vec<Item>) -> Result<bool, Refusal> {
    let Some(item @ Item::Identity(did)) = set.item(&head.id) else { return Err(unasked()) };
    let state = set.identities.get_mut(&did).filter(|state| state.meeting.has_begun()).ok_or_else(unasked)?;
    let news = state.theirs != Some(head.digest);
    if state.theirs.is_none() && state.meeting.matched {
        set.awaited -= 1;
    }
    state.theirs = Some(head.digest);
    if state.told.is_none() {
        untold.push(item);
    }
    set.refresh_identity(did);
    Ok(news)
}

fn take_log_head(set: &mut Set, head: &LogHead, untold: &mut Vec<Item>) -> Result<bool, Refusal> {
    let Some(item @ Item::Log(log)) = set.item(&head.id) else { return Err(unasked()) };
    let state = set.logs.get_mut(&log).filter(|state| state.meeting.has_begun()).ok_or_else(unasked)?;
    let news = state.theirs != Some((head.position, head.wanted));
    if state.theirs.is_none() && state.meeting.matched {
        set.awaited -= 1;
    }
    let shrunk = news && state.theirs.is_some() && head.position.height <= state.their_height();
    if shrunk {
        state.turned();
    }
    state.theirs = Some((head.position, head.wanted));
    // While they stood higher they were not told how we grew.
    if state.told.is_none() || shrunk {
        untold.push(item);
    }
    let same_height = head.position.height == state.ours.height;
    if news && same_height && head.position.head != state.ours.head {
        super::fork::suspect(state, head.position.height - 1);
    }
    set.refresh_log(log);
    Ok(news)
}
