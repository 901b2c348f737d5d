//! One honest session with its store, and whatever mallory wants to say to it.

use xom_protocol::entry::SignedEntry;
use xom_protocol::log::Position;
use xom_protocol::sync::message::{Claim, Heads, Hello, LogHead, Message, Offer, Range, SaltedId};
use xom_protocol::sync::{CloseReason, Input, LocalDevice, Output, Salter, Session, SessionConfig, Setting};
use xom_protocol::{Did, Digest, Network};

use crate::sync_home::{Author, Home};

pub(crate) const BOBS_NONCE: [u8; 32] = [1; 32];
pub(crate) const MALLORYS_NONCE: [u8; 32] = [2; 32];

pub(crate) struct Victim {
    pub(crate) session: Session,
    pub(crate) home: Home,
    pub(crate) now_ms: u64,
    pub(crate) salter: Salter,
    /// The rules that were refused.
    pub(crate) refused: Vec<&'static str>,
    pub(crate) closed: Option<CloseReason>,
    /// What mallory hears.
    pub(crate) heard: Vec<Message>,
    pub(crate) frames: Vec<Vec<u8>>,
    pub(crate) in_sync: bool,
    /// Private settings that were taken.
    pub(crate) settings: Vec<(Did, Vec<Setting>)>,
}

pub(crate) fn hello() -> Hello {
    Hello { version: 1, network: "main".into(), nonce: MALLORYS_NONCE, epoch: 5, resume: None }
}

impl Victim {
    /// Bob, who holds the first entries of alice's log and wants more.
    pub(crate) fn following(alice: &Author, held: u64) -> Self {
        let mut home = Home::new(77);
        home.hold(alice, &alice.run(Position::EMPTY, held, 50));
        Self::fresh(home, Vec::new())
    }

    /// Before anything was said.
    pub(crate) fn fresh(home: Home, devices: Vec<LocalDevice>) -> Self {
        let session = Session::new(SessionConfig {
            network: Network::MAIN,
            nonce: BOBS_NONCE,
            epoch: home.epoch,
            our_peer_id: b"bob".to_vec(),
            their_peer_id: b"mallory".to_vec(),
            devices,
        });
        let salter = Salter::new(BOBS_NONCE, MALLORYS_NONCE);
        let mut victim = Self {
            session,
            home,
            now_ms: 1_000,
            salter,
            refused: Vec::new(),
            closed: None,
            heard: Vec::new(),
            frames: Vec::new(),
            in_sync: false,
            settings: Vec::new(),
        };
        let frontier = victim.home.frontier(9);
        victim.step(Input::Opened(frontier));
        victim
    }

    /// Says hello, proves nothing.
    pub(crate) fn greet(mut self) -> Self {
        self.hear(Message::Hello(hello()));
        self.hear(Message::Proof(Vec::new()));
        self
    }

    /// Says hello with proofs.
    pub(crate) fn greet_as(mut self, claims: Vec<Claim>) -> Self {
        self.hear(Message::Hello(hello()));
        self.hear(Message::Proof(claims));
        self
    }

    /// Offers alice's log and claims to hold so much of it; her identity is not spoken of.
    pub(crate) fn claim(mut self, alice: &Author, height: u64) -> Self {
        let id = self.salter.log(&alice.log());
        self.hear(offer(1, vec![id]));
        self.claim_head(alice, height, Digest([3; 32]));
        self.hear(Message::Compared { number: 1 });
        self
    }

    /// Offers alice's log and claims to hold just what bob holds.
    pub(crate) fn agree(mut self, alice: &Author) -> Self {
        let position = self.home.logs[&alice.log()].position();
        let id = self.salter.log(&alice.log());
        self.hear(offer(1, vec![id]));
        self.claim_head(alice, position.height, position.head.expect("not empty"));
        self.hear(Message::Compared { number: 1 });
        self
    }

    pub(crate) fn claim_head(&mut self, alice: &Author, height: u64, head: Digest) {
        let id = self.salter.log(&alice.log());
        let position = Position { height, head: Some(head) };
        let logs = vec![LogHead { id, position, wanted: true }];
        self.hear(Message::Heads(Heads { counter: 1, logs, identities: Vec::new() }));
    }

    /// Answers the request that bob made last.
    pub(crate) fn answer(&mut self, from: u64, end: bool, entries: &[SignedEntry]) {
        let request = self.asked().0;
        self.hear(Message::Range(Range { request, from, end, entries: entries.to_vec() }));
    }

    /// Number, start and end of the request that bob made last.
    pub(crate) fn asked(&self) -> (u64, u64, u64) {
        let request = |message: &Message| match message {
            Message::RangeRequest { request, from, to, .. } => Some((*request, *from, *to)),
            _ => None,
        };
        self.heard.iter().rev().find_map(request).expect("bob asked for something")
    }

    pub(crate) fn hear(&mut self, message: Message) {
        self.hear_frame(message.encode());
    }

    pub(crate) fn hear_frame(&mut self, frame: Vec<u8>) {
        self.step(Input::Received(frame));
    }

    /// Lets time pass, second by second.
    pub(crate) fn wait(&mut self, seconds: u64) {
        for _ in 0..seconds {
            self.now_ms += 1_000;
            self.step(Input::Ticked);
        }
    }

    pub(crate) fn step(&mut self, input: Input) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for output in self.session.step(input, self.now_ms) {
                assert!(self.closed.is_none(), "something after the close");
                self.perform(output, &mut inputs);
            }
        }
    }

    fn perform(&mut self, output: Output, inputs: &mut Vec<Input>) {
        match output {
            Output::Send(frame) => {
                self.heard.push(Message::decode(&frame).expect("an honest frame"));
                self.frames.push(frame);
            }
            Output::Load { request, log, from, to, bytes_max, .. } => {
                inputs.push(self.home.load(request, log, from, to, bytes_max));
            }
            Output::LoadHeaders { request, log, from, to } => {
                inputs.push(self.home.load_headers(request, log, from, to));
            }
            Output::LoadIdentity { request, did } => {
                let objects = self.home.objects(did);
                inputs.push(Input::LoadedIdentity { request, objects });
            }
            Output::LoadAimed { request, peer, since, .. } => inputs.push(self.home.load_aimed(request, peer, since)),
            Output::LoadSingles { request, entries, .. } => inputs.push(self.home.load_singles(request, &entries)),
            Output::LoadReceipts => inputs.push(self.home.load_receipts()),
            Output::ReceiptsTaken => drop(self.home.receipts_due.pop_front()),
            Output::PeerHolds { log, height } => self.home.copies.push((log, height)),
            Output::SentBodies { log, places } => self.home.sent.extend(places.into_iter().map(|place| (log, place))),
            Output::Resent { headers } => self.home.resent.extend(headers),
            Output::Apply { ticket, batch } => {
                let (answer, news) = self.home.apply(ticket, batch);
                inputs.push(answer);
                inputs.extend(news.into_iter().rev());
            }
            Output::Refused { rule, .. } => self.refused.push(rule.0),
            Output::Close(reason) => self.closed = Some(reason),
            Output::InSync => self.in_sync = true,
            Output::PeerIs { .. } | Output::SaveResume(_) | Output::Progress { .. } | Output::OwnHeadsKnown => {}
            Output::Settings { did, items } => self.settings.push((did, items)),
        }
    }

    /// Fails unless exactly this was refused and the stream closed for it.
    pub(crate) fn assert_closed_by(&self, rule: &'static str) {
        assert_eq!(self.refused.last(), Some(&rule), "{:?}", self.refused);
        assert!(matches!(&self.closed, Some(CloseReason::Refused(by)) if by.0 == rule), "{:?}", self.closed);
    }

    /// Fails unless exactly this was refused, and the conversation goes on.
    pub(crate) fn assert_goes_on_after(&self, rules: &[&'static str]) {
        assert_eq!((self.refused.as_slice(), &self.closed), (rules, &None));
    }
}

pub(crate) fn offer(number: u64, ids: Vec<SaltedId>) -> Message {
    Message::Offer(Offer { number, more: false, counter: 0, ids })
}
