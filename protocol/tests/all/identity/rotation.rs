//! Rotations: next keys sign once, bring other control keys, devices and the end of locks (ID-6, ID-15).

use xom_protocol::Network;
use xom_protocol::identity::{Draft, KeyList, NextKeys, Operation, Payload, Priority};
use xom_protocol::keys::{Domain, SecretKey};

use super::people::{At, alice, device, end, head, person, sign};

#[test]
fn the_words_alone_bring_a_device_where_no_device_is_left() {
    let alice = alice();
    let laptop = device("laptop");
    let (rotation, at) = alice.rotate_with_devices(alice.start(), &[&laptop]);
    let (removal, _) = alice.remove(at, end(&alice.first_device(), &[head("p", 3)], &[]));
    let state = alice.state_of(&[&rotation, &removal]);
    let live: Vec<_> = state.live_devices().map(|(id, device)| (*id, device.granted_by, device.admitted_by)).collect();
    assert_eq!(live, [(laptop.public().device_id(), None, rotation.id())], "it hangs from no granter");
}

#[test]
fn what_a_device_that_a_rotation_brought_grants_counts_in_every_order() {
    let alice = alice();
    let (laptop, tablet) = (device("laptop"), device("tablet"));
    let (rotation, _) = alice.rotate_with_devices(alice.start(), &[&laptop]);
    let grant = alice.grant(&laptop, &tablet);
    let services = alice.services(&tablet, 1);
    let state = alice.state_of(&[&rotation, &grant, &services]);
    assert_eq!(state.live_devices().count(), 3);
}

/// A rotation with the device list of somebody else: each device signs for this very rotation.
#[test]
fn a_device_that_does_not_sign_is_not_brought() {
    let alice = alice();
    let (victim, laptop) = (device("victim"), device("laptop"));
    let renewal = alice.phrase.renewal(1, None, &[&victim]);
    alice.refuses(&[], &alice.rotate_to(alice.start(), renewal.clone(), &[]).0, "ID-4");
    alice.refuses(&[], &alice.rotate_to(alice.start(), renewal, &[&laptop]).0, "ENC-12");
    let (first, at) = alice.rotate_with_devices(alice.start(), &[&victim]);
    let reveal = KeyList::single(&alice.phrase.next_key(2).public());
    let renewal = alice.phrase.renewal(2, None, &[&victim]);
    let payload = alice.operation(at, Operation::Rotate { reveal, renewal }).encode();
    let next = alice.phrase.next_key(2).sign(Domain::Identity, Network::MAIN, &payload);
    let replayed = super::people::object(&payload, &[(0, next), (1, first.signatures()[1].1)]).expect("form");
    alice.refuses(&[&first], &replayed, "ENC-12");
}

/// R-SIG-8: the keys that a rotation revealed are nobody's keys from then on.
#[test]
fn r_sig_8_next_keys_sign_exactly_once() {
    let alice = alice();
    let (rotation, at) = alice.rotate(alice.start());
    let next = alice.phrase.next_key(1);
    let anchors = vec![head("a", 1)];
    for place in [alice.start(), at] {
        let payload = alice.operation(place, Operation::Settle { anchors: anchors.clone() }).encode();
        alice.refuses(&[&rotation], &sign(Domain::Identity, &payload, &[&next]), "ENC-12");
    }
    let again = At { epoch: 0, ..at };
    alice.refuses(&[&rotation], &alice.rotate(again).0, "ID-6");
}

/// R-SIG-7, R-SIG-8: whoever has the current control key can sign no rotation, at no place.
#[test]
fn r_sig_7_the_thief_of_the_current_control_key_can_sign_no_rotation() {
    let alice = alice();
    let thief = alice.phrase.control_key(1);
    let (rotation, at) = alice.rotate(alice.start());
    for place in [alice.start(), at] {
        for reveal in [&thief, &alice.phrase.next_key(1)] {
            let reveal = KeyList::single(&reveal.public());
            let renewal = person("mallory").phrase.renewal(2, None, &[]);
            let payload = alice.operation(place, Operation::Rotate { reveal, renewal }).encode();
            let theft = sign(Domain::Identity, &payload, &[&thief]);
            let mut record = alice.insert_all([&rotation]);
            let refused = record.insert(theft).expect_err("refused");
            assert!(["ID-6", "ENC-12"].contains(&refused.rule().0), "{refused}");
            assert_eq!(record.state().duplicity, None);
        }
    }
}

#[test]
fn a_key_is_revealed_in_force_or_committed_to_and_never_two_of_these() {
    let alice = alice();
    let good = alice.phrase.renewal(1, None, &[]);
    let revealed = KeyList::single(&alice.phrase.next_key(1).public());
    for (control, next) in [
        (revealed.clone(), good.next.clone()),
        (good.control.clone(), NextKeys::commit_to(&revealed)),
        (good.control.clone(), NextKeys::commit_to(&good.control)),
    ] {
        let mut renewal = good.clone();
        (renewal.control, renewal.next) = (control, next);
        alice.refuses(&[], &alice.rotate_to(alice.start(), renewal, &[]).0, "ID-6");
    }
}

#[test]
fn devices_of_a_rotation_ascend_and_are_few() {
    let alice = alice();
    let many: Vec<SecretKey> = (0..9).map(|n| device(&format!("device {n}"))).collect();
    let many: Vec<&SecretKey> = many.iter().collect();
    alice.refuses(&[], &alice.rotate_with_devices(alice.start(), &many).0, "ID-4");
    let mut renewal = alice.phrase.renewal(1, None, &many[..2]);
    renewal.devices.reverse();
    alice.refuses(&[], &alice.rotate_to(alice.start(), renewal, &many[..2]).0, "ID-4");
}

#[test]
fn the_newest_rotation_brings_its_device_even_where_a_thief_filled_every_place() {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let mut objects: Vec<_> = (0..40).map(|n| alice.grant(&phone, &device(&format!("thief {n}")))).collect();
    objects.push(alice.rotate_with_devices(alice.start(), &[&laptop]).0);
    let state = alice.insert_all(&objects).state().clone();
    assert!(state.live_device(&laptop.public().device_id()).is_some());
}

#[test]
fn a_rotation_is_signed_on_the_machines_where_the_keys_are() {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let mut record = alice.record();
    let place = record.state().place();
    let reveal = KeyList::single(&alice.phrase.next_key(1).public());
    let renewal = alice.phrase.renewal(1, None, &[&laptop]);
    let payload = place.operation(Operation::Rotate { reveal, renewal });
    let draft = Draft::new(Network::MAIN, &place.control, &payload).expect("draft");
    let words = draft.sign(&[&alice.phrase.next_key(1)]);
    let (there, read) = Draft::read(Network::MAIN, draft.payload()).expect("read by the laptop");
    assert_eq!(read, payload);
    let rotation = draft.finish([there.sign(&[&laptop]), words.clone()].concat()).expect("both signed");
    assert_eq!(draft.finish(words).expect_err("the laptop is missing").rule().0, "ID-4");
    record.insert(rotation).expect("taken");
    assert!(record.state().live_device(&laptop.public().device_id()).is_some());
    let settle = place.operation(Operation::Settle { anchors: vec![head("a", 1)] });
    assert!(Draft::read(Network::MAIN, &settle.encode()).is_err(), "its signers are not named in it");
    assert!(Draft::read(Network::MAIN, alice.services(&phone, 1).payload()).is_err());
}

#[test]
fn two_rotations_are_duplicity_of_next_keys_and_nothing_below_decides_it() {
    let alice = alice();
    let (one, _) = alice.rotate_with_devices(alice.start(), &[&device("one")]);
    let (two, _) = alice.rotate_with_devices(alice.start(), &[&device("two")]);
    let (settled, _) = alice.settle(alice.start(), &[head("a", 1)]);
    let state = alice.state_of(&[&one, &two, &settled]);
    assert_eq!(state.duplicity.as_ref().map(|found| found.priority), Some(Priority::Next));
    assert!(state.live_device(&alice.first_device().public().device_id()).is_some());
}

#[test]
fn the_words_find_the_place_where_they_can_rotate() {
    let alice = alice();
    let (retired, _) = alice.retire(alice.start(), vec![]);
    let mut record = alice.insert_all([&retired]);
    assert_eq!(record.state().retired, Some(retired.id()));
    assert_eq!(person("mallory").phrase.rotation_place(&record), None);
    let place = alice.phrase.rotation_place(&record).expect("before the end");
    record.insert(alice.phrase.rotation(&place, &[]).expect("rotation")).expect("taken");
    assert_eq!((record.state().retired, record.state().epoch), (None, 1));
    let Payload::Operation(..) = &record.history()[1].payload else { panic!("an operation") };
}

#[test]
fn a_rotation_where_the_epoch_began_undoes_all_that_control_keys_did_in_it() {
    let alice = alice();
    let phone = alice.first_device();
    let (first, at) = alice.rotate(alice.start());
    let (settled, at) = alice.settle(at, &[head("a", 5)]);
    let (theft, _) = alice.remove(at, end(&phone, &[], &[]));
    let mut record = alice.insert_all([&first, &settled, &theft]);
    assert!(record.state().live_devices().next().is_none());

    let only_the_theft = record.place_of(&theft.id()).expect("a place");
    assert_eq!(only_the_theft, record.place_after(&settled.id()).expect("a place"));
    let mut other = record.clone();
    other.insert(alice.phrase.rotation(&only_the_theft, &[]).expect("rotation")).expect("taken");
    assert_eq!((other.state().live_devices().count(), other.state().anchors.len()), (1, 1));

    let place = record.place_of_epoch();
    assert_eq!((place.prev, place.epoch), (first.id(), 1));
    record.insert(alice.phrase.rotation(&place, &[]).expect("rotation")).expect("taken");
    assert_eq!((record.state().live_devices().count(), record.state().anchors.len()), (1, 0));
    assert_eq!(record.place_of(&alice.genesis.id()), None);
}
