//! The identity log: rotation, removal, settling, priority and duplicity (ID-5 to ID-9).

use xom_protocol::EntryId;
use xom_protocol::identity::{DeviceStatus, Inserted, KeyList, Priority, compose, purge};

use super::people::{At, alice, device, end, head, person};

#[test]
fn the_words_alone_give_the_identity() {
    let state = alice().state_of(&[]);
    assert_eq!(state.did, alice().did);
    assert_eq!(state.control, KeyList::single(&alice().phrase.control_key(0).public()));
    assert_eq!(state.next, alice().phrase.next_keys(1));
    assert!(state.live_device(&alice().first_device().public().device_id()).is_some());
}

#[test]
fn a_rotation_by_the_next_key_brings_other_control_keys() {
    let alice = alice();
    let (first, at) = alice.rotate(alice.start());
    let (second, at) = alice.rotate(at);
    let state = alice.state_of(&[&first, &second]);
    assert_eq!((state.epoch, state.seq, state.head), (2, 2, at.id));
    assert_eq!(state.control, KeyList::single(&alice.phrase.control_key(2).public()));
    assert_eq!(state.next, alice.phrase.next_keys(3));
}

#[test]
fn composed_operations_go_on_from_the_state() {
    let alice = alice();
    let mut record = alice.record();
    let (control, new_control) = (alice.phrase.control_key(0), alice.phrase.control_key(1));
    let settled = compose::settle(&record.state().place(), vec![head("a", 3)], &[&control]).expect("settle");
    record.insert(settled).expect("taken");
    let rotated = alice.phrase.rotation(&record.state().place(), &[]).expect("rotate");
    record.insert(rotated).expect("taken");
    let end = end(&alice.first_device(), &[head("a", 3)], &[]);
    let removed = compose::device_remove(&record.state().place(), end, &[&new_control]).expect("remove");
    record.insert(removed).expect("taken");
    assert_eq!((record.state().seq, record.state().epoch), (3, 1));
    assert!(record.state().live_devices().next().is_none());
}

#[test]
fn a_composer_does_not_sign_what_it_may_not() {
    let alice = alice();
    let (place, mallory) = (alice.state_of(&[]).place(), device("mallory"));
    let settle = compose::settle(&place, vec![head("a", 1)], &[&mallory]);
    assert_eq!(settle.expect_err("no control key").rule().0, "ID-2");
    let revealed = KeyList::single(&mallory.public());
    let rotate = compose::rotate(&place, revealed, alice.phrase.renewal(1, None, &[]), &[&mallory]);
    assert_eq!(rotate.expect_err("not committed").rule().0, "ID-6");
    let words = person("mallory").phrase;
    assert_eq!(words.rotation(&place, &[]).expect_err("other words").rule().0, "ID-6");
}

/// R-SIG-8: a thief of the current key races the owner's rotation and loses in every order.
#[test]
fn r_sig_8_a_rotation_beats_the_stolen_control_key_in_every_order() {
    let alice = alice();
    let phone = alice.first_device();
    let (theft, after_theft) = alice.remove(alice.start(), end(&phone, &[], &[]));
    let (more_theft, _) = alice.settle(after_theft, &[head("fork", 9)]);
    let (rotation, at) = alice.rotate(alice.start());
    let state = alice.state_of(&[&theft, &more_theft, &rotation]);
    assert_eq!((state.head, state.epoch, &state.duplicity), (at.id, 1, &None));
    assert!(state.live_device(&phone.public().device_id()).is_some(), "the thief's removal is undone");
    assert!(state.anchors.is_empty());
}

#[test]
fn a_rotation_may_also_stand_on_what_control_keys_did_before() {
    let alice = alice();
    let (settled, at) = alice.settle(alice.start(), &[head("a", 5)]);
    let (rotation, _) = alice.rotate(at);
    let (theft, _) = alice.settle(alice.start(), &[head("a", 9)]);
    let state = alice.state_of(&[&settled, &rotation, &theft]);
    assert_eq!(state.anchors.values().copied().collect::<Vec<_>>(), [head("a", 5)]);
    assert_eq!((state.epoch, state.duplicity), (1, None));
}

#[test]
fn two_operations_of_control_keys_freeze_the_log_until_a_rotation_decides() {
    let alice = alice();
    let (one, after_one) = alice.settle(alice.start(), &[head("a", 1)]);
    let (two, _) = alice.settle(alice.start(), &[head("a", 2)]);
    let (on_top, _) = alice.settle(after_one, &[head("b", 1)]);
    let state = alice.state_of(&[&one, &two, &on_top]);
    let duplicity = state.duplicity.clone().expect("frozen");
    let mut proof = [one.id(), two.id()];
    proof.sort_unstable();
    assert_eq!((duplicity.priority, duplicity.at), (Priority::Control, alice.start().id));
    assert_eq!(duplicity.proof, proof, "both are kept as proof");
    assert_eq!((state.seq, state.anchors.len()), (0, 0));
    assert!(state.live_devices().next().is_some(), "devices valid before it go on");

    let (rotation, at) = alice.rotate(alice.start());
    let (settled, _) = alice.settle(at, &[head("a", 2)]);
    let state = alice.state_of(&[&one, &two, &on_top, &rotation, &settled]);
    assert_eq!((state.seq, state.duplicity), (2, None));
    assert_eq!(state.anchors.values().copied().collect::<Vec<_>>(), [head("a", 2)]);
}

#[test]
fn two_rotations_freeze_the_log_where_they_part_and_are_kept_as_proof() {
    let alice = alice();
    let (settled, at) = alice.settle(alice.start(), &[head("a", 1)]);
    let (one, after_one) = alice.rotate(at);
    let (two, _) = alice.rotate_with(at, Some(alice.some_guardians(1)));
    let (later, _) = alice.settle(after_one, &[head("a", 7)]);
    let state = alice.state_of(&[&settled, &one, &two, &later]);
    let duplicity = state.duplicity.expect("frozen");
    let mut proof = [one.id(), two.id()];
    proof.sort_unstable();
    assert_eq!((duplicity.priority, duplicity.at), (Priority::Next, at.id));
    assert_eq!(duplicity.proof, proof);
    assert_eq!((state.head, state.epoch), (at.id, 0));
    let record = alice.insert_all([&settled, &one, &two]);
    assert!(record.contains(&one.id()) && record.contains(&two.id()), "the proof is passed on");
}

/// R-SIG-7: the revealed keys must be the committed ones.
#[test]
fn r_sig_7_a_rotation_to_keys_that_were_not_committed_is_refused() {
    let alice = alice();
    let mut stranger = person("mallory");
    stranger.did = alice.did;
    let (rotation, _) = stranger.rotate(alice.start());
    alice.refuses(&[], &rotation, "ID-6");
}

/// R-SIG-12: keys that a rotation retired change nothing, at the head or at their old place.
#[test]
fn r_sig_12_long_dead_keys_build_no_other_history() {
    let alice = alice();
    let (rotation, at) = alice.rotate(alice.start());
    let dead = At { epoch: 0, ..at };
    alice.refuses(&[&rotation], &alice.settle(dead, &[head("a", 1)]).0, "ENC-12");
    let (old_place, mut old_at) = alice.settle(alice.start(), &[head("a", 1)]);
    let mut old_branch = vec![old_place];
    for height in 2..6 {
        let (settled, next) = alice.settle(old_at, &[head("a", height)]);
        old_branch.push(settled);
        old_at = next;
    }
    let mut objects: Vec<_> = old_branch.iter().collect();
    objects.push(&rotation);
    let state = alice.state_of(&objects);
    assert_eq!((state.head, state.seq, state.anchors.len()), (at.id, 1, 0));
}

/// R-SIG-11: an old set shown again lowers nothing.
#[test]
fn r_sig_11_an_old_state_served_again_changes_nothing() {
    let alice = alice();
    let (first, at) = alice.rotate(alice.start());
    let (second, _) = alice.rotate(at);
    let mut record = alice.insert_all([&first, &second]);
    let state = record.state().clone();
    for old in [&alice.genesis, &first] {
        assert_eq!(record.insert(old.clone()), Ok(Inserted::Known));
    }
    assert_eq!(record.state(), &state);
}

#[test]
fn an_operation_has_the_number_after_its_predecessor() {
    let alice = alice();
    let skipped = At { seq: 4, ..alice.start() };
    alice.refuses(&[], &alice.settle(skipped, &[head("a", 1)]).0, "ID-5");
}

#[test]
fn a_later_removal_raises_an_accepted_head_and_never_lowers_it() {
    let alice = alice();
    let phone = alice.first_device();
    let (first, at) = alice.remove(alice.start(), end(&phone, &[head("a", 5), head("b", 5)], &[]));
    let (second, _) = alice.remove(at, end(&phone, &[head("a", 9), head("b", 2)], &[]));
    let state = alice.state_of(&[&first, &second]);
    let DeviceStatus::Ended { accepted } = &state.devices[&phone.public().device_id()].status else { panic!("live") };
    let want = [head("a", 9), head("b", 5)];
    assert_eq!(accepted.len(), want.len());
    assert!(want.iter().all(|head| accepted[&head.log] == *head));
}

#[test]
fn a_settle_names_the_branch_that_counts() {
    let alice = alice();
    let (settled, at) = alice.settle(alice.start(), &[head("a", 5)]);
    let (raised, _) = alice.settle(at, &[head("a", 8)]);
    let state = alice.state_of(&[&settled, &raised]);
    assert_eq!(state.anchors.values().copied().collect::<Vec<_>>(), [head("a", 8)]);
}

#[test]
fn a_purge_order_needs_the_current_control_keys() {
    let alice = alice();
    let (rotation, _) = alice.rotate(alice.start());
    let (before, after) = (alice.state_of(&[]), alice.state_of(&[&rotation]));
    let (target, other) = (EntryId([1; 32]), EntryId([2; 32]));
    let order = purge::order(&before, &target, &[&alice.phrase.control_key(0)]).expect("order");
    let rule = |state, target, order| purge::check(state, target, order).map_err(|e| e.rule().0);
    assert_eq!(rule(&before, &target, &order), Ok(()));
    assert_eq!(rule(&before, &other, &order), Err("ENC-12"));
    assert_eq!(rule(&after, &target, &order), Err("ENC-12"));
    assert_eq!(rule(&before, &target, &xom_protocol::body::PurgeOrder { signatures: vec![] }), Err("ID-2"));
    assert!(purge::order(&before, &target, &[&alice.first_device()]).is_err(), "a device can't purge at once");
}
