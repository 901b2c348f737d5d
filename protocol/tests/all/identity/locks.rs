//! Locks (ID-19), lifting them (ID-20), and the end of an identity (ID-21).

use xom_protocol::identity::{DeviceStatus, IdentityState};
use xom_protocol::keys::SecretKey;

use super::people::{alice, device, end, head};

fn live(state: &IdentityState, key: &SecretKey) -> bool {
    state.live_device(&key.public().device_id()).is_some()
}

#[test]
fn a_lock_stops_new_grants_drops_and_services_and_leaves_what_it_names() {
    let alice = alice();
    let (phone, laptop, thief) = (alice.first_device(), device("laptop"), device("thief"));
    let to_laptop = alice.grant(&phone, &laptop);
    let services = alice.services(&laptop, 1);
    let lock = alice.lock(&laptop, 1, &[&to_laptop, &services]);
    let to_thief = alice.grant(&phone, &thief);
    let moved = alice.services(&phone, 1);
    let state = alice.state_of(&[&to_laptop, &services, &lock, &to_thief, &moved]);
    assert!(live(&state, &phone) && live(&state, &laptop) && !live(&state, &thief));
    assert_eq!(state.locks.keys().copied().collect::<Vec<_>>(), [lock.id()]);
    assert!(state.devices[&phone.public().device_id()].services.is_empty());
    assert_eq!(state.devices[&laptop.public().device_id()].services.len(), 1);
    let own = alice.drop(&phone, end(&phone, &[], &[]));
    let granted = alice.grant(&phone, &device("tablet"));
    let drop = alice.drop(&phone, end(&device("tablet"), &[], &[]));
    let lock = alice.lock(&laptop, 1, &[&to_laptop, &granted]);
    let state = alice.state_of(&[&to_laptop, &granted, &lock, &drop]);
    assert!(live(&state, &device("tablet")), "a drop after the lock does not count");
    let state = alice.state_of(&[&to_laptop, &lock, &own]);
    assert!(!live(&state, &laptop) && state.locks.is_empty(), "who is dropped has no lock");
}

#[test]
fn of_several_locks_the_union_counts_and_a_newer_one_of_a_device_supersedes_its_older_one() {
    let alice = alice();
    let (phone, laptop, tablet) = (alice.first_device(), device("laptop"), device("tablet"));
    let (to_laptop, to_tablet) = (alice.grant(&phone, &laptop), alice.grant(&phone, &tablet));
    let (narrow, wide) = (alice.lock(&phone, 1, &[]), alice.lock(&laptop, 1, &[&to_tablet]));
    let state = alice.state_of(&[&to_laptop, &to_tablet, &narrow, &wide]);
    assert!(live(&state, &laptop), "a device that locks names its own grant without saying so");
    assert!(live(&state, &tablet));
    assert_eq!(state.locks.len(), 2);
    let newer = alice.lock(&phone, 2, &[&to_laptop]);
    let state = alice.state_of(&[&to_laptop, &to_tablet, &narrow, &newer]);
    assert_eq!(state.locks.keys().copied().collect::<Vec<_>>(), [newer.id()]);
    assert!(live(&state, &laptop) && !live(&state, &tablet));
}

#[test]
fn a_thief_who_locks_the_others_out_is_answered_with_a_lock() {
    let alice = alice();
    let (phone, laptop, tablet) = (alice.first_device(), device("laptop"), device("tablet"));
    let (to_laptop, to_tablet) = (alice.grant(&phone, &laptop), alice.grant(&laptop, &tablet));
    let before = alice.insert_all([&to_laptop, &to_tablet]);
    let theft = alice.lock(&phone, 1, &[]);
    let mut after = alice.insert_all([&to_laptop, &to_tablet, &theft]);
    assert!(!live(after.state(), &laptop) && !live(after.state(), &tablet));
    let (rev, stands) = after.counter_lock(&before, &laptop.public().device_id()).expect("an answer");
    let mut named = [to_laptop.id(), to_tablet.id()];
    named.sort_unstable();
    assert_eq!((rev, stands.as_slice()), (1, named.as_slice()));
    after.insert(alice.lock(&laptop, rev, &[&to_laptop, &to_tablet])).expect("taken");
    assert!(live(after.state(), &laptop) && live(after.state(), &tablet));
    assert_eq!(after.counter_lock(&before, &laptop.public().device_id()), None, "one answer is enough");
    assert_eq!(after.counter_lock(&before, &device("mallory").public().device_id()), None);
}

#[test]
fn what_came_after_the_owners_lock_is_in_no_answer() {
    let alice = alice();
    let (phone, laptop, thief) = (alice.first_device(), device("laptop"), device("thief"));
    let (to_laptop, to_thief) = (alice.grant(&phone, &laptop), alice.grant(&phone, &thief));
    let lock = alice.lock(&laptop, 1, &[&to_laptop]);
    let before = alice.insert_all([&to_laptop, &lock, &to_thief]);
    let theft = alice.lock(&phone, 1, &[]);
    let after = alice.insert_all([&to_laptop, &lock, &to_thief, &theft]);
    assert_eq!(after.counter_lock(&before, &laptop.public().device_id()), None);
    let (rev, stands) = after.new_lock(&laptop.public().device_id());
    assert_eq!((rev, stands), (2, vec![to_laptop.id()]));
}

#[test]
fn control_keys_lift_the_locks_that_they_name() {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let (lock, to_laptop) = (alice.lock(&phone, 1, &[]), alice.grant(&phone, &laptop));
    let (unlock, at) = alice.unlock(alice.start(), &[&lock]);
    assert!(!live(&alice.state_of(&[&lock, &to_laptop]), &laptop));
    let state = alice.state_of(&[&lock, &to_laptop, &unlock]);
    assert!(live(&state, &laptop) && state.locks.is_empty());
    let again = alice.lock(&phone, 2, &[]);
    let state = alice.state_of(&[&to_laptop, &unlock, &again]);
    assert!(!live(&state, &laptop), "a lock that is not named holds");
    let (removal, _) = alice.remove(at, end(&phone, &[], &[&to_laptop]));
    let state = alice.state_of(&[&to_laptop, &unlock, &again, &removal]);
    assert!(live(&state, &laptop) && state.locks.is_empty(), "the lock of a removed device holds no more");

    let mut renewal = alice.phrase.renewal(1, None, &[]);
    renewal.unlocks = vec![lock.id()];
    let (rotation, _) = alice.rotate_to(alice.start(), renewal, &[]);
    assert!(live(&alice.state_of(&[&lock, &to_laptop, &rotation]), &laptop), "a rotation lifts locks too");
}

#[test]
fn a_dropped_device_does_not_come_back_by_its_own_lock() {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let to_laptop = alice.grant(&phone, &laptop);
    let drop = alice.drop(&phone, end(&laptop, &[head("l", 2)], &[]));
    let lock = alice.lock(&laptop, 1, &[&to_laptop]);
    let state = alice.state_of(&[&to_laptop, &drop, &lock]);
    assert!(!live(&state, &laptop) && state.locks.is_empty());
}

#[test]
fn a_device_that_control_keys_ended_keeps_its_accepted_heads_whatever_a_lock_leaves_out() {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let to_laptop = alice.grant(&phone, &laptop);
    let (removal, _) = alice.remove(alice.start(), end(&laptop, &[head("l", 4)], &[]));
    let lock = alice.lock(&phone, 1, &[]);
    let state = alice.state_of(&[&to_laptop, &removal, &lock]);
    let id = laptop.public().device_id();
    assert_eq!(state.admits(&id, &head("l", 4).log, 3, &head("l", 4).head), Ok(()));
}

#[test]
fn a_lock_takes_no_posts_away() {
    let alice = alice();
    let phone = alice.first_device();
    let state = alice.state_of(&[&alice.lock(&phone, 1, &[])]);
    let id = phone.public().device_id();
    assert_eq!(state.admits(&id, &head("p", 1).log, 9, &head("p", 1).head), Ok(()));
}

#[test]
fn the_ids_of_a_lock_and_of_an_unlock_ascend() {
    let alice = alice();
    let (phone, ids) = (alice.first_device(), vec![xom_protocol::Digest([1; 32]); 2]);
    let lock = xom_protocol::identity::compose::lock(xom_protocol::Network::MAIN, alice.did, &phone, 1, ids);
    assert_eq!(lock.expect_err("twice").rule().0, "ID-19");
    alice.refuses(&[], &alice.unlock(alice.start(), &[&alice.genesis, &alice.genesis]).0, "ID-20");
    alice.refuses(&[], &alice.cancel(alice.start(), &[&alice.genesis, &alice.genesis]).0, "ID-18");
}

#[test]
fn a_retired_identity_has_no_live_device_and_keeps_what_was_accepted() {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let to_laptop = alice.grant(&phone, &laptop);
    let ends = vec![end(&phone, &[head("p", 5)], &[&to_laptop])];
    let (retired, at) = alice.retire(alice.start(), ends);
    let state = alice.state_of(&[&to_laptop, &retired]);
    assert_eq!((state.retired, state.live_devices().count()), (Some(retired.id()), 0));
    let accepted = |key: &SecretKey| match &state.devices[&key.public().device_id()].status {
        DeviceStatus::Live => panic!("live"),
        DeviceStatus::Ended { accepted } => accepted.values().map(|head| head.height).collect::<Vec<_>>(),
    };
    assert_eq!((accepted(&phone), accepted(&laptop)), (vec![5], vec![]));
    assert!(state.document().verification_method.is_empty() && state.document_metadata().deactivated);
    alice.refuses(&[&to_laptop, &retired], &alice.settle(at, &[head("a", 1)]).0, "ID-21");
    alice.refuses(&[&to_laptop, &retired], &alice.rotate(at).0, "ID-21");
    let late = alice.grant(&phone, &device("tablet"));
    let lock = alice.lock(&laptop, 1, &[&late]);
    let state = alice.state_of(&[&to_laptop, &retired, &late, &lock]);
    assert_eq!((state.live_devices().count(), state.devices.len(), state.locks.len()), (0, 2, 0));
}

#[test]
fn the_thief_of_the_control_key_can_retire_nothing_that_the_words_do_not_bring_back() {
    let alice = alice();
    let phone = alice.first_device();
    let (theft, _) = alice.retire(alice.start(), vec![]);
    let (rotation, at) = alice.rotate(alice.start());
    let state = alice.state_of(&[&theft, &rotation]);
    assert!(live(&state, &phone) && state.retired.is_none());
    let (for_good, _) = alice.retire_for_good(at, vec![end(&phone, &[head("p", 2)], &[])]);
    let (late, _) = alice.settle(at, &[head("a", 1)]);
    let state = alice.state_of(&[&theft, &rotation, &for_good, &late]);
    assert_eq!((state.retired, state.head), (Some(for_good.id()), for_good.id()));
}

#[test]
fn the_ended_devices_of_a_retirement_ascend() {
    let alice = alice();
    let phone = alice.first_device();
    let twice = vec![end(&phone, &[], &[]), end(&phone, &[], &[])];
    alice.refuses(&[], &alice.retire(alice.start(), twice).0, "ID-7");
}
