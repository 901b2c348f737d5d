//! The session: one screen of state, and one `match` whose arms call the sub-machines.

use super::aimed::AimedExchange;
use super::ancestry;
use super::applying::Applying;
use super::bodies;
use super::clock::Clock;
use super::comparison::Comparison;
use super::handshake::{self, Agreement};
use super::input::{Frontier, IdentitySummary, Input, LogSummary, Resume, SessionConfig};
use super::message::{Claim, Hello, Message};
use super::output::{CloseReason, Output};
use super::own::OwnHeads;
use super::proofs::Proofs;
use super::push::{Growth, Pushes};
use super::ranges::Fetches;
use super::receipts::ReceiptExchange;
use super::refusal::Refusal;
use super::serving::Serving;
use super::set::{Item, Set};
use super::settings;
use super::singles::Singles;
use crate::ids::{Did, Digest, EntryId, LogId};
use crate::limits::{AIMED_ENTRIES_MAX, FAULTS_MAX};
use crate::rule::Rule;

/// How far the conversation has come.
#[derive(Debug, Clone)]
enum Phase {
    /// Before [`Input::Opened`].
    Fresh,
    /// Our hello is out.
    Greeting,
    /// Theirs has come; their proof has not.
    Proving(Agreement),
    /// Everything may be said.
    Open(Agreement),
    /// Nothing is said or heard any more.
    Closed,
}

/// One side of one sync stream. Both sides run the same machine.
#[derive(Debug, Clone)]
pub struct Session {
    config: SessionConfig,
    phase: Phase,
    clock: Clock,
    set: Set,
    comparison: Comparison,
    fetches: Fetches,
    singles: Singles,
    serving: Serving,
    applying: Applying,
    pushes: Pushes,
    aimed: AimedExchange,
    own: OwnHeads,
    proofs: Proofs,
    receipts: ReceiptExchange,
    /// We asked for changes only.
    resumes: bool,
    faults: u64,
    is_in_sync: bool,
    entries_left: u64,
}

impl Session {
    /// A session for a stream that has just been opened, by either side.
    pub fn new(config: SessionConfig) -> Self {
        Self {
            set: Set::new(config.network, config.devices.iter().map(|device| device.did).collect()),
            own: OwnHeads::new(&config),
            proofs: Proofs::default(),
            config,
            phase: Phase::Fresh,
            clock: Clock::default(),
            comparison: Comparison::default(),
            fetches: Fetches::default(),
            singles: Singles::default(),
            serving: Serving::default(),
            applying: Applying::default(),
            pushes: Pushes::default(),
            aimed: AimedExchange::default(),
            receipts: ReceiptExchange::default(),
            resumes: false,
            faults: 0,
            is_in_sync: false,
            entries_left: 0,
        }
    }

    /// Takes one input and returns what must be done now, in order. `now_ms` never falls.
    pub fn step(&mut self, input: Input, now_ms: u64) -> Vec<Output> {
        let mut out = Vec::new();
        if !matches!(self.phase, Phase::Closed) {
            let taken = self.take(input, now_ms, &mut out);
            self.judge(taken, &mut out);
            self.follow_up(now_ms, &mut out);
        }
        out
    }

    /// True if the peer has said that it holds something of a log of this identity, which we hold too.
    pub fn shares(&self, did: &Did) -> bool {
        let mut logs = self.set.logs.values().filter(|state| state.did == *did);
        logs.any(|state| state.ours.height > 0 && (state.their_height() > 0 || state.meeting.equal))
    }

    /// The digest of the objects of this identity, where the peer has said that it holds the same as we do.
    pub fn agreed_on(&self, did: &Did) -> Option<Digest> {
        let state = self.set.identities.get(did)?;
        state.ours.filter(|_| state.theirs == Some(state.ours))
    }

    /// True once [`Output::Close`] was returned.
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    fn take(&mut self, input: Input, now_ms: u64, out: &mut Vec<Output>) -> Result<(), Refusal> {
        match input {
            Input::Opened(frontier) => self.open(frontier, now_ms, out),
            Input::Received(frame) => return self.receive(&frame, now_ms, out),
            Input::Identity(summary) => self.put_identity(summary, out),
            Input::Log(summary) => self.put_log(summary, out),
            Input::Lacked { log, places } => self.put_lacked(log, places, out),
            Input::Admitted { log, entries } => self.put_admitted(log, entries, out),
            Input::Sought { log, head } => self.put_sought(log, head, out),
            Input::Stored { log, from, entries, position, counter } => {
                self.stored(Growth { log, from, entries, position }, counter, now_ms, out);
            }
            Input::Aimed { items, counter } => {
                self.count(counter);
                if !self.aimed.push(items, &mut self.pushes, self.comparison.counter, now_ms, out) {
                    self.close(CloseReason::PushWindowFull, out);
                }
            }
            Input::Proven { log, proof } => self.proofs.pass(&self.set, log, proof, out),
            Input::Settings { did, items } => {
                let is_open = matches!(self.phase, Phase::Open(_));
                if is_open && settings::are_siblings(&self.config, self.aimed.claims(), &did) && !items.is_empty() {
                    out.push(Output::Send(Message::Settings { did, items }.encode()));
                }
            }
            Input::Loaded { request, entries } => self.serving.loaded(&mut self.set, request, entries, out),
            Input::LoadedHeaders { request, headers } => {
                self.serving.loaded_headers(&mut self.set, request, headers, out);
            }
            Input::LoadedIdentity { request, objects } => self.serving.loaded_identity(request, objects, out),
            Input::LoadedSingles { request, items } => self.serving.loaded_singles(request, items, out),
            Input::LoadedAimed { request, items } => self.aimed.loaded(request, items),
            Input::ReceiptsDue => self.receipts.set_due(),
            Input::LoadedReceipts(news) => self.receipts.loaded(news, out),
            Input::Applied { ticket, outcome, position } => {
                let log = self.applying.log_of(ticket);
                let taken = self.applying.applied(&mut self.set, ticket, outcome, position);
                if let Some(log) = log {
                    self.tell_author(log, out);
                }
                return taken;
            }
            Input::Ticked => {}
        }
        Ok(())
    }

    fn open(&mut self, frontier: Frontier, now_ms: u64, out: &mut Vec<Output>) {
        self.phase = Phase::Greeting;
        self.clock = Clock::opened(now_ms);
        self.count(frontier.counter);
        let resume = frontier.resume.map(|resume| (resume.their_epoch, resume.their_counter));
        self.resumes = resume.is_some();
        self.set.fill(frontier);
        out.push(Output::Send(Message::Hello(handshake::hello(&self.config, resume)).encode()));
    }

    fn receive(&mut self, frame: &[u8], now_ms: u64, out: &mut Vec<Output>) -> Result<(), Refusal> {
        self.clock.received(now_ms);
        let message = Message::decode(frame)?;
        match (&self.phase, message) {
            (_, Message::Bye { reason }) => {
                self.phase = Phase::Closed;
                out.push(Output::Close(CloseReason::ByPeer(reason)));
                Ok(())
            }
            (Phase::Greeting, Message::Hello(hello)) => self.greeted(&hello, out),
            (Phase::Proving(agreement), Message::Proof(claims)) => {
                let agreement = agreement.clone();
                self.proven(agreement, claims, out)
            }
            (Phase::Open(_), message) => self.converse(message, now_ms, out),
            _ => Err(out_of_turn()),
        }
    }

    fn greeted(&mut self, hello: &Hello, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let agreement = handshake::agree(&self.config, self.comparison.counter, hello)?;
        self.set.salt(agreement.salter);
        out.push(Output::Send(Message::Proof(handshake::prove(&self.config, &agreement)).encode()));
        self.phase = Phase::Proving(agreement);
        Ok(())
    }

    fn proven(&mut self, agreement: Agreement, claims: Vec<Claim>, out: &mut Vec<Output>) -> Result<(), Refusal> {
        handshake::check_proofs(&self.config, &agreement, &claims)?;
        out.extend(claims.iter().map(|claim| Output::PeerIs { did: claim.did, device: claim.device }));
        self.aimed.set_claims(claims);
        let resumes = self.resumes;
        self.comparison.begin(&mut self.set, &agreement, resumes, out);
        self.phase = Phase::Open(agreement);
        Ok(())
    }

    /// One message of the open conversation.
    fn converse(&mut self, message: Message, now_ms: u64, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let Self { set, comparison, fetches, serving, applying, pushes, aimed, proofs, receipts, .. } = self;
        let news = match message {
            Message::Offer(offer) => comparison.take_offer(set, offer, out)?,
            Message::Spans(spans) => {
                let Phase::Open(agreement) = &self.phase else { return Err(out_of_turn()) };
                comparison.take_spans(set, agreement, &spans, out).map(|()| true)?
            }
            Message::Heads(heads) => comparison.take_heads(set, heads, out)?,
            Message::Compared { number } => comparison.take_compared(number).map(|()| true)?,
            Message::RangeRequest { request, id, from, to } => {
                serving.take_range(set, request, &id, (from, to), out).map(|()| true)?
            }
            Message::Range(range) => fetches.take_range(set, applying, range, out).map(|()| true)?,
            Message::IdentityRequest { request, id } => serving.take_identity(set, request, &id, out).map(|()| true)?,
            Message::IdentityObjects { request, end, objects } => {
                fetches.take_objects(set, applying, request, end, objects, out).map(|()| true)?
            }
            Message::Push(push) => pushes.take(set, comparison, applying, push, out).map(|()| true)?,
            Message::Ack { pushes: done, counter } => pushes.take_ack(set, done, counter, comparison.counter, out)?,
            Message::Receipts { number, news } => receipts.take(number, news).map(|()| true)?,
            Message::ReceiptsAck { number } => receipts.take_ack(number, out).map(|()| true)?,
            Message::Aimed(message) => {
                let proven = self.config.devices.len() as u64;
                let allowed =
                    if proven == 0 { 0 } else { AIMED_ENTRIES_MAX as u64 * proven + self.clock.seconds(now_ms) };
                aimed.take(message, allowed, pushes, comparison, applying, out).map(|()| true)?
            }
            Message::ForkRequest { request, id, at } => serving.take_fork(set, request, &id, at, out).map(|()| true)?,
            Message::AncestorsRequest { request, id, at, hash } => {
                serving.take_ancestors(set, request, &id, (at, hash), out).map(|()| true)?
            }
            Message::SinglesRequest { request, id, entries } => {
                serving.take_singles(set, request, &id, entries, out).map(|()| true)?
            }
            Message::Singles { request, items } => {
                let with = (&*set, applying, now_ms);
                fetches.take_singles(&mut self.singles, (request, items), with, out).map(|()| true)?
            }
            Message::Proven { id, proof } => proofs.take(set, applying, &id, proof, out)?,
            Message::Settings { did, items } => {
                settings::take(&self.config, aimed.claims(), did, items, out).map(|()| false)?
            }
            Message::Ping => false,
            Message::Hello(_) | Message::Proof(_) | Message::Bye { .. } => {
                return Err(out_of_turn());
            }
        };
        let allowed = news || self.clock.idle(now_ms);
        Refusal::unless(allowed, "SYN-15", "too many messages that bring nothing new")
    }

    fn put_identity(&mut self, summary: IdentitySummary, out: &mut Vec<Output>) {
        self.count(summary.counter);
        self.set.put_identity(summary);
        self.announce(Item::Identity(summary.did), out);
    }

    fn put_log(&mut self, summary: LogSummary, out: &mut Vec<Output>) {
        self.count(summary.counter);
        self.set.put_log(summary);
        self.announce(Item::Log(summary.log), out);
    }

    fn put_lacked(&mut self, log: LogId, places: Vec<u64>, out: &mut Vec<Output>) {
        if !places.is_empty() {
            self.bring_up(log, out);
        }
        bodies::note(&mut self.set, log, places);
    }

    fn put_admitted(&mut self, log: LogId, entries: Vec<(u64, EntryId)>, out: &mut Vec<Output>) {
        if !entries.is_empty() {
            self.bring_up(log, out);
        }
        self.singles.note(log, entries);
    }

    fn put_sought(&mut self, log: LogId, head: Option<(u64, Digest)>, out: &mut Vec<Output>) {
        if head.is_some() {
            self.bring_up(log, out);
        }
        ancestry::note(&mut self.set, log, head);
    }

    /// Where only changes are compared (`SYN-6`), the peer has to hear of identity and log first.
    fn bring_up(&mut self, log: LogId, out: &mut Vec<Output>) {
        let Some(state) = self.set.logs.get(&log) else { return };
        let (did, log_is_heard) = (state.did, state.theirs.is_some());
        let is_heard = self.set.identities.get(&did).is_none_or(|state| state.theirs.is_some());
        let unheard = [(Item::Identity(did), is_heard), (Item::Log(log), log_is_heard)];
        for (item, _) in unheard.into_iter().filter(|(_, heard)| !heard) {
            self.announce(item, out);
        }
    }

    fn announce(&mut self, item: Item, out: &mut Vec<Output>) {
        if matches!(self.phase, Phase::Open(_)) {
            self.comparison.announce(&mut self.set, item, out);
        }
    }

    fn stored(&mut self, growth: Growth, counter: u64, now_ms: u64, out: &mut Vec<Output>) {
        self.count(counter);
        let log = growth.log;
        self.set.grow(log, growth.position, counter);
        let is_open = matches!(self.phase, Phase::Open(_));
        match self.set.logs.get(&log) {
            Some(state) if is_open && state.theirs.is_some() => {
                self.pushes.grown(&mut self.set, &self.comparison, growth, now_ms, out);
            }
            Some(_) => self.announce(Item::Log(log), out),
            None => {}
        }
    }

    /// Tells the author's device that its log is held up to where it stands there (`RCP-6`).
    fn tell_author(&mut self, log: LogId, out: &mut Vec<Output>) {
        let Some(state) = self.set.logs.get(&log).filter(|state| self.aimed.is_claimed(&state.did)) else { return };
        if state.has_caught_up() {
            self.comparison.tell(&mut self.set, &[Item::Log(log)], out);
        }
    }

    fn count(&mut self, counter: u64) {
        self.comparison.counter = self.comparison.counter.max(counter);
    }

    /// Counts a refusal, and closes if it is grave or one too many (`SYN-15`).
    fn judge(&mut self, taken: Result<(), Refusal>, out: &mut Vec<Output>) {
        let Err(Refusal { rule, detail, grave }) = taken else { return };
        out.push(Output::Refused { rule, detail });
        self.faults += 1;
        if grave || self.faults >= FAULTS_MAX {
            self.close(CloseReason::Refused(rule), out);
        }
    }

    fn close(&mut self, reason: CloseReason, out: &mut Vec<Output>) {
        self.phase = Phase::Closed;
        out.push(Output::Send(Message::Bye { reason: reason.to_string() }.encode()));
        out.push(Output::Close(reason));
    }

    /// What every step ends with: timers, new requests, acknowledgements.
    fn follow_up(&mut self, now_ms: u64, out: &mut Vec<Output>) {
        if let Some(reason) = self.overdue(now_ms) {
            if reason == CloseReason::TooSlow {
                out.push(Output::Refused { rule: Rule("SYN-14"), detail: "an answer that is too slow".to_owned() });
            }
            self.close(reason, out);
        }
        if let Phase::Open(agreement) = &self.phase {
            let (since, their_epoch) = (agreement.since, agreement.their_epoch);
            self.fetches.schedule(&mut self.set, &mut self.singles, &self.own, &self.applying, now_ms, out);
            let is_heard = self.comparison.is_complete() && self.set.awaited == 0;
            if self.own.become_known(is_heard, &self.set, &self.fetches) {
                out.push(Output::OwnHeadsKnown);
            }
            self.aimed.send_waiting(&mut self.pushes, self.comparison.counter, now_ms, out);
            self.settle(since, their_epoch, out);
            if self.clock.is_ping_due(now_ms) {
                out.push(Output::Send(Message::Ping.encode()));
            }
        }
        if out.iter().any(|output| matches!(output, Output::Send(_))) {
            self.clock.sent(now_ms);
        }
    }

    fn overdue(&self, now_ms: u64) -> Option<CloseReason> {
        let is_open = matches!(self.phase, Phase::Open(_));
        if matches!(self.phase, Phase::Fresh | Phase::Closed) {
            return None;
        }
        let late = self.clock.overdue(is_open, self.comparison.has_their_offer(), now_ms);
        late.or_else(|| (!self.fetches.are_in_time(now_ms)).then_some(CloseReason::TooSlow))
            .or_else(|| (!self.pushes.are_in_time(now_ms)).then_some(CloseReason::PushWindowFull))
    }

    /// Says what is durable, and whether that is everything in common (`SYN-6`).
    fn settle(&mut self, since: Option<u64>, their_epoch: u64, out: &mut Vec<Output>) {
        if self.set.entries_left != self.entries_left {
            self.entries_left = self.set.entries_left;
            out.push(Output::Progress { logs_left: self.set.logs_left, entries_left: self.set.entries_left });
        }
        let is_compared = self.is_compared();
        if is_compared {
            self.aimed.start(since.unwrap_or(0), out);
            self.receipts.follow_up(&mut self.applying, out);
        }
        self.receipts.acknowledge(&mut self.applying, out);
        let is_in_sync = is_compared && !self.set.has_gap && self.aimed.is_complete(!self.config.devices.is_empty());
        let their_counter = self.comparison.their_counter;
        let counter = is_in_sync.then_some(their_counter);
        if self.pushes.acknowledge(self.applying.pushes_done, counter, out) {
            out.push(Output::SaveResume(Resume { their_epoch, their_counter }));
        }
        if is_in_sync && !self.is_in_sync {
            out.push(Output::InSync);
        }
        self.is_in_sync = is_in_sync;
    }

    /// True if nothing in common is unheard of, unasked, unanswered or not yet durable.
    fn is_compared(&self) -> bool {
        let set = &self.set;
        let searched = set.due_forks.is_empty() && set.due_ancestry.is_empty();
        let nothing_due = set.due_identities.is_empty() && set.due_logs.is_empty() && searched;
        let nothing_open = self.fetches.is_empty() && self.applying.is_empty();
        self.comparison.is_complete() && set.awaited == 0 && nothing_due && nothing_open
    }
}

fn out_of_turn() -> Refusal {
    Refusal::grave("SYN-3", "a message out of turn")
}
