//! The vectors of chapter 15: topics, announcements, and by which an announcement is known again.

use xom_protocol::gossip::{Announcement, Topic, message_id};
use xom_protocol::keys::Domain;
use xom_protocol::limits::{ANNOUNCEMENT_BYTES_MAX, HEADER_BYTES_MAX};
use xom_protocol::{Digest, Network, encoding};

use crate::cast::writer;
use crate::support::{Vector, check_cddl, check_regenerated, hex, matches_cddl, read_vectors};

const CHAPTERS: &[&str] = &["02-entries-and-logs.md", "03-encoding.md", "15-gossip.md"];
const FILE: &str = "gossip.json";
const ABOUT: &str = "Chapter 15. topic: of a purpose and what is known (GSP-1). announcement: valid or not, in the \
                     network main (GSP-3, GSP-4). message: the id of a message of a topic (GSP-3).";

/// An announcement of alice's first post, as the bytes of its header and the signature.
fn parts() -> (Vec<u8>, Vec<u8>) {
    let mut alice = writer("alice", "phone");
    alice.post("hello");
    let entry = alice.entries[0].to_signed();
    (entry.header, entry.signature.expect("signed").0.to_vec())
}

fn wire(header: &[u8], signature: &[u8]) -> Vec<u8> {
    encoding::encode(&(serde_bytes::Bytes::new(header), serde_bytes::Bytes::new(signature)))
}

fn topics() -> Vec<Vector> {
    let topic = |name: &str, rule: Option<&str>, network: &str, purpose: &str, topic: String| {
        let vector = Vector::new(name, "topic", rule).with("network", network).with("purpose", purpose);
        vector.with("known", hex(b"bees")).with("topic", topic)
    };
    let of =
        |network: &str, purpose: &str| Topic::of(network.parse().expect("a network"), purpose, b"bees").to_string();
    let bare = hex(Digest::of(&[b"community", b"bees"]).0);
    vec![
        topic("a topic", None, "main", "community", of("main", "community")),
        topic("the same in another network", None, "test", "community", of("test", "community")),
        topic("of another purpose", None, "main", "circle", of("main", "circle")),
        topic("the topic of another network", Some("GSP-1"), "test", "community", of("main", "community")),
        topic("a hash without prefix", Some("GSP-1"), "main", "community", bare),
        topic("in upper case", Some("GSP-1"), "main", "community", of("main", "community").to_uppercase()),
    ]
}

fn announcements() -> Vec<Vector> {
    let (header, signature) = parts();
    let announced = |name: &str, rule: Option<&str>, bytes: Vec<u8>| {
        Vector::new(name, "announcement", rule).with("cbor", hex(bytes))
    };
    let bare = |name: &str, rule: &str, bytes: Vec<u8>| {
        Vector::new(name, "malformed-announcement", Some(rule)).with("bytes", hex(bytes))
    };
    let mut other = signature.clone();
    other[0] ^= 1;
    let mut later = header.clone();
    later[1] = 2;
    let mut trailing = wire(&header, &signature);
    trailing.push(0);
    let test: Network = "test".parse().expect("a network");
    let key = crate::cast::key("phone");
    let abroad = key.sign(Domain::Entry, test, &header).0;
    let receipt = key.sign(Domain::Receipt, Network::MAIN, &header).0;
    let long = vec![0; HEADER_BYTES_MAX + 1];
    vec![
        announced("the head of a log", None, wire(&header, &signature)),
        announced("a signature of something else", Some("ENC-12"), wire(&header, &other)),
        announced("a signature of another network", Some("ENC-12"), wire(&header, &abroad)),
        announced("a signature of another domain", Some("ENC-12"), wire(&header, &receipt)),
        announced("a header of another version", Some("LOG-2"), wire(&later, &signature)),
        bare("without signature", "GSP-3", encoding::encode(&(serde_bytes::Bytes::new(&header),))),
        bare("a signature that is too short", "GSP-3", wire(&header, &signature[1..])),
        bare("too long", "GSP-3", wire(&long, &signature).into_iter().chain([0; 16]).collect()),
        bare("bytes after its end", "ENC-1", trailing),
        bare("nothing", "ENC-1", Vec::new()),
    ]
}

fn messages() -> Vec<Vector> {
    let (header, signature) = parts();
    let (bytes, topic) = (wire(&header, &signature), Topic::of(Network::MAIN, "community", b"bees"));
    let message = |name: &str, rule: Option<&str>, id: Digest| {
        let vector = Vector::new(name, "message", rule).with("topic", topic.to_string());
        vector.with("data", hex(&bytes)).with("id", hex(id.0))
    };
    let elsewhere = Topic::of(Network::MAIN, "community", b"ants");
    vec![
        message("an announcement", None, message_id(Network::MAIN, &topic, &bytes)),
        message("the id in another topic", Some("GSP-3"), message_id(Network::MAIN, &elsewhere, &bytes)),
        message("a hash of the bytes alone", Some("GSP-3"), Digest::of(&[&bytes])),
    ]
}

#[test]
fn the_gossip_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, [topics(), announcements(), messages()].concat());
}

#[test]
fn gsp_1_gsp_3_gsp_4_every_vector_gets_the_verdict_that_it_names() {
    for vector in read_vectors("gossip.json") {
        let broken = match vector.is.as_str() {
            "topic" => {
                let network: Network = vector.text("network").parse().expect("a network");
                let topic = Topic::of(network, vector.text("purpose"), &vector.bytes("known"));
                (Topic::parse(vector.text("topic")) != Some(topic)).then(|| "GSP-1".to_owned())
            }
            "announcement" | "malformed-announcement" => {
                let field = if vector.is == "announcement" { "cbor" } else { "bytes" };
                let bytes = vector.bytes(field);
                let read = Announcement::decode(&bytes);
                match vector.rule.as_deref() {
                    None => check_cddl("announcement", CHAPTERS, &bytes, &vector.name),
                    Some("GSP-3") => assert!(!matches_cddl("announcement", CHAPTERS, &bytes), "{}", vector.name),
                    Some(_) => {}
                }
                if let Ok(announcement) = &read {
                    assert_eq!(announcement.encode(), bytes, "{}", vector.name);
                }
                let checked = read.and_then(|announcement| announcement.verify(Network::MAIN));
                checked.err().map(|error| error.rule().to_string())
            }
            "message" => {
                let topic = Topic::parse(vector.text("topic")).expect("a topic");
                let id = message_id(Network::MAIN, &topic, &vector.bytes("data"));
                (id.0 != vector.array("id")).then(|| "GSP-3".to_owned())
            }
            other => panic!("no vector is a {other}"),
        };
        assert_eq!(broken, vector.rule, "{}", vector.name);
    }
}

#[test]
fn gsp_3_the_longest_header_fits_an_announcement() {
    let bytes = wire(&[0; HEADER_BYTES_MAX], &[0; 64]);
    assert!(bytes.len() <= ANNOUNCEMENT_BYTES_MAX, "{}", bytes.len());
}

#[test]
fn r_gos_5_the_same_announcement_has_one_id_and_no_other_has_it() {
    // R-GOS-5
    let mut alice = writer("alice", "phone");
    alice.post("one");
    alice.post("two");
    let announced: Vec<_> =
        alice.entries.iter().map(|entry| Announcement::of(entry).expect("signed").encode()).collect();
    let topics = [Topic::of(Network::MAIN, "community", b"bees"), Topic::of(Network::MAIN, "community", b"ants")];
    let mut ids = Vec::new();
    for bytes in &announced {
        for topic in &topics {
            let id = message_id(Network::MAIN, topic, bytes);
            assert_eq!(id, message_id(Network::MAIN, topic, &bytes.clone()));
            assert!(!ids.contains(&id));
            ids.push(id);
        }
    }
}

proptest::proptest! {
    #[test]
    fn gsp_3_any_bytes_are_an_announcement_or_refused(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..700)) {
        if let Ok(announcement) = Announcement::decode(&bytes) {
            proptest::prop_assert_eq!(announcement.encode(), bytes);
        }
    }
}
