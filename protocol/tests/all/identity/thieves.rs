//! Random owners, guardians and thieves: whatever a thief signs, once the owner has acted the state is what
//! it would be without him, in every order of arrival (ID-6 to ID-10, ID-12, ID-16 to ID-21).

mod honest;
mod mallory;

use proptest::prelude::{Just, Strategy, any, prop, proptest};
use proptest::test_runner::Config;
use xom_protocol::Network;
use xom_protocol::identity::{IdentityRecord, IdentityState, SignedObject};

use super::people::assert_same;
use honest::Owner;
use mallory::Thief;

/// One deed: what, and three numbers that choose among what there is.
type Deed = (u8, usize, usize, usize);

fn deeds(most: usize) -> impl Strategy<Value = Vec<Deed>> {
    prop::collection::vec((any::<u8>(), 0..64_usize, 0..64_usize, 0..64_usize), 0..most)
}

/// The honest and the stolen deeds, and an order of arrival with a place where it is cut in two.
fn story() -> impl Strategy<Value = (Vec<Deed>, Vec<Deed>, Vec<usize>, usize)> {
    let order = Just((0..128).collect::<Vec<usize>>()).prop_shuffle();
    (deeds(10), deeds(14), order, 0..64_usize)
}

/// The record that honest nodes hold who saw nothing of the thief.
fn record(owner: &Owner, objects: &[SignedObject]) -> IdentityRecord {
    owner.alice.insert_all(objects)
}

/// The record of a node to which everything came in some order: valid objects, and others that are refused.
fn arrived(owner: &Owner, objects: &[SignedObject], order: &[usize], cut: usize) -> IdentityRecord {
    let shuffled: Vec<SignedObject> = order.iter().filter_map(|at| objects.get(*at).cloned()).collect();
    assert_eq!(shuffled.len(), objects.len(), "the order has room for all");
    let (first, rest) = shuffled.split_at(cut.min(shuffled.len()));
    let mut record = owner.alice.record();
    for object in first {
        let before = record.clone();
        if record.insert(object.clone()).is_err() {
            assert_same(&before, &record);
        }
    }
    record.insert_all(rest.iter().chain(first).cloned());
    let again = IdentityRecord::from_objects(Network::MAIN, record.objects()).expect("in order");
    assert_same(&record, &again);
    record
}

/// Compares two states but for what a thief may always do: have said something that is void.
fn assert_untouched(honest: &IdentityState, found: &IdentityState) {
    let mut found = found.clone();
    found.statements = honest.statements;
    assert_eq!(honest, &found);
}

/// Compares what no device key decides.
fn assert_authority_untouched(honest: &IdentityState, found: &IdentityState) {
    let authority = |state: &IdentityState| {
        let keys = (state.control.clone(), state.next.clone(), state.guardians.clone());
        (keys, state.epoch, state.head, state.seq, state.duplicity.clone(), state.anchors.clone(), state.retired)
    };
    assert_eq!(authority(honest), authority(found));
    let recovery = |state: &IdentityState| state.recovery.as_ref().map(|found| (found.start, found.finished));
    assert_eq!(recovery(honest), recovery(found));
}

proptest! {
    #![proptest_config(Config { cases: 48, failure_persistence: None, ..Config::default() })]

    #[test]
    fn the_thief_of_a_device_rotates_nothing_freezes_nothing_and_does_not_outlive_his_removal(
        (deeds, thefts, order, cut) in story(), steals_first in any::<bool>()
    ) {
        let mut owner = Owner::new(false);
        deeds.iter().for_each(|deed| owner.act(deed));
        let stolen = if steals_first { owner.alice.first_device() } else { owner.laptop.clone() };
        let mut thief = Thief::of_device(&owner, stolen.clone());
        thefts.iter().for_each(|deed| thief.act(deed));
        let honest = record(&owner, &owner.objects);
        let all = [owner.objects.clone(), thief.objects.clone()].concat();
        let before = arrived(&owner, &all, &order, cut);
        assert_authority_untouched(honest.state(), before.state());

        owner.remove(&stolen);
        let honest = record(&owner, &owner.objects);
        let all = [owner.objects.clone(), thief.objects].concat();
        let after = arrived(&owner, &all, &order, cut);
        assert_untouched(honest.state(), after.state());
    }

    #[test]
    fn the_thief_of_the_current_control_key_is_undone_by_one_rotation(
        (deeds, thefts, order, cut) in story(), steals_device in any::<bool>()
    ) {
        let mut owner = Owner::new(false);
        deeds.iter().for_each(|deed| owner.act(deed));
        let mut thief = Thief::of_control_key(&owner, steals_device.then(|| owner.laptop.clone()));
        thefts.iter().for_each(|deed| thief.act(deed));
        owner.rotate(&[]);
        if steals_device {
            owner.remove(&owner.laptop.clone());
        }
        let honest = record(&owner, &owner.objects);
        let all = [owner.objects.clone(), thief.objects].concat();
        let after = arrived(&owner, &all, &order, cut);
        assert_untouched(honest.state(), after.state());
        owner.settle(9);
        let mut after = after;
        after.insert(owner.objects.last().expect("settled").clone()).expect("the owner goes on");
        assert_eq!(after.state().head, owner.record().state().head);
    }

    #[test]
    fn guardians_recover_whatever_the_thief_of_a_device_and_of_one_guardian_does(
        (deeds, thefts, order, cut) in story(), finished in any::<bool>()
    ) {
        let mut owner = Owner::new(true);
        deeds.iter().for_each(|deed| owner.act(deed));
        owner.recover(finished);
        let mut thief = Thief::of_guardian(&owner, owner.laptop.clone());
        thefts.iter().for_each(|deed| thief.act(deed));
        let honest = record(&owner, &owner.objects);
        let all = [owner.objects.clone(), thief.objects.clone()].concat();
        let before = arrived(&owner, &all, &order, cut);
        assert_authority_untouched(honest.state(), before.state());
        if finished {
            owner.remove(&owner.laptop.clone());
            let honest = record(&owner, &owner.objects);
            let all = [owner.objects.clone(), thief.objects].concat();
            assert_untouched(honest.state(), arrived(&owner, &all, &order, cut).state());
        }
    }

    #[test]
    fn guardians_who_conspire_are_undone_by_one_operation_of_the_control_key(
        (deeds, thefts, order, cut) in story()
    ) {
        let mut owner = Owner::new(true);
        deeds.iter().for_each(|deed| owner.act(deed));
        let mut thief = Thief::of_guardians(&owner);
        thefts.iter().for_each(|deed| thief.act(deed));
        owner.cancel();
        let honest = record(&owner, &owner.objects);
        let all = [owner.objects.clone(), thief.objects].concat();
        assert_untouched(honest.state(), arrived(&owner, &all, &order, cut).state());
    }

    #[test]
    fn a_counter_lock_gives_back_what_a_thief_locked_out(
        (deeds, thefts, order, cut) in story()
    ) {
        let mut owner = Owner::new(false);
        deeds.iter().for_each(|deed| owner.act(deed));
        let honest = record(&owner, &owner.objects);
        let mut thief = Thief::of_device(&owner, owner.laptop.clone());
        thefts.iter().filter(|deed| !mallory::is_drop(deed)).for_each(|deed| thief.act(deed));
        let all = [owner.objects.clone(), thief.objects].concat();
        let mut record = arrived(&owner, &all, &order, cut);
        let phone = owner.alice.first_device();
        let says = record.counter_lock(&honest, &phone.public().device_id());
        if let Some((rev, stands)) = says {
            let lock = xom_protocol::identity::compose::lock(Network::MAIN, owner.alice.did, &phone, rev, stands);
            record.insert(lock.expect("lock")).expect("taken");
        }
        if honest.state().live_device(&phone.public().device_id()).is_some() {
            for (id, device) in honest.state().live_devices() {
                let found = record.state().live_device(id);
                assert!(found.is_some(), "{id} was live, and a thief without a drop took it away");
                assert_eq!(found.map(|found| found.granted_by), Some(device.granted_by));
            }
        }
    }
}
