//! Comparison: offers of salted ids, and heads for what both sides have in common.
//!
//! An offered id is looked for in our whole set, whatever part of it we offered ourselves.

use super::message::{Heads, IdentityHead, LogHead, Message, Offer, SaltedId};
use super::output::Output;
use super::refusal::Refusal;
use super::set::{Item, Set};
use crate::limits::{HEADS_MAX, OFFER_IDS_MAX, OFFERED_IDS_MAX};

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
    /// Our newest counter, sent with every piece of news.
    pub(super) counter: u64,
    /// The newest counter of theirs that came with news.
    pub(super) their_counter: u64,
}

impl Comparison {
    /// True once each side has compared all that the other offered.
    pub(super) fn is_complete(&self) -> bool {
        self.their_offers > 0 && self.compared == self.offers
    }

    /// True once their first offer is complete.
    pub(super) fn has_their_offer(&self) -> bool {
        self.their_offers > 0
    }

    /// The first offer: everything, or what has changed since a counter (`SYN-5`, `SYN-6`).
    pub(super) fn offer_all(&mut self, set: &mut Set, since: Option<u64>, out: &mut Vec<Output>) {
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
        self.offer(&ids, out);
    }

    /// Offers something that is new at our side, or tells where it stands if they know of it.
    pub(super) fn announce(&mut self, set: &mut Set, item: Item, out: &mut Vec<Output>) {
        let (salted, meeting, known) = match item {
            Item::Identity(did) => match set.identities.get_mut(&did) {
                Some(state) => (state.salted, &mut state.meeting, state.theirs.is_some()),
                None => return,
            },
            Item::Log(log) => match set.logs.get_mut(&log) {
                Some(state) => (state.salted, &mut state.meeting, state.theirs.is_some()),
                None => return,
            },
        };
        if known || meeting.matched {
            self.tell(set, &[item], out);
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
