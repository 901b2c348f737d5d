//! Any order of arrival gives the same state (ID-9 to ID-11, ID-16 to ID-21).

use proptest::prelude::{Just, Strategy, any, prop, proptest};
use proptest::test_runner::Config;
use xom_protocol::Network;
use xom_protocol::identity::{
    Guardians, IdentityRecord, Inserted, KeyList, Place, RecoveryRequest, SignedObject, compose,
};
use xom_protocol::keys::{Domain, SecretKey};

use super::people::{Person, alice, assert_same, device, end, head, person, sign};

/// One thing that somebody does; the numbers choose among what there is.
#[derive(Debug, Clone)]
enum Deed {
    /// Any operation after any other.
    Operate {
        at: usize,
        what: u8,
        variant: u8,
        device: usize,
        height: u64,
        stands: u8,
    },
    Grant {
        by: usize,
        device: usize,
    },
    Drop {
        by: usize,
        device: usize,
        height: u64,
        stands: u8,
    },
    Services {
        by: usize,
        rev: u64,
    },
    Lock {
        by: usize,
        rev: u64,
        stands: u8,
    },
    Postpone {
        by: usize,
        start: usize,
    },
}

const DEVICES: usize = 6;

fn deed() -> impl Strategy<Value = Deed> {
    let devices = || 0..DEVICES;
    proptest::prop_oneof![
        7 => (any::<usize>(), any::<u8>(), 0..3_u8, devices(), 1..4_u64, any::<u8>()).prop_map(
            |(at, what, variant, device, height, stands)| Deed::Operate { at, what, variant, device, height, stands }
        ),
        5 => (devices(), devices()).prop_map(|(by, device)| Deed::Grant { by, device }),
        3 => (devices(), devices(), 1..4_u64, any::<u8>())
            .prop_map(|(by, device, height, stands)| Deed::Drop { by, device, height, stands }),
        1 => (devices(), 1..5_u64).prop_map(|(by, rev)| Deed::Services { by, rev }),
        1 => (devices(), 1..5_u64, any::<u8>()).prop_map(|(by, rev, stands)| Deed::Lock { by, rev, stands }),
        1 => (devices(), any::<usize>()).prop_map(|(by, start)| Deed::Postpone { by, start }),
    ]
}

fn key(alice: &Person, number: usize) -> SecretKey {
    if number == 0 { alice.first_device() } else { device(&format!("device {number}")) }
}

/// The operation that a deed makes at a place, rightly signed: all keys derive from alice's words.
fn operation(alice: &Person, place: &Place, deed: &Deed, some: &[&SignedObject]) -> Option<SignedObject> {
    let Deed::Operate { what, variant, device, height, .. } = deed else { return None };
    let (control, device) = (alice.phrase.control_key(place.epoch), key(alice, *device));
    let end = end(&device, &[head("log", *height)], some);
    let ids = || end.stands.clone();
    let bob = person("bob");
    let guardians = (*variant > 0).then(|| Guardians::of([*variant; 32], &[bob.did], 1).expect("guardians"));
    let devices: Vec<&SecretKey> = (*variant == 2).then_some(&device).into_iter().collect();
    let mut renewal = alice.phrase.renewal(place.epoch + 1, guardians, &devices);
    renewal.unlocks = ids();
    let new = alice.phrase.control_key(place.epoch + 1);
    let recover = |request: RecoveryRequest, signers: &[&SecretKey]| {
        let approval = request.approve(&bob.record(), &[&bob.phrase.control_key(0)]).expect("approval");
        let control = KeyList::single(&new.public());
        compose::recover(Network::MAIN, &request, vec![approval], &control, signers)
    };
    let composed = match what % 12 {
        0 | 1 => alice.phrase.rotate(place, renewal, &devices),
        2 | 3 => {
            let signers: Vec<&SecretKey> = [&new].into_iter().chain(devices).collect();
            recover(RecoveryRequest::start(place, renewal), &signers)
        }
        4 | 5 => recover(RecoveryRequest::finish(place), &[&new]),
        6 => compose::cancel(place, ids(), &[&control]),
        7 | 8 => compose::device_remove(place, end, &[&control]),
        9 => compose::settle(place, vec![head(&format!("log {variant}"), *height)], &[&control]),
        10 => compose::unlock(place, ids(), &[&control]),
        _ => compose::retire(place, None, vec![end], &[&control]),
    };
    Some(composed.expect("composed"))
}

/// Makes the objects; operations stand on the genesis or on any operation made before. Those that do not
/// hold where they stand are left out.
fn objects(alice: &Person, deeds: &[Deed]) -> Vec<SignedObject> {
    let (mut seen, mut places) = (alice.record(), vec![alice.genesis.id()]);
    let (mut operations, mut statements): (Vec<SignedObject>, Vec<SignedObject>) = (Vec::new(), Vec::new());
    for deed in deeds {
        let some = |mask: &u8| -> Vec<&SignedObject> {
            statements.iter().enumerate().filter(|(n, _)| mask >> (n % 8) & 1 == 1).map(|(_, object)| object).collect()
        };
        let statement = match deed {
            Deed::Operate { at, stands, .. } => {
                let place = seen.place_after(&places[at % places.len()]).expect("it was taken");
                let made = operation(alice, &place, deed, &some(stands)).expect("an operation");
                if seen.insert(made.clone()) == Ok(Inserted::New) {
                    places.push(made.id());
                    operations.push(made);
                }
                continue;
            }
            Deed::Grant { by, device } if by == device => continue,
            Deed::Grant { by, device } => alice.grant(&key(alice, *by), &key(alice, *device)),
            Deed::Drop { by, device, height, stands } => {
                alice.drop(&key(alice, *by), end(&key(alice, *device), &[head("log", *height)], &some(stands)))
            }
            Deed::Services { by, rev } => alice.services(&key(alice, *by), *rev),
            Deed::Lock { by, rev, stands } => alice.lock(&key(alice, *by), *rev, &some(stands)),
            Deed::Postpone { by, start } => {
                let start = places[start % places.len()];
                compose::postpone(Network::MAIN, alice.did, &key(alice, *by), start).expect("postpone")
            }
        };
        statements.push(statement);
    }
    operations.extend(statements);
    operations
}

proptest! {
    #![proptest_config(Config { cases: 128, failure_persistence: None, ..Config::default() })]

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
        let again = IdentityRecord::from_objects(Network::MAIN, shuffled.objects());
        assert_same(&straight, &again.expect("in order"));
        let mut at_once = alice.record();
        let taken = at_once.insert_all(made.iter().rev().cloned());
        assert!(taken.iter().all(Result::is_ok));
        assert_same(&straight, &at_once);
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
