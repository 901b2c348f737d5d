//! A recovery that can be played with: alice, her guardians bob, carol and dave, and her new words.

use xom_protocol::identity::{Approval, Place, RecoveryRequest, SignedObject, compose};
use xom_protocol::keys::{Domain, SecretKey};
use xom_protocol::{Network, encoding};

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

/// Signs any payload with keys at the indexes from 0 and adds approvals, without the composer's checks.
pub(crate) fn approved(payload: &[u8], mut approvals: Vec<Approval>, keys: &[&SecretKey]) -> SignedObject {
    approvals.sort_by_key(|approval| approval.guardian);
    SignedObject::decode(&wire_approved(payload, &approvals, keys)).expect("form")
}

/// The wire form of it, with the approvals as they are.
pub(crate) fn wire_approved(payload: &[u8], approvals: &[Approval], keys: &[&SecretKey]) -> Vec<u8> {
    let sign = |key: &&SecretKey| key.sign(Domain::Identity, Network::MAIN, payload);
    let signatures: Vec<_> = (0_u64..).zip(keys.iter().map(sign)).collect();
    encoding::encode(&(serde_bytes::Bytes::new(payload), signatures, approvals))
}
