//! Proofs that a checkpoint is void (`LOG-18`).

use serde_bytes::ByteBuf;
use xom_protocol::body::{Body, Checkpoint, LogHead, Post};
use xom_protocol::entry::{Kind, VerifiedEntry};
use xom_protocol::keys::{SecretKey, Signature};
use xom_protocol::log::{Composer, Fault, FaultProof, Position, root_log_id};
use xom_protocol::{Did, Digest, LogId, Network, encoding};

use super::check;
use crate::support::{Vector, check_regenerated, hex};

const FILE: &str = "faults.json";
const ABOUT: &str = "Chapter 02, LOG-18. fault-proof: cbor on network main; log and seq of the checkpoint; shows: what is \
    wrong by itself (height, prev, own-log), or root, which only the log below can show.";

fn composer(height: u64) -> Composer {
    let (author, key) = (Did([1; 32]), SecretKey::from_seed(&[3; 32]).expect("seed"));
    let log = root_log_id(Network::MAIN, &author, &key.public().device_id());
    let position = Position { height, head: Some(Digest([8; 32])) };
    Composer { network: Network::MAIN, key, author, log, position, last_time_ms: 0 }
}

fn checkpoint() -> Checkpoint {
    let digest = |byte| Digest([byte; 32]);
    let (root, identity, statements) = (digest(2), digest(4), digest(5));
    Checkpoint { root, height: 256, prev: digest(8), identity, statements, logs: Vec::new() }
}

fn signed(checkpoint: Checkpoint) -> VerifiedEntry {
    composer(256).compose(&Body::Checkpoint(checkpoint), [7; 32], 1_790_000_000_000).expect("composed")
}

fn valid_vectors() -> Vec<Vector> {
    let own = LogHead { log: composer(256).log, height: 9, head: Digest([6; 32]) };
    let sibling = LogHead { log: LogId([6; 32]), ..own };
    let vector = |name: &str, shows: &str, checkpoint: Checkpoint| {
        let proof = FaultProof::new(&signed(checkpoint)).expect("signed, with body");
        let vector = Vector::new(name, "fault-proof", None).with("cbor", hex(proof.encode()));
        vector.with("log", own.log.to_string()).with("seq", 256).with("shows", shows)
    };
    vec![
        vector("a height that is not its place", "height", Checkpoint { height: 512, ..checkpoint() }),
        vector("a predecessor that is not the header's", "prev", Checkpoint { prev: Digest([9; 32]), ..checkpoint() }),
        vector("its own log as a sibling", "own-log", Checkpoint { logs: vec![own], ..checkpoint() }),
        vector("a root", "root", Checkpoint { logs: vec![sibling], ..checkpoint() }),
    ]
}

fn invalid_vectors() -> Vec<Vector> {
    let entry = signed(Checkpoint { height: 512, ..checkpoint() });
    let body = entry.body().expect("has one").clone();
    let parts = |entry: &VerifiedEntry, signature: Signature, content: &[u8]| {
        let (head, salt) = (ByteBuf::from(entry.header_bytes()), ByteBuf::from(body.salt.to_vec()));
        encoding::encode(&(head, signature, salt, ByteBuf::from(content)))
    };
    let signature = *entry.signature().expect("signed");
    let vector = |rule, name: &str, cbor: Vec<u8>| Vector::new(name, "fault-proof", Some(rule)).with("cbor", hex(cbor));
    let right = parts(&entry, signature, &body.bytes);
    let post = Body::Post(Post { text: "no checkpoint".to_owned(), ..Post::default() });
    let post = composer(257).compose(&post, body.salt, 1_790_000_000_000).expect("composed");
    let post = FaultProof::new(&post).expect("signed, with body").encode();
    let opaque = composer(256);
    let header = xom_protocol::entry::Header {
        kind: Kind::Checkpoint,
        size_class: 8,
        commitment: xom_protocol::entry::commitment(Network::MAIN, &body.salt, b"\xa0"),
        ..entry.header().clone()
    };
    let opaque_signature = opaque.key.sign(xom_protocol::keys::Domain::Entry, Network::MAIN, &header.encode());
    let head = ByteBuf::from(header.encode());
    let salt = ByteBuf::from(body.salt.to_vec());
    let opaque = encoding::encode(&(head, opaque_signature, salt, ByteBuf::from(b"\xa0".to_vec())));
    vec![
        vector("LOG-18", "an entry of another kind", post),
        vector("LOG-18", "a checkpoint that says nothing", opaque),
        vector("ENC-12", "a signature that does not verify", parts(&entry, Signature([7; 64]), &body.bytes)),
        vector("LOG-6", "a body that is not the one committed to", parts(&entry, signature, b"\xa0")),
        vector("ENC-1", "something after its end", [right, vec![0]].concat()),
    ]
}

#[test]
fn the_fault_vectors_are_what_the_code_makes() {
    check_regenerated(FILE, ABOUT, [valid_vectors(), invalid_vectors()].concat());
}

#[test]
fn log_18_the_fault_vectors_hold() {
    check(FILE, run);
}

fn run(vector: &Vector) -> Result<(), String> {
    let proof = FaultProof::decode(&vector.bytes("cbor")).map_err(|e| e.rule().to_string())?;
    let faulty = proof.verify(Network::MAIN).map_err(|e| e.rule().to_string())?;
    assert_eq!(faulty.entry.header().log.to_string(), vector.text("log"));
    assert_eq!(faulty.entry.header().seq, vector.number("seq"));
    let shows = match faulty.fault.map(|fault| fault.what) {
        Some(Fault::Height { .. }) => "height",
        Some(Fault::Prev) => "prev",
        Some(Fault::OwnLog) => "own-log",
        Some(Fault::Root { .. }) | None => "root",
    };
    assert_eq!(shows, vector.text("shows"));
    Ok(())
}
