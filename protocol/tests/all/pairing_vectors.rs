//! The vectors of chapter 05: made from fixed keys, nonces and times, and run from their JSON.

use serde_bytes::ByteBuf;
use xom_protocol::keys::Signature;
use xom_protocol::pair::message::{Message, Refused};
use xom_protocol::pair::{Offer, OfferSecret, Transcript};
use xom_protocol::{DeviceId, Did, Digest, Network, encoding};

use crate::pairing::{LAPTOP_PEER, NOW_MS, PHONE_PEER, alice, key, offer, phone, transcript};
use crate::support::{Vector, check_cddl, check_regenerated, hex, matches_cddl, read_vectors};

const FILE: &str = "pairing.json";
const ABOUT: &str = "Chapter 05. offer: text, read on network main, and what is in it. The messages by their names in CDDL: \
    cbor is a frame's body. digits: what both sides know and their nonces, with tag, commitment and the six digits.";
const CHAPTERS: &[&str] = &["03-encoding.md", "02-entries-and-logs.md", "04-sync.md", "05-pairing.md"];

fn message(name: &str, is: &str, message: Message) -> Vector {
    Vector::new(name, is, None).with("cbor", hex(message.encode()))
}

fn knock(network: &str) -> Message {
    Message::Knock { version: 1, network: network.into(), tag: Digest([1; 32]), commitment: Digest([2; 32]) }
}

fn granted(username: &str, objects: Vec<Vec<u8>>) -> Message {
    Message::Granted { more: false, username: username.into(), objects }
}

fn valid() -> Vec<Vector> {
    let mut vectors = vec![
        message("a knock", "knock", knock("main")),
        message("a welcome", "welcome", Message::Welcome { nonce: [3; 32] }),
        message("a reveal", "reveal", Message::Reveal { nonce: [4; 32], device: DeviceId([5; 32]) }),
        message("a confirmation", "confirm", Message::Confirm { signature: Signature([6; 64]) }),
        message("a grant on its way", "granted", granted("alice", vec![vec![0x80]])),
        message("the end", "adopted", Message::Adopted),
    ];
    let reasons = [Refused::Unknown, Refused::Expired, Refused::Busy, Refused::Stopped, Refused::Broken];
    for (number, reason) in reasons.into_iter().enumerate() {
        vectors.push(message(&format!("refusal {number}"), "refuse", Message::Refuse(reason)));
    }
    vectors
}

fn invalid() -> Vec<Vector> {
    let bad =
        |rule: &str, name: &str, is: &str, cbor: Vec<u8>| Vector::new(name, is, Some(rule)).with("cbor", hex(cbor));
    let bytes = |count: usize| ByteBuf::from(vec![1; count]);
    vec![
        bad("PAIR-2", "a kind that is not known", "pair-message", encoding::encode(&(7, 1))),
        bad("PAIR-2", "a map", "pair-message", vec![0xa0]),
        bad("PAIR-2", "a member too many", "pair-message", encoding::encode(&(5, (), 1))),
        bad("PAIR-2", "a nonce of 31 bytes", "welcome", encoding::encode(&(1, bytes(31)))),
        bad("PAIR-2", "a signature of 63 bytes", "confirm", encoding::encode(&(3, bytes(63)))),
        bad("PAIR-2", "a refusal without a known reason", "refuse", encoding::encode(&(6, 5))),
        bad("PAIR-2", "a user name in capitals", "granted", granted("Alice", Vec::new()).encode()),
        bad("PAIR-2", "an object of no bytes", "granted", granted("alice", vec![Vec::new()]).encode()),
        bad("PAIR-2", "a knock of more than 512 bytes", "knock", knock(&"x".repeat(500)).encode()),
        bad("PAIR-2", "a network name of 33 bytes", "knock", knock(&"x".repeat(33)).encode()),
        bad(
            "ENC-1",
            "two messages in one frame",
            "pair-message",
            [Message::Adopted.encode(), Message::Adopted.encode()].concat(),
        ),
        bad("ENC-2", "a number not in its shortest form", "pair-message", vec![0x82, 0x06, 0x18, 0x01]),
    ]
}

fn offers() -> Vec<Vector> {
    let text = offer().text().to_string();
    let good = Vector::new("an offer", "offer", None).with("text", text.clone());
    let good = good.with("did", alice().to_string()).with("addresses", offer().addresses().to_vec());
    let good = good.with("expires_ms", offer().expires_ms()).with("device", hex(offer().device().0));
    let bad = |rule: &str, name: &str, text: String| Vector::new(name, "offer", Some(rule)).with("text", text);
    let test =
        Offer::sign("test".parse().expect("name"), alice(), Vec::new(), NOW_MS, OfferSecret::new([5; 16]), &phone());
    vec![
        good.with("secret", hex(offer().secret().bytes())),
        bad("ENC-12", "an offer with another address", text.replace("192.168.1.7", "192.168.1.8")),
        bad("ENC-12", "an offer with a later end", text.replace("t=179", "t=189")),
        bad("ENC-12", "an offer of another network", test.expect("an offer").text().to_string()),
        bad("PAIR-1", "an offer without secret", text.replace("&k=", "&q=")),
        bad("PAIR-1", "an offer with a zero before its end", text.replace("t=179", "t=0179")),
        bad("PAIR-1", "an offer with something behind it", format!("{text}&x=1")),
        bad("PAIR-1", "an offer that is cut off", text[..text.len() - 1].to_owned()),
        bad("PAIR-1", "an invite", text.replace("xom-pair:", "xom:")),
        bad("PAIR-1", "an offer of 1,025 bytes", format!("xom-pair:{}", "x".repeat(1_016))),
    ]
}

fn known() -> Transcript {
    transcript(&offer(), LAPTOP_PEER, PHONE_PEER)
}

fn digits() -> Vec<Vector> {
    let device = key(2).public().device_id();
    let vector = Vector::new("the digits of a pairing", "digits", None)
        .with("did", alice().to_string())
        .with("granter", hex(offer().device().0))
        .with("secret", hex(offer().secret().bytes()))
        .with("peers", vec![hex(LAPTOP_PEER), hex(PHONE_PEER)])
        .with("nonces", vec![hex([2; 32]), hex([101; 32])])
        .with("device", hex(device.0))
        .with("tag", hex(known().tag().0))
        .with("commitment", hex(known().commitment(&[2; 32], &device).0))
        .with("digits", known().digits(&[2; 32], &[101; 32], &device).to_string());
    vec![vector]
}

#[test]
fn the_pairing_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, [valid(), invalid(), offers(), digits()].concat());
}

#[test]
fn the_pairing_vectors_hold() {
    for vector in read_vectors(FILE) {
        assert_eq!(run(&vector).err().as_deref(), vector.rule.as_deref(), "{}", vector.name);
    }
}

#[test]
fn every_message_of_a_pairing_matches_its_cddl_and_what_is_none_does_not() {
    for vector in valid() {
        check_cddl(&vector.is, CHAPTERS, &vector.bytes("cbor"), &vector.name);
        check_cddl("pair-message", CHAPTERS, &vector.bytes("cbor"), &vector.name);
    }
    // The crate that reads CDDL takes a pattern that fits anywhere.
    let by_prose_alone = [
        "a user name in capitals",
        "an object of no bytes",
        "a knock of more than 512 bytes",
        "a network name of 33 bytes",
    ];
    for vector in invalid() {
        if vector.rule.as_deref() == Some("PAIR-2") && !by_prose_alone.contains(&vector.name.as_str()) {
            assert!(!matches_cddl("pair-message", CHAPTERS, &vector.bytes("cbor")), "{}", vector.name);
        }
    }
}

/// The rule that a vector breaks.
fn run(vector: &Vector) -> Result<(), String> {
    match vector.is.as_str() {
        "offer" => {
            let offer = Offer::parse(Network::MAIN, vector.text("text")).map_err(|e| e.rule().to_string())?;
            assert_eq!(offer.did().to_string(), vector.text("did"));
            assert_eq!(serde_json::json!(offer.addresses()), vector.fields["addresses"]);
            assert_eq!(offer.expires_ms(), vector.number("expires_ms"));
            assert_eq!(*offer.secret().bytes(), vector.array("secret"));
            assert_eq!(offer.device().0, vector.array("device"));
        }
        "digits" => run_digits(vector),
        _ => {
            let bytes = vector.bytes("cbor");
            let message = Message::decode(&bytes).map_err(|e| e.rule().to_string())?;
            assert_eq!(message.encode(), bytes, "{}", vector.name);
        }
    }
    Ok(())
}

fn run_digits(vector: &Vector) {
    let item = |list: &str, index: usize| crate::support::unhex(vector.list(list)[index].as_str().expect("text"));
    let did: Did = vector.text("did").parse().expect("a DID");
    let transcript = Transcript {
        network: Network::MAIN,
        did,
        granter: DeviceId(vector.array("granter")),
        secret: OfferSecret::new(vector.array("secret")),
        joiner_peer: item("peers", 0),
        granter_peer: item("peers", 1),
    };
    let nonce = |index| <[u8; 32]>::try_from(item("nonces", index)).expect("32 bytes");
    let device = DeviceId(vector.array("device"));
    assert_eq!(transcript.tag().0, vector.array("tag"));
    assert_eq!(transcript.commitment(&nonce(0), &device).0, vector.array("commitment"));
    assert_eq!(transcript.digits(&nonce(0), &nonce(1), &device).to_string(), vector.text("digits"));
}
