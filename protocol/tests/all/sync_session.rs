//! The conversation between honest nodes.

use crate::sync_home::Author;
use crate::sync_world::World;
use xom_protocol::log::Position;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

#[test]
fn bob_follows_alice_by_did_and_gets_everything() {
    let mut world = World::new(1, 2);
    let alice = Author::new("alice");
    world.publish(ALICE, &alice, 3_000, 100);
    world.follow(BOB, alice.did);
    world.connect(ALICE, BOB);
    world.run(5_000);
    world.assert_peaceful();
    world.assert_equal(ALICE, BOB);
    assert!(world.ends.values().all(|end| end.in_sync));
}

#[test]
fn what_alice_posts_is_pushed_to_bob() {
    let mut world = World::new(2, 2);
    let alice = Author::new("alice");
    world.publish(ALICE, &alice, 10, 100);
    world.follow(BOB, alice.did);
    world.connect(ALICE, BOB);
    world.run(2_000);
    let before = world.sent.len();
    world.publish(ALICE, &alice, 1, 100);
    world.run(200);
    world.assert_peaceful();
    world.assert_equal(ALICE, BOB);
    assert_eq!(world.sent.len() - before, 2, "a push and its acknowledgement");
}

#[test]
fn bob_was_away_and_gets_only_what_is_new() {
    let mut world = World::new(3, 2);
    let alice = Author::new("alice");
    world.publish(ALICE, &alice, 100, 100);
    world.follow(BOB, alice.did);
    world.connect(ALICE, BOB);
    world.run(2_000);
    world.disconnect(ALICE, BOB);
    world.publish(ALICE, &alice, 50, 100);
    world.sent.clear();
    world.connect(ALICE, BOB);
    world.run(2_000);
    world.assert_peaceful();
    world.assert_equal(ALICE, BOB);
    let bytes: usize = world.sent.iter().map(|(_, body)| body.len()).sum();
    assert!(bytes < 50 * 500, "{bytes}");
}

#[test]
fn alice_sees_what_bob_aims_at_her_without_following_him() {
    let mut world = World::new(4, 2);
    let (alice, bob) = (Author::new("alice"), Author::new("bob"));
    world.publish(ALICE, &alice, 3, 100);
    world.publish(BOB, &bob, 1, 100);
    let like = world.homes[BOB].logs[&bob.log()].entries[0].clone();
    world.homes[BOB].aimed_at.push((alice.did, 1, like.clone()));
    world.prove(ALICE, &alice);
    world.connect(ALICE, BOB);
    world.run(2_000);
    world.assert_peaceful();
    assert_eq!(world.peers, [(BOB, alice.did)]);
    assert_eq!(world.homes[ALICE].aimed_received, [like]);
    assert!(world.ends.values().all(|end| end.in_sync));
    world.disconnect(ALICE, BOB);
    world.connect(ALICE, BOB);
    world.run(2_000);
    assert_eq!(world.homes[ALICE].aimed_received.len(), 1, "what was acknowledged does not come again");
}

#[test]
fn r_frk_6_two_branches_of_one_log_are_noticed_by_both_sides() {
    for (ours, theirs) in [(10, 10), (10, 40), (300, 7), (1, 1), (600, 600)] {
        let mut world = World::new(5, 2);
        let alice = Author::new("alice");
        let one = alice.run(Position::EMPTY, ours, 100);
        let other = alice.run(Position::EMPTY, theirs, 101);
        world.homes[ALICE].hold(&alice, &one);
        world.homes[BOB].hold(&alice, &other);
        world.connect(ALICE, BOB);
        world.run(5_000);
        world.assert_peaceful();
        for (node, branch) in [(ALICE, &other), (BOB, &one)] {
            let [(log, from, headers)] = world.homes[node].forks.as_slice() else { panic!("{ours} {theirs}") };
            let from = usize::try_from(*from).expect("small");
            assert_eq!(*log, alice.log());
            assert!(from == 0 && headers.len() <= 256, "they part at the first entry");
            assert!(headers.iter().zip(&branch[from..]).all(|(a, b)| a.header == b.header && a.body.is_none()));
        }
        assert!(world.ends.values().all(|end| end.in_sync), "a fork is a state that both have seen");
    }
}

#[test]
fn r_frk_8_a_fork_is_found_however_deep_it_lies() {
    for (parts, ours, theirs) in [(0, 5_000, 5_000), (1, 4_000, 900), (1_234, 5_000, 4_990), (4_990, 5_000, 5_000)] {
        let mut world = World::new(5, 2);
        let alice = Author::new("alice");
        let common = alice.run(Position::EMPTY, parts, 0);
        let head = common.last().map(|entry| xom_protocol::entry::Header::hash(&entry.header));
        let from = Position { height: parts, head };
        for (node, height, bytes) in [(ALICE, ours, 10), (BOB, theirs, 11)] {
            let branch = alice.run(from, height - parts, bytes);
            world.homes[node].hold(&alice, &[common.clone(), branch].concat());
        }
        world.connect(ALICE, BOB);
        world.run(30_000);
        world.assert_peaceful();
        for node in [ALICE, BOB] {
            let [(_, first, headers)] = world.homes[node].forks.as_slice() else { panic!("{parts} {ours} {theirs}") };
            assert!((*first..*first + headers.len() as u64).contains(&parts), "{parts}: {first} and {}", headers.len());
        }
    }
}

#[test]
fn carol_gets_alices_posts_from_bob_and_then_live_through_him() {
    let mut world = World::new(6, 3);
    let alice = Author::new("alice");
    world.publish(ALICE, &alice, 700, 3_000);
    for node in [BOB, CAROL] {
        world.follow(node, alice.did);
    }
    world.connect(ALICE, BOB);
    world.connect(BOB, CAROL);
    world.run(10_000);
    world.publish(ALICE, &alice, 1, 100);
    world.run(1_000);
    world.assert_peaceful();
    world.assert_equal(ALICE, CAROL);
}

#[test]
fn large_bodies_come_in_frames_that_are_small_enough() {
    let mut world = World::new(7, 2);
    let alice = Author::new("alice");
    world.publish(ALICE, &alice, 40, 256 << 10);
    world.follow(BOB, alice.did);
    world.connect(ALICE, BOB);
    world.run(30_000);
    world.publish(ALICE, &alice, 2, 256 << 10);
    world.run(5_000);
    world.assert_peaceful();
    world.assert_equal(ALICE, BOB);
    assert!(world.sent.iter().all(|(_, body)| body.len() <= 1 << 20));
}

#[test]
fn a_burst_beyond_the_push_window_is_fetched() {
    let mut world = World::new(8, 2);
    let alice = Author::new("alice");
    world.publish(ALICE, &alice, 1, 100);
    world.follow(BOB, alice.did);
    world.connect(ALICE, BOB);
    world.run(2_000);
    for _ in 0..500 {
        world.publish(ALICE, &alice, 1, 100);
    }
    world.run(5_000);
    world.assert_peaceful();
    world.assert_equal(ALICE, BOB);
}

#[test]
fn r_syn_5_what_one_peer_withholds_comes_from_another() {
    let mut world = World::new(9, 3);
    let alice = Author::new("alice");
    let log = alice.run(Position::EMPTY, 100, 100);
    world.homes[ALICE].hold(&alice, &log);
    world.homes[CAROL].hold(&alice, &log[..60]);
    world.follow(BOB, alice.did);
    world.connect(CAROL, BOB);
    world.run(5_000);
    assert_eq!(world.homes[BOB].logs[&alice.log()].entries.len(), 60);
    world.connect(ALICE, BOB);
    world.run(5_000);
    world.assert_equal(ALICE, BOB);
    world.assert_equal(ALICE, CAROL);
}

#[test]
fn syn_8_devices_that_only_one_side_knows_come_to_both() {
    let mut world = World::new(10, 2);
    let (phone, laptop) = (Author::on_device("alice", "phone"), Author::on_device("alice", "laptop"));
    world.publish(ALICE, &phone, 40, 100);
    world.publish(BOB, &laptop, 50, 100);
    world.connect(ALICE, BOB);
    world.run(5_000);
    world.assert_peaceful();
    world.assert_equal(ALICE, BOB);
    assert_eq!(world.homes[ALICE].logs.len(), 2);
}
