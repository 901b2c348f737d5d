//! Bodies that a node lacks of entries that it holds are asked for again (`SYN-21`).

use xom_protocol::keys::SecretKey;
use xom_protocol::limits::BODY_TRIES_MAX;
use xom_protocol::sync::Input;
use xom_protocol::sync::message::Message;

use crate::sync_home::Author;
use crate::sync_world::World;

const ALICE: usize = 0;
const BOB: usize = 1;

/// Bob holds alice's log, and of these places no body.
fn world(seed: u64, count: u64, body_bytes: usize, places: &[u64]) -> (World, Author, Input) {
    let mut world = World::new(seed, 2);
    let alice = Author::new("alice");
    world.publish(ALICE, &alice, count, body_bytes);
    world.follow(BOB, alice.did);
    world.connect(ALICE, BOB);
    world.run(20_000);
    world.assert_equal(ALICE, BOB);
    world.disconnect(ALICE, BOB);
    for place in places {
        body_of(&mut world, BOB, &alice, *place).take();
    }
    world.sent.clear();
    (world, alice.clone(), Input::Lacked { log: alice.log(), places: places.to_vec() })
}

fn body_of<'w>(
    world: &'w mut World,
    node: usize,
    of: &Author,
    place: u64,
) -> &'w mut Option<xom_protocol::entry::SaltedBody> {
    let log = world.homes[node].logs.get_mut(&of.log()).expect("held");
    &mut log.entries[usize::try_from(place).expect("fits")].body
}

/// The ranges that a node asked for.
fn asked(world: &World, node: usize) -> Vec<(u64, u64)> {
    let ranges =
        world.sent.iter().filter(|(sender, _)| *sender == node).filter_map(|(_, frame)| {
            match Message::decode(frame).expect("decodes") {
                Message::RangeRequest { from, to, .. } => Some((from, to)),
                _ => None,
            }
        });
    ranges.collect()
}

#[test]
fn syn_21_bodies_that_are_lacked_are_asked_for_once_with_what_lies_between() {
    let (mut world, alice, lacked) = world(1, 100, 50, &[5, 40, 70, 99]);
    world.connect(ALICE, BOB);
    world.run(2_000);
    assert_eq!(asked(&world, BOB), [], "what is held is not asked for");
    world.tell(BOB, std::slice::from_ref(&lacked));
    world.run(2_000);
    assert_eq!(asked(&world, BOB), [(5, 100)]);
    world.assert_peaceful();
    for place in [5, 40, 70, 99] {
        assert!(body_of(&mut world, BOB, &alice, place).is_some(), "{place}");
    }
    // What goes on being lacked, though it was asked for, is not asked for again of this peer.
    world.tell(BOB, &[lacked]);
    world.run(2_000);
    assert_eq!(asked(&world, BOB).len(), 1);
    world.publish(ALICE, &alice, 3, 50);
    world.run(2_000);
    world.assert_peaceful();
    world.assert_equal(ALICE, BOB);
}

#[test]
fn syn_21_a_range_with_bodies_ends_where_a_signature_is_kept() {
    let (mut world, alice, lacked) = world(2, 100, 50, &[33, 40]);
    world.connect(ALICE, BOB);
    world.run(2_000);
    world.tell(BOB, &[lacked]);
    world.run(2_000);
    assert_eq!(asked(&world, BOB), [(33, 65)]);
    assert!(body_of(&mut world, BOB, &alice, 40).is_some());
}

#[test]
fn syn_21_a_peer_is_asked_only_once_it_knows_the_same_of_the_identity() {
    let (mut world, alice, lacked) = world(3, 40, 50, &[7]);
    world.connect(ALICE, BOB);
    world.run(2_000);
    let another = SecretKey::from_seed(&[3; 32]).expect("not zero").public().to_bytes().to_vec();
    let mut news = world.homes[BOB].admit(alice.did, [another]);
    news.push(lacked);
    world.sent.clear();
    world.tell(BOB, &news);
    assert_eq!(asked(&world, BOB), [], "alice does not know yet what bob knows");
    world.run(5_000);
    let first = |wanted: fn(&Message) -> bool| {
        world.sent.iter().position(|(_, frame)| wanted(&Message::decode(frame).expect("decodes")))
    };
    let fetched = first(|message| matches!(message, Message::IdentityObjects { .. })).expect("alice was told");
    let range = first(|message| matches!(message, Message::RangeRequest { .. })).expect("and asked");
    assert!(fetched < range);
    assert!(body_of(&mut world, BOB, &alice, 7).is_some());
    world.assert_peaceful();
}

#[test]
fn syn_21_a_peer_is_asked_a_few_times_for_one_log_and_goes_on_serving() {
    let places: Vec<u64> = (0..400).filter(|place| place % 256 != 0).collect();
    let (mut world, alice, lacked) = world(4, 400, 20_000, &places);
    world.connect(ALICE, BOB);
    world.run(5_000);
    world.tell(BOB, &[lacked]);
    world.run(60_000);
    assert_eq!(asked(&world, BOB).len() as u64, BODY_TRIES_MAX);
    world.assert_peaceful();
    let came = places.iter().filter(|place| body_of(&mut world, BOB, &alice, **place).is_some()).count();
    assert!((64..398).contains(&came), "{came}");
    world.disconnect(ALICE, BOB);
    let rest = places.into_iter().filter(|place| body_of(&mut world, BOB, &alice, *place).is_none()).collect();
    world.connect(ALICE, BOB);
    world.run(5_000);
    world.tell(BOB, &[Input::Lacked { log: alice.log(), places: rest }]);
    world.run(60_000);
    world.assert_equal(ALICE, BOB);
}
