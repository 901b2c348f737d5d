//! Seeded runs: whatever the nodes hold at first and however their streams are cut, they end equal.

use proptest::prelude::{ProptestConfig, Strategy};
use proptest::{collection, prop_assert_eq, proptest};
use xom_protocol::entry::SignedEntry;
use xom_protocol::log::Position;

use crate::sync_home::Author;
use crate::sync_world::World;

/// Five logs of three identities.
fn authors() -> Vec<Author> {
    let devices = [("alice", "first"), ("alice", "phone"), ("bob", "first"), ("carol", "first"), ("carol", "phone")];
    devices.into_iter().map(|(name, device)| Author::on_device(name, device)).collect()
}

/// Random posts, cuts and reconnections, then time to settle.
fn live(seed: u64, nodes: usize) -> World {
    let mut world = World::new(seed, nodes);
    let authors = authors();
    for node in 0..nodes {
        for author in &authors {
            world.follow(node, author.did);
        }
    }
    world.delay_ms = 1 + world.dice.roll(400);
    let pick = |world: &mut World, below: usize| usize::try_from(world.dice.roll(below as u64)).expect("small");
    for _ in 0..40 {
        let (a, b) = (pick(&mut world, nodes), pick(&mut world, nodes));
        match world.dice.roll(8) {
            0..=2 if a != b => world.connect(a, b),
            3 | 4 if a != b => world.disconnect(a, b),
            5 => world.homes[a].resumes.clear(),
            _ => {
                let author = pick(&mut world, authors.len());
                let (count, bytes) = (world.dice.roll(90) + 1, pick(&mut world, 2_000));
                world.publish(author % nodes, &authors[author], count, bytes);
            }
        }
        let pause = world.dice.roll(1_500);
        world.run(pause);
    }
    for a in 0..nodes {
        for b in a + 1..nodes {
            world.disconnect(a, b);
            world.connect(a, b);
        }
    }
    world.run(60_000);
    world
}

#[test]
fn r_syn_12_nodes_that_lose_their_streams_end_equal() {
    for seed in 0..60 {
        let nodes = if seed % 3 == 0 { 3 } else { 2 };
        let world = live(seed, nodes);
        for node in 1..nodes {
            assert_eq!(world.homes[0].state(), world.homes[node].state(), "seed {seed}");
        }
        assert_eq!((&world.refused, &world.closed), (&Vec::new(), &Vec::new()), "seed {seed}");
        assert!(world.ends.values().all(|end| end.in_sync), "seed {seed}");
    }
}

fn heights() -> impl Strategy<Value = Vec<(usize, usize)>> {
    collection::vec((0..300_usize, 0..300_usize), 5)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_two_stores_end_equal_after_any_interruption(
        heights in heights(),
        cuts in collection::vec(0..700_u64, 0..6),
        seed in 0..u64::MAX,
    ) {
        let mut world = World::new(seed, 2);
        for (author, (a, b)) in authors().iter().zip(heights) {
            let log = author.run(Position::EMPTY, 300, 30);
            for (node, height) in [(0, a), (1, b)] {
                world.follow(node, author.did);
                if height > 0 {
                    world.homes[node].hold(author, &at_rest(&log[..height]));
                }
            }
        }
        for cut in cuts {
            world.connect(0, 1);
            world.run(cut);
            world.disconnect(0, 1);
        }
        world.connect(0, 1);
        world.run(20_000);
        world.assert_peaceful();
        prop_assert_eq!(world.homes[0].state(), world.homes[1].state());
    }
}

/// What a follower keeps: signatures at every 32nd place and at the newest entry.
fn at_rest(entries: &[SignedEntry]) -> Vec<SignedEntry> {
    let last = entries.len() - 1;
    let keep = |(index, entry): (usize, &SignedEntry)| {
        let signature = entry.signature.filter(|_| index % 32 == 0 || index == last);
        SignedEntry { signature, ..entry.clone() }
    };
    entries.iter().enumerate().map(keep).collect()
}
