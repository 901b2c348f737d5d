//! The side that grants: one offer, and whoever comes with it.

use std::collections::BTreeMap;

use super::digits::{Digits, Transcript};
use super::message::{Message, PAIR_VERSION, Refused};
use super::offer::Offer;
use crate::identity::grants;
use crate::ids::{DeviceId, Digest};
use crate::keys::{PublicKey, Signature};
use crate::limits::{ANSWER_FRAME_BYTES, PAIR_ANSWER_MS, PAIR_TRIES_MAX, PAIR_WRONG_MAX};
use crate::network::Network;
use crate::rule::Rule;

/// Streams that have not shown the secret yet; more are closed unheard.
const KNOCKING_MAX: usize = 8;

/// Tells the streams of one offer apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u64);

/// What happens at the granting side.
#[derive(Debug, Clone)]
pub enum GranterInput {
    /// A peer has opened a stream.
    Opened {
        /// The stream.
        stream: StreamId,
        /// The peer id, as the connection beneath has authenticated it.
        peer: Vec<u8>,
        /// 32 fresh random bytes.
        nonce: [u8; 32],
    },
    /// A frame's body has come.
    Received {
        /// The stream.
        stream: StreamId,
        /// The bytes.
        frame: Vec<u8>,
    },
    /// A stream has ended.
    Lost(StreamId),
    /// The owner found these digits on both screens.
    Confirmed(Digits),
    /// The owner stops, or found other digits on the other screen.
    Stopped,
    /// The grant is durable: what the new side gets.
    Granted {
        /// The user name of the identity here.
        username: String,
        /// All signed objects of the identity.
        objects: Vec<Vec<u8>>,
    },
    /// The grant could not be made.
    GrantFailed,
    /// Time has passed.
    Ticked,
}

/// What is to be done at the granting side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GranterOutput {
    /// Send a frame.
    Send {
        /// The stream.
        stream: StreamId,
        /// Its body.
        frame: Vec<u8>,
    },
    /// Close a stream, after what was sent.
    Close(StreamId),
    /// Show the owner these digits.
    Compare(Digits),
    /// The one who came has gone; the offer holds on.
    Waiting,
    /// Both owners confirmed: grant the device, and say so by [`GranterInput::Granted`].
    Grant {
        /// The new device.
        device: DeviceId,
        /// Its part of the grant, checked.
        co_signature: Signature,
    },
    /// A peer broke a rule.
    Refused(Rule),
    /// Nothing more comes of this offer.
    Over(GranterEnd),
}

/// How an offer ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GranterEnd {
    /// The new device has the identity.
    Done(DeviceId),
    /// It was granted and has not answered.
    Unanswered(DeviceId),
    /// Nobody came in time.
    Expired,
    /// The owner stopped it, on either side.
    Stopped,
    /// It was tried too often (`PAIR-6`).
    Spent,
    /// The grant could not be made.
    Failed,
}

/// The one who has shown the secret.
#[derive(Debug, Clone)]
struct Session {
    stream: StreamId,
    transcript: Transcript,
    nonce: [u8; 32],
    phase: Phase,
}

#[derive(Debug, Clone)]
enum Phase {
    /// Their nonce and key are due.
    Revealing { commitment: Digest, since_ms: u64 },
    /// Both owners look at the digits.
    Comparing { device: DeviceId, digits: Digits, here: bool, there: Option<Signature> },
    /// The grant is being made.
    Granting(DeviceId),
    /// The grant is on its way.
    Delivering(DeviceId),
}

#[derive(Debug, Clone)]
struct Knocking {
    peer: Vec<u8>,
    nonce: [u8; 32],
    since_ms: u64,
}

/// One offer, from its making to its end.
#[derive(Debug, Clone)]
pub struct Granter {
    network: Network,
    offer: Offer,
    own_peer: Vec<u8>,
    knocking: BTreeMap<StreamId, Knocking>,
    session: Option<Session>,
    tries: u32,
    wrong: u32,
    is_over: bool,
}

type Out = Vec<GranterOutput>;

impl Granter {
    /// For an offer that was just made.
    pub fn new(network: Network, offer: Offer, own_peer: Vec<u8>) -> Self {
        Self { network, offer, own_peer, knocking: BTreeMap::new(), session: None, tries: 0, wrong: 0, is_over: false }
    }

    /// Takes one input and returns what must be done now, in order. `now_ms` is the clock that the offer's
    /// end is told by.
    pub fn step(&mut self, input: GranterInput, now_ms: u64) -> Out {
        let mut out = Vec::new();
        if self.is_over {
            if let GranterInput::Opened { stream, .. } = input {
                refuse(stream, Refused::Unknown, &mut out);
            }
            return out;
        }
        match input {
            GranterInput::Opened { stream, peer, nonce } => {
                self.open(stream, Knocking { peer, nonce, since_ms: now_ms }, &mut out)
            }
            GranterInput::Received { stream, frame } => self.receive(stream, &frame, now_ms, &mut out),
            GranterInput::Lost(stream) => self.lose(stream, &mut out),
            GranterInput::Confirmed(digits) => self.confirm(digits, &mut out),
            GranterInput::Stopped => self.end(GranterEnd::Stopped, Refused::Stopped, &mut out),
            GranterInput::Granted { username, objects } => self.deliver(&username, objects, &mut out),
            GranterInput::GrantFailed => self.end(GranterEnd::Failed, Refused::Stopped, &mut out),
            GranterInput::Ticked => self.tick(now_ms, &mut out),
        }
        out
    }

    fn open(&mut self, stream: StreamId, knocking: Knocking, out: &mut Out) {
        if self.knocking.len() >= KNOCKING_MAX {
            return refuse(stream, Refused::Busy, out);
        }
        self.knocking.insert(stream, knocking);
    }

    fn receive(&mut self, stream: StreamId, frame: &[u8], now_ms: u64, out: &mut Out) {
        let message = match Message::decode(frame) {
            Ok(message) => message,
            Err(e) => return self.break_off(stream, e.rule(), out),
        };
        if let Some(knocking) = self.knocking.remove(&stream) {
            return match message {
                Message::Knock { version, network, tag, commitment } => {
                    if version < PAIR_VERSION || network != self.network.as_str() {
                        return refuse(stream, Refused::Broken, out);
                    }
                    self.knocked(stream, knocking, &tag, commitment, now_ms, out);
                }
                _ => self.break_off(stream, Rule("PAIR-2"), out),
            };
        }
        let Some(session) = self.session.as_mut().filter(|session| session.stream == stream) else {
            return out.push(GranterOutput::Close(stream));
        };
        match (message, &mut session.phase) {
            (Message::Reveal { nonce, device }, Phase::Revealing { commitment, .. }) => {
                let commitment = *commitment;
                self.revealed(nonce, device, commitment, out);
            }
            (Message::Confirm { signature }, Phase::Comparing { device, there, .. }) if there.is_none() => {
                let (did, by, device) = (self.offer.did(), self.offer.device(), *device);
                match grants::check_co_signature(self.network, did, by, device, &signature) {
                    Ok(()) => {
                        *there = Some(signature);
                        self.grant_if_both(out);
                    }
                    Err(_) => self.break_off(stream, Rule("PAIR-5"), out),
                }
            }
            (Message::Adopted, Phase::Delivering(device)) => {
                let device = *device;
                out.push(GranterOutput::Close(stream));
                self.is_over = true;
                out.push(GranterOutput::Over(GranterEnd::Done(device)));
            }
            // What has been granted is not taken back by a word.
            (Message::Refuse(_), Phase::Revealing { .. } | Phase::Comparing { .. }) => {
                self.end(GranterEnd::Stopped, Refused::Stopped, out);
            }
            _ => self.break_off(stream, Rule("PAIR-2"), out),
        }
    }

    /// A secret is shown (`PAIR-3`).
    fn knocked(
        &mut self,
        stream: StreamId,
        knocking: Knocking,
        tag: &Digest,
        commitment: Digest,
        now_ms: u64,
        out: &mut Out,
    ) {
        let transcript = Transcript {
            network: self.network,
            did: self.offer.did(),
            granter: self.offer.device(),
            secret: self.offer.secret().clone(),
            joiner_peer: knocking.peer,
            granter_peer: self.own_peer.clone(),
        };
        if !is_equal(&transcript.tag(), tag) {
            self.wrong += 1;
            out.push(GranterOutput::Refused(Rule("PAIR-3")));
            refuse(stream, Refused::Unknown, out);
            if self.wrong >= PAIR_WRONG_MAX {
                self.end(GranterEnd::Spent, Refused::Unknown, out);
            }
            return;
        }
        if now_ms >= self.offer.expires_ms() {
            refuse(stream, Refused::Expired, out);
            return self.end(GranterEnd::Expired, Refused::Expired, out);
        }
        if self.session.is_some() {
            return refuse(stream, Refused::Busy, out);
        }
        self.tries += 1;
        out.push(GranterOutput::Send { stream, frame: Message::Welcome { nonce: knocking.nonce }.encode() });
        let phase = Phase::Revealing { commitment, since_ms: now_ms };
        self.session = Some(Session { stream, transcript, nonce: knocking.nonce, phase });
    }

    /// The commitment is opened (`PAIR-4`).
    fn revealed(&mut self, nonce: [u8; 32], device: DeviceId, commitment: Digest, out: &mut Out) {
        let Some(session) = &mut self.session else { return };
        let stream = session.stream;
        let is_bound = session.transcript.commitment(&nonce, &device) == commitment;
        if !is_bound || device == self.offer.device() || PublicKey::from_bytes(&device.0).is_err() {
            return self.break_off(stream, Rule("PAIR-4"), out);
        }
        let digits = session.transcript.digits(&nonce, &session.nonce, &device);
        session.phase = Phase::Comparing { device, digits, here: false, there: None };
        out.push(GranterOutput::Compare(digits));
    }

    fn confirm(&mut self, seen: Digits, out: &mut Out) {
        if let Some(Session { phase: Phase::Comparing { digits, here, .. }, .. }) = &mut self.session
            && *digits == seen
        {
            *here = true;
            self.grant_if_both(out);
        }
    }

    /// Nothing is granted before both owners have confirmed (`PAIR-5`).
    fn grant_if_both(&mut self, out: &mut Out) {
        let Some(session) = &mut self.session else { return };
        if let Phase::Comparing { device, here: true, there: Some(co_signature), .. } = session.phase {
            session.phase = Phase::Granting(device);
            out.push(GranterOutput::Grant { device, co_signature });
        }
    }

    fn deliver(&mut self, username: &str, objects: Vec<Vec<u8>>, out: &mut Out) {
        let Some(session) = &mut self.session else { return };
        let Phase::Granting(device) = session.phase else { return };
        session.phase = Phase::Delivering(device);
        let stream = session.stream;
        let mut parts = parts(objects).into_iter().peekable();
        while let Some(objects) = parts.next() {
            let granted = Message::Granted { more: parts.peek().is_some(), username: username.to_owned(), objects };
            out.push(GranterOutput::Send { stream, frame: granted.encode() });
        }
    }

    fn lose(&mut self, stream: StreamId, out: &mut Out) {
        self.knocking.remove(&stream);
        let lost = self.session.take_if(|session| session.stream == stream);
        match lost.map(|session| session.phase) {
            None => {}
            Some(Phase::Revealing { .. } | Phase::Comparing { .. }) => self.go_on(out),
            Some(Phase::Granting(device) | Phase::Delivering(device)) => {
                self.is_over = true;
                out.push(GranterOutput::Over(GranterEnd::Unanswered(device)));
            }
        }
    }

    /// A peer broke a rule: its stream ends, and with it what it had come to.
    fn break_off(&mut self, stream: StreamId, rule: Rule, out: &mut Out) {
        out.push(GranterOutput::Refused(rule));
        refuse(stream, Refused::Broken, out);
        self.lose(stream, out);
    }

    /// After a try that came to nothing (`PAIR-6`).
    fn go_on(&mut self, out: &mut Out) {
        if self.tries >= PAIR_TRIES_MAX {
            self.end(GranterEnd::Spent, Refused::Unknown, out);
        } else {
            out.push(GranterOutput::Waiting);
        }
    }

    fn tick(&mut self, now_ms: u64, out: &mut Out) {
        let late = |since_ms: u64| now_ms.saturating_sub(since_ms) > PAIR_ANSWER_MS;
        let silent: Vec<StreamId> =
            self.knocking.iter().filter(|(_, knocking)| late(knocking.since_ms)).map(|(stream, _)| *stream).collect();
        for stream in silent {
            self.knocking.remove(&stream);
            refuse(stream, Refused::Broken, out);
        }
        if let Some(Session { stream, phase: Phase::Revealing { since_ms, .. }, .. }) = self.session
            && late(since_ms)
        {
            self.break_off(stream, Rule("PAIR-2"), out);
        }
        let granted = self
            .session
            .as_ref()
            .is_some_and(|session| matches!(session.phase, Phase::Granting(_) | Phase::Delivering(_)));
        if now_ms >= self.offer.expires_ms() && !granted && !self.is_over {
            self.end(GranterEnd::Expired, Refused::Expired, out);
        }
    }

    fn end(&mut self, end: GranterEnd, reason: Refused, out: &mut Out) {
        let session = self.session.take();
        let (end, streams) = match session {
            // Too late: the device is one already, and is told so or has to be removed.
            Some(Session { phase: Phase::Delivering(device), stream, .. }) => {
                (GranterEnd::Unanswered(device), vec![stream])
            }
            Some(session) => (end, vec![session.stream]),
            None => (end, Vec::new()),
        };
        let knocking = std::mem::take(&mut self.knocking).into_keys();
        for stream in streams.into_iter().chain(knocking) {
            refuse(stream, reason, out);
        }
        self.is_over = true;
        out.push(GranterOutput::Over(end));
    }
}

fn refuse(stream: StreamId, reason: Refused, out: &mut Out) {
    out.push(GranterOutput::Send { stream, frame: Message::Refuse(reason).encode() });
    out.push(GranterOutput::Close(stream));
}

/// Compares without telling by its time how much was right.
fn is_equal(ours: &Digest, theirs: &Digest) -> bool {
    ours.0.iter().zip(theirs.0).fold(0, |differs, (ours, theirs)| differs | (ours ^ theirs)) == 0
}

/// Splits objects so that each message fits a frame.
fn parts(objects: Vec<Vec<u8>>) -> Vec<Vec<Vec<u8>>> {
    let (mut parts, mut bytes) = (vec![Vec::new()], 0);
    for object in objects {
        let size = object.len() as u64;
        if bytes + size > ANSWER_FRAME_BYTES && bytes > 0 {
            parts.push(Vec::new());
            bytes = 0;
        }
        bytes += size;
        if let Some(part) = parts.last_mut() {
            part.push(object);
        }
    }
    parts
}
