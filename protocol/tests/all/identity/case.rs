//! A recovery that can be played with: alice, her guardians bob, carol and dave, and her new words.

use xom_protocol::Network;
use xom_protocol::identity::{Approval, Place, RecoveryRequest, SignedObject, compose};

use super::people::{At, Person, alice, device, person};

/// alice with three guardians of whom two are needed, who lost her words and makes new ones.
pub(crate) struct Case {
    pub(crate) alice: Person,
    pub(crate) guardians: [Person; 3],
    pub(crate) new: Person,
    /// The rotation that named the guardians.
    pub(crate) named: SignedObject,
    pub(crate) at: At,
}

impl Case {
    pub(crate) fn new() -> Self {
        let (alice, guardians) = (alice(), ["bob", "carol", "dave"].map(person));
        let [bob, carol, dave] = &guardians;
        let (named, at) = alice.rotate_with(alice.start(), Some(alice.guarded_by(&[bob, carol, dave], 2)));
        Self { alice, guardians, new: person("alice again"), named, at }
    }

    pub(crate) fn place(&self) -> Place {
        self.alice.insert_all([&self.named]).state().place()
    }

    pub(crate) fn start(&self, by: &[&Person]) -> SignedObject {
        self.start_for(&self.new, by)
    }

    /// The start of a recovery to the words of `new`, which brings a laptop.
    pub(crate) fn start_for(&self, new: &Person, by: &[&Person]) -> SignedObject {
        let laptop = device("laptop");
        let renewal = new.phrase.renewal(2, None, &[&laptop]);
        let request = RecoveryRequest::start(&self.place(), renewal.clone());
        let keys = [&new.phrase.control_key(2), &laptop];
        compose::recover(Network::MAIN, &request, approvals(&request, by), &renewal.control, &keys).expect("start")
    }

    pub(crate) fn finish(&self, start: &SignedObject, by: &[&Person]) -> SignedObject {
        let record = self.alice.insert_all([&self.named, start]);
        let recovery = record.state().recovery.clone().expect("started");
        let request = RecoveryRequest::finish(&recovery.place);
        let control = &recovery.renewal.control;
        let key = self.new.phrase.control_key(2);
        compose::recover(Network::MAIN, &request, approvals(&request, by), control, &[&key]).expect("finish")
    }

    pub(crate) fn two(&self) -> [&Person; 2] {
        [&self.guardians[0], &self.guardians[2]]
    }
}

pub(crate) fn approvals(request: &RecoveryRequest, by: &[&Person]) -> Vec<Approval> {
    let approve = |guardian: &&Person| request.approve(&guardian.record(), &[&guardian.phrase.control_key(0)]);
    by.iter().map(|guardian| approve(guardian).expect("approval")).collect()
}
