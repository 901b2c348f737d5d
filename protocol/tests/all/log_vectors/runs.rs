//! Runs (`LOG-4`, `LOG-6`, `LOG-7`, `LOG-9`).

use serde_bytes::ByteBuf;
use serde_json::Value;
use xom_protocol::entry::{Header, SaltedBody, SignedEntry};
use xom_protocol::keys::{PublicKey, Signature};
use xom_protocol::log::{Position, verify_run};
use xom_protocol::{Digest, Network, encoding};

use super::check;
use crate::cast::{Writer, as_range, did, key, side_writer, sign, writer};
use crate::support::{Vector, check_cddl, check_regenerated, hex, unhex};

const FILE: &str = "runs.json";
const ABOUT: &str = "Chapter 02, LOG-9. A run of the log of author and key on network, on top of height and head (null \
    for none). entries: header, signature or null, salt or null, body or null, of each. accepted: how many are taken; \
    rule: what stops it; body_mismatches: places among the accepted whose body is dropped.";

fn optional(bytes: Option<&[u8]>) -> Value {
    bytes.map_or(Value::Null, |bytes| hex(bytes).into())
}

/// One vector; everything but the rule and the count is as the run has it.
fn vector(name: &str, rule: Option<&str>, of: &Writer, from: u64, run: &[SignedEntry], accepted: u64) -> Vector {
    let position = from
        .checked_sub(1)
        .map_or(Position::EMPTY, |seq| Position::after(&of.entries[usize::try_from(seq).expect("small")]));
    let entry = |entry: &SignedEntry| -> Value {
        let body = entry.body.as_ref();
        let signature = optional(entry.signature.as_ref().map(|s| &s.0[..]));
        let body = [optional(body.map(|b| &b.salt[..])), optional(body.map(|b| &b.bytes[..]))];
        let [salt, body] = body;
        vec![hex(&entry.header).into(), signature, salt, body].into()
    };
    let entries: Vec<Value> = run.iter().map(entry).collect();
    let vector = Vector::new(name, "run", rule).with("network", "main").with("key", hex(of.key().to_bytes()));
    let vector = vector.with("author", did("alice").to_string()).with("log", of.log().to_string());
    let vector =
        vector.with("height", position.height).with("head", optional(position.head.as_ref().map(|h| &h.0[..])));
    let vector = vector.with("entries", entries).with("accepted", accepted);
    vector.with("body_mismatches", Vec::<Value>::new())
}

fn vectors() -> Vec<Vector> {
    let mut alice = writer("alice", "phone");
    alice.fill_to(34);
    let whole = || as_range(&alice.entries);
    let changed = |change: &dyn Fn(&mut Vec<SignedEntry>)| {
        let mut run = whole();
        change(&mut run);
        run
    };
    let unsigned = |header: &Header| SignedEntry { signature: None, ..sign(&alice.composer.key, header, None) };
    let with_header = |change: &dyn Fn(&mut Header)| {
        let mut header = alice.entries[33].header().clone();
        change(&mut header);
        changed(&|run| run[33] = sign(&alice.composer.key, &header, None))
    };
    let mut side = side_writer("alice", "phone", "labels");
    side.fill_to(2);
    let (laptop, mallory) = (key("laptop").public().device_id(), did("mallory"));
    let refused = |rule, name, run: &[SignedEntry], accepted| vector(name, Some(rule), &alice, 0, run, accepted);
    vec![
        vector("a run from nothing", None, &alice, 0, &whole(), 34),
        vector("a run on top of ten", None, &alice, 10, &whole()[10..], 24),
        vector("an empty run", None, &alice, 10, &[], 0),
        vector(
            "a run without bodies",
            None,
            &alice,
            0,
            &changed(&|run| run.iter_mut().for_each(|e| e.body = None)),
            34,
        ),
        vector("a run with a wrong body", None, &alice, 0, &changed(&|run| wrong_body(&mut run[3])), 34)
            .with("body_mismatches", vec![Value::from(3)]),
        refused("LOG-9", "no signature at its end", &whole()[..20], 1),
        refused("LOG-9", "no signature at 32", &changed(&|run| run[32].signature = None), 1),
        refused("LOG-9", "no signature at 0", &changed(&|run| run[0].signature = None), 0),
        refused(
            "ENC-12",
            "a wrong signature in the middle",
            &changed(&|run| run[9].signature = Some(Signature([7; 64]))),
            1,
        ),
        refused(
            "ENC-12",
            "a wrong signature at its end",
            &changed(&|run| run[33].signature = Some(Signature([7; 64]))),
            33,
        ),
        refused("LOG-4", "a gap", &changed(&|run| drop(run.remove(33 - 1))), 1),
        refused("LOG-4", "an entry twice", &changed(&|run| run.insert(33, run[32].clone())), 33),
        refused("LOG-4", "another link", &with_header(&|h| h.prev = Some(Digest([9; 32]))), 33),
        refused("LOG-4", "not on top of what is held", &whole()[10..], 0),
        refused("LOG-7", "another device", &with_header(&|h| h.device = laptop), 33),
        refused("LOG-7", "another author", &with_header(&|h| h.author = mallory), 33),
        refused("LOG-7", "another log", &changed(&|run| run[33] = side.entries[1].to_signed()), 33),
        refused(
            "LOG-4",
            "a header that nobody signed, in the middle",
            &changed(&|run| {
                let mut header = alice.entries[5].header().clone();
                header.commitment = Digest([9; 32]);
                run[5] = unsigned(&header);
            }),
            1,
        ),
        refused("ENC-1", "no header", &changed(&|run| run[33].header.clear()), 33),
    ]
}

fn wrong_body(entry: &mut SignedEntry) {
    entry.body.as_mut().expect("body").salt = [8; 32];
}

#[test]
fn the_run_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, vectors());
}

#[test]
fn the_run_vectors_hold() {
    check(FILE, run);
}

fn run(vector: &Vector) -> Result<(), String> {
    let network: Network = vector.text("network").parse().expect("name");
    let key = PublicKey::from_bytes(&vector.array("key")).expect("usable");
    let author = vector.text("author").parse().expect("did");
    let log = vector.text("log").parse().expect("log");
    let head = vector.fields["head"].is_string().then(|| Digest(vector.array("head")));
    let from = Position { height: vector.number("height"), head };
    let entries = vector.list("entries").iter().map(entry).collect();
    let run = verify_run(network, &key, author, log, from, entries);
    assert_eq!(run.accepted.len() as u64, vector.number("accepted"), "{}", vector.name);
    let mismatches: Vec<Value> = run.body_mismatches.iter().map(|seq| Value::from(*seq)).collect();
    assert_eq!(mismatches, vector.list("body_mismatches"), "{}", vector.name);
    run.refused.map_or(Ok(()), |refusal| Err(refusal.rule().to_string()))
}

#[test]
fn an_entry_as_it_travels_matches_the_cddl() {
    let mut alice = writer("alice", "phone");
    alice.fill_to(1);
    let SignedEntry { header, signature, body } = alice.entries[0].to_signed();
    let (salt, bytes) = body.map(|body| (ByteBuf::from(body.salt), ByteBuf::from(body.bytes))).unzip();
    let whole = encoding::encode(&(ByteBuf::from(header.clone()), signature, salt, bytes));
    check_cddl("signed-entry", super::CHAPTERS, &whole, "an entry with all");
    let none: Option<ByteBuf> = None;
    let bare = encoding::encode(&(ByteBuf::from(header), &none, &none, &none));
    check_cddl("signed-entry", super::CHAPTERS, &bare, "an entry with its header only");
}

fn entry(value: &Value) -> SignedEntry {
    let part = |index: usize| value[index].as_str().map(unhex);
    let signature = part(1).map(|bytes| Signature(bytes.try_into().expect("64 bytes")));
    let body = part(2).zip(part(3)).map(|(salt, bytes)| SaltedBody { salt: salt.try_into().expect("32 bytes"), bytes });
    SignedEntry { header: part(0).expect("header"), signature, body }
}
