//! Forks: found, proved, bounded, and decided the same everywhere (`LOG-13`).

use proptest::prelude::*;
use xom_protocol::Network;
use xom_protocol::body::LogHead;
use xom_protocol::entry::VerifiedEntry;
use xom_protocol::limits::{FORK_PROOF_BYTES_MAX, HEADER_BYTES_MAX};
use xom_protocol::log::{
    Anchor, AnchorStrength, BranchHashes, Fork, ForkProof, Position, RunError, Verdict, detect, resolve,
};

use crate::cast::{Writer, as_range, writer};

/// Alice's log forks at `seq`: both branches grow to `height`.
fn forked(seq: u64, height: u64) -> (Writer, Writer) {
    let mut alice = writer("alice", "phone");
    alice.fill_to(seq);
    let mut twin = alice.twin();
    twin.post("the other way");
    alice.fill_to(height);
    twin.fill_to(height);
    (alice, twin)
}

fn fork_of(alice: &Writer, twin: &Writer) -> Fork {
    let proof = ForkProof::new(&alice.entries, &twin.entries).expect("a fork");
    proof.verify(Network::MAIN).expect("valid")
}

fn head(log: &Writer, height: u64) -> LogHead {
    let entry = &log.entries[usize::try_from(height).expect("small") - 1];
    LogHead { log: log.log(), height, head: entry.hash() }
}

fn anchor(strength: AnchorStrength, log: &Writer, height: u64) -> Anchor {
    Anchor { strength, head: head(log, height) }
}

/// The verdict over alice's branch (0) and her twin's (1), as far as the proof holds them.
fn verdict(alice: &Writer, twin: &Writer, anchors: &[Anchor]) -> Verdict {
    let fork = fork_of(alice, twin);
    let ours = fork.branches.iter().position(|b| b.hash_at(fork.point.seq) == Some(at(alice, &fork))).expect("ours");
    let branches: [&dyn BranchHashes; 2] = [&fork.branches[ours], &fork.branches[1 - ours]];
    resolve(&fork.point, &branches, anchors)
}

fn at(log: &Writer, fork: &Fork) -> xom_protocol::Digest {
    log.entries[usize::try_from(fork.point.seq).expect("small")].hash()
}

#[test]
fn r_frk_1_two_signed_entries_at_one_place_are_proof_of_a_fork() {
    let (alice, twin) = forked(5, 8);
    let point = detect(&alice.entries[5], &twin.entries[5]).expect("a fork");
    assert_eq!((point.log, point.seq, point.prev), (alice.log(), 5, Some(alice.entries[4].hash())));
    assert_eq!(detect(&alice.entries[4], &twin.entries[4]), None, "below it they agree");
    assert_eq!(detect(&alice.entries[6], &twin.entries[6]), None, "above it the fork is further below");
    let fork = fork_of(&alice, &twin);
    assert_eq!((fork.author, fork.device, fork.point), (alice.composer.author, alice.key().device_id(), point));
    let other_order = ForkProof::new(&twin.entries, &alice.entries).expect("a fork");
    assert_eq!(other_order, ForkProof::new(&alice.entries, &twin.entries).expect("a fork"));
}

#[test]
fn r_frk_9_a_second_entry_at_a_held_place_is_refused_not_stored_over_the_first() {
    let (alice, twin) = forked(5, 8);
    let from = Position::after(&alice.entries[7]);
    let again = alice.verify(from, vec![twin.entries[7].to_signed()]);
    assert_eq!(again.refused.map(|refusal| refusal.error), Some(RunError::Seq { seq: 7 }));
    let from = Position::after(&alice.entries[5]);
    let branch = alice.verify(from, as_range(&twin.entries[6..]));
    assert_eq!(branch.refused.map(|refusal| refusal.error), Some(RunError::Link));
}

#[test]
fn until_an_anchor_comes_a_fork_is_disputed() {
    let (alice, twin) = forked(5, 8);
    assert_eq!(verdict(&alice, &twin, &[]), Verdict::Disputed);
    let below = anchor(AnchorStrength::Control, &alice, 5);
    assert_eq!(verdict(&alice, &twin, &[below]), Verdict::Disputed, "an anchor below it says nothing");
    let other_log = anchor(AnchorStrength::Control, &forked(5, 8).0, 6);
    let other_log = Anchor { head: LogHead { log: writer("bob", "phone").log(), ..other_log.head }, ..other_log };
    assert_eq!(verdict(&alice, &twin, &[other_log]), Verdict::Disputed);
}

#[test]
fn a_sibling_device_decides_and_a_control_key_outranks_it() {
    let (alice, twin) = forked(5, 8);
    let sibling = anchor(AnchorStrength::Sibling, &alice, 6);
    let control = anchor(AnchorStrength::Control, &twin, 6);
    assert_eq!(verdict(&alice, &twin, &[sibling]), Verdict::Decided { branch: 0, height: 6 });
    assert_eq!(verdict(&alice, &twin, &[sibling, control]), Verdict::Decided { branch: 1, height: 6 });
    let siblings = [sibling, anchor(AnchorStrength::Sibling, &twin, 6)];
    assert_eq!(verdict(&alice, &twin, &siblings), Verdict::Disputed, "equals do not outvote each other");
    let both = [control, anchor(AnchorStrength::Control, &alice, 6)];
    assert_eq!(verdict(&alice, &twin, &both), Verdict::Disputed);
}

#[test]
fn an_anchor_on_a_branch_that_is_not_held_names_what_to_fetch() {
    let (alice, twin) = forked(5, 8);
    let mut third = writer("alice", "phone");
    third.fill_to(5);
    third.post("a third way");
    let control = anchor(AnchorStrength::Control, &third, 6);
    assert_eq!(verdict(&alice, &twin, &[control]), Verdict::Elsewhere { head: head(&third, 6) });
    let sibling = anchor(AnchorStrength::Sibling, &alice, 6);
    assert_eq!(verdict(&alice, &twin, &[control, sibling]), Verdict::Elsewhere { head: head(&third, 6) });
}

#[test]
fn r_frk_8_a_fork_at_the_first_entry_is_proved_and_a_deep_one_costs_no_more() {
    let (alice, twin) = forked(0, 3);
    let fork = fork_of(&alice, &twin);
    assert_eq!((fork.point.seq, fork.point.prev), (0, None));
    let (alice, twin) = forked(40, 400);
    let proof = ForkProof::new(&alice.entries, &twin.entries).expect("a fork");
    let in_ranges = |log: &Writer| log.verify(Position::EMPTY, as_range(&log.entries)).accepted;
    let sparse = ForkProof::new(&in_ranges(&alice), &in_ranges(&twin)).expect("a fork");
    assert!(proof.encode().len() < 1_000, "{}", proof.encode().len());
    assert!(sparse.encode().len() < 2 * 33 * HEADER_BYTES_MAX, "up to the first signature at 64");
    let fork = sparse.verify(Network::MAIN).expect("valid");
    assert_eq!(fork.branches.map(|branch| branch.hashes.len()), [25, 25]);
    struct Whole<'a>(&'a Writer);
    impl BranchHashes for Whole<'_> {
        fn hash_at(&self, seq: u64) -> Option<xom_protocol::Digest> {
            self.0.entries.get(usize::try_from(seq).ok()?).map(VerifiedEntry::hash)
        }
    }
    let branches: [&dyn BranchHashes; 2] = [&Whole(&alice), &Whole(&twin)];
    let deep = anchor(AnchorStrength::Control, &twin, 399);
    assert_eq!(resolve(&fork.point, &branches, &[deep]), Verdict::Decided { branch: 1, height: 399 });
}

#[test]
fn r_frk_7_of_many_forks_of_one_log_the_lowest_is_kept() {
    let (alice, _) = forked(90, 100);
    let mut kept: Option<Fork> = None;
    let mut replaced = 0;
    for round in 0..200_u64 {
        let seq = 10 + round * 37 % 80;
        let mut twin = writer("alice", "phone");
        twin.fill_to(seq);
        twin.post(&format!("fork {round}"));
        let fork = fork_of(&alice, &twin);
        if kept.as_ref().is_none_or(|kept| fork.replaces(kept)) {
            kept = Some(fork);
            replaced += 1;
        }
    }
    assert_eq!(kept.expect("one").point.seq, 10);
    assert!(replaced <= 80, "at most once for each place");
}

#[test]
fn a_proof_that_proves_nothing_is_refused() {
    let (alice, twin) = forked(5, 8);
    let check = |left: &[VerifiedEntry], right: &[VerifiedEntry], rule: &str| {
        let pairs = |entries: &[VerifiedEntry]| -> Vec<_> {
            entries.iter().map(|e| (serde_bytes::ByteBuf::from(e.header_bytes()), e.signature().copied())).collect()
        };
        let bytes = xom_protocol::encoding::encode(&(pairs(left), pairs(right)));
        let result = ForkProof::decode(&bytes).expect("well formed").verify(Network::MAIN);
        assert_eq!(result.map(|_| ()).map_err(|e| e.rule().0), Err(rule));
    };
    let (low, high) = if alice.entries[5].hash() < twin.entries[5].hash() { (&alice, &twin) } else { (&twin, &alice) };
    check(&high.entries[5..6], &low.entries[5..6], "LOG-13");
    check(&low.entries[5..6], &low.entries[5..6], "LOG-13");
    check(&low.entries[5..6], &[], "LOG-13");
    check(&low.entries[5..6], &high.entries[6..7], "LOG-13");
    check(&low.entries[4..6], &high.entries[4..6], "LOG-13");
    check(&low.entries[5..6], &writer_with("bob").entries[5..6], "LOG-13");
    let gap = [low.entries[5].clone(), low.entries[7].clone()];
    check(&gap, &high.entries[5..6], "LOG-13");
    assert!(ForkProof::decode(&vec![0; FORK_PROOF_BYTES_MAX + 1]).is_err());
    assert_eq!(ForkProof::new(&alice.entries, &alice.entries), None);
    let other: Network = "test".parse().expect("name");
    let proof = ForkProof::new(&alice.entries, &twin.entries).expect("a fork");
    assert_eq!(proof.verify(other).map_err(|e| e.rule().0), Err("ENC-12"));
    assert_eq!(ForkProof::decode(&proof.encode()), Ok(proof));
}

fn writer_with(name: &str) -> Writer {
    let mut writer = writer(name, "phone");
    writer.fill_to(8);
    writer
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    #[test]
    fn r_frk_6_when_a_partition_heals_all_come_to_the_same_verdict(
        picks in proptest::collection::vec((any::<bool>(), any::<bool>(), 1_u64..9), 0..6),
        turn in 0_usize..6,
    ) {
        let (alice, twin) = forked(5, 8);
        let strength = |control| if control { AnchorStrength::Control } else { AnchorStrength::Sibling };
        let mut anchors: Vec<Anchor> = picks
            .iter()
            .map(|(control, ours, height)| anchor(strength(*control), if *ours { &alice } else { &twin }, *height))
            .collect();
        let here = verdict(&alice, &twin, &anchors);
        anchors.rotate_left(turn % picks.len().max(1));
        anchors.reverse();
        let there = match verdict(&twin, &alice, &anchors) {
            Verdict::Decided { branch, height } => Verdict::Decided { branch: 1 - branch, height },
            other => other,
        };
        prop_assert_eq!(here, there);
    }
}
