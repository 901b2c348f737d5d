//! mallory at a pairing: without the secret, with it, and in the middle; how often (`PAIR-6`).

use xom_protocol::identity::grants;
use xom_protocol::limits::{PAIR_ANSWER_MS, PAIR_MESSAGE_BYTES_MAX, PAIR_TRIES_MAX, PAIR_WRONG_MAX};
use xom_protocol::pair::message::{Message, Refused};
use xom_protocol::pair::{GranterEnd, GranterInput, JoinerEnd, JoinerInput, StreamId};
use xom_protocol::{Digest, Network, Rule};

use super::{LAPTOP_PEER, Laptop, PHONE_PEER, Phone, alice, carry, comparing, key, offer, phone_id, transcript};

const MALLORY_PEER: &[u8] = b"mallory's node";

fn knock(tag: Digest) -> Message {
    let commitment = transcript(&offer(), MALLORY_PEER, PHONE_PEER).commitment(&[9; 32], &key(9).public().device_id());
    Message::Knock { version: 1, network: "main".into(), tag, commitment }
}

/// A knock with the right secret, as mallory's node.
fn right_knock() -> Message {
    knock(transcript(&offer(), MALLORY_PEER, PHONE_PEER).tag())
}

fn reveal(seed: u8) -> Message {
    Message::Reveal { nonce: [9; 32], device: key(seed).public().device_id() }
}

#[test]
fn without_the_secret_nobody_comes_past_the_door_and_after_many_tries_the_offer_is_void() {
    let mut phone = Phone::new();
    for number in 0..u64::from(PAIR_WRONG_MAX) {
        let stream = number % 100;
        phone.open(stream, MALLORY_PEER);
        assert_eq!(phone.say(stream, knock(Digest([0; 32]))), [Message::Refuse(Refused::Unknown)]);
        assert_eq!(phone.digits, None);
    }
    assert_eq!(phone.end, Some(GranterEnd::Spent));
    assert!(phone.refused.iter().all(|rule| rule == "PAIR-3"));
}

#[test]
fn a_knock_that_was_overheard_is_worth_nothing_on_another_connection() {
    let mut laptop = Laptop::new(2, LAPTOP_PEER, PHONE_PEER);
    let frames = laptop.step(JoinerInput::Opened);
    let mut phone = Phone::new();
    phone.open(1, MALLORY_PEER);
    assert_eq!(phone.hear(1, frames[0].clone()), [Message::Refuse(Refused::Unknown)]);
}

#[test]
fn in_the_middle_the_digits_differ_although_all_else_is_passed_on() {
    // mallory's node has the offer; the laptop was made to dial it, and it dials the phone.
    let mut phone = Phone::new();
    let mut laptop = Laptop::new(2, LAPTOP_PEER, MALLORY_PEER);
    laptop.step(JoinerInput::Opened);
    phone.open(1, MALLORY_PEER);
    // Bound to its own key and nonce before it hears the phone's: it can't look for a fitting one.
    let Some(Message::Welcome { nonce }) = phone.say(1, right_knock()).pop() else { panic!("no welcome") };
    assert_eq!(phone.say(1, reveal(9)), []);
    laptop.step(JoinerInput::Received(Message::Welcome { nonce }.encode()));
    assert!(phone.digits.is_some() && laptop.digits.is_some());
    assert_ne!(phone.digits, laptop.digits);

    // Passing the laptop's own commitment and key on changes nothing: the peer ids are others.
    let mut phone = Phone::new();
    let device = key(2).public().device_id();
    let commitment = transcript(&offer(), MALLORY_PEER, PHONE_PEER).commitment(&[2; 32], &device);
    let tag = transcript(&offer(), MALLORY_PEER, PHONE_PEER).tag();
    phone.open(1, MALLORY_PEER);
    phone.say(1, Message::Knock { version: 1, network: "main".into(), tag, commitment });
    phone.say(1, Message::Reveal { nonce: [2; 32], device });
    assert_ne!(phone.digits, laptop.digits);
}

#[test]
fn a_commitment_can_not_be_opened_to_another_key_or_nonce() {
    for message in [
        reveal(8),
        Message::Reveal { nonce: [8; 32], device: key(9).public().device_id() },
        Message::Reveal { nonce: [9; 32], device: phone_id() },
    ] {
        let mut phone = Phone::new();
        phone.open(1, MALLORY_PEER);
        phone.say(1, right_knock());
        assert_eq!(phone.say(1, message), [Message::Refuse(Refused::Broken)]);
        assert_eq!((phone.refused, phone.digits), (vec!["PAIR-4".to_owned()], None));
    }
}

#[test]
fn a_confirmation_needs_the_signature_of_the_key_that_was_compared() {
    let (mut phone, _) = comparing();
    let digits = phone.digits.expect("digits");
    phone.step(GranterInput::Confirmed(digits));
    let signature = grants::co_sign(Network::MAIN, alice(), phone_id(), &key(9));
    assert_eq!(phone.say(1, Message::Confirm { signature }), [Message::Refuse(Refused::Broken)]);
    assert_eq!((phone.grants, phone.refused), (0, vec!["PAIR-5".to_owned()]));
}

#[test]
fn with_the_secret_mallory_has_three_tries_and_each_shows_digits_to_the_owner() {
    let mut phone = Phone::new();
    for number in 0..u64::from(PAIR_TRIES_MAX) {
        assert_eq!(phone.end, None);
        phone.open(number, MALLORY_PEER);
        phone.say(number, right_knock());
        phone.say(number, reveal(9));
        assert!(phone.digits.is_some());
        phone.step(GranterInput::Lost(StreamId(number)));
    }
    assert_eq!((phone.end, phone.grants), (Some(GranterEnd::Spent), 0));
}

#[test]
fn a_second_joiner_is_told_to_wait_and_disturbs_nothing() {
    let (mut phone, mut laptop) = comparing();
    let seen = phone.digits;
    phone.open(2, MALLORY_PEER);
    assert_eq!(phone.say(2, right_knock()), [Message::Refuse(Refused::Busy)]);
    assert_eq!(phone.digits, seen);
    let sent = laptop.step(JoinerInput::Confirmed);
    carry(&mut phone, 1, &mut laptop, sent);
    let sent = phone.step(GranterInput::Confirmed(seen.expect("digits")));
    super::carry_back(&mut phone, 1, &mut laptop, sent);
    assert_eq!(laptop.end, Some(JoinerEnd::Done));
}

#[test]
fn those_who_open_streams_and_say_nothing_are_let_go_and_keep_nobody_out_for_long() {
    let mut phone = Phone::new();
    for stream in 0..8 {
        assert_eq!(phone.open(stream, MALLORY_PEER), []);
    }
    let refused = (StreamId(8), Some(Message::Refuse(Refused::Busy).encode()));
    assert_eq!(phone.open(8, MALLORY_PEER)[0], refused);
    phone.now_ms += PAIR_ANSWER_MS + 1;
    let closed = phone.step(GranterInput::Ticked);
    assert_eq!(closed.iter().filter(|(_, frame)| frame.is_none()).count(), 8);
    let mut laptop = Laptop::new(2, LAPTOP_PEER, PHONE_PEER);
    phone.open(9, LAPTOP_PEER);
    let knock = laptop.step(JoinerInput::Opened);
    carry(&mut phone, 9, &mut laptop, knock);
    assert_eq!(phone.digits, laptop.digits);
}

#[test]
fn who_shows_the_secret_and_then_nothing_is_let_go() {
    let mut phone = Phone::new();
    phone.open(1, MALLORY_PEER);
    phone.say(1, right_knock());
    phone.now_ms += PAIR_ANSWER_MS + 1;
    phone.step(GranterInput::Ticked);
    assert_eq!(phone.refused, ["PAIR-2"]);
    phone.open(2, LAPTOP_PEER);
    let mut laptop = Laptop::new(2, LAPTOP_PEER, PHONE_PEER);
    let knock = laptop.step(JoinerInput::Opened);
    carry(&mut phone, 2, &mut laptop, knock);
    assert!(laptop.digits.is_some());
}

#[test]
fn messages_out_of_order_too_long_or_of_no_form_end_a_stream() {
    let oversized =
        [Message::Knock { version: 1, network: "x".repeat(600), tag: Digest([0; 32]), commitment: Digest([0; 32]) }
            .encode()];
    assert!(oversized[0].len() > PAIR_MESSAGE_BYTES_MAX);
    let frames = [
        oversized[0].clone(),
        vec![],
        vec![0x80],
        vec![0xff; 40],
        Message::Adopted.encode(),
        reveal(9).encode(),
        Message::Granted { more: false, username: "alice".into(), objects: Vec::new() }.encode(),
    ];
    for frame in frames {
        let mut phone = Phone::new();
        phone.open(1, MALLORY_PEER);
        assert_eq!(phone.hear(1, frame.clone()), [Message::Refuse(Refused::Broken)], "{frame:02x?}");
        assert_eq!((phone.refused.len(), phone.end), (1, None));
    }
    let mut phone = Phone::new();
    phone.open(1, MALLORY_PEER);
    let other =
        Message::Knock { version: 1, network: "test".into(), tag: Digest([0; 32]), commitment: Digest([0; 32]) };
    assert_eq!(phone.say(1, other), [Message::Refuse(Refused::Broken)]);
}

#[test]
fn a_laptop_takes_no_grant_that_it_did_not_confirm_and_no_other_identity() {
    let granted = |objects| Message::Granted { more: false, username: "alice".into(), objects }.encode();
    let (_, mut laptop) = comparing();
    laptop.step(JoinerInput::Received(granted(Vec::new())));
    assert_eq!(laptop.end, Some(JoinerEnd::Broken(Rule("PAIR-2"))));

    let other = xom_protocol::phrase::Phrase::from_entropy(&[8; 32]).expect("entropy").genesis(Network::MAIN);
    let own = super::phrase().genesis(Network::MAIN);
    for objects in [Vec::new(), vec![other.encode()], vec![own.encode()], vec![vec![1, 2, 3]]] {
        let (_, mut laptop) = comparing();
        laptop.step(JoinerInput::Confirmed);
        laptop.step(JoinerInput::Received(granted(objects)));
        assert_eq!((laptop.end, laptop.adopted), (Some(JoinerEnd::Broken(Rule("PAIR-5"))), None));
    }
}

#[test]
fn a_granter_that_never_stops_sending_objects_is_cut_off() {
    let (_, mut laptop) = comparing();
    laptop.step(JoinerInput::Confirmed);
    let part = Message::Granted { more: true, username: "alice".into(), objects: vec![vec![7; 250_000]; 4] }.encode();
    for _ in 0..8 {
        assert_eq!(laptop.end, None);
        laptop.step(JoinerInput::Received(part.clone()));
    }
    laptop.step(JoinerInput::Received(part));
    assert_eq!(laptop.end, Some(JoinerEnd::Broken(Rule("PAIR-2"))));
}

#[test]
fn a_granter_that_does_not_answer_is_not_waited_for() {
    let mut laptop = Laptop::new(2, LAPTOP_PEER, PHONE_PEER);
    laptop.step(JoinerInput::Opened);
    laptop.now_ms += PAIR_ANSWER_MS + 1;
    laptop.step(JoinerInput::Ticked);
    assert_eq!(laptop.end, Some(JoinerEnd::Silent));
}
