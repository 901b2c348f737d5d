//! What one node holds: how far it has each log that it wants. It verifies what it is given, as a node does.

use std::collections::BTreeMap;

use xom_protocol::log::{Position, verify_run};
use xom_protocol::sync::{Batch, Frontier, IdentitySummary, Input, LogSummary, Outcome, RequestId, Ticket};
use xom_protocol::{Digest, LogId, Network, Rule};

use super::people::{Author, People, did_of};

/// What is held of one identity.
#[derive(Debug, Clone, Copy, Default)]
struct Held {
    /// Its objects are here, so its log is known.
    is_known: bool,
    identity_counter: u64,
    height: u64,
    log_counter: u64,
}

/// What came of a batch.
pub(super) struct Taken {
    pub(super) answer: Input,
    /// For every session of the node.
    pub(super) news: Vec<Input>,
    /// An author, and the places that are new.
    pub(super) grown: Option<(u32, std::ops::Range<u64>)>,
}

/// The store of one node.
#[derive(Debug, Default)]
pub(super) struct Store {
    counter: u64,
    held: BTreeMap<u32, Held>,
}

impl Store {
    /// Wants an author of whom nothing is held yet.
    pub(super) fn want(&mut self, author: u32) {
        self.counter += 1;
        let held = Held { identity_counter: self.counter, ..Held::default() };
        self.held.entry(author).or_insert(held);
    }

    /// Holds all of an author who lives here.
    pub(super) fn own(&mut self, number: u32, author: &Author) {
        self.counter += 1;
        let (counter, height) = (self.counter, author.height());
        let held = Held { is_known: true, identity_counter: counter, height, log_counter: counter };
        self.held.insert(number, held);
    }

    pub(super) fn wants(&self, author: u32) -> bool {
        self.held.contains_key(&author)
    }

    pub(super) fn height(&self, author: u32) -> u64 {
        self.held.get(&author).map_or(0, |held| held.height)
    }

    pub(super) fn heights(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        self.held.iter().map(|(author, held)| (*author, held.height))
    }

    pub(super) fn frontier(&self, people: &People) -> Frontier {
        let known = self.held.iter().filter(|(_, held)| held.is_known);
        Frontier {
            identities: self.held.iter().map(|(number, held)| identity(people.of(*number), *held)).collect(),
            logs: known.map(|(number, held)| log(people.of(*number), *held)).collect(),
            counter: self.counter,
            resume: None,
        }
    }

    /// Takes what the author who lives here has just published.
    pub(super) fn published(&mut self, number: u32, author: &Author) -> Option<Input> {
        self.grow(number, author, author.height())
    }

    fn grow(&mut self, number: u32, author: &Author, height: u64) -> Option<Input> {
        self.counter += 1;
        let held = self.held.get_mut(&number)?;
        let from = std::mem::replace(&mut held.height, height);
        held.log_counter = self.counter;
        let entries = author.entries[from as usize..height as usize].to_vec();
        Some(Input::Stored { log: author.log, from, entries, position: author.position(height), counter: self.counter })
    }

    pub(super) fn load(
        &self,
        people: &People,
        request: RequestId,
        log: &LogId,
        places: std::ops::Range<u64>,
        bytes_max: u64,
    ) -> Input {
        let mut entries = Vec::new();
        if let Some(number) = people.by_log(log) {
            let mut bytes = 0;
            let to = places.end.min(self.height(number));
            for entry in &people.of(number).entries[places.start.min(to) as usize..to as usize] {
                bytes += 300 + entry.body.as_ref().map_or(0, |body| body.bytes.len() as u64);
                if bytes > bytes_max && !entries.is_empty() {
                    break;
                }
                entries.push(entry.clone());
            }
        }
        Input::Loaded { request, entries }
    }

    pub(super) fn apply(&mut self, people: &People, ticket: Ticket, batch: Batch) -> Taken {
        let answer = |outcome, position| Input::Applied { ticket, outcome, position };
        let dropped = || Taken { answer: answer(Outcome::Dropped, Position::EMPTY), news: Vec::new(), grown: None };
        match batch {
            Batch::Identity { did, objects } => {
                let Some(number) = people.by_did(&did) else { return dropped() };
                let is_right = objects.iter().any(|object| did_of(object) == did);
                let outcome = if is_right { Outcome::Applied } else { Outcome::Refused(Rule("ID-1")) };
                let news = if is_right { self.learn(number, people.of(number)) } else { Vec::new() };
                Taken { answer: answer(outcome, Position::EMPTY), news, grown: None }
            }
            Batch::Run { did, log, from, mut entries, .. } => {
                let number =
                    people.by_log(&log).filter(|number| self.held.get(number).is_some_and(|held| held.is_known));
                let Some(number) = number else { return dropped() };
                let (author, height) = (people.of(number), self.height(number));
                let held = height.saturating_sub(from).min(entries.len() as u64);
                entries.drain(..held as usize);
                let run = verify_run(Network::MAIN, &author.key, did, log, author.position(height), entries);
                let outcome = run.refused.as_ref().map_or(Outcome::Applied, |refused| Outcome::Refused(refused.rule()));
                let position = run.position(author.position(height));
                assert_eq!(position, author.position(position.height), "a verified log is what its author wrote");
                let grown = (position.height > height).then_some((number, height..position.height));
                let news = grown.as_ref().and_then(|_| self.grow(number, author, position.height));
                Taken { answer: answer(outcome, position), news: news.into_iter().collect(), grown }
            }
            Batch::Bodies { .. }
            | Batch::Aimed { .. }
            | Batch::Singles { .. }
            | Batch::Proven { .. }
            | Batch::Receipts(_)
            | Batch::Fork { .. }
            | Batch::Ancestors { .. } => dropped(),
        }
    }

    fn learn(&mut self, number: u32, author: &Author) -> Vec<Input> {
        self.counter += 1;
        let counter = self.counter;
        let Some(held) = self.held.get_mut(&number).filter(|held| !held.is_known) else { return Vec::new() };
        (held.is_known, held.identity_counter, held.log_counter) = (true, counter, counter);
        vec![Input::Identity(identity(author, *held)), Input::Log(log(author, *held))]
    }
}

fn identity(author: &Author, held: Held) -> IdentitySummary {
    let digest = held.is_known.then(|| Digest::of(&[&author.object]));
    IdentitySummary { did: author.did, digest, counter: held.identity_counter }
}

fn log(author: &Author, held: Held) -> LogSummary {
    let (did, log) = (author.did, author.log);
    LogSummary { did, log, position: author.position(held.height), counter: held.log_counter, wanted: true }
}
