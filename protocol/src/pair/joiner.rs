//! The side that joins: a new machine with an offer and a device key that nobody has seen yet.

use super::digits::{Digits, Transcript};
use super::message::{Message, PAIR_VERSION, Refused};
use crate::identity::{IdentityRecord, SignedObject, grants};
use crate::keys::SecretKey;
use crate::limits::{IDENTITY_BYTES_MAX, IDENTITY_OBJECTS_MAX, PAIR_ANSWER_MS, PAIR_OFFER_MS};
use crate::rule::Rule;

/// What the joining side begins with.
#[derive(Debug, Clone)]
pub struct JoinerConfig {
    /// What both sides know, by the offer and the connection.
    pub transcript: Transcript,
    /// 32 fresh random bytes.
    pub nonce: [u8; 32],
    /// The new device's key.
    pub device: SecretKey,
}

/// What happens at the joining side.
#[derive(Debug, Clone)]
pub enum JoinerInput {
    /// The stream is open.
    Opened,
    /// A frame's body has come.
    Received(Vec<u8>),
    /// The stream has ended.
    Lost,
    /// The owner found the same digits on both screens.
    Confirmed,
    /// The owner stops, or found other digits on the other screen.
    Stopped,
    /// The identity is durable here.
    Adopted,
    /// It could not be taken.
    AdoptFailed,
    /// Time has passed.
    Ticked,
}

/// What is to be done at the joining side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JoinerOutput {
    /// Send a frame.
    Send(Vec<u8>),
    /// Show the owner these digits.
    Compare(Digits),
    /// The identity is granted: keep it with the device key, and say so by [`JoinerInput::Adopted`].
    Adopt {
        /// The user name that it has on the granting node.
        username: String,
        /// All its signed objects; they admit the device.
        objects: Vec<Vec<u8>>,
    },
    /// The other side broke a rule.
    Refused(Rule),
    /// The stream is to be closed.
    Over(JoinerEnd),
}

/// How joining ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JoinerEnd {
    /// The identity lives here.
    #[error("the identity lives on this device too")]
    Done,
    /// The other side ended it.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// The owner stopped it here.
    #[error("stopped")]
    Stopped,
    /// The stream broke before anything was granted.
    #[error("the connection to the other device was lost")]
    Lost,
    /// The other side was silent for too long.
    #[error("the other device did not answer in time")]
    Silent,
    /// The other side broke a rule.
    #[error("the other device broke rule {0}")]
    Broken(Rule),
    /// The identity could not be kept.
    #[error("the identity could not be stored")]
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Fresh,
    /// Their nonce is due.
    Knocked,
    /// Both owners look at the digits; true once ours has confirmed.
    Comparing(bool),
    /// The identity is being kept.
    Adopting,
    Over,
}

/// The joining side of one stream.
#[derive(Debug, Clone)]
pub struct Joiner {
    config: JoinerConfig,
    phase: Phase,
    since_ms: u64,
    objects: Vec<Vec<u8>>,
    bytes: usize,
}

type Out = Vec<JoinerOutput>;

impl Joiner {
    /// A joiner that has said nothing yet.
    pub fn new(config: JoinerConfig) -> Self {
        Self { config, phase: Phase::Fresh, since_ms: 0, objects: Vec::new(), bytes: 0 }
    }

    /// Takes one input and returns what must be done now, in order. `now_ms` never falls.
    pub fn step(&mut self, input: JoinerInput, now_ms: u64) -> Out {
        let mut out = Vec::new();
        if self.phase == Phase::Over {
            return out;
        }
        match input {
            JoinerInput::Opened => self.knock(now_ms, &mut out),
            JoinerInput::Received(frame) => self.receive(&frame, now_ms, &mut out),
            JoinerInput::Lost => self.end(JoinerEnd::Lost, &mut out),
            JoinerInput::Confirmed => self.confirm(&mut out),
            JoinerInput::Stopped => {
                out.push(JoinerOutput::Send(Message::Refuse(Refused::Stopped).encode()));
                self.end(JoinerEnd::Stopped, &mut out);
            }
            JoinerInput::Adopted => {
                out.push(JoinerOutput::Send(Message::Adopted.encode()));
                self.end(JoinerEnd::Done, &mut out);
            }
            JoinerInput::AdoptFailed => self.end(JoinerEnd::Failed, &mut out),
            JoinerInput::Ticked => self.tick(now_ms, &mut out),
        }
        out
    }

    fn knock(&mut self, now_ms: u64, out: &mut Out) {
        let JoinerConfig { transcript, nonce, device } = &self.config;
        let commitment = transcript.commitment(nonce, &device.public().device_id());
        let network = transcript.network.as_str().to_owned();
        let knock = Message::Knock { version: PAIR_VERSION, network, tag: transcript.tag(), commitment };
        out.push(JoinerOutput::Send(knock.encode()));
        (self.phase, self.since_ms) = (Phase::Knocked, now_ms);
    }

    fn receive(&mut self, frame: &[u8], now_ms: u64, out: &mut Out) {
        let message = match Message::decode(frame) {
            Ok(message) => message,
            Err(e) => return self.break_off(e.rule(), out),
        };
        match (message, self.phase) {
            (Message::Refuse(reason), _) => self.end(JoinerEnd::Refused(reason), out),
            (Message::Welcome { nonce: theirs }, Phase::Knocked) => {
                let JoinerConfig { transcript, nonce, device } = &self.config;
                let device = device.public().device_id();
                out.push(JoinerOutput::Send(Message::Reveal { nonce: *nonce, device }.encode()));
                out.push(JoinerOutput::Compare(transcript.digits(nonce, &theirs, &device)));
                (self.phase, self.since_ms) = (Phase::Comparing(false), now_ms);
            }
            // A grant before our owner has confirmed can't be: nobody has our part of it (`PAIR-5`).
            (Message::Granted { more, username, objects }, Phase::Comparing(true)) => {
                self.take(more, username, objects, out);
            }
            _ => self.break_off(Rule("PAIR-2"), out),
        }
    }

    fn confirm(&mut self, out: &mut Out) {
        if self.phase == Phase::Comparing(false) {
            let JoinerConfig { transcript, device, .. } = &self.config;
            let signature = grants::co_sign(transcript.network, transcript.did, transcript.granter, device);
            out.push(JoinerOutput::Send(Message::Confirm { signature }.encode()));
            self.phase = Phase::Comparing(true);
        }
    }

    fn take(&mut self, more: bool, username: String, objects: Vec<Vec<u8>>, out: &mut Out) {
        self.bytes += objects.iter().map(Vec::len).sum::<usize>();
        self.objects.extend(objects);
        if self.bytes > IDENTITY_BYTES_MAX || self.objects.len() > IDENTITY_OBJECTS_MAX {
            return self.break_off(Rule("PAIR-2"), out);
        }
        if more {
            return;
        }
        let objects = std::mem::take(&mut self.objects);
        if self.admits_us(&objects) {
            self.phase = Phase::Adopting;
            out.push(JoinerOutput::Adopt { username, objects });
        } else {
            self.break_off(Rule("PAIR-5"), out);
        }
    }

    /// True if the objects are those of the identity of the offer, and make us a device that the offer's
    /// device granted or another one.
    fn admits_us(&self, objects: &[Vec<u8>]) -> bool {
        let JoinerConfig { transcript, device, .. } = &self.config;
        let objects: Result<Vec<SignedObject>, _> = objects.iter().map(|bytes| SignedObject::decode(bytes)).collect();
        let record = objects.and_then(|objects| IdentityRecord::from_objects(transcript.network, objects));
        record.is_ok_and(|record| {
            record.did() == transcript.did && record.state().live_device(&device.public().device_id()).is_some()
        })
    }

    fn tick(&mut self, now_ms: u64, out: &mut Out) {
        let waited_ms = now_ms.saturating_sub(self.since_ms);
        let limit_ms = match self.phase {
            Phase::Knocked => PAIR_ANSWER_MS,
            Phase::Comparing(_) => PAIR_OFFER_MS,
            Phase::Fresh | Phase::Adopting | Phase::Over => return,
        };
        if waited_ms > limit_ms {
            self.end(JoinerEnd::Silent, out);
        }
    }

    fn break_off(&mut self, rule: Rule, out: &mut Out) {
        out.push(JoinerOutput::Send(Message::Refuse(Refused::Broken).encode()));
        out.push(JoinerOutput::Refused(rule));
        self.end(JoinerEnd::Broken(rule), out);
    }

    fn end(&mut self, end: JoinerEnd, out: &mut Out) {
        self.phase = Phase::Over;
        out.push(JoinerOutput::Over(end));
    }
}
