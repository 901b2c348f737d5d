//! Pairing told as alice's phone, which grants, her laptop, which is new, and mallory.

mod mallory;

use std::collections::VecDeque;

use xom_protocol::identity::{IdentityRecord, SignedObject, grants};
use xom_protocol::keys::SecretKey;
use xom_protocol::limits::PAIR_OFFER_MS;
use xom_protocol::pair::message::{Message, Refused};
use xom_protocol::pair::{
    Digits, Granter, GranterEnd, GranterInput, GranterOutput, Joiner, JoinerConfig, JoinerEnd, JoinerInput,
    JoinerOutput, Offer, OfferSecret, StreamId, Transcript,
};
use xom_protocol::phrase::Phrase;
use xom_protocol::{DeviceId, Did, Network};

/// A time that tests begin at: in 2026.
pub(crate) const NOW_MS: u64 = 1_790_000_000_000;
/// The peer id of alice's phone.
pub(crate) const PHONE_PEER: &[u8] = b"phone's node";
/// The peer id of alice's laptop.
pub(crate) const LAPTOP_PEER: &[u8] = b"laptop's node";

fn phrase() -> Phrase {
    Phrase::from_entropy(&[7; 32]).expect("entropy")
}

pub(crate) fn alice() -> Did {
    Did(phrase().genesis(Network::MAIN).id().0)
}

pub(crate) fn phone() -> SecretKey {
    phrase().device_key()
}

pub(crate) fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32]).expect("seed")
}

pub(crate) fn offer() -> Offer {
    let address = "/ip4/192.168.1.7/udp/7767/quic-v1/p2p/12D3KooW".to_owned();
    let secret = OfferSecret::new([5; 16]);
    Offer::sign(Network::MAIN, alice(), vec![address], NOW_MS + PAIR_OFFER_MS, secret, &phone()).expect("an offer")
}

pub(crate) fn transcript(offer: &Offer, joiner_peer: &[u8], granter_peer: &[u8]) -> Transcript {
    Transcript {
        network: Network::MAIN,
        did: offer.did(),
        granter: offer.device(),
        secret: offer.secret().clone(),
        joiner_peer: joiner_peer.to_vec(),
        granter_peer: granter_peer.to_vec(),
    }
}

/// The phone's end, with the objects that it would store.
pub(crate) struct Phone {
    pub(crate) machine: Granter,
    pub(crate) objects: Vec<SignedObject>,
    pub(crate) digits: Option<Digits>,
    pub(crate) end: Option<GranterEnd>,
    pub(crate) refused: Vec<String>,
    pub(crate) now_ms: u64,
    pub(crate) grants: usize,
}

impl Phone {
    pub(crate) fn new() -> Self {
        Self {
            machine: Granter::new(Network::MAIN, offer(), PHONE_PEER.to_vec()),
            objects: vec![phrase().genesis(Network::MAIN)],
            digits: None,
            end: None,
            refused: Vec::new(),
            now_ms: NOW_MS,
            grants: 0,
        }
    }

    /// Steps, makes the grant when told to, and answers the frames and closings by stream.
    pub(crate) fn step(&mut self, input: GranterInput) -> Vec<(StreamId, Option<Vec<u8>>)> {
        let mut sent = Vec::new();
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.machine.step(input, self.now_ms) {
                match output {
                    GranterOutput::Send { stream, frame } => sent.push((stream, Some(frame))),
                    GranterOutput::Close(stream) => sent.push((stream, None)),
                    GranterOutput::Compare(digits) => self.digits = Some(digits),
                    GranterOutput::Waiting => self.digits = None,
                    GranterOutput::Refused(rule) => self.refused.push(rule.to_string()),
                    GranterOutput::Over(end) => self.end = Some(end),
                    GranterOutput::Grant { device, co_signature } => {
                        self.grants += 1;
                        let grant = grants::grant(Network::MAIN, alice(), &phone(), device, co_signature);
                        self.objects.push(grant.expect("both signed"));
                        let objects = self.objects.iter().map(SignedObject::encode).collect();
                        inputs.push_back(GranterInput::Granted { username: "alice".into(), objects });
                    }
                }
            }
        }
        sent
    }

    pub(crate) fn open(&mut self, stream: u64, peer: &[u8]) -> Vec<(StreamId, Option<Vec<u8>>)> {
        let nonce = [u8::try_from(stream).expect("few") + 100; 32];
        self.step(GranterInput::Opened { stream: StreamId(stream), peer: peer.to_vec(), nonce })
    }

    pub(crate) fn say(&mut self, stream: u64, message: Message) -> Vec<Message> {
        self.hear(stream, message.encode())
    }

    /// Takes a frame and answers what is said on the same stream.
    pub(crate) fn hear(&mut self, stream: u64, frame: Vec<u8>) -> Vec<Message> {
        let sent = self.step(GranterInput::Received { stream: StreamId(stream), frame });
        let own = sent.into_iter().filter(|(to, _)| *to == StreamId(stream)).filter_map(|(_, frame)| frame);
        own.map(|frame| Message::decode(&frame).expect("a message")).collect()
    }
}

/// The laptop's end.
pub(crate) struct Laptop {
    pub(crate) machine: Joiner,
    pub(crate) device: DeviceId,
    pub(crate) digits: Option<Digits>,
    pub(crate) adopted: Option<Vec<Vec<u8>>>,
    pub(crate) end: Option<JoinerEnd>,
    pub(crate) now_ms: u64,
}

impl Laptop {
    pub(crate) fn new(seed: u8, peer: &[u8], granter_peer: &[u8]) -> Self {
        let device = key(seed);
        let id = device.public().device_id();
        let config = JoinerConfig { transcript: transcript(&offer(), peer, granter_peer), nonce: [seed; 32], device };
        Self { machine: Joiner::new(config), device: id, digits: None, adopted: None, end: None, now_ms: 0 }
    }

    /// Steps, keeps the identity when told to, and answers what is to be sent.
    pub(crate) fn step(&mut self, input: JoinerInput) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for output in self.machine.step(input, self.now_ms) {
                match output {
                    JoinerOutput::Send(frame) => sent.push(frame),
                    JoinerOutput::Compare(digits) => self.digits = Some(digits),
                    JoinerOutput::Refused(_) => {}
                    JoinerOutput::Over(end) => self.end = Some(end),
                    JoinerOutput::Adopt { username, objects } => {
                        assert_eq!(username, "alice");
                        self.adopted = Some(objects);
                        inputs.push_back(JoinerInput::Adopted);
                    }
                }
            }
        }
        sent
    }
}

/// Carries frames between both ends of one stream until neither has anything to say.
pub(crate) fn carry(phone: &mut Phone, stream: u64, laptop: &mut Laptop, from_laptop: Vec<Vec<u8>>) {
    let mut to_phone = VecDeque::from(from_laptop);
    while let Some(frame) = to_phone.pop_front() {
        for (to, frame) in phone.step(GranterInput::Received { stream: StreamId(stream), frame }) {
            if let (StreamId(to), Some(frame)) = (to, frame)
                && to == stream
            {
                to_phone.extend(laptop.step(JoinerInput::Received(frame)));
            }
        }
    }
}

/// What the phone says of its own accord, carried to the laptop, and back.
pub(crate) fn carry_back(phone: &mut Phone, stream: u64, laptop: &mut Laptop, sent: Vec<(StreamId, Option<Vec<u8>>)>) {
    let mut answers = Vec::new();
    for (to, frame) in sent {
        if let (StreamId(to), Some(frame)) = (to, frame)
            && to == stream
        {
            answers.extend(laptop.step(JoinerInput::Received(frame)));
        }
    }
    carry(phone, stream, laptop, answers);
}

/// Both ends with digits on their screens.
pub(crate) fn comparing() -> (Phone, Laptop) {
    let (mut phone, mut laptop) = (Phone::new(), Laptop::new(2, LAPTOP_PEER, PHONE_PEER));
    assert_eq!(phone.open(1, LAPTOP_PEER), []);
    let knock = laptop.step(JoinerInput::Opened);
    carry(&mut phone, 1, &mut laptop, knock);
    assert!(phone.digits.is_some());
    (phone, laptop)
}

fn confirm_on_phone(phone: &mut Phone, laptop: &mut Laptop) {
    let digits = phone.digits.expect("digits");
    let sent = phone.step(GranterInput::Confirmed(digits));
    carry_back(phone, 1, laptop, sent);
}

fn confirm_on_laptop(phone: &mut Phone, laptop: &mut Laptop) {
    let sent = laptop.step(JoinerInput::Confirmed);
    carry(phone, 1, laptop, sent);
}

fn check_paired(phone: &Phone, laptop: &Laptop) {
    assert_eq!(phone.end, Some(GranterEnd::Done(laptop.device)));
    assert_eq!((laptop.end, phone.grants), (Some(JoinerEnd::Done), 1));
    let objects = laptop.adopted.as_ref().expect("adopted").iter();
    let objects = objects.map(|bytes| SignedObject::decode(bytes).expect("an object"));
    let record = IdentityRecord::from_objects(Network::MAIN, objects).expect("an identity");
    assert_eq!(record.did(), alice());
    let device = record.state().live_device(&laptop.device).expect("live");
    assert_eq!(device.granted_by, Some(phone_id()));
}

fn phone_id() -> DeviceId {
    phone().public().device_id()
}

#[test]
fn both_screens_show_the_same_digits_and_after_both_confirm_the_laptop_is_a_device() {
    let (mut phone, mut laptop) = comparing();
    assert_eq!(phone.digits, laptop.digits);
    assert_eq!(phone.digits.expect("digits").to_string().len(), 6);
    confirm_on_phone(&mut phone, &mut laptop);
    assert_eq!((phone.grants, phone.end), (0, None));
    confirm_on_laptop(&mut phone, &mut laptop);
    check_paired(&phone, &laptop);

    let (mut phone, mut laptop) = comparing();
    confirm_on_laptop(&mut phone, &mut laptop);
    assert_eq!((phone.grants, phone.end), (0, None));
    confirm_on_phone(&mut phone, &mut laptop);
    check_paired(&phone, &laptop);
}

#[test]
fn an_identity_with_many_objects_comes_in_several_messages() {
    let (mut phone, mut laptop) = comparing();
    for device in 10..60 {
        let grant = xom_protocol::identity::compose::services(
            Network::MAIN,
            alice(),
            &phone_key(),
            device,
            vec![format!("/dns/{}/tcp/{device}", "x".repeat(230)); 16],
        );
        phone.objects.push(grant.expect("a statement"));
    }
    let newest = phone.objects.pop().expect("one");
    for _ in 0..100 {
        phone.objects.push(newest.clone());
    }
    confirm_on_phone(&mut phone, &mut laptop);
    confirm_on_laptop(&mut phone, &mut laptop);
    check_paired(&phone, &laptop);
}

fn phone_key() -> SecretKey {
    phone()
}

#[test]
fn no_on_either_side_ends_the_offer_and_grants_nothing() {
    let (mut phone, mut laptop) = comparing();
    confirm_on_laptop(&mut phone, &mut laptop);
    let sent = phone.step(GranterInput::Stopped);
    carry_back(&mut phone, 1, &mut laptop, sent);
    assert_eq!((phone.end, phone.grants), (Some(GranterEnd::Stopped), 0));
    assert_eq!(laptop.end, Some(JoinerEnd::Refused(Refused::Stopped)));

    let (mut phone, mut laptop) = comparing();
    let digits = phone.digits.expect("digits");
    phone.step(GranterInput::Confirmed(digits));
    let sent = laptop.step(JoinerInput::Stopped);
    carry(&mut phone, 1, &mut laptop, sent);
    assert_eq!((phone.end, phone.grants), (Some(GranterEnd::Stopped), 0));
    assert_eq!(laptop.end, Some(JoinerEnd::Stopped));
    // The offer is of no more use.
    let answer = phone.open(2, LAPTOP_PEER);
    assert_eq!(answer[0].1, Some(Message::Refuse(Refused::Unknown).encode()));
}

#[test]
fn digits_that_are_not_those_on_the_screen_now_confirm_nothing() {
    let (mut phone, mut laptop) = comparing();
    let seen = phone.digits.expect("digits");
    phone.step(GranterInput::Lost(StreamId(1)));
    let mut again = Laptop::new(3, LAPTOP_PEER, PHONE_PEER);
    phone.open(2, LAPTOP_PEER);
    let knock = again.step(JoinerInput::Opened);
    carry(&mut phone, 2, &mut again, knock);
    assert_ne!(phone.digits, Some(seen));
    let sent = again.step(JoinerInput::Confirmed);
    carry(&mut phone, 2, &mut again, sent);
    phone.step(GranterInput::Confirmed(seen));
    assert_eq!(phone.grants, 0);
    laptop.step(JoinerInput::Lost);
    assert_eq!(laptop.end, Some(JoinerEnd::Lost));
}

#[test]
fn an_offer_ends_when_its_time_is_over_whatever_had_begun() {
    let (mut phone, mut laptop) = comparing();
    phone.now_ms = NOW_MS + PAIR_OFFER_MS;
    let sent = phone.step(GranterInput::Ticked);
    carry_back(&mut phone, 1, &mut laptop, sent);
    assert_eq!(phone.end, Some(GranterEnd::Expired));
    assert_eq!(laptop.end, Some(JoinerEnd::Refused(Refused::Expired)));

    let mut phone = Phone::new();
    let mut laptop = Laptop::new(2, LAPTOP_PEER, PHONE_PEER);
    phone.open(1, LAPTOP_PEER);
    phone.now_ms = NOW_MS + PAIR_OFFER_MS;
    let knock = laptop.step(JoinerInput::Opened);
    carry(&mut phone, 1, &mut laptop, knock);
    assert_eq!((phone.end, laptop.end), (Some(GranterEnd::Expired), Some(JoinerEnd::Refused(Refused::Expired))));
}

#[test]
fn a_laptop_that_vanishes_after_the_grant_is_reported_and_one_before_it_leaves_the_offer_open() {
    let (mut phone, mut laptop) = comparing();
    phone.step(GranterInput::Lost(StreamId(1)));
    assert_eq!((phone.digits, phone.end), (None, None));
    let mut again = Laptop::new(2, LAPTOP_PEER, PHONE_PEER);
    phone.open(2, LAPTOP_PEER);
    let knock = again.step(JoinerInput::Opened);
    carry(&mut phone, 2, &mut again, knock);
    let digits = phone.digits.expect("digits");
    phone.step(GranterInput::Confirmed(digits));
    let sent = again.step(JoinerInput::Confirmed);
    for frame in sent {
        phone.step(GranterInput::Received { stream: StreamId(2), frame });
    }
    assert_eq!(phone.grants, 1);
    phone.step(GranterInput::Lost(StreamId(2)));
    assert_eq!(phone.end, Some(GranterEnd::Unanswered(again.device)));
    laptop.now_ms += PAIR_OFFER_MS + 1;
    laptop.step(JoinerInput::Ticked);
    assert_eq!(laptop.end, Some(JoinerEnd::Silent));
}
