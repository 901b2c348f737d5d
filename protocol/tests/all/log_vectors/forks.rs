//! Fork proofs and verdicts (`LOG-13`).

use serde_bytes::ByteBuf;
use serde_json::Value;
use xom_protocol::body::LogHead;
use xom_protocol::entry::VerifiedEntry;
use xom_protocol::keys::Signature;
use xom_protocol::log::{Anchor, AnchorStrength, BranchHashes, ForkProof, Verdict, resolve};
use xom_protocol::{Digest, Network, encoding};

use super::check;
use crate::cast::{Writer, writer};
use crate::support::{Vector, check_regenerated, hex, unhex};

const FILE: &str = "forks.json";
const ABOUT: &str = "Chapter 02, LOG-13. fork-proof: cbor on network main; log and seq of the fork; anchors (control or \
    sibling, height, head) in any order; verdict: disputed, decided with branch (0 or 1, in the order of the proof) and \
    height, or elsewhere with height and head of what to fetch.";

type Pair = (ByteBuf, Option<Signature>);

fn forked() -> (Writer, Writer) {
    let mut alice = writer("alice", "phone");
    alice.fill_to(5);
    let mut twin = alice.twin();
    twin.post("the other way");
    alice.fill_to(8);
    twin.fill_to(8);
    let alice_first = alice.entries[5].hash() < twin.entries[5].hash();
    if alice_first { (alice, twin) } else { (twin, alice) }
}

fn pairs(entries: &[VerifiedEntry]) -> Vec<Pair> {
    entries.iter().map(|entry| (ByteBuf::from(entry.header_bytes()), entry.signature().copied())).collect()
}

fn proof(branches: &[Vec<Pair>]) -> Vec<u8> {
    encoding::encode(branches)
}

fn valid_vectors(left: &Writer, right: &Writer) -> Vec<Vector> {
    let head = |log: &Writer, seq: usize| hex(log.entries[seq].hash().0);
    let anchor = |strength: &str, log: &Writer, height: usize| -> Value {
        vec![Value::from(strength), height.into(), head(log, height - 1).into()].into()
    };
    let elsewhere = || -> Value { vec![Value::from("control"), 6.into(), hex([9; 32]).into()].into() };
    let cbor = hex(proof(&[pairs(&left.entries[5..8]), pairs(&right.entries[5..8])]));
    let vector = |name: &str, anchors: Vec<Value>, verdict: Vec<Value>| {
        let vector = Vector::new(name, "fork-proof", None).with("cbor", cbor.clone());
        let vector = vector.with("log", left.log().to_string()).with("seq", 5);
        vector.with("anchors", anchors).with("verdict", verdict)
    };
    let disputed = || vec![Value::from("disputed")];
    let decided = |branch: u64, height: u64| vec![Value::from("decided"), branch.into(), height.into()];
    let (control, sibling) = ("control", "sibling");
    vec![
        vector("no anchor", vec![], disputed()),
        vector("an anchor below the fork", vec![anchor(control, left, 5)], disputed()),
        vector("a sibling's anchor", vec![anchor(sibling, left, 7)], decided(0, 7)),
        vector("a control key's anchor", vec![anchor(control, right, 6)], decided(1, 6)),
        vector(
            "a control key against a sibling",
            vec![anchor(sibling, left, 8), anchor(control, right, 6)],
            decided(1, 6),
        ),
        vector("two siblings on one branch", vec![anchor(sibling, left, 8), anchor(sibling, left, 6)], decided(0, 8)),
        vector("two siblings on two branches", vec![anchor(sibling, left, 8), anchor(sibling, right, 6)], disputed()),
        vector(
            "an anchor on a branch that is not held",
            vec![anchor(sibling, left, 6), elsewhere()],
            vec!["elsewhere".into(), 6.into(), hex([9; 32]).into()],
        ),
    ]
}

fn invalid_vectors(left: &Writer, right: &Writer) -> Vec<Vector> {
    let (low, high) =
        (|range: std::ops::Range<usize>| pairs(&left.entries[range]), |range| pairs(&right.entries[range]));
    let vector = |rule, name: &str, branches: &[Vec<Pair>]| {
        Vector::new(name, "fork-proof", Some(rule)).with("cbor", hex(proof(branches)))
    };
    let mut unsigned = high(5..6);
    unsigned[0].1 = None;
    let mut false_signature = high(5..6);
    false_signature[0].1 = Some(Signature([7; 64]));
    let mut bob = writer("bob", "phone");
    bob.fill_to(6);
    let gap = vec![low(5..6)[0].clone(), low(7..8)[0].clone()];
    let many: Vec<Pair> = std::iter::repeat_n(low(5..6)[0].clone(), 257).collect();
    vec![
        vector("LOG-13", "one branch", &[low(5..6)]),
        vector("LOG-13", "three branches", &[low(5..6), high(5..6), high(5..7)]),
        vector("LOG-13", "an empty branch", &[low(5..6), vec![]]),
        vector("LOG-13", "a branch of 257 headers", &[many, high(5..6)]),
        vector("LOG-13", "branches in the wrong order", &[high(5..6), low(5..6)]),
        vector("LOG-13", "one branch twice", &[low(5..6), low(5..6)]),
        vector("LOG-13", "branches that begin before they part", &[low(4..6), high(4..6)]),
        vector("LOG-13", "branches at two places", &[low(5..6), high(6..7)]),
        vector("LOG-13", "branches of two logs", &[low(5..6), pairs(&bob.entries[5..6])]),
        vector("LOG-13", "a branch with a gap", &[gap, high(5..6)]),
        vector("LOG-13", "a branch that nobody signed", &[low(5..6), unsigned]),
        vector("ENC-12", "a branch with a false signature", &[low(5..6), false_signature]),
    ]
}

#[test]
fn the_fork_vectors_are_what_the_code_makes() {
    let (left, right) = forked();
    check_regenerated(FILE, ABOUT, [valid_vectors(&left, &right), invalid_vectors(&left, &right)].concat());
}

#[test]
fn the_fork_vectors_hold() {
    check(FILE, run);
}

fn run(vector: &Vector) -> Result<(), String> {
    let proof = ForkProof::decode(&vector.bytes("cbor")).map_err(|e| e.rule().to_string())?;
    let fork = proof.verify(Network::MAIN).map_err(|e| e.rule().to_string())?;
    assert_eq!(fork.point.log.to_string(), vector.text("log"));
    assert_eq!(fork.point.seq, vector.number("seq"));
    let digest = |value: &Value| Digest(unhex(value.as_str().expect("text")).try_into().expect("32 bytes"));
    let anchor = |value: &Value| {
        let strength = if value[0] == "control" { AnchorStrength::Control } else { AnchorStrength::Sibling };
        let head = LogHead { log: fork.point.log, height: value[1].as_u64().expect("height"), head: digest(&value[2]) };
        Anchor { strength, head }
    };
    let mut anchors: Vec<Anchor> = vector.list("anchors").iter().map(anchor).collect();
    let branches: [&dyn BranchHashes; 2] = [&fork.branches[0], &fork.branches[1]];
    for _ in 0..2 {
        let expected = vector.list("verdict");
        match resolve(&fork.point, &branches, &anchors) {
            Verdict::Disputed => assert_eq!(expected, ["disputed"]),
            Verdict::Decided { branch, height } => {
                assert_eq!(expected, [Value::from("decided"), branch.into(), height.into()]);
            }
            Verdict::Elsewhere { head } => {
                assert_eq!(expected, [Value::from("elsewhere"), head.height.into(), hex(head.head.0).into()]);
            }
        }
        anchors.reverse();
    }
    Ok(())
}
