//! Any order of arrival gives the same state (ID-9, ID-10, ID-11).

use proptest::prelude::{Just, Strategy, any, prop, proptest};
use proptest::test_runner::Config;
use xom_protocol::identity::{Inserted, SignedObject};
use xom_protocol::keys::{Domain, SecretKey};

use super::people::{At, Person, alice, assert_same, device, end, head, sign};

/// One thing that somebody does; the numbers choose among what there is.
#[derive(Debug, Clone)]
enum Deed {
    Rotate { at: usize, variant: u8 },
    Remove { at: usize, device: usize, height: u64, stands: u8 },
    Settle { at: usize, log: u8, height: u64 },
    Grant { by: usize, device: usize },
    Drop { by: usize, device: usize, height: u64, stands: u8 },
    Services { by: usize, rev: u64 },
}

const DEVICES: usize = 6;

fn deed() -> impl Strategy<Value = Deed> {
    let devices = || 0..DEVICES;
    proptest::prop_oneof![
        1 => (any::<usize>(), 0..3_u8).prop_map(|(at, variant)| Deed::Rotate { at, variant }),
        2 => (any::<usize>(), devices(), 1..4_u64, any::<u8>())
            .prop_map(|(at, device, height, stands)| Deed::Remove { at, device, height, stands }),
        2 => (any::<usize>(), 0..3_u8, 1..4_u64).prop_map(|(at, log, height)| Deed::Settle { at, log, height }),
        5 => (devices(), devices()).prop_map(|(by, device)| Deed::Grant { by, device }),
        3 => (devices(), devices(), 1..4_u64, any::<u8>())
            .prop_map(|(by, device, height, stands)| Deed::Drop { by, device, height, stands }),
        1 => (devices(), 1..5_u64).prop_map(|(by, rev)| Deed::Services { by, rev }),
    ]
}

fn key(alice: &Person, number: usize) -> SecretKey {
    if number == 0 { alice.first_device() } else { device(&format!("device {number}")) }
}

/// Makes the objects; operations stand on the genesis or on any operation made before.
fn objects(alice: &Person, deeds: &[Deed]) -> Vec<SignedObject> {
    let (mut places, mut statements): (Vec<At>, Vec<SignedObject>) = (vec![alice.start()], Vec::new());
    let mut operations = Vec::new();
    for deed in deeds {
        let place = |at: &usize| places[at % places.len()];
        let some = |mask: &u8| -> Vec<&SignedObject> {
            statements.iter().enumerate().filter(|(n, _)| mask >> (n % 8) & 1 == 1).map(|(_, object)| object).collect()
        };
        let operation = match deed {
            Deed::Rotate { at, variant } => {
                let guardians = (*variant > 0).then(|| alice.some_guardians(*variant));
                alice.rotate_with(place(at), guardians)
            }
            Deed::Remove { at, device, height, stands } => {
                let end = end(&key(alice, *device), &[head("log", *height)], &some(stands));
                alice.remove(place(at), end)
            }
            Deed::Settle { at, log, height } => alice.settle(place(at), &[head(&format!("log {log}"), *height)]),
            Deed::Grant { by, device } if by == device => continue,
            Deed::Grant { by, device } => {
                statements.push(alice.grant(&key(alice, *by), &key(alice, *device)));
                continue;
            }
            Deed::Drop { by, device, height, stands } => {
                let end = end(&key(alice, *device), &[head("log", *height)], &some(stands));
                statements.push(alice.drop(&key(alice, *by), end));
                continue;
            }
            Deed::Services { by, rev } => {
                statements.push(alice.services(&key(alice, *by), *rev));
                continue;
            }
        };
        operations.push(operation.0);
        places.push(operation.1);
    }
    operations.extend(statements);
    operations
}

proptest! {
    #![proptest_config(Config { cases: 96, failure_persistence: None, ..Config::default() })]

    #[test]
    fn any_order_of_arrival_gives_the_same_state(
        (deeds, order) in prop::collection::vec(deed(), 1..24).prop_flat_map(|deeds| {
            let order: Vec<usize> = (0..deeds.len()).collect();
            (Just(deeds), Just(order).prop_shuffle())
        })
    ) {
        let alice = alice();
        let made = objects(&alice, &deeds);
        let straight = alice.insert_all(&made);
        let shuffled = alice.insert_all(order.iter().filter_map(|n| made.get(*n)));
        assert_same(&straight, &shuffled);
        let again = xom_protocol::identity::IdentityRecord::from_objects(
            xom_protocol::Network::MAIN,
            shuffled.objects(),
        );
        assert_same(&straight, &again.expect("in order"));
    }
}

#[test]
fn an_object_that_comes_early_waits_for_what_it_stands_on() {
    let alice = alice();
    let (first, at) = alice.rotate(alice.start());
    let (second, _) = alice.rotate(at);
    let mut record = alice.record();
    let before = record.digest();
    assert_eq!(record.insert(second.clone()), Ok(Inserted::Pending));
    assert_eq!((record.digest(), record.contains(&second.id())), (before, false));
    assert_eq!(record.insert(second.clone()), Ok(Inserted::Pending));
    assert_eq!(record.insert(first.clone()), Ok(Inserted::New));
    assert_eq!(record.insert(second.clone()), Ok(Inserted::Known));
    assert_eq!(record.insert(first), Ok(Inserted::Known));
    assert_eq!(record.state().head, second.id());
}

#[test]
fn a_copy_with_bad_signatures_that_waits_does_not_keep_the_good_one_out() {
    let alice = alice();
    let (first, at) = alice.rotate(alice.start());
    let (second, _) = alice.rotate(at);
    let forged = sign(Domain::Identity, second.payload(), &[&device("mallory")]);
    for early in [[&forged, &second], [&second, &forged]] {
        let mut record = alice.record();
        for object in early {
            assert_eq!(record.insert(object.clone()), Ok(Inserted::Pending));
        }
        record.insert(first.clone()).expect("taken");
        assert_eq!(record.state().head, second.id());
        assert!(record.objects().contains(&second) && !record.objects().contains(&forged));
    }
}
