//! Vectors of what lets an identity survive: rotations with devices, recovery, locks, retirement.

use xom_protocol::identity::RecoveryRequest;

use super::{bad, bad_bytes, good};
use crate::identity::case::{Case, approvals, wire_approved};
use crate::identity::people::{At, Person, alice, device, end, head};
use crate::support::Vector;

pub(super) fn all() -> Vec<Vector> {
    [rotations(), recoveries(), locks(), retirements()].concat()
}

fn rotations() -> Vec<Vector> {
    let alice = alice();
    let laptop = device("laptop");
    let (rotation, at) = alice.rotate_with_devices(alice.start(), &[&laptop]);
    let renewal = alice.phrase.renewal(1, None, &[&laptop]);
    let mut reused = alice.phrase.renewal(1, None, &[]);
    reused.control.keys = vec![alice.phrase.next_key(1).public().device_id()];
    let dead = At { epoch: 0, ..at };
    vec![
        good("a rotation that brings a device", &[&rotation]),
        bad("a rotation whose device did not sign", "ID-4", &[], &alice.rotate_to(alice.start(), renewal, &[]).0),
        bad("a rotation that puts the revealed key in force", "ID-6", &[], &{
            alice.rotate_to(alice.start(), reused, &[]).0
        }),
        bad("a revealed key that signs once more", "ID-6", &[&rotation], &alice.rotate(dead).0),
    ]
}

fn recoveries() -> Vec<Vector> {
    let case = Case::new();
    let (alice, named) = (&case.alice, &case.named);
    let start = case.start(&case.two());
    let finish = case.finish(&start, &case.two());
    let postpone = alice.postpone(&alice.first_device(), &start);
    let (cancel, _) = alice.cancel(At { id: start.id(), seq: 2, epoch: 1 }, &[&start]);
    let request = RecoveryRequest::start(&case.place(), case.new.phrase.renewal(2, None, &[]));
    let signed = |request: &RecoveryRequest, by: &[&Person]| -> Vec<u8> {
        let mut approvals = approvals(request, by);
        approvals.sort_by_key(|approval| approval.guardian);
        wire_approved(&request.encode(), &approvals, &[&case.new.phrase.control_key(2)])
    };
    let bob = &case.guardians[0];
    vec![
        good("a recovery that has started and was postponed", &[named, &start, &postpone]),
        good("a recovery that is finished", &[named, &start, &finish]),
        good("a recovery that is cancelled after its finish", &[named, &start, &finish, &cancel]),
        bad_bytes("a recovery that one of two guardians approves", "ID-17", &[named], signed(&request, &[bob])),
        bad_bytes("a recovery that one guardian approves twice", "ID-17", &[named], signed(&request, &[bob, bob])),
        bad_bytes("a recovery where nobody is guardian", "ID-16", &[], {
            let place = alice.record().state().place();
            signed(&RecoveryRequest::start(&place, case.new.phrase.renewal(2, None, &[])), &case.two())
        }),
    ]
}

fn locks() -> Vec<Vector> {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let (to_laptop, to_thief) = (alice.grant(&phone, &laptop), alice.grant(&phone, &device("thief")));
    let lock = alice.lock(&laptop, 1, &[&to_laptop]);
    let (unlock, _) = alice.unlock(alice.start(), &[&lock]);
    vec![
        good("a lock stops a new grant", &[&to_laptop, &lock, &to_thief]),
        good("a lock that is lifted", &[&to_laptop, &lock, &to_thief, &unlock]),
        bad("an unlock that names a lock twice", "ID-20", &[], &alice.unlock(alice.start(), &[&lock, &lock]).0),
    ]
}

fn retirements() -> Vec<Vector> {
    let alice = alice();
    let (retired, at) = alice.retire(alice.start(), vec![end(&alice.first_device(), &[head("p", 4)], &[])]);
    vec![
        good("a retired identity", &[&retired]),
        bad("a rotation after the end", "ID-21", &[&retired], &alice.rotate(at).0),
    ]
}
