//! What a record holds is bounded, and a thief can't fill it against its owner (ID-12).

use xom_protocol::identity::{IdentityRecord, Inserted, SignedObject};
use xom_protocol::limits::{DEVICES_EVER_MAX, IDENTITY_OPERATIONS_MAX, IDENTITY_PENDING_MAX};

use super::people::{alice, device, end, head};

fn insert_until_full(record: &mut IdentityRecord, objects: impl IntoIterator<Item = SignedObject>) -> usize {
    let mut taken = 0;
    for object in objects {
        match record.insert(object) {
            Ok(_) => taken += 1,
            Err(refused) => {
                assert_eq!(refused.rule().0, "ID-12", "{refused}");
                return taken;
            }
        }
    }
    taken
}

#[test]
fn objects_that_wait_are_bounded_and_do_not_stop_others() {
    let alice = alice();
    let mut record = alice.record();
    let (mut places, mut at) = (Vec::new(), alice.start());
    for _ in 0..2 {
        let (operation, after) = alice.rotate(at);
        places.push(operation);
        at = after;
    }
    let waiting = (1..).map(|height| alice.settle(at, &[head("a", height)]).0);
    assert_eq!(insert_until_full(&mut record, waiting), IDENTITY_PENDING_MAX);
    for operation in places {
        assert_eq!(record.insert(operation), Ok(Inserted::New));
    }
}

#[test]
fn the_thief_of_a_device_can_not_fill_the_record_against_its_owner() {
    let alice = alice();
    let (phone, stolen) = (alice.first_device(), device("stolen"));
    let mut record = alice.record();
    record.insert(alice.grant(&phone, &stolen)).expect("taken");
    let grants = (0..).map(|n| alice.grant(&stolen, &device(&format!("thief {n}"))));
    assert_eq!(insert_until_full(&mut record, grants), DEVICES_EVER_MAX - 2);
    let laptop = alice.grant(&phone, &device("laptop"));
    assert_eq!(record.insert(laptop.clone()).expect_err("full").rule().0, "ID-12");

    let (removal, _) = alice.remove(alice.start(), end(&stolen, &[], &[]));
    record.insert(removal).expect("taken");
    assert_eq!(record.insert(laptop), Ok(Inserted::New), "what is void makes room");
    assert_eq!(record.state().live_devices().count(), 2);
    let late = alice.grant(&stolen, &device("thief again"));
    assert_eq!(record.insert(late), Ok(Inserted::New));
    let again = IdentityRecord::from_objects(xom_protocol::Network::MAIN, record.objects()).expect("in order");
    assert_eq!(again.state(), record.state());
}

#[test]
fn the_thief_of_a_control_key_can_not_keep_the_rotation_out() {
    let alice = alice();
    let mut record = alice.record();
    let branches = (1..).map(|height| alice.settle(alice.start(), &[head("a", height)]).0);
    assert_eq!(insert_until_full(&mut record, branches), IDENTITY_OPERATIONS_MAX);
    let (rotation, at) = alice.rotate(alice.start());
    assert_eq!(record.insert(rotation), Ok(Inserted::New));
    let (settled, after) = alice.settle(at, &[head("a", 1)]);
    assert_eq!(record.insert(settled), Ok(Inserted::New), "decided branches make room");
    assert_eq!((record.state().head, record.state().duplicity.clone()), (after.id, None));
    assert_eq!(record.objects().len(), 3);
}
