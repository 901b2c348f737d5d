//! Composing: what a device signs and what it refuses to sign (`LOG-6`, `LOG-8`, `LOG-15`).

use xom_protocol::body::Body;
use xom_protocol::entry::Kind;
use xom_protocol::log::Position;

use crate::cast::{START_MS, Writer, as_range, post, writer};

const SALT: [u8; 32] = [5; 32];

/// Tries to sign; gives the rule that stands against it.
fn check(alice: &Writer, body: &Body, time_ms: u64, rule: Option<&str>) {
    let composed = alice.composer.compose(body, SALT, time_ms);
    assert_eq!(composed.as_ref().err().map(|e| e.rule().0), rule, "{composed:?}");
    if let Ok(entry) = composed {
        let run = alice.verify(alice.composer.position, vec![entry.to_signed()]);
        assert_eq!((run.accepted, run.refused), (vec![entry], None));
    }
}

#[test]
fn a_device_signs_nothing_before_its_own_last_entry() {
    let mut alice = writer("alice", "phone");
    alice.fill_to(3);
    let last = START_MS + 2 * 60_000;
    check(&alice, &post("later"), last + 1, None);
    check(&alice, &post("same moment"), last, None);
    check(&alice, &post("earlier"), last - 1, Some("LOG-15"));
    check(&alice, &post("beyond year 9999"), 253_402_300_800_000, Some("LOG-4"));
}

#[test]
fn checkpoints_stand_at_their_places_and_nowhere_else() {
    let mut alice = writer("alice", "phone");
    alice.fill_to(256);
    let checkpoint = Body::Checkpoint(xom_protocol::body::Checkpoint {
        root: xom_protocol::log::EMPTY_ROOT,
        height: 256,
        prev: alice.composer.position.head.expect("head"),
        identity: xom_protocol::Digest([1; 32]),
        statements: xom_protocol::Digest([2; 32]),
        logs: Vec::new(),
    });
    let now = START_MS + 1_000_000_000;
    check(&alice, &post("at the place of a checkpoint"), now, Some("LOG-8"));
    check(&alice, &checkpoint, now, None);
    alice.fill_to(257);
    check(&alice, &checkpoint, now, Some("LOG-8"));
    check(&alice, &post("after it"), now, None);
}

#[test]
fn bodies_out_of_bounds_and_broken_entropy_are_not_signed() {
    let alice = writer("alice", "phone");
    check(&alice, &post(&"ố".repeat(5_000)), START_MS, None);
    check(&alice, &post(&"ố".repeat(5_001)), START_MS, Some("BODY-2"));
    let bytes = |kind: &str, bytes: Vec<u8>, salt| {
        let kind = Kind::Other(kind.into());
        alice.composer.compose_bytes(kind, bytes, salt, START_MS).map(|_| ()).map_err(|e| e.rule().0)
    };
    assert_eq!(bytes("chess.move", b"e2e4".to_vec(), SALT), Ok(()));
    assert_eq!(bytes("chess.move", vec![0; 262_144], SALT), Ok(()));
    assert_eq!(bytes("chess.move", vec![0; 262_145], SALT), Err("LOG-6"));
    assert_eq!(bytes("Chess", Vec::new(), SALT), Err("LOG-3"));
    assert_eq!(bytes("post", b"not a post".to_vec(), SALT), Err("ENC-1"));
    assert_eq!(bytes("chess.move", Vec::new(), [0; 32]), Err("ENC-13"));
}

#[test]
fn r_frk_4_composing_moves_nothing_until_the_entry_is_stored() {
    let mut alice = writer("alice", "phone");
    alice.fill_to(2);
    let first = alice.composer.compose(&post("once"), SALT, START_MS + 200_000).expect("composed");
    let again = alice.composer.compose(&post("once"), SALT, START_MS + 200_000).expect("composed");
    assert_eq!(first, again, "the same input after a crash gives the same entry, not a second one");
    alice.composer.advance(&first);
    assert_eq!(alice.composer.position, Position::after(&first));
    alice.entries.push(first);
    let run = alice.verify(Position::EMPTY, as_range(&alice.entries));
    assert_eq!(run.accepted.len(), 3);
}
