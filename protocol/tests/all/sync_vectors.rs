//! The vectors of chapter 04: made from fixed keys and nonces, and run from their JSON.

use xom_protocol::entry::SignedEntry;
use xom_protocol::keys::{Domain, Signature};
use xom_protocol::log::Position;
use xom_protocol::sync::message::{
    AimedPush, Claim, Heads, Hello, HolderReceipts, IdentityHead, KnownCopy, LogHead, Message, Offer, Push, Range,
    ReceiptNews, SpanList, SpanPrint, Spans,
};
use xom_protocol::sync::{Aimed, Proof, ProofContext, Salter, Setting, Span, frame_body_len, print, verify};
use xom_protocol::{DeviceId, Did, Digest, EntryId, LogId, Network, encoding};

use crate::support::{Vector, cddl, check_cddl, check_regenerated, hex, read_vectors};
use crate::sync_home::Author;

const FILE: &str = "sync.json";
const ABOUT: &str = "Chapter 04. The messages by their names in CDDL: cbor is a frame's body. frame: prefix, and body_bytes where \
    it is valid. salted-id: of a log, or of a did on network main, under two nonces. handshake: signed is the \
    encoding of version, nonces, peers, did, device; signature under the domain handshake on network main. \
    stand: where a side stands in a log or a did, under two nonces. print: of marks.";
const CHAPTERS: &[&str] = &["03-encoding.md", "02-entries-and-logs.md", "04-sync.md"];

const TIME: u64 = 253_402_300_799_999;
const ID: [u8; 16] = [0x1d; 16];

fn alice() -> Author {
    Author::new("alice")
}

fn log() -> Vec<SignedEntry> {
    alice().run(Position::EMPTY, 3, 8)
}

fn message(name: &str, is: &str, message: Message) -> Vector {
    Vector::new(name, is, None).with("cbor", hex(message.encode()))
}

fn hello() -> Hello {
    Hello { version: 1, network: "main".into(), nonce: [1; 32], epoch: u64::MAX, resume: None }
}

fn heads(head: LogHead) -> Message {
    let identities =
        vec![IdentityHead { id: ID, digest: None }, IdentityHead { id: ID, digest: Some(Digest([2; 32])) }];
    Message::Heads(Heads { counter: 9, logs: vec![head], identities })
}

fn head(height: u64, head: Option<Digest>) -> LogHead {
    LogHead { id: ID, position: Position { height, head }, wanted: true }
}

fn range(entries: Vec<SignedEntry>) -> Message {
    Message::Range(Range { request: 1, from: 0, end: true, entries })
}

fn push(entries: Vec<SignedEntry>) -> Message {
    Message::Push(Push { number: 1, id: ID, from: 0, counter: 9, entries })
}

fn aimed(entries: Vec<SignedEntry>) -> Message {
    let items = vec![Aimed { objects: vec![vec![0x80]], entries }];
    Message::Aimed(AimedPush { number: 1, more: false, counter: 9, items })
}

fn receipts(items: Vec<HolderReceipts>) -> Message {
    Message::Receipts { number: 1, news: ReceiptNews::Receipts(items) }
}

fn holder(receipts: Vec<Vec<u8>>) -> HolderReceipts {
    HolderReceipts { objects: vec![vec![0x80]], receipts }
}

fn copies(copies: Vec<KnownCopy>) -> Message {
    Message::Receipts { number: 1, news: ReceiptNews::Copies(copies) }
}

fn copy(seen_ms: u64) -> KnownCopy {
    KnownCopy { entry: EntryId([4; 32]), holder: Did([3; 32]), device: DeviceId([4; 32]), seen_ms }
}

fn claim() -> Claim {
    Claim { did: Did([3; 32]), device: DeviceId([4; 32]), signature: Signature([5; 64]) }
}

fn settings(key: &str, rev: u64, bytes: usize) -> Message {
    let item = Setting { key: key.to_owned(), rev, value: vec![b'x'; bytes] };
    Message::Settings { did: Did([3; 32]), items: vec![item] }
}

fn singles_request(count: u8) -> Message {
    Message::SinglesRequest { request: 1, id: ID, entries: (0..count).map(|byte| EntryId([byte; 32])).collect() }
}

fn singles(entries: Vec<SignedEntry>) -> Message {
    Message::Singles { request: 1, items: vec![Aimed { objects: vec![vec![0x80]], entries }] }
}

fn spans(prints: Vec<SpanPrint>, lists: Vec<SpanList>) -> Message {
    Message::Spans(Spans { number: 1, more: false, prints, lists })
}

fn span_print(from: u64, to: u64) -> SpanPrint {
    SpanPrint { span: Span { from, to }, print: [8; 16] }
}

fn span_list(from: u64, to: u64, marks: &[u128]) -> SpanList {
    SpanList { span: Span { from, to }, marks: marks.to_vec() }
}

/// A message with one print, with bounds as they stand.
fn bounds(from: &[u8], to: &[u8]) -> Vec<u8> {
    let bytes = |bytes: &[u8]| serde_bytes::ByteBuf::from(bytes.to_vec());
    encoding::encode(&(23, 1, false, vec![(bytes(from), bytes(to), bytes(&[8; 16]))], Vec::<u8>::new()))
}

/// Marks in a span that begins at this bound.
fn marks(from: u64, count: u128) -> Vec<u128> {
    (0..count).map(|n| (u128::from(from) << 64) + n).collect()
}

fn valid() -> Vec<Vector> {
    let bare = log().into_iter().map(|entry| SignedEntry { signature: None, body: None, ..entry }).collect();
    let resumed = Hello { version: 7, resume: Some((u64::MAX, 12)), ..hello() };
    let offer = |more, ids| Message::Offer(Offer { number: 1, more, counter: 9, ids });
    vec![
        message("a hello", "hello", Message::Hello(hello())),
        message("a hello of a higher version that resumes", "hello", Message::Hello(resumed)),
        message("no proof", "proof", Message::Proof(Vec::new())),
        message("a proof", "proof", Message::Proof(vec![claim()])),
        message("an empty offer", "offer", offer(false, Vec::new())),
        message("a part of an offer", "offer", offer(true, vec![ID, [7; 16]])),
        message("heads", "heads", heads(head(3, Some(Digest([6; 32]))))),
        message("the head of an empty log", "heads", heads(head(0, None))),
        message("compared", "compared", Message::Compared { number: 1 }),
        message("a range request", "range-request", Message::RangeRequest { request: 1, id: ID, from: 0, to: 2_048 }),
        message("a range", "range", range(log())),
        message("a range of headers only", "range", range(bare)),
        message("an empty range", "range", range(Vec::new())),
        message("an identity request", "identity-request", Message::IdentityRequest { request: 1, id: ID }),
        message(
            "objects of an identity",
            "identity-objects",
            Message::IdentityObjects { request: 1, end: false, objects: vec![vec![0x80]] },
        ),
        message("a push", "push", push(log())),
        message("an acknowledgement", "ack", Message::Ack { pushes: 1, counter: 9 }),
        message("aimed entries", "aimed", aimed(log())),
        message("a fork request", "fork-request", Message::ForkRequest { request: 1, id: ID, at: 0 }),
        message(
            "a request for ancestors",
            "ancestors-request",
            Message::AncestorsRequest { request: 1, id: ID, at: 299, hash: Digest([6; 32]) },
        ),
        message("a passed proof of a fork", "proven-fork", Message::Proven { id: ID, proof: Proof::Fork(vec![0x80]) }),
        message(
            "a passed proof of a fault",
            "proven-fault",
            Message::Proven { id: ID, proof: Proof::Fault(vec![0x80]) },
        ),
        message("receipts", "receipts", receipts(vec![holder(vec![vec![9]])])),
        message("known copies", "copies", copies(vec![copy(TIME)])),
        message("an acknowledgement of receipts", "receipts-ack", Message::ReceiptsAck { number: 1 }),
        message("private settings", "settings", settings("device-name/00", 1, 5)),
        message("a request for admitted entries", "singles-request", singles_request(1)),
        message("admitted entries", "singles", singles(log())),
        message("no admitted entries", "singles", Message::Singles { request: 1, items: Vec::new() }),
        message("no spans", "spans", spans(Vec::new(), Vec::new())),
        message("the print of everything", "spans", spans(vec![span_print(0, 0)], Vec::new())),
        message(
            "prints and lists",
            "spans",
            spans(
                vec![span_print(0, 1 << 63), span_print(0xff00 << 48, 0)],
                vec![span_list(1 << 63, 0xa1b2 << 48, &marks(1 << 63, 2)), span_list(u64::MAX, 0, &[])],
            ),
        ),
        message("a ping", "ping", Message::Ping),
        message("a bye", "bye", Message::Bye { reason: "silent".into() }),
    ]
}

fn invalid() -> Vec<Vector> {
    let bad =
        |rule: &str, name: &str, is: &str, cbor: Vec<u8>| Vector::new(name, is, Some(rule)).with("cbor", hex(cbor));
    let digest = Digest([1; 32]);
    let number = |value: u64| encoding::encode(&(4, value));
    let entry = |header: usize, salt: Option<usize>, body: Option<usize>| {
        let bytes = |count| serde_bytes::ByteBuf::from(vec![0; count]);
        let entry = (bytes(header), Option::<Signature>::None, salt.map(bytes), body.map(bytes));
        encoding::encode(&(6, 1, 0, true, vec![entry]))
    };
    let ids = |bytes: usize| encoding::encode(&(2, 1, false, 9, serde_bytes::ByteBuf::from(vec![0; bytes])));
    let ask = |from, to| Message::RangeRequest { request: 1, id: ID, from, to }.encode();
    let many = |count| vec![log().remove(0); count];
    vec![
        bad("SYN-1", "a kind that is not known", "message", encoding::encode(&(31, 1))),
        bad("SYN-1", "a map", "message", vec![0xa0]),
        bad("SYN-1", "an empty array", "message", vec![0x80]),
        bad("SYN-1", "a kind that is text", "message", encoding::encode(&("ping", 1))),
        bad("SYN-1", "a member too many", "message", encoding::encode(&(4, 1, 1))),
        bad("SYN-1", "a member too few", "message", encoding::encode(&(10, 1))),
        bad("SYN-1", "a number above 2^53-1", "compared", number(1 << 53)),
        bad("SYN-1", "a height above 2^53-1", "heads", heads(head(1 << 53, Some(Digest([6; 32])))).encode()),
        bad(
            "SYN-1",
            "a nonce of 31 bytes",
            "hello",
            encoding::encode(&(0, 1, "main", serde_bytes::ByteBuf::from(vec![1; 31]), 1, Vec::<u64>::new())),
        ),
        bad("SYN-1", "an epoch without counter", "hello", encoding::encode(&(0, 1, "main", digest, 1, vec![1]))),
        bad(
            "SYN-1",
            "a signature of 63 bytes",
            "proof",
            encoding::encode(&(1, vec![(Did([3; 32]), DeviceId([4; 32]), serde_bytes::ByteBuf::from(vec![1; 63]))])),
        ),
        bad(
            "SYN-1",
            "an id of 15 bytes",
            "identity-request",
            encoding::encode(&(7, 1, serde_bytes::ByteBuf::from(vec![1; 15]))),
        ),
        bad(
            "SYN-1",
            "a proof for an id of 17 bytes",
            "proven-fork",
            encoding::encode(&(18, serde_bytes::ByteBuf::from(vec![1; 17]), serde_bytes::ByteBuf::from(vec![0x80]))),
        ),
        bad(
            "SYN-1",
            "a proof without log",
            "proven-fault",
            encoding::encode(&(19, serde_bytes::ByteBuf::from(vec![0x80]))),
        ),
        bad(
            "SYN-1",
            "a request for ancestors of a hash of 31 bytes",
            "ancestors-request",
            encoding::encode(&(
                22,
                1,
                serde_bytes::ByteBuf::from(vec![1; 16]),
                0,
                serde_bytes::ByteBuf::from(vec![1; 31]),
            )),
        ),
        bad(
            "SYN-1",
            "a request for ancestors at 2^53",
            "ancestors-request",
            Message::AncestorsRequest { request: 1, id: ID, at: 1 << 53, hash: Digest([6; 32]) }.encode(),
        ),
        bad("ENC-1", "two messages in one frame", "message", [number(1), number(2)].concat()),
        bad("ENC-1", "a message cut short", "message", vec![0x82, 0x04]),
        bad("ENC-2", "a number not in its shortest form", "message", vec![0x82, 0x04, 0x18, 0x01]),
        bad("ENC-4", "a float", "message", vec![0x82, 0x04, 0xfb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0]),
        bad("ENC-5", "arrays 40 deep", "message", vec![0x81; 40]),
        bad(
            "SYN-3",
            "a network name of 33 bytes",
            "hello",
            Message::Hello(Hello { network: "x".repeat(33), ..hello() }).encode(),
        ),
        bad("SYN-4", "five proofs", "proof", Message::Proof(vec![claim(); 5]).encode()),
        bad("SYN-5", "ids that are no multiple of 16 bytes", "offer", ids(17)),
        bad("SYN-7", "a height without head", "heads", heads(head(3, None)).encode()),
        bad("SYN-7", "a head without height", "heads", heads(head(0, Some(Digest([6; 32])))).encode()),
        bad("SYN-9", "a range of nothing", "range-request", ask(5, 5)),
        bad("SYN-9", "a range backwards", "range-request", ask(5, 4)),
        bad("SYN-9", "a range of 2,049 entries", "range-request", ask(0, 2_049)),
        bad("SYN-10", "a header of 513 bytes", "range", entry(513, None, None)),
        bad("SYN-10", "a salt without body", "range", entry(100, Some(32), None)),
        bad("SYN-10", "a body without salt", "range", entry(100, None, Some(1))),
        bad("SYN-1", "a salt of 31 bytes", "range", entry(100, Some(31), Some(1))),
        bad("SYN-11", "a push of nothing", "push", push(Vec::new()).encode()),
        bad("SYN-11", "a push of 65 entries", "push", push(many(65)).encode()),
        bad(
            "SYN-12",
            "1,025 aimed entries",
            "aimed",
            aimed(vec![SignedEntry { header: vec![], signature: None, body: None }; 1_025]).encode(),
        ),
        bad("RCP-5", "a message without receipts", "receipts", receipts(Vec::new()).encode()),
        bad("RCP-5", "a holder without receipts", "receipts", receipts(vec![holder(Vec::new())]).encode()),
        bad("RCP-5", "257 receipts", "receipts", receipts(vec![holder(vec![Vec::new(); 257])]).encode()),
        bad("RCP-1", "a receipt of 513 bytes", "receipts", receipts(vec![holder(vec![vec![0; 513]])]).encode()),
        bad("RCP-6", "a message without copies", "copies", copies(Vec::new()).encode()),
        bad("RCP-6", "a copy seen in the year 10000", "copies", copies(vec![copy(TIME + 1)]).encode()),
        bad("PAIR-8", "a setting without key", "settings", settings("", 1, 5).encode()),
        bad("PAIR-8", "a setting of revision 0", "settings", settings("key", 0, 5).encode()),
        bad("PAIR-8", "a setting of 1,025 bytes", "settings", settings("key", 1, 1_025).encode()),
        bad("PAIR-8", "no settings", "settings", Message::Settings { did: Did([3; 32]), items: Vec::new() }.encode()),
        bad("ADM-6", "a request for no entries", "singles-request", singles_request(0).encode()),
        bad("ADM-6", "a request for 17 entries", "singles-request", singles_request(17).encode()),
        bad("ADM-6", "17 admitted entries", "singles", singles(many(17)).encode()),
        bad("SYN-1", "a bound of 9 bytes", "spans", bounds(&[1; 9], &[])),
        bad("SYN-26", "a bound with a zero at its end", "spans", bounds(&[1, 0], &[])),
        bad("SYN-26", "a span of nothing", "spans", bounds(&[1], &[1])),
        bad("SYN-26", "a span backwards", "spans", bounds(&[2], &[1])),
        bad(
            "SYN-26",
            "spans that overlap",
            "spans",
            spans(vec![span_print(0, 2 << 56), span_print(1 << 56, 0)], Vec::new()).encode(),
        ),
        bad(
            "SYN-26",
            "a span after the end",
            "spans",
            spans(vec![span_print(0, 0), span_print(1, 0)], vec![]).encode(),
        ),
        bad("SYN-26", "a mark outside", "spans", spans(vec![], vec![span_list(1, 0, &marks(0, 1))]).encode()),
        bad("SYN-26", "marks out of order", "spans", spans(vec![], vec![span_list(0, 0, &[2, 1])]).encode()),
        bad("SYN-26", "a mark twice", "spans", spans(vec![], vec![span_list(0, 0, &[1, 1])]).encode()),
        bad("SYN-27", "a list of 33 marks", "spans", spans(vec![], vec![span_list(0, 0, &marks(0, 33))]).encode()),
        bad("SYN-15", "a reason of 201 bytes", "bye", Message::Bye { reason: "x".repeat(201) }.encode()),
    ]
}

fn frames() -> Vec<Vector> {
    let frame =
        |name: &str, rule, prefix: u32| Vector::new(name, "frame", rule).with("prefix", hex(prefix.to_be_bytes()));
    vec![
        frame("the shortest frame", None, 1).with("body_bytes", 1),
        frame("the longest frame", None, 1 << 20).with("body_bytes", 1 << 20),
        frame("an empty frame", Some("SYN-1"), 0),
        frame("a frame above 1 MiB", Some("SYN-1"), (1 << 20) + 1),
        frame("a frame whose length is negative when cast", Some("SYN-1"), 1 << 31),
    ]
}

fn ids() -> Vec<Vector> {
    let id = |name: &str, of: &str, value: String, salted: [u8; 16]| {
        let vector = Vector::new(name, "salted-id", None).with(of, value).with("salted", hex(salted));
        vector.with("nonces", vec![hex([9; 32]), hex([1; 32])])
    };
    let salter = Salter::new([1; 32], [9; 32]);
    let (log, did) = (LogId([3; 32]), Did([3; 32]));
    vec![
        id("the salted id of a log", "log", hex(log.0), salter.log(&log)),
        id("the salted id of an identity", "did", did.to_string(), salter.identity(Network::MAIN, &did)),
    ]
}

/// Marks and prints (`SYN-25`).
fn stands() -> Vec<Vector> {
    let salter = Salter::new([1; 32], [9; 32]);
    let (log, did, head) = (LogId([3; 32]), Did([3; 32]), Digest([6; 32]));
    let stand = |name: &str| Vector::new(name, "stand", None).with("nonces", vec![hex([9; 32]), hex([1; 32])]);
    let of_log = |name: &str, height: u64, head: Option<Digest>| {
        let bytes = salter.log_stand(&log, &Position { height, head });
        let vector = stand(name).with("log", hex(log.0)).with("height", height).with("stand", hex(bytes));
        head.map_or(vector.clone(), |head| vector.with("head", hex(head.0)))
    };
    let of_identity = |name: &str, digest: Option<Digest>| {
        let bytes = salter.identity_stand(Network::MAIN, &did, digest.as_ref());
        let vector = stand(name).with("did", did.to_string()).with("stand", hex(bytes));
        digest.map_or(vector.clone(), |digest| vector.with("digest", hex(digest.0)))
    };
    let of_marks = |name: &str, marks: &[u128]| {
        let sum = marks.iter().fold(0_u128, |sum, mark| sum.wrapping_add(*mark));
        let texts: Vec<String> = marks.iter().map(|mark| hex(mark.to_be_bytes())).collect();
        Vector::new(name, "print", None).with("marks", texts).with("print", hex(print(sum, marks.len() as u64)))
    };
    vec![
        of_log("where a log stands", 3, Some(head)),
        of_log("where an empty log stands", 0, None),
        of_identity("where an identity stands", Some(head)),
        of_identity("where an identity stands of which nothing is held", None),
        of_marks("the print of nothing", &[]),
        of_marks("the print of marks whose sum is above 2^128", &[1 << 64, u128::MAX - 5, u128::MAX]),
    ]
}

fn proofs() -> Vec<Vector> {
    let alice = alice();
    let context = context([1; 32], [2; 32], b"alice's peer id", b"bob's peer id");
    let signed = context.signed_bytes(&alice.did, &alice.key.public().device_id());
    let proof = |name: &str, rule, prover: &str, nonce: [u8; 32], domain| {
        Vector::new(name, "handshake", rule)
            .with("version", 1)
            .with("nonces", vec![hex(nonce), hex([2; 32])])
            .with("peers", vec![hex(prover), hex("bob's peer id")])
            .with("did", alice.did.to_string())
            .with("device", hex(alice.key.public().to_bytes()))
            .with("signature", hex(alice.key.sign(domain, Network::MAIN, &signed).0))
    };
    let right = "alice's peer id";
    vec![
        proof("a proof that holds", None, right, [1; 32], Domain::Handshake).with("cbor", hex(&signed)),
        proof("a proof of another connection", Some("SYN-4"), "mallory's peer id", [1; 32], Domain::Handshake),
        proof("a proof of another session", Some("SYN-4"), right, [3; 32], Domain::Handshake),
        proof("a signature over an entry as proof", Some("SYN-4"), right, [1; 32], Domain::Entry),
    ]
}

fn context<'a>(prover: [u8; 32], checker: [u8; 32], peer: &'a [u8], other: &'a [u8]) -> ProofContext<'a> {
    ProofContext {
        network: Network::MAIN,
        version: 1,
        prover_nonce: prover,
        checker_nonce: checker,
        prover_peer_id: peer,
        checker_peer_id: other,
    }
}

#[test]
fn the_sync_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, [valid(), invalid(), frames(), ids(), stands(), proofs()].concat());
}

#[test]
fn rcp_6_a_message_takes_1024_copies_and_not_one_more() {
    let rule = |count| Message::decode(&copies(vec![copy(0); count]).encode()).map_err(|e| e.rule().to_string());
    assert!(rule(1_024).is_ok());
    assert_eq!(rule(1_025).err().as_deref(), Some("RCP-6"));
}

#[test]
fn the_sync_vectors_hold() {
    for vector in read_vectors(FILE) {
        assert_eq!(run(&vector).err().as_deref(), vector.rule.as_deref(), "{}", vector.name);
        if vector.rule.is_none() && vector.fields.contains_key("cbor") {
            check_cddl(&vector.is, CHAPTERS, &vector.bytes("cbor"), &vector.name);
        }
    }
}

#[test]
fn every_message_matches_the_cddl_of_messages_and_what_is_none_does_not() {
    for vector in valid() {
        check_cddl("message", CHAPTERS, &vector.bytes("cbor"), &vector.name);
    }
    let text = cddl("message", CHAPTERS);
    let by_prose_alone = ["an epoch without counter"];
    for vector in invalid() {
        if vector.rule.as_deref() != Some("SYN-1") || by_prose_alone.contains(&vector.name.as_str()) {
            continue;
        }
        let result = cddl::validate_cbor_from_slice(&text, &vector.bytes("cbor"), None);
        assert!(result.is_err(), "{}", vector.name);
    }
}

/// The rule that a vector breaks.
fn run(vector: &Vector) -> Result<(), String> {
    match vector.is.as_str() {
        "frame" => run_frame(vector),
        "salted-id" => run_salted_id(vector),
        "stand" => run_stand(vector),
        "print" => run_print(vector),
        "handshake" => run_handshake(vector),
        _ => {
            let bytes = vector.bytes("cbor");
            let message = Message::decode(&bytes).map_err(|e| e.rule().to_string())?;
            assert_eq!(message.encode(), bytes, "{}", vector.name);
            Ok(())
        }
    }
}

fn run_frame(vector: &Vector) -> Result<(), String> {
    let len = frame_body_len(vector.array("prefix")).map_err(|e| e.rule().to_string())?;
    assert_eq!(len as u64, vector.number("body_bytes"));
    Ok(())
}

fn nonces(vector: &Vector) -> [[u8; 32]; 2] {
    let nonce = |index: usize| {
        let text = vector.list("nonces")[index].as_str().expect("text");
        crate::support::unhex(text).try_into().expect("32 bytes")
    };
    [nonce(0), nonce(1)]
}

fn run_salted_id(vector: &Vector) -> Result<(), String> {
    let [one, other] = nonces(vector);
    let salter = Salter::new(one, other);
    let salted = if vector.fields.contains_key("log") {
        salter.log(&LogId(vector.array("log")))
    } else {
        salter.identity(Network::MAIN, &vector.text("did").parse().expect("a DID"))
    };
    assert_eq!(salted, vector.array("salted"), "{}", vector.name);
    Ok(())
}

fn run_stand(vector: &Vector) -> Result<(), String> {
    let [one, other] = nonces(vector);
    let salter = Salter::new(one, other);
    let has = |field: &str| vector.fields.contains_key(field);
    let stand = if has("log") {
        let head = has("head").then(|| Digest(vector.array("head")));
        salter.log_stand(&LogId(vector.array("log")), &Position { height: vector.number("height"), head })
    } else {
        let digest = has("digest").then(|| Digest(vector.array("digest")));
        let did = vector.text("did").parse().expect("a DID");
        salter.identity_stand(Network::MAIN, &did, digest.as_ref())
    };
    assert_eq!(stand, vector.array("stand"), "{}", vector.name);
    Ok(())
}

fn run_print(vector: &Vector) -> Result<(), String> {
    let mark = |mark: &serde_json::Value| {
        let bytes = crate::support::unhex(mark.as_str().expect("text"));
        u128::from_be_bytes(bytes.try_into().expect("16 bytes"))
    };
    let marks: Vec<u128> = vector.list("marks").iter().map(mark).collect();
    let sum = marks.iter().fold(0_u128, |sum, mark| sum.wrapping_add(*mark));
    assert_eq!(print(sum, marks.len() as u64), vector.array("print"), "{}", vector.name);
    Ok(())
}

fn run_handshake(vector: &Vector) -> Result<(), String> {
    let [prover, checker] = nonces(vector);
    let peer = |index: usize| crate::support::unhex(vector.list("peers")[index].as_str().expect("text"));
    let (ours, theirs) = (peer(0), peer(1));
    let context = ProofContext { version: vector.number("version"), ..context(prover, checker, &ours, &theirs) };
    let did: Did = vector.text("did").parse().expect("a DID");
    let device = DeviceId(vector.array("device"));
    let signature = Signature(vector.array("signature"));
    if vector.fields.contains_key("cbor") {
        assert_eq!(context.signed_bytes(&did, &device), vector.bytes("cbor"));
    }
    verify(&context, &Claim { did, device, signature }).map_err(|_| "SYN-4".into())
}
