//! Recovery by guardians (ID-16, ID-17), its cancelling and postponing (ID-18).

use xom_protocol::Network;
use xom_protocol::identity::{
    Approval, Guardians, KeyList, Priority, RecoveryRequest, RecoveryStep, SignedObject, compose,
};
use xom_protocol::keys::Domain;

use super::case::{Case, approvals, approved, wire_approved};
use super::people::{At, alice, device, end, head, person, sign};

/// Signs a step with any approvals, without the composer's checks.
fn signed(case: &Case, request: &RecoveryRequest, approvals: Vec<Approval>) -> SignedObject {
    approved(&request.encode(), approvals, &[&case.new.phrase.control_key(2)])
}

/// Expects a step with these approvals, in their order by DID, to be refused by this rule.
fn refused_by(
    case: &Case,
    before: &[&SignedObject],
    request: &RecoveryRequest,
    mut approvals: Vec<Approval>,
    rule: &str,
) {
    approvals.sort_by_key(|approval| approval.guardian);
    let wire = wire_approved(&request.encode(), &approvals, &[&case.new.phrase.control_key(2)]);
    let refused =
        SignedObject::decode(&wire).and_then(|object| case.alice.insert_all(before.iter().copied()).insert(object));
    assert_eq!(refused.expect_err("refused").rule().0, rule);
}

fn request(case: &Case) -> RecoveryRequest {
    RecoveryRequest::start(&case.place(), case.new.phrase.renewal(2, None, &[]))
}

#[test]
fn guardians_give_the_account_back_to_somebody_who_lost_everything() {
    let case = Case::new();
    let start = case.start(&case.two());
    let state = case.alice.state_of(&[&case.named, &start]);
    let recovery = state.recovery.clone().expect("started");
    assert_eq!((state.epoch, state.head, recovery.start, recovery.finished), (1, start.id(), start.id(), None));
    assert_eq!(case.alice.insert_all([&case.named, &start]).approvals(&start.id()).len(), 2);
    assert!(state.live_device(&device("laptop").public().device_id()).is_none(), "nothing has changed yet");

    let finish = case.finish(&start, &[&case.guardians[1], &case.guardians[2]]);
    let state = case.alice.state_of(&[&case.named, &start, &finish]);
    assert_eq!((state.epoch, state.head), (2, finish.id()));
    assert_eq!(state.control, KeyList::single(&case.new.phrase.control_key(2).public()));
    assert!(state.live_device(&device("laptop").public().device_id()).is_some());
    assert_eq!(state.recovery.expect("began the epoch").finished, Some(finish.id()));

    let place = case.alice.insert_all([&case.named, &start, &finish]).state().place();
    let next = case.new.phrase.rotation(&place, &[]).expect("the new words go on");
    assert_eq!(case.alice.state_of(&[&case.named, &start, &finish, &next]).epoch, 3);
}

#[test]
fn one_guardian_of_two_needed_is_not_enough() {
    let case = Case::new();
    let request = request(&case);
    let one = approvals(&request, &[&case.guardians[0]]);
    refused_by(&case, &[&case.named], &request, one.clone(), "ID-17");
    refused_by(&case, &[&case.named], &request, [one.clone(), one].concat(), "ID-17");
    let finish = RecoveryRequest::finish(&{
        let start = case.start(&case.two());
        case.alice.insert_all([&case.named, &start]).state().place()
    });
    let start = case.start(&case.two());
    refused_by(&case, &[&case.named, &start], &finish, approvals(&finish, &[&case.guardians[0]]), "ID-17");
}

#[test]
fn a_guardian_counts_once_though_it_shows_keys_of_two_epochs() {
    let case = Case::new();
    let (request, bob) = (request(&case), &case.guardians[0]);
    let (rotation, _) = bob.rotate(bob.start());
    let newer = request.approve(&bob.insert_all([&rotation]), &[&bob.phrase.control_key(1)]).expect("approval");
    let older = approvals(&request, &[bob]);
    refused_by(&case, &[&case.named], &request, [older, vec![newer.clone()]].concat(), "ID-17");
    let with_carol = [vec![newer], approvals(&request, &[&case.guardians[1]])].concat();
    case.alice.insert_all([&case.named, &signed(&case, &request, with_carol)]);
}

#[test]
fn an_approval_is_by_a_guardian_for_this_request_and_network() {
    let case = Case::new();
    let (request, [bob, carol, _]) = (request(&case), &case.guardians);
    let stranger = person("mallory");
    let refuses = |approvals: Vec<Approval>, rule: &str| {
        refused_by(&case, &[&case.named], &request, approvals, rule);
    };
    refuses(approvals(&request, &[bob, &stranger]), "ID-17");
    let other = RecoveryRequest::start(&case.place(), stranger.phrase.renewal(2, None, &[]));
    refuses(approvals(&other, &[bob, carol]), "ENC-12");
    let finish = RecoveryRequest { step: RecoveryStep::Finish, ..request.clone() };
    refuses(approvals(&finish, &[bob, carol]), "ENC-12");
    let mut swapped = approvals(&request, &[bob, carol]);
    swapped.sort_by_key(|approval| approval.guardian);
    let first = swapped[0].signatures.clone();
    swapped[0].signatures = swapped[1].signatures.clone();
    swapped[1].signatures = first;
    refuses(swapped, "ENC-12");
    let mut borrowed = approvals(&request, &[bob, carol]);
    borrowed[0].proof = vec![stranger.genesis.clone()];
    refuses(borrowed, "ID-17");
    let mut unproven = approvals(&request, &[bob, carol]);
    unproven[0].proof.clear();
    refuses(unproven, "ID-17");
    let mut in_other_domain = approvals(&request, &[bob, carol]);
    let message = [bob.did.0.as_slice(), &request.encode()].concat();
    let signature = bob.phrase.control_key(0).sign(Domain::Identity, Network::MAIN, &message);
    in_other_domain[0].signatures = vec![(0, signature)];
    refuses(in_other_domain, "ENC-12");
    let test = "test".parse().expect("name");
    assert_eq!(request.check_approval(test, &approvals(&request, &[bob])[0]).expect_err("other").rule().0, "ID-17");
}

#[test]
fn a_proof_leads_from_the_genesis_by_rotations_alone() {
    let case = Case::new();
    let (request, bob) = (request(&case), &case.guardians[0]);
    let (settled, at) = bob.settle(bob.start(), &[head("a", 1)]);
    let (one, at) = bob.rotate(at);
    let (two, _) = bob.rotate(at);
    let record = bob.insert_all([&settled, &one, &two]);
    let approval = request.approve(&record, &[&bob.phrase.control_key(2)]).expect("approval");
    assert_eq!(approval.proof, [&bob.genesis, &one, &two].map(Clone::clone), "what control keys did is left out");
    let check = |change: &dyn Fn(&mut Approval), want: &str| {
        let mut changed = approval.clone();
        change(&mut changed);
        assert_eq!(request.check_approval(Network::MAIN, &changed).expect_err("refused").rule().0, want);
    };
    check(&|approval| approval.proof.swap(1, 2), "ID-17");
    check(&|approval| approval.proof.truncate(2), "ENC-12");
    check(&|approval| drop(approval.proof.remove(1)), "ID-17");
    check(&|approval| approval.proof.insert(1, settled.clone()), "ID-17");
    check(&|approval| approval.guardian = case.alice.did, "ID-17");
}

#[test]
fn a_recovery_needs_guardians_new_keys_that_sign_and_devices_that_sign() {
    let case = Case::new();
    let without = RecoveryRequest::start(&case.alice.record().state().place(), case.new.phrase.renewal(1, None, &[]));
    let keys = KeyList::single(&case.new.phrase.control_key(1).public());
    let nobody = approvals(&without, &case.two());
    let start = compose::recover(Network::MAIN, &without, nobody, &keys, &[&case.new.phrase.control_key(1)]);
    case.alice.refuses(&[], &start.expect("composed"), "ID-16");

    let request = request(&case);
    let by_mallory = approved(&request.encode(), approvals(&request, &case.two()), &[&device("mallory")]);
    case.alice.refuses(&[&case.named], &by_mallory, "ENC-12");
    let laptop = device("laptop");
    let request = RecoveryRequest::start(&case.place(), case.new.phrase.renewal(2, None, &[&laptop]));
    let unsigned = signed(&case, &request, approvals(&request, &case.two()));
    case.alice.refuses(&[&case.named], &unsigned, "ID-4");
}

#[test]
fn a_finish_stands_right_after_its_start() {
    let case = Case::new();
    let start = case.start(&case.two());
    let request = RecoveryRequest::finish(&case.place());
    let early = signed(&case, &request, approvals(&request, &case.two()));
    case.alice.refuses(&[&case.named], &early, "ID-16");
    let (cancel, _) = case.alice.cancel(At { id: start.id(), seq: 2, epoch: 1 }, &[&start]);
    let place = case.alice.insert_all([&case.named, &start, &cancel]).state().place();
    let request = RecoveryRequest::finish(&place);
    let late = signed(&case, &request, approvals(&request, &case.two()));
    case.alice.refuses(&[&case.named, &start, &cancel], &late, "ID-16");
}

#[test]
fn control_keys_cancel_a_recovery_in_every_order_even_when_it_is_finished() {
    let case = Case::new();
    let start = case.start(&case.two());
    let finish = case.finish(&start, &case.two());
    let after_start = At { id: start.id(), seq: 2, epoch: 1 };
    for at in [case.at, after_start] {
        let (cancel, _) = case.alice.cancel(at, &[&start]);
        let state = case.alice.state_of(&[&case.named, &start, &finish, &cancel]);
        assert_eq!((state.epoch, state.head, state.recovery), (1, cancel.id(), None));
        assert_eq!(state.duplicity, None);
    }
    let (settled, _) = case.alice.settle(after_start, &[head("a", 1)]);
    let state = case.alice.state_of(&[&case.named, &start, &finish, &settled]);
    assert_eq!((state.epoch, state.head), (1, settled.id()), "any operation of control keys cancels");
}

#[test]
fn the_words_undo_a_recovery_by_guardians_who_conspire() {
    let case = Case::new();
    let start = case.start(&case.two());
    let finish = case.finish(&start, &case.two());
    let (theft, _) = {
        let at = At { id: finish.id(), seq: 3, epoch: 2 };
        let mut thief = person("alice again");
        thief.did = case.alice.did;
        thief.remove(at, end(&case.alice.first_device(), &[], &[]))
    };
    let record = case.alice.insert_all([&case.named, &start, &finish, &theft]);
    assert_eq!(record.state().epoch, 2);
    let place = case.alice.phrase.rotation_place(&record).expect("before the finish");
    let rotation = case.alice.phrase.rotation(&place, &[]).expect("rotation");
    let state = case.alice.state_of(&[&case.named, &start, &finish, &theft, &rotation]);
    assert_eq!((state.epoch, state.head, &state.recovery), (2, rotation.id(), &None));
    assert_eq!(state.control, KeyList::single(&case.alice.phrase.control_key(2).public()));
    assert!(state.live_device(&case.alice.first_device().public().device_id()).is_some());
}

/// A thief of guardians' keys signs a second recovery: it freezes what guardians can do, and no more.
#[test]
fn two_recoveries_freeze_guardians_until_a_control_key_decides() {
    let case = Case::new();
    let (one, two) = (case.start(&case.two()), case.start_for(&person("mallory"), &case.two()));
    let finish = case.finish(&one, &case.two());
    let state = case.alice.state_of(&[&case.named, &one, &two, &finish]);
    let duplicity = state.duplicity.clone().expect("frozen");
    assert_eq!((duplicity.priority, duplicity.at), (Priority::Guardian, case.named.id()));
    assert_eq!((state.epoch, &state.recovery), (1, &None));
    assert!(state.live_devices().next().is_some());

    let (settled, _) = case.alice.settle(case.at, &[head("a", 1)]);
    let state = case.alice.state_of(&[&case.named, &one, &two, &finish, &settled]);
    assert_eq!((state.head, state.duplicity), (settled.id(), None));
}

#[test]
fn a_postponement_is_seen_once_and_changes_nothing_else() {
    let case = Case::new();
    let phone = case.alice.first_device();
    let start = case.start(&case.two());
    let postpone = case.alice.postpone(&phone, &start);
    let state = case.alice.state_of(&[&case.named, &start, &postpone]);
    assert_eq!(state.recovery.expect("started").postponed, [phone.public().device_id()]);
    let stranger = case.alice.postpone(&device("mallory"), &start);
    let other = case.alice.postpone(&phone, &case.named);
    let state = case.alice.state_of(&[&case.named, &start, &stranger, &other]);
    assert!(state.recovery.expect("started").postponed.is_empty());
    let finish = case.finish(&start, &case.two());
    assert_eq!(case.alice.state_of(&[&case.named, &start, &postpone, &finish]).epoch, 2, "verifiers measure no time");
    let (removal, _) = case.alice.remove(case.at, end(&phone, &[], &[]));
    let state = case.alice.state_of(&[&case.named, &postpone, &removal]);
    assert!(state.recovery.is_none());
}

#[test]
fn a_request_reads_back_and_is_nothing_without_approvals() {
    let case = Case::new();
    let request = request(&case);
    assert_eq!(RecoveryRequest::decode(&request.encode()), Ok(request.clone()));
    let finish = RecoveryRequest::finish(&case.place());
    assert_eq!(RecoveryRequest::decode(&finish.encode()), Ok(finish));
    let alone = sign(Domain::Identity, &request.encode(), &[&case.new.phrase.control_key(2)]);
    case.alice.refuses(&[&case.named], &alone, "ID-17");
    assert_eq!(RecoveryRequest::decode(case.named.payload()).expect_err("refused").rule().0, "ID-16");
}

#[test]
fn guardians_are_known_only_to_who_knows_their_dids() {
    let [bob, carol] = ["bob", "carol"].map(person);
    let guardians = Guardians::of([9; 32], &[bob.did, carol.did], 2).expect("guardians");
    assert!(guardians.contains(&bob.did) && !guardians.contains(&alice().did));
    assert_eq!(Guardians::of([9; 32], &[bob.did, bob.did], 1).expect_err("twice").rule().0, "ID-4");
}

/// The same step with other approvals is the same operation: no second finish freezes a recovery.
#[test]
fn approvals_are_no_part_of_an_operation() {
    let case = Case::new();
    let [bob, carol, dave] = &case.guardians;
    let (one, two) = (case.start(&[bob, carol]), case.start(&[carol, dave]));
    assert_eq!(one.id(), two.id());
    let (first, second) = (case.finish(&one, &[bob, dave]), case.finish(&two, &[bob, carol]));
    let state = case.alice.state_of(&[&case.named, &one, &first]);
    assert_eq!(state, case.alice.state_of(&[&case.named, &two, &second, &one, &first]));
    assert_eq!((state.epoch, state.duplicity), (2, None));
}

#[test]
fn only_a_step_of_a_recovery_carries_approvals() {
    let case = Case::new();
    let some = approvals(&request(&case), &case.two());
    let settle = case.alice.settle(case.at, &[head("a", 1)]).0;
    let with = approved(settle.payload(), some.clone(), &[&case.alice.phrase.control_key(1)]);
    case.alice.refuses(&[&case.named], &with, "ID-17");
    let genesis = approved(case.alice.genesis.payload(), some.clone(), &[&case.alice.phrase.control_key(0)]);
    let refused = xom_protocol::identity::IdentityRecord::from_genesis(Network::MAIN, genesis);
    assert_eq!(refused.expect_err("refused").rule().0, "ID-17");
    let mut nested = some;
    nested[0].proof.push(case.start(&case.two()));
    let start = wire_approved(&request(&case).encode(), &nested, &[&case.new.phrase.control_key(2)]);
    assert_eq!(SignedObject::decode(&start).expect_err("refused").rule().0, "ID-17");
    let empty = xom_protocol::encoding::encode(&(
        serde_bytes::Bytes::new(b"x"),
        &[(0_u64, settle.signatures()[0].1)],
        [0_u64; 0],
    ));
    assert_eq!(SignedObject::decode(&empty).expect_err("refused").rule().0, "ENC-8");
}
