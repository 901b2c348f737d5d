//! Vectors of what lets an identity survive: rotations with devices, recovery, locks, retirement.

use xom_protocol::identity::{
    Approval, KeyList, NextKeys, Operation, Origin, Payload, Place, RecoveryRequest, Renewal, Statement,
};
use xom_protocol::keys::Domain;

use super::{bad, bad_bytes, good};
use crate::identity::case::{Case, approvals, wire_approved};
use crate::identity::people::{At, Person, alice, device, end, head, person, sign};
use crate::support::Vector;

pub(super) fn all() -> Vec<Vector> {
    [rotations(), recoveries(), locks(), retirements()].concat()
}

fn rotations() -> Vec<Vector> {
    let alice = alice();
    let laptop = device("laptop");
    let (rotation, at) = alice.rotate_with_devices(alice.start(), &[&laptop]);
    let renewal = alice.phrase.renewal(1, None, &[&laptop]);
    let reveal = KeyList::single(&alice.phrase.next_key(1).public());
    let changed = |change: &dyn Fn(&mut Renewal)| {
        let mut renewal = alice.phrase.renewal(1, None, &[]);
        change(&mut renewal);
        alice.rotate_to(alice.start(), renewal, &[]).0
    };
    let thief = alice.phrase.control_key(0);
    let theft = {
        let (reveal, renewal) = (KeyList::single(&thief.public()), person("mallory").phrase.renewal(1, None, &[]));
        let payload = alice.operation(alice.start(), Operation::Rotate { reveal, renewal });
        sign(Domain::Identity, &payload.encode(), &[&thief])
    };
    let forged = {
        let renewal = person("mallory").phrase.renewal(1, None, &[]);
        let payload = alice.operation(alice.start(), Operation::Rotate { reveal: reveal.clone(), renewal });
        sign(Domain::Identity, &payload.encode(), &[&thief])
    };
    let dead = At { epoch: 0, ..at };
    vec![
        good("a rotation that brings a device", &[&rotation]),
        good(
            "two rotations at one place, each with a device",
            &[&rotation, &alice.rotate_with_devices(alice.start(), &[&device("tablet")]).0],
        ),
        bad("a rotation whose device did not sign", "ID-4", &[], &alice.rotate_to(alice.start(), renewal, &[]).0),
        bad("a rotation that puts the revealed key in force", "ID-6", &[], &{
            changed(&|renewal| renewal.control = reveal.clone())
        }),
        bad("a rotation that commits to the revealed key again", "ID-6", &[], &{
            changed(&|renewal| renewal.next = NextKeys::commit_to(&reveal))
        }),
        bad("a rotation that commits to its control key", "ID-6", &[], &{
            changed(&|renewal| renewal.next = NextKeys::commit_to(&renewal.control))
        }),
        bad("a revealed key that signs once more", "ID-6", &[&rotation], &alice.rotate(dead).0),
        bad("a rotation by a stolen control key", "ID-6", &[], &theft),
        bad("a rotation that reveals the right key and is signed by a stolen control key", "ENC-12", &[], &forged),
    ]
}

fn recoveries() -> Vec<Vector> {
    let case = Case::new();
    let (alice, named) = (&case.alice, &case.named);
    let start = case.start(&case.two());
    let finish = case.finish(&start, &case.two());
    let second = case.start_for(&person("mallory"), &case.two());
    let postpone = alice.postpone(&alice.first_device(), &start);
    let after_start = At { id: start.id(), seq: 2, epoch: 1 };
    let cancel = |at| alice.cancel(at, &[&start]).0;
    let request = RecoveryRequest::start(&case.place(), case.new.phrase.renewal(2, None, &[]));
    let wire = |request: &RecoveryRequest, mut approvals: Vec<Approval>| {
        approvals.sort_by_key(|approval| approval.guardian);
        wire_approved(&request.encode(), &approvals, &[&case.new.phrase.control_key(2)])
    };
    let signed = |request: &RecoveryRequest, by: &[&Person]| wire(request, approvals(request, by));
    let changed = |change: &dyn Fn(&mut [Approval])| {
        let mut approvals = approvals(&request, &case.two());
        change(&mut approvals);
        wire(&request, approvals)
    };
    let bob = &case.guardians[0];
    let finish_at = |place: &Place| signed(&RecoveryRequest::finish(place), &case.two());
    let (rotation, _) = alice.rotate(case.at);
    vec![
        good("a recovery that has started and was postponed", &[named, &start, &postpone]),
        good("a recovery that is finished", &[named, &start, &finish]),
        good("a recovery that is cancelled beside its start", &[named, &start, &cancel(case.at)]),
        good("a recovery that is cancelled after its finish", &[named, &start, &finish, &cancel(after_start)]),
        good("a recovery, and a rotation that comes later", &[named, &start, &finish, &rotation]),
        good("two recoveries at one place", &[named, &start, &second, &finish]),
        bad_bytes("a recovery that one of two guardians approves", "ID-17", &[named], signed(&request, &[bob])),
        bad_bytes("a recovery that one guardian approves twice", "ID-17", &[named], signed(&request, &[bob, bob])),
        bad_bytes("a recovery that a stranger approves", "ID-17", &[named], {
            signed(&request, &[bob, &person("mallory")])
        }),
        bad_bytes("an approval with the proof of somebody else", "ID-17", &[named], {
            changed(&|approvals| approvals[0].proof = vec![person("mallory").genesis])
        }),
        bad_bytes("an approval with the signature of another guardian", "ENC-12", &[named], {
            changed(&|approvals| approvals[0].signatures = approvals[1].signatures.clone())
        }),
        bad_bytes("a recovery that nobody approves", "ID-17", &[named], {
            sign(Domain::Identity, &request.encode(), &[&case.new.phrase.control_key(2)]).encode()
        }),
        bad_bytes("a recovery where nobody is guardian", "ID-16", &[], {
            let place = alice.record().state().place();
            signed(&RecoveryRequest::start(&place, case.new.phrase.renewal(2, None, &[])), &case.two())
        }),
        bad_bytes("a finish without a start", "ID-16", &[named], finish_at(&case.place())),
        bad_bytes("a settle with approvals", "ID-17", &[named], {
            let settle = alice.settle(case.at, &[head("a", 1)]).0;
            let approvals = approvals(&request, &[bob]);
            wire_approved(settle.payload(), &approvals, &[&alice.phrase.control_key(1)])
        }),
    ]
}

fn locks() -> Vec<Vector> {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let (to_laptop, to_thief) = (alice.grant(&phone, &laptop), alice.grant(&phone, &device("thief")));
    let lock = alice.lock(&laptop, 1, &[&to_laptop]);
    let theft = alice.lock(&phone, 1, &[]);
    let (unlock, _) = alice.unlock(alice.start(), &[&lock]);
    let to_tablet = alice.grant(&phone, &device("tablet"));
    let counter = alice.lock(&laptop, 1, &[&to_laptop, &to_tablet]);
    let drop = alice.drop(&phone, end(&laptop, &[head("l", 2)], &[]));
    let origin = Origin { did: alice.did, by: phone.public().device_id() };
    let doubled = Payload::Statement(origin, Statement::Lock { rev: 1, stands: vec![lock.id(); 2] });
    vec![
        good("a lock stops a new grant", &[&to_laptop, &lock, &to_thief]),
        good("a lock that is lifted", &[&to_laptop, &lock, &to_thief, &unlock]),
        good("a lock that leaves out what stood", &[&to_laptop, &to_tablet, &theft]),
        good("a lock that is answered with another", &[&to_laptop, &to_tablet, &theft, &counter]),
        good("a dropped device that locks", &[&to_laptop, &drop, &lock]),
        bad("an unlock that names a lock twice", "ID-20", &[], &alice.unlock(alice.start(), &[&lock, &lock]).0),
        bad("a cancel that names a start twice", "ID-18", &[], &alice.cancel(alice.start(), &[&lock, &lock]).0),
        bad("a lock that names a statement twice", "ID-19", &[], &{
            sign(Domain::Statement, &doubled.encode(), &[&phone])
        }),
        bad("a lock by another key", "ENC-12", &[], &sign(Domain::Statement, theft.payload(), &[&laptop])),
        bad("a postponement by another key", "ENC-12", &[], &{
            sign(Domain::Statement, alice.postpone(&phone, &lock).payload(), &[&laptop])
        }),
        bad("an unlock by a device", "ENC-12", &[], &sign(Domain::Identity, unlock.payload(), &[&laptop])),
    ]
}

fn retirements() -> Vec<Vector> {
    let alice = alice();
    let phone = alice.first_device();
    let (retired, at) = alice.retire(alice.start(), vec![end(&phone, &[head("p", 4)], &[])]);
    let (for_good, after) = alice.retire_for_good(alice.start(), vec![]);
    let (rotation, _) = alice.rotate(alice.start());
    let twice = vec![end(&phone, &[], &[]), end(&phone, &[], &[])];
    let by_control = sign(Domain::Identity, for_good.payload(), &[&alice.phrase.control_key(0)]);
    vec![
        good("a retired identity", &[&retired]),
        good("a retirement by a stolen control key, then the owner's rotation", &[&retired, &rotation]),
        good("a retirement by next keys", &[&for_good, &retired]),
        bad("a rotation after the end", "ID-21", &[&retired], &alice.rotate(at).0),
        bad("a settle after the end by next keys", "ID-21", &[&for_good], &alice.settle(after, &[head("a", 1)]).0),
        bad("a retirement that ends a device twice", "ID-7", &[], &alice.retire(alice.start(), twice).0),
        bad("a retirement by next keys that a control key signed", "ENC-12", &[], &by_control),
    ]
}
