//! What a record holds is bounded, and a thief can't fill it against its owner (ID-12).

use xom_protocol::Network;
use xom_protocol::identity::{IdentityRecord, Inserted, Priority, RecoveryRequest, SignedObject, compose};
use xom_protocol::limits::{
    DEVICES_EVER_MAX, IDENTITY_BYTES_MAX, IDENTITY_OBJECT_BYTES_MAX, IDENTITY_OPERATIONS_BYTES_MAX,
    IDENTITY_OPERATIONS_MAX, IDENTITY_PENDING_MAX, IDENTITY_RECOVERIES_BYTES_MAX, IDENTITY_RECOVERIES_MAX,
    IDENTITY_ROTATIONS_BYTES_MAX, IDENTITY_STATEMENTS_BYTES_MAX, IDENTITY_STATEMENTS_MAX,
};

use super::people::{alice, device, end, head, person};

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
    let again = IdentityRecord::from_objects(Network::MAIN, record.objects()).expect("in order");
    assert_eq!(again.state(), record.state());
}

/// The owner ends two devices; the one had granted the other, and no more than a part of what that wrote counts.
#[test]
fn id_12_room_is_not_made_by_grants_of_devices_whose_heads_an_operation_accepts() {
    let alice = alice();
    let (phone, laptop, tablet, stolen) = (alice.first_device(), device("laptop"), device("tablet"), device("stolen"));
    let mut record = alice.record();
    for grant in [alice.grant(&phone, &laptop), alice.grant(&laptop, &tablet), alice.grant(&phone, &stolen)] {
        record.insert(grant).expect("taken");
    }
    let accepted = head("a", 5);
    let (removal, at) = alice.remove(alice.start(), end(&tablet, &[accepted], &[]));
    let (granter, at) = alice.remove(at, end(&laptop, &[], &[]));
    record.insert(removal).expect("taken");
    record.insert(granter).expect("taken");
    let id = tablet.public().device_id();
    let before = record.state().devices[&id].clone();
    let (thief, _) = alice.remove(at, end(&stolen, &[], &[]));
    insert_until_full(&mut record, (0..).map(|n| alice.grant(&stolen, &device(&format!("thief {n}")))));
    record.insert(thief).expect("taken");
    let new = alice.grant(&phone, &device("new"));
    assert_eq!(record.insert(new), Ok(Inserted::New), "what is void makes room");
    assert_eq!(record.state().devices.get(&id), Some(&before), "and takes nothing that counts");
    let again = IdentityRecord::from_objects(Network::MAIN, record.objects()).expect("in order");
    assert_eq!((again.state(), again.digest()), (record.state(), record.digest()));
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

/// A long chain of operations and a full set of statements, with a lock that has them looked at twice.
#[test]
fn a_record_at_its_limits_takes_one_more_object_at_once() {
    let alice = alice();
    let phone = alice.first_device();
    let (mut objects, mut at) = (Vec::new(), alice.start());
    for height in 1..IDENTITY_OPERATIONS_MAX as u64 {
        let (settled, after) = alice.settle(at, &[head("a", height)]);
        objects.push(settled);
        at = after;
    }
    let devices: Vec<_> = (0..DEVICES_EVER_MAX - 1).map(|n| device(&format!("device {n}"))).collect();
    objects.extend(devices.iter().map(|device| alice.grant(&phone, device)));
    let drops = (1..).flat_map(|height| {
        let (alice, phone) = (&alice, &phone);
        devices.iter().map(move |device| alice.drop(phone, end(device, &[head("a", height)], &[])))
    });
    objects.extend(drops.take(IDENTITY_STATEMENTS_MAX - DEVICES_EVER_MAX));
    let mut record = IdentityRecord::from_objects(Network::MAIN, [alice.genesis.clone()].into_iter().chain(objects))
        .expect("in order");
    record.insert(alice.lock(&phone, 1, &[])).expect("taken");
    assert_eq!((record.state().seq, record.state().locks.len()), (IDENTITY_OPERATIONS_MAX as u64 - 1, 1));
    let last = alice.settle(at, &[head("a", 9_999)]).0;
    let started = std::time::Instant::now();
    record.insert(last).expect("taken");
    // A debug build on a loaded machine; a release build is some twenty times faster.
    assert!(started.elapsed().as_millis() < 3_000, "{:?}", started.elapsed());
}

/// What finds no room costs its signature and no look at all that is there: nobody keeps a node busy with it.
#[test]
fn id_12_a_flood_upon_a_full_record_is_refused_without_looking_through_the_record_each_time() {
    let alice = alice();
    let phone = alice.first_device();
    let drops = |heights: std::ops::Range<u64>| {
        let (alice, phone) = (&alice, &phone);
        heights.map(move |height| alice.drop(phone, end(&device("other"), &[head("a", height)], &[])))
    };
    let mut record = alice.record();
    let full = IDENTITY_STATEMENTS_MAX as u64;
    assert!(record.insert_all(drops(1..full)).iter().all(Result::is_ok));
    let started = std::time::Instant::now();
    record.insert(drops(full..full + 1).next().expect("one")).expect("the last one that finds room");
    let one = started.elapsed();
    let flood: Vec<_> = drops(full + 1..full + 501).collect();
    let started = std::time::Instant::now();
    let taken = record.insert_all(flood);
    assert!(taken.iter().all(|taken| taken.as_ref().is_err_and(|refused| refused.rule().0 == "ID-12")));
    assert!(started.elapsed() < one * 150, "{:?}, and one took {one:?}", started.elapsed());
    assert_eq!(
        record.state(),
        IdentityRecord::from_objects(Network::MAIN, record.objects()).expect("in order").state()
    );
}

#[test]
fn guardians_who_conspire_can_not_fill_the_record_against_control_keys() {
    let (alice, bob) = (alice(), person("bob"));
    let (named, at) = alice.rotate_with(alice.start(), Some(alice.guarded_by(&[&bob], 1)));
    let mut record = alice.insert_all([&named]);
    let place = record.state().place();
    let starts = (0..).map(|n: u32| {
        let brought = device(&format!("brought {n}"));
        let renewal = alice.phrase.renewal(2, None, &[&brought]);
        let request = RecoveryRequest::start(&place, renewal.clone());
        let approval = request.approve(&bob.record(), &[&bob.phrase.control_key(0)]).expect("approval");
        let keys = [&alice.phrase.control_key(2), &brought];
        compose::recover(Network::MAIN, &request, vec![approval], &renewal.control, &keys).expect("start")
    });
    assert_eq!(insert_until_full(&mut record, starts), IDENTITY_RECOVERIES_MAX);
    assert_eq!(record.state().duplicity.as_ref().map(|found| found.priority), Some(Priority::Guardian));
    let (cancel, _) = alice.cancel(at, &[]);
    record.insert(cancel.clone()).expect("control keys have room of their own");
    assert_eq!((record.state().head, record.state().duplicity.clone()), (cancel.id(), None));
    let (rotation, _) = alice.rotate(at);
    record.insert(rotation.clone()).expect("and so have next keys");
    assert_eq!(record.state().head, rotation.id());
    let again = IdentityRecord::from_objects(Network::MAIN, record.objects()).expect("in order");
    assert_eq!((again.state(), again.digest()), (record.state(), record.digest()));
}

/// Otherwise an identity could be filled until nobody can pass it on (SYN-8).
#[test]
fn a_full_record_fits_one_answer() {
    let bytes = [
        IDENTITY_OPERATIONS_BYTES_MAX,
        IDENTITY_ROTATIONS_BYTES_MAX,
        IDENTITY_RECOVERIES_BYTES_MAX,
        IDENTITY_STATEMENTS_BYTES_MAX,
        IDENTITY_OBJECT_BYTES_MAX,
    ];
    assert!(bytes.iter().sum::<usize>() <= IDENTITY_BYTES_MAX);
}
