//! Devices: grants, drops, removal, services, what counts of an ended device, the DID document
//! (ID-7, ID-10, ID-11, ID-13).

use xom_protocol::identity::{DeviceEnd, DeviceStatus, IdentityState, NotAdmitted};
use xom_protocol::keys::SecretKey;
use xom_protocol::limits::DEVICES_LIVE_MAX;
use xom_protocol::log::root_log_id;
use xom_protocol::{Digest, Network};

use super::people::{alice, device, end, head};

fn live(state: &IdentityState, key: &SecretKey) -> bool {
    state.live_device(&key.public().device_id()).is_some()
}

fn known(state: &IdentityState, key: &SecretKey) -> bool {
    state.devices.contains_key(&key.public().device_id())
}

/// The accepted height of a log of an ended device.
fn accepted(state: &IdentityState, key: &SecretKey, log: &str) -> Option<u64> {
    match &state.devices[&key.public().device_id()].status {
        DeviceStatus::Live => None,
        DeviceStatus::Ended { accepted } => accepted.get(&head(log, 1).log).map(|head| head.height),
    }
}

#[test]
fn a_device_grants_another_and_both_are_live() {
    let alice = alice();
    let (phone, laptop, tablet) = (alice.first_device(), device("laptop"), device("tablet"));
    let (one, two) = (alice.grant(&phone, &laptop), alice.grant(&laptop, &tablet));
    let state = alice.state_of(&[&two, &one]);
    assert!(live(&state, &phone) && live(&state, &laptop) && live(&state, &tablet));
    let granted_by = state.devices[&tablet.public().device_id()].granted_by;
    assert_eq!(granted_by, Some(laptop.public().device_id()));
    assert_eq!(state.root_log(&granted_by.expect("laptop")), {
        root_log_id(Network::MAIN, &alice.did, &laptop.public().device_id())
    });
}

/// R-SIG-6: a stranger's grants wait for a chain of grants that never comes.
#[test]
fn r_sig_6_a_stranger_can_not_make_itself_a_device() {
    let alice = alice();
    let (mallory, eve) = (device("mallory"), device("eve"));
    let state = alice.state_of(&[&alice.grant(&mallory, &eve), &alice.grant(&eve, &mallory)]);
    assert!(!known(&state, &mallory) && !known(&state, &eve));
    assert_eq!(state, alice.state_of(&[]));
}

/// R-SIG-6: two devices that drop each other at once; only a granter's drop, or one's own, counts.
#[test]
fn r_sig_6_devices_that_drop_each_other_at_once_end_the_same_way_in_every_order() {
    let alice = alice();
    let (phone, laptop, tablet) = (alice.first_device(), device("laptop"), device("tablet"));
    let (one, two) = (alice.grant(&phone, &laptop), alice.grant(&phone, &tablet));
    let back = alice.grant(&tablet, &laptop);
    let drops = [alice.drop(&laptop, end(&tablet, &[], &[])), alice.drop(&tablet, end(&laptop, &[], &[]))];
    let up = alice.drop(&laptop, end(&phone, &[], &[]));
    let state = alice.state_of(&[&one, &two, &back, &drops[0], &drops[1], &up]);
    assert!(live(&state, &phone) && live(&state, &laptop) && live(&state, &tablet));
    let by_granter = alice.drop(&phone, end(&tablet, &[head("t", 3)], &[]));
    let state = alice.state_of(&[&one, &two, &back, &drops[0], &drops[1], &by_granter]);
    assert!(live(&state, &laptop) && !live(&state, &tablet));
    assert_eq!(accepted(&state, &tablet, "t"), Some(3));
}

#[test]
fn a_dropped_device_takes_its_grants_with_it_unless_they_are_named() {
    let alice = alice();
    let (phone, laptop, tablet, tv) = (alice.first_device(), device("laptop"), device("tablet"), device("tv"));
    let to_laptop = alice.grant(&phone, &laptop);
    let (to_tablet, to_tv) = (alice.grant(&laptop, &tablet), alice.grant(&laptop, &tv));
    let drop = alice.drop(&phone, end(&laptop, &[head("l", 2)], &[&to_tablet]));
    let state = alice.state_of(&[&to_laptop, &to_tablet, &to_tv, &drop]);
    assert!(live(&state, &tablet) && !known(&state, &tv) && !live(&state, &laptop));
}

#[test]
fn the_drop_of_the_granter_outranks_the_thief_of_the_device() {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let grant = alice.grant(&phone, &laptop);
    let voiding = alice.drop(&laptop, end(&laptop, &[], &[]));
    let state = alice.state_of(&[&grant, &voiding]);
    assert_eq!(accepted(&state, &laptop, "l"), None);
    let by_granter = alice.drop(&phone, end(&laptop, &[head("l", 7)], &[]));
    let state = alice.state_of(&[&grant, &voiding, &by_granter]);
    assert_eq!(accepted(&state, &laptop, "l"), Some(7));
    let raised = alice.drop(&phone, end(&laptop, &[head("l", 9)], &[]));
    let state = alice.state_of(&[&grant, &voiding, &by_granter, &raised]);
    assert_eq!(accepted(&state, &laptop, "l"), Some(9), "among equals the greatest height");
}

#[test]
fn control_keys_outrank_every_drop_and_bring_back_what_a_thief_voided() {
    let alice = alice();
    let (phone, laptop, tablet) = (alice.first_device(), device("laptop"), device("tablet"));
    let (to_laptop, to_tablet) = (alice.grant(&phone, &laptop), alice.grant(&laptop, &tablet));
    let theft = alice.drop(&phone, end(&laptop, &[], &[]));
    let flight = alice.drop(&phone, end(&phone, &[], &[]));
    let all = [&to_laptop, &to_tablet, &theft, &flight];
    let state = alice.state_of(&all);
    assert!(
        !known(&state, &laptop) && !known(&state, &tablet),
        "a first device holds all others, until control keys act"
    );

    let (first, at) = alice.remove(alice.start(), end(&phone, &[head("p", 4)], &[&to_laptop]));
    let state = alice.state_of(&[all.as_slice(), &[&first]].concat());
    assert!(live(&state, &laptop) && live(&state, &tablet), "a drop that control keys do not name is void");
    assert_eq!(accepted(&state, &phone, "p"), Some(4));

    let (second, _) = alice.remove(at, end(&laptop, &[head("l", 6)], &[]));
    let state = alice.state_of(&[all.as_slice(), &[&first, &second]].concat());
    assert_eq!(accepted(&state, &laptop, "l"), Some(6));
    assert!(!known(&state, &tablet));
}

#[test]
fn control_keys_accept_entries_of_a_device_whose_grant_fell_away() {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let grant = alice.grant(&phone, &laptop);
    let (first, at) = alice.remove(alice.start(), end(&phone, &[], &[]));
    let (second, _) = alice.remove(at, end(&laptop, &[head("l", 6)], &[]));
    let (unknown, _) = alice.remove(at, end(&device("stranger"), &[head("l", 6)], &[]));
    let state = alice.state_of(&[&grant, &first, &second]);
    assert_eq!(accepted(&state, &laptop, "l"), Some(6));
    let state = alice.state_of(&[&grant, &first, &unknown]);
    assert!(!known(&state, &device("stranger")));
}

/// R-SIG-5: before, at and after the removal, whenever the entry arrives and whatever its date.
#[test]
fn r_sig_5_entries_of_a_removed_device_count_up_to_the_accepted_head() {
    let alice = alice();
    let phone = alice.first_device();
    let id = phone.public().device_id();
    let log = head("p", 1).log;
    let before = alice.state_of(&[]);
    assert_eq!(before.admits(&id, &log, 1_000, &Digest([9; 32])), Ok(()));
    let (removal, _) = alice.remove(alice.start(), end(&phone, &[head("p", 5)], &[]));
    let state = alice.state_of(&[&removal]);
    let check = |seq, hash, want: Result<(), NotAdmitted>| {
        let got = state.admits(&id, &log, seq, &hash);
        assert_eq!(got, want, "{seq}");
        if let Err(refused) = got {
            assert_eq!(refused.rule().0, "ID-7");
        }
    };
    check(3, Digest([9; 32]), Ok(()));
    check(4, head("p", 5).head, Ok(()));
    check(4, Digest([9; 32]), Err(NotAdmitted::OtherBranch { seq: 4 }));
    check(5, Digest([9; 32]), Err(NotAdmitted::AfterEnd { height: 5, seq: 5 }));
    check(u64::MAX, Digest([9; 32]), Err(NotAdmitted::AfterEnd { height: 5, seq: u64::MAX }));
    let other = head("other", 1).log;
    assert_eq!(state.admits(&id, &other, 0, &Digest([9; 32])), Err(NotAdmitted::LogVoid(other)));
    let mallory = device("mallory").public().device_id();
    let refused = state.admits(&mallory, &log, 0, &Digest([9; 32])).expect_err("no device");
    assert_eq!(refused.rule().0, "LOG-7");
}

#[test]
fn a_device_hangs_from_the_nearest_grant() {
    let alice = alice();
    let (phone, laptop, tablet) = (alice.first_device(), device("laptop"), device("tablet"));
    let to_laptop = alice.grant(&phone, &laptop);
    let (far, near) = (alice.grant(&laptop, &tablet), alice.grant(&phone, &tablet));
    let drop = alice.drop(&laptop, end(&tablet, &[], &[]));
    assert!(!live(&alice.state_of(&[&to_laptop, &far, &drop]), &tablet));
    let state = alice.state_of(&[&to_laptop, &far, &drop, &near]);
    assert!(live(&state, &tablet), "the laptop no longer speaks for the tablet");
}

#[test]
fn at_most_thirty_two_devices_are_live() {
    let alice = alice();
    let phone = alice.first_device();
    let grants: Vec<_> = (0..40).map(|n| alice.grant(&phone, &device(&format!("device {n}")))).collect();
    let record = alice.insert_all(&grants);
    assert_eq!(record.state().live_devices().count(), DEVICES_LIVE_MAX);
    assert_eq!(record.state(), alice.insert_all(grants.iter().rev()).state());
}

#[test]
fn the_newest_services_of_a_live_device_show_in_the_document() {
    let alice = alice();
    let (phone, laptop) = (alice.first_device(), device("laptop"));
    let grant = alice.grant(&phone, &laptop);
    let (old, new) = (alice.services(&laptop, 1), alice.services(&laptop, 2));
    let state = alice.state_of(&[&grant, &old, &new]);
    let multiaddrs = ["/ip4/127.0.0.1/tcp/7002"];
    assert_eq!(state.devices[&laptop.public().device_id()].services, multiaddrs);
    let document = state.document();
    assert_eq!(document.id, alice.did.to_string());
    assert_eq!(document.service.len(), 1);
    assert_eq!(document.service[0].service_endpoint.multiaddrs, multiaddrs);
    assert_eq!((document.verification_method.len(), document.authentication.len()), (3, 2));
    assert_eq!(document.authentication, document.assertion_method);
    assert_eq!(document.capability_invocation.len(), 1);
    assert!(document.verification_method.iter().all(|method| method.public_key_multibase.starts_with("z6Mk")));
    let ids: Vec<_> = document.verification_method.iter().map(|method| &method.id).collect();
    assert!(document.authentication.iter().all(|id| ids.contains(&id)));

    let drop = alice.drop(&phone, DeviceEnd { device: laptop.public().device_id(), heads: vec![], stands: vec![] });
    let state = alice.state_of(&[&grant, &old, &new, &drop]);
    assert!(state.document().service.is_empty());
    assert_eq!(state.document().authentication.len(), 1);
}

#[test]
fn superseded_services_are_not_kept() {
    let alice = alice();
    let phone = alice.first_device();
    let all: Vec<_> = (1..=20).map(|rev| alice.services(&phone, rev)).collect();
    let record = alice.insert_all(&all);
    assert_eq!(record.objects().len(), 2);
    assert_eq!(record.digest(), alice.insert_all(all.iter().rev()).digest());
}
