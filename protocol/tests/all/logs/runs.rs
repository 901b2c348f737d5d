//! Runs: what is taken of a stretch of a log, and what is refused (`LOG-4`, `LOG-7`, `LOG-9`).

use proptest::prelude::*;
use xom_protocol::Network;
use xom_protocol::entry::{Header, Kind, SignedEntry, VerifiedEntry, verify_signed};
use xom_protocol::keys::Signature;
use xom_protocol::log::{Position, log_id, verify_fragment, verify_run};

use crate::cast::{Writer, as_range, did, key, side_writer, sign, writer};

/// Alice's log of `height` entries.
fn alice_with(height: u64) -> Writer {
    let mut alice = writer("alice", "phone");
    alice.fill_to(height);
    alice
}

/// Checks what is accepted of a run from nothing, and which rule stops it.
fn check(alice: &Writer, run: Vec<SignedEntry>, accepted: usize, rule: Option<&str>) {
    let result = alice.verify(Position::EMPTY, run);
    let found = result.refused.as_ref().map(|refusal| refusal.rule().0);
    assert_eq!((result.accepted.len(), found), (accepted, rule), "{:?}", result.refused);
    assert_eq!(result.accepted[..], alice_without_signatures(alice, &result.accepted)[..]);
}

/// Alice's own entries, with the signatures that the accepted ones have.
fn alice_without_signatures(alice: &Writer, accepted: &[VerifiedEntry]) -> Vec<VerifiedEntry> {
    let signed = accepted.iter().map(VerifiedEntry::to_signed).collect();
    let verified = alice.verify(Position::EMPTY, signed).accepted;
    let ids: Vec<_> = verified.iter().map(VerifiedEntry::id).collect();
    let own: Vec<_> = alice.entries.iter().take(ids.len()).map(VerifiedEntry::id).collect();
    assert_eq!(ids, own);
    verified
}

#[test]
fn a_range_with_a_signature_every_thirty_two_is_taken_whole() {
    let alice = alice_with(300);
    check(&alice, as_range(&alice.entries), 300, None);
    let from = Position::after(&alice.entries[99]);
    let run = alice.verify(from, as_range(&alice.entries[100..]));
    assert_eq!((run.accepted.len(), run.refused), (200, None));
    assert_eq!(run.accepted.last().map(VerifiedEntry::id), alice.entries.last().map(VerifiedEntry::id));
    check(&alice, Vec::new(), 0, None);
}

#[test]
fn r_sig_17_a_range_without_its_signed_end_is_taken_up_to_the_last_signature() {
    let alice = alice_with(70);
    let mut run = as_range(&alice.entries);
    run.truncate(60);
    check(&alice, run, 33, Some("LOG-9"));
    let mut run = as_range(&alice.entries);
    run[32].signature = None;
    check(&alice, run, 1, Some("LOG-9"));
    let mut run = as_range(&alice.entries);
    run[0].signature = None;
    check(&alice, run, 0, Some("LOG-9"));
}

#[test]
fn r_sig_17_a_middle_that_changes_device_log_author_or_place_is_refused() {
    let alice = alice_with(70);
    let laptop = key("laptop");
    type Change<'a> = &'a dyn Fn(&mut Header);
    let cases: [(Change, &str); 7] = [
        (&|header| header.device = laptop.public().device_id(), "LOG-7"),
        (&|header| header.log = log_id(Network::MAIN, &did("alice"), &header.device, "labels", b""), "LOG-7"),
        (&|header| header.author = did("mallory"), "LOG-7"),
        (&|header| header.seq += 1, "LOG-4"),
        (&|header| header.prev = Some(xom_protocol::Digest([9; 32])), "LOG-4"),
        (&|header| header.kind = Kind::Checkpoint, "LOG-8"),
        (&|header| header.time_ms = 253_402_300_800_000, "LOG-4"),
    ];
    for (change, rule) in cases {
        let mut run = as_range(&alice.entries);
        let mut header = alice.entries[40].header().clone();
        change(&mut header);
        run[40] = SignedEntry { signature: None, ..sign(&alice.composer.key, &header, None) };
        check(&alice, run, 33, Some(rule));
    }
}

#[test]
fn r_sig_17_a_middle_that_nobody_signed_falls_with_the_chain() {
    let alice = alice_with(70);
    let mut run = as_range(&alice.entries);
    let mut header = alice.entries[40].header().clone();
    header.commitment = xom_protocol::Digest([9; 32]);
    run[40] = SignedEntry { signature: None, header: header.encode(), body: None };
    check(&alice, run, 33, Some("LOG-4"));
}

#[test]
fn r_syn_8_the_valid_part_before_a_bad_entry_is_kept() {
    let alice = alice_with(200);
    let mut run = as_range(&alice.entries);
    run[150].header[20] ^= 1;
    check(&alice, run, 129, Some("LOG-7"));
    let mut run = as_range(&alice.entries);
    run[160].signature = Some(Signature([7; 64]));
    check(&alice, run, 129, Some("ENC-12"));
    let mut run = as_range(&alice.entries);
    run[161].header.clear();
    check(&alice, run, 161, Some("ENC-1"));
}

#[test]
fn r_syn_4_entries_out_of_order_twice_or_of_two_logs_are_refused() {
    let alice = alice_with(70);
    let mut swapped = as_range(&alice.entries);
    swapped.swap(3, 4);
    check(&alice, swapped, 1, Some("LOG-4"));
    let mut doubled = as_range(&alice.entries);
    doubled.insert(33, doubled[32].clone());
    check(&alice, doubled, 33, Some("LOG-4"));
    let mut side = side_writer("alice", "phone", "labels");
    side.fill_to(5);
    let mut mixed = as_range(&alice.entries);
    mixed[10] = side.entries[1].to_signed();
    check(&alice, mixed, 1, Some("LOG-7"));
    let backwards = as_range(&alice.entries).into_iter().rev().collect();
    check(&alice, backwards, 0, Some("LOG-4"));
}

#[test]
fn r_syn_9_a_wrong_body_is_dropped_and_its_header_stands() {
    let alice = alice_with(40);
    let mut run = as_range(&alice.entries);
    run[5].body.as_mut().expect("body").bytes[1] ^= 1;
    run[6].body.as_mut().expect("body").salt[1] ^= 1;
    run[7].body = None;
    run[8].body.as_mut().expect("body").bytes = vec![0; 300_000];
    let result = alice.verify(Position::EMPTY, run);
    assert_eq!((result.accepted.len(), result.refused), (40, None));
    assert_eq!(result.body_mismatches, [5, 6, 8]);
    let without: Vec<u64> = result.accepted.iter().filter(|e| e.body().is_none()).map(|e| e.header().seq).collect();
    assert_eq!(without, [5, 6, 7, 8]);
}

#[test]
fn r_sig_4_an_entry_of_one_log_network_or_device_is_none_of_another() {
    let alice = alice_with(5);
    let laptop = writer("alice", "laptop");
    let bob = writer("bob", "phone");
    let run = || as_range(&alice.entries);
    assert_eq!(laptop.verify(Position::EMPTY, run()).refused.map(|r| r.rule().0), Some("LOG-7"));
    assert_eq!(bob.verify(Position::EMPTY, run()).refused.map(|r| r.rule().0), Some("LOG-7"));
    let other: Network = "test".parse().expect("name");
    let result = verify_run(other, &alice.key(), did("alice"), alice.log(), Position::EMPTY, run());
    assert_eq!(result.refused.map(|r| r.rule().0), Some("ENC-12"));
}

#[test]
fn r_sig_10_times_that_go_back_or_lie_far_ahead_break_no_rule() {
    let mut alice = writer("alice", "phone");
    let mut entries = Vec::new();
    for time_ms in [5_000, 4_000, 253_402_300_799_999, 0] {
        let header = Header { time_ms, ..alice.header(Kind::Post, b"") };
        let entry = sign(&alice.composer.key, &header, None);
        let verified = alice.verify(alice.composer.position, vec![entry.clone()]).accepted.remove(0);
        alice.composer.advance(&verified);
        entries.push(entry);
    }
    let run = alice.verify(Position::EMPTY, entries);
    assert_eq!((run.accepted.len(), run.refused), (4, None));
}

#[test]
fn a_kind_of_another_app_and_a_malformed_body_stall_nothing() {
    let mut alice = alice_with(3);
    alice.write_bytes("chess.move", b"e2e4");
    alice.write_bytes("post", b"not even CBOR");
    alice.post("still here");
    check(&alice, as_range(&alice.entries), 6, None);
}

#[test]
fn a_single_entry_needs_its_own_signature_body_and_key() {
    let alice = alice_with(2);
    let entry = alice.entries[1].to_signed();
    let check = |entry, key| verify_signed(Network::MAIN, &key, entry).map(|_| ()).map_err(|e| e.rule().0);
    assert_eq!(check(entry.clone(), alice.key()), Ok(()));
    assert_eq!(check(SignedEntry { signature: None, ..entry.clone() }, alice.key()), Err("LOG-9"));
    assert_eq!(check(entry.clone(), key("mallory").public()), Err("ENC-12"));
    let mut other_body = entry;
    other_body.body.as_mut().expect("body").bytes.push(0);
    assert_eq!(check(other_body, alice.key()), Err("LOG-6"));
}

#[test]
fn a_single_entry_travels_with_the_headers_up_to_the_nearest_signature() {
    let alice = alice_with(40);
    let fragment = |range: std::ops::Range<usize>| {
        let entries = as_range(&alice.entries)[range].to_vec();
        let run = verify_fragment(Network::MAIN, &alice.key(), did("alice"), alice.log(), entries);
        (run.accepted.len(), run.refused.map(|refusal| refusal.rule().0))
    };
    assert_eq!(fragment(30..33), (3, None));
    assert_eq!(fragment(30..32), (0, Some("LOG-9")));
    assert_eq!(fragment(32..33), (1, None));
    assert_eq!(fragment(0..0), (0, None));
}

#[test]
fn an_entry_id_is_the_hash_of_the_header_without_its_signature() {
    // LOG-5: the same header under another valid signature, or none, is the same entry.
    let alice = alice_with(3);
    let mut run: Vec<SignedEntry> = alice.entries.iter().map(VerifiedEntry::to_signed).collect();
    run[1].signature = None;
    let accepted = alice.verify(Position::EMPTY, run).accepted;
    for (taken, own) in accepted.iter().zip(&alice.entries) {
        assert_eq!((taken.id(), taken.hash()), (own.id(), Header::hash(own.header_bytes())));
    }
}

#[test]
fn a_long_run_costs_a_few_microseconds_an_entry() {
    let alice = alice_with(1_000);
    let started = std::time::Instant::now();
    check(&alice, as_range(&alice.entries), 1_000, None);
    // A debug build on a loaded machine; a release build is some fifty times faster.
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}

/// What mallory does to a run on its way.
#[derive(Debug, Clone)]
enum Harm {
    Drop,
    Double,
    Swap(prop::sample::Index),
    Unsign,
    FalseSignature,
    Flip(prop::sample::Index, u8),
    WrongBody,
    NoBody,
    CutAfter,
}

fn harm() -> impl Strategy<Value = (prop::sample::Index, Harm)> {
    let kind = prop_oneof![
        Just(Harm::Drop),
        Just(Harm::Double),
        any::<prop::sample::Index>().prop_map(Harm::Swap),
        Just(Harm::Unsign),
        Just(Harm::FalseSignature),
        (any::<prop::sample::Index>(), 1_u8..).prop_map(|(at, bits)| Harm::Flip(at, bits)),
        Just(Harm::WrongBody),
        Just(Harm::NoBody),
        Just(Harm::CutAfter),
    ];
    (any::<prop::sample::Index>(), kind)
}

fn harmed(mut run: Vec<SignedEntry>, harms: &[(prop::sample::Index, Harm)]) -> Vec<SignedEntry> {
    for (index, harm) in harms {
        if run.is_empty() {
            break;
        }
        let at = index.index(run.len());
        match harm {
            Harm::Drop => drop(run.remove(at)),
            Harm::Double => run.insert(at, run[at].clone()),
            Harm::Swap(other) => {
                let other = other.index(run.len());
                run.swap(at, other);
            }
            Harm::Unsign => run[at].signature = None,
            Harm::FalseSignature => run[at].signature = Some(Signature([7; 64])),
            Harm::Flip(byte, bits) => {
                let byte = byte.index(run[at].header.len());
                run[at].header[byte] ^= bits;
            }
            Harm::WrongBody => run[at].body.iter_mut().for_each(|body| body.bytes.push(0)),
            Harm::NoBody => run[at].body = None,
            Harm::CutAfter => run.truncate(at + 1),
        }
    }
    run
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_mallory_does_to_a_run_only_what_alice_signed_is_taken(harms in proptest::collection::vec(harm(), 1..4)) {
        let alice = alice_with(70);
        let run = harmed(as_range(&alice.entries), &harms);
        let offered = run.len();
        let result = alice.verify(Position::EMPTY, run);
        prop_assert!(result.accepted.len() == offered || result.refused.is_some());
        prop_assert!(result.accepted.last().is_none_or(|last| last.signature().is_some()));
        for (taken, own) in result.accepted.iter().zip(&alice.entries) {
            prop_assert_eq!(taken.id(), own.id());
            prop_assert!(taken.body().is_none_or(|body| Some(body) == own.body()));
        }
    }
}
