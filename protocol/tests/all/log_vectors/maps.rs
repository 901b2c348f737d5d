//! The Merkle map, and the checkpoints that commit to it (`LOG-8`, `LOG-14`).

use serde_json::Value;
use xom_protocol::body::{Body, Checkpoint, LogHead};
use xom_protocol::entry::Kind;
use xom_protocol::log::{
    EMPTY_ROOT, LiveSet, MerkleMap, MerkleProof, Surroundings, audit_checkpoint, build_checkpoint,
};
use xom_protocol::{Digest, EntryId, encoding};

use super::check;
use crate::cast::{Writer, did, writer};
use crate::support::{Vector, check_regenerated, hex, unhex};

const FILE: &str = "merkle.json";
const ABOUT: &str = "Chapter 02, LOG-14 and LOG-8. merkle-map: the root of items (key, value), all 32 bytes. \
    merkle-proof: cbor leads to root and proves value at key, or its absence where value is null. checkpoint: cbor is \
    the body at place seq on top of prev in log; its map holds items.";

fn item(n: u64) -> (Digest, EntryId) {
    (Digest::of(&[b"key ", &n.to_be_bytes()]), EntryId(Digest::of(&[b"value ", &n.to_be_bytes()]).0))
}

fn as_list(items: &[(Digest, EntryId)]) -> Vec<Value> {
    let pair = |(key, value): &(Digest, EntryId)| vec![Value::from(hex(key.0)), hex(value.0).into()].into();
    items.iter().map(pair).collect()
}

fn maps() -> Vec<Vector> {
    let (mut low, mut high) = (Digest([7; 32]), Digest([7; 32]));
    (low.0[31], high.0[31]) = (0, 1);
    let cases = [
        ("an empty map", vec![]),
        ("a map of one", vec![item(1)]),
        ("a map of two", vec![item(1), item(2)]),
        ("two keys that differ in the last bit", vec![(low, item(1).1), (high, item(2).1)]),
        ("a map of twenty", (0..20).map(item).collect()),
    ];
    let vector = |(name, items): &(&str, Vec<(Digest, EntryId)>)| {
        let root = items.iter().copied().collect::<MerkleMap>().root();
        Vector::new(name, "merkle-map", None).with("items", as_list(items)).with("root", hex(root.0))
    };
    cases.iter().map(vector).collect()
}

fn proofs() -> Vec<Vector> {
    let mut map: MerkleMap = (0..20).map(item).collect();
    let root = map.root();
    let vector = |name: &str, rule, proof: &MerkleProof, root: Digest, key: Digest, value: Option<EntryId>| {
        let value = value.map_or(Value::Null, |value| hex(value.0).into());
        let vector = Vector::new(name, "merkle-proof", rule).with("cbor", hex(encoding::encode(proof)));
        vector.with("root", hex(root.0)).with("key", hex(key.0)).with("value", value)
    };
    let (key, value) = item(3);
    let (absent, _) = item(99);
    let present = map.prove(&key);
    let gone = map.prove(&absent);
    let swapped = MerkleProof { leaf: Some((key, item(4).1)), ..present.clone() };
    let hidden = MerkleProof { leaf: None, ..present.clone() };
    let long = MerkleProof { siblings: vec![EMPTY_ROOT; 257], leaf: None };
    let mut short = present.clone();
    short.siblings.pop();
    let mut elsewhere = key;
    elsewhere.0[0] ^= 0x80;
    let bad = Some("LOG-14");
    vec![
        vector("a proof of presence", None, &present, root, key, Some(value)),
        vector("a proof of absence", None, &gone, root, absent, None),
        vector("a proof for another root", bad, &present, item(5).0, key, None),
        vector("a proof with another value", bad, &swapped, root, key, None),
        vector("a proof that hides the leaf", bad, &hidden, root, key, None),
        vector("a proof with a hash too few", bad, &short, root, key, None),
        vector("a proof with 257 hashes", bad, &long, EMPTY_ROOT, key, None),
        vector("a proof for a key on another path", bad, &present, root, elsewhere, None),
    ]
}

/// A log with a register overwritten and an entry erased, and a sibling's head.
fn log() -> (Writer, LiveSet, LogHead) {
    let (mut phone, mut laptop) = (writer("alice", "phone"), writer("alice", "laptop"));
    let gone = phone.post("gone");
    phone.name("Alice", 1);
    phone.name("Alice P.", 2);
    laptop.erase(gone);
    phone.follow(did("bob"), 1);
    while phone.height() < 256 {
        phone.like(gone, phone.height());
    }
    let mut live = LiveSet::new(did("alice"));
    phone.entries.iter().chain(&laptop.entries).for_each(|entry| live.insert(entry));
    let head = LogHead { log: laptop.log(), height: 1, head: laptop.entries[0].hash() };
    (phone, live, head)
}

fn checkpoints() -> Vec<Vector> {
    let (phone, live, sibling) = log();
    let items = live.checkpoint_items(phone.log(), 256, &[sibling]);
    let around = Surroundings { identity: Digest([1; 32]), statements: Digest([2; 32]), logs: vec![sibling] };
    let mut map: MerkleMap = items.iter().copied().collect();
    let body = build_checkpoint(phone.log(), phone.composer.position, &mut map, around).expect("not empty");
    let vector = |name: &str, rule, body: &Checkpoint| {
        let vector = Vector::new(name, "checkpoint", rule).with("cbor", hex(encoding::encode(body)));
        let vector = vector.with("log", phone.log().to_string()).with("seq", 256);
        vector.with("prev", hex(body_prev(&phone).0)).with("items", as_list(&items))
    };
    let own = LogHead { log: phone.log(), height: 256, head: Digest([1; 32]) };
    let mut unordered = vec![own, sibling];
    unordered.sort_by_key(|head| std::cmp::Reverse(head.log));
    let bad = Some("LOG-8");
    vec![
        vector("a checkpoint", None, &body),
        vector("a checkpoint of another height", bad, &Checkpoint { height: 512, ..body.clone() }),
        vector("a checkpoint on another predecessor", bad, &Checkpoint { prev: Digest([9; 32]), ..body.clone() }),
        vector("a checkpoint with another root", bad, &Checkpoint { root: EMPTY_ROOT, ..body.clone() }),
        vector("a checkpoint that names its own log", bad, &Checkpoint { logs: vec![own], ..body.clone() }),
        vector("a checkpoint with logs out of order", bad, &Checkpoint { logs: unordered, ..body }),
    ]
}

fn body_prev(phone: &Writer) -> Digest {
    phone.composer.position.head.expect("not empty")
}

#[test]
fn the_merkle_vectors_are_what_the_code_makes() {
    let (maps, proofs) = (maps(), proofs());
    check_regenerated(FILE, ABOUT, [proofs, maps, checkpoints()].concat());
}

#[test]
fn the_merkle_vectors_hold() {
    check(FILE, run);
}

fn items_of(vector: &Vector) -> Vec<(Digest, EntryId)> {
    let bytes = |value: &Value| <[u8; 32]>::try_from(unhex(value.as_str().expect("text"))).expect("32 bytes");
    vector.list("items").iter().map(|pair| (Digest(bytes(&pair[0])), EntryId(bytes(&pair[1])))).collect()
}

fn run(vector: &Vector) -> Result<(), String> {
    match vector.is.as_str() {
        "merkle-map" => {
            let backwards: MerkleMap = items_of(vector).into_iter().rev().collect();
            assert_eq!(hex({ backwards }.root().0), vector.text("root"));
        }
        "merkle-proof" => {
            let proof: MerkleProof = encoding::decode(&vector.bytes("cbor"), 100_000).expect("well formed");
            let (root, key) = (Digest(vector.array("root")), Digest(vector.array("key")));
            let proved = proof.verify(&root, &key).map_err(|_| "LOG-14")?;
            let expected = vector.fields["value"].is_string().then(|| EntryId(vector.array("value")));
            assert_eq!(proved, expected);
        }
        _ => {
            let read = Body::decode(&Kind::Checkpoint, &vector.bytes("cbor")).map_err(|e| e.rule().to_string())?;
            let Body::Checkpoint(body) = read else { panic!("a checkpoint") };
            let mut map: MerkleMap = items_of(vector).into_iter().collect();
            let (mut phone, _, _) = log();
            assert_eq!(
                (phone.log().to_string(), hex(body_prev(&phone).0)),
                (vector.text("log").into(), vector.text("prev").into())
            );
            phone.write_bytes("checkpoint", &vector.bytes("cbor"));
            let entry = phone.entries.last().expect("checkpoint");
            audit_checkpoint(entry, &body, Some(&mut map)).map_err(|fault| fault.rule().to_string())?;
        }
    }
    Ok(())
}
