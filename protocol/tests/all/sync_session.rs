//! The conversation between honest nodes.

use crate::sync_home::Author;
use crate::sync_world::World;

const ALICE: usize = 0;
const BOB: usize = 1;

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
