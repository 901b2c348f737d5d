//! A thief who signs whatever his keys can sign, legal or not, at every place that he sees.

use xom_protocol::identity::{
    Approval, DeviceEnd, IdentityRecord, KeyList, Operation, Origin, Payload, RecoveryRequest, SignedObject, Statement,
};
use xom_protocol::keys::{Domain, SecretKey};
use xom_protocol::phrase::Phrase;
use xom_protocol::{DeviceId, Did, Digest};

use super::Deed;
use super::honest::Owner;
use crate::identity::case::wire_approved;
use crate::identity::people::{Person, device, head, person, sign};

/// What he stole, what he sees, and what he signed.
pub(super) struct Thief {
    did: Did,
    seen: IdentityRecord,
    devices: Vec<SecretKey>,
    control: Option<SecretKey>,
    /// The guardians whose approvals are his to give.
    guardians: Vec<Person>,
    words: Phrase,
    pub(super) objects: Vec<SignedObject>,
}

/// True where a thief with a device would drop one.
pub(super) fn is_drop(deed: &Deed) -> bool {
    deed.0.is_multiple_of(2) && matches!((deed.0 / 2) % 8, 2 | 3)
}

impl Thief {
    fn new(owner: &Owner, devices: Vec<SecretKey>) -> Self {
        let (did, seen, words) = (owner.alice.did, owner.record(), person("mallory").phrase);
        Self { did, seen, devices, control: None, guardians: Vec::new(), words, objects: Vec::new() }
    }

    pub(super) fn of_device(owner: &Owner, stolen: SecretKey) -> Self {
        Self::new(owner, vec![stolen])
    }

    pub(super) fn of_control_key(owner: &Owner, stolen: Option<SecretKey>) -> Self {
        Self { control: Some(owner.control()), ..Self::new(owner, stolen.into_iter().collect()) }
    }

    pub(super) fn of_guardian(owner: &Owner, stolen: SecretKey) -> Self {
        Self { guardians: vec![person("bob")], ..Self::new(owner, vec![stolen]) }
    }

    /// Two guardians of whom two are needed.
    pub(super) fn of_guardians(owner: &Owner) -> Self {
        Self { guardians: ["bob", "carol"].map(person).into(), ..Self::new(owner, Vec::new()) }
    }

    fn add(&mut self, object: SignedObject) {
        // He builds on whatever of his others take.
        let _refused_or_not = self.seen.insert(object.clone());
        self.objects.push(object);
    }

    pub(super) fn act(&mut self, deed: &Deed) {
        match (deed.0 % 2, self.devices.is_empty()) {
            (0, false) => self.state(deed),
            _ => self.operate(deed),
        }
    }

    /// A statement by the stolen device or one that he granted himself.
    fn state(&mut self, deed: &Deed) {
        let (what, a, b, c) = *deed;
        let by = self.devices[a % self.devices.len()].clone();
        let end = |device: DeviceId| DeviceEnd { device, heads: vec![head("log", 1 + c as u64)], stands: vec![] };
        let known: Vec<DeviceId> = self.seen.state().devices.keys().copied().collect();
        let mut signers = vec![by.clone()];
        let statement = match (what / 2) % 8 {
            0 | 1 => {
                let own = device(&format!("thief {}", self.devices.len()));
                let granted = Statement::Grant { device: own.public().device_id() };
                signers.push(own.clone());
                self.devices.push(own);
                granted
            }
            2 => Statement::Drop(end(known[b % known.len()])),
            3 => Statement::Drop(end(by.public().device_id())),
            4 => Statement::Services { rev: 50 + b as u64, addresses: vec!["/ip4/6.6.6.6/tcp/6".into()] },
            5 => Statement::Lock { rev: 50 + b as u64, stands: vec![] },
            6 => {
                let (_, mut stands) = self.seen.new_lock(&by.public().device_id());
                stands.retain(|id| id.0[0] % 2 == (c % 2) as u8);
                Statement::Lock { rev: 50 + b as u64, stands }
            }
            _ => Statement::Postpone { start: self.place(b) },
        };
        let payload = Payload::Statement(Origin { did: self.did, by: by.public().device_id() }, statement);
        let signers: Vec<&SecretKey> = signers.iter().collect();
        self.add(sign(Domain::Statement, &payload.encode(), &signers));
    }

    /// Any operation at any place, signed with what he has.
    fn operate(&mut self, deed: &Deed) {
        let (what, a, b, c) = *deed;
        let Some(place) = self.seen.place_after(&self.place(a)) else { return };
        let known: Vec<DeviceId> = self.seen.state().devices.keys().copied().collect();
        let end = |heads| DeviceEnd { device: known[b % known.len()], heads, stands: vec![] };
        // Behind a recovery of his own the control keys are his.
        let own_here = self.words.control_key(place.epoch);
        let key = self.control.clone().or_else(|| self.devices.first().cloned()).unwrap_or(own_here);
        let renewal = self.words.renewal(place.epoch + 1, None, &[]);
        let own = self.words.control_key(place.epoch + 1);
        let conspires = self.guardians.len() > 1;
        let (operation, key) = match (what / 2) % 9 {
            6 if conspires => (Operation::RecoverStart { renewal }, own),
            7 if conspires => (Operation::RecoverFinish, self.words.control_key(place.epoch + 1)),
            0 => (Operation::Settle { anchors: vec![head("forked", 40 + c as u64)] }, key),
            1 => (Operation::DeviceRemove(end(vec![])), key),
            2 => (Operation::DeviceRemove(end(vec![head("log", 1 + c as u64)])), key),
            3 => (Operation::Cancel { starts: vec![place.prev] }, key),
            4 => (Operation::Unlock { locks: self.seen.state().locks.keys().copied().collect() }, key),
            5 => (Operation::Retire { reveal: None, ends: vec![end(vec![])] }, key),
            6 => (Operation::Rotate { reveal: KeyList::single(&key.public()), renewal }, key),
            7 => (Operation::Rotate { reveal: self.revealed(b).unwrap_or(place.control.clone()), renewal }, key),
            _ if c % 2 == 0 => (Operation::RecoverStart { renewal }, own),
            _ => (Operation::RecoverFinish, own),
        };
        let payload = place.operation(operation);
        let bytes = payload.encode();
        let approvals = self.approvals(&bytes, c);
        let object = match approvals.as_slice() {
            [] => sign(Domain::Identity, &bytes, &[&key]),
            approvals => SignedObject::decode(&wire_approved(&bytes, approvals, &[&key])).expect("form"),
        };
        self.add(object);
    }

    /// The approvals of the guardians whose keys he has, with one of somebody else for what was asked before.
    fn approvals(&self, bytes: &[u8], c: usize) -> Vec<Approval> {
        let Ok(request) = RecoveryRequest::decode(bytes) else { return Vec::new() };
        if self.guardians.is_empty() {
            return Vec::new();
        }
        let approve = |who: &Person| request.approve(&who.record(), &[&who.phrase.control_key(0)]).expect("approval");
        let own: Vec<Approval> = self.guardians.iter().map(approve).collect();
        let is_own = |approval: &Approval| self.guardians.iter().any(|own| own.did == approval.guardian);
        let others = self.seen.objects().into_iter().flat_map(|object| object.approvals().to_vec());
        let other = others.filter(|approval| !is_own(approval)).nth(c % 2);
        let mut approvals: Vec<Approval> = own.into_iter().chain(other).collect();
        approvals.sort_by_key(|approval| approval.guardian);
        approvals
    }

    /// An operation of the identity, or the genesis.
    fn place(&self, at: usize) -> Digest {
        let objects = self.seen.objects();
        let is_place = |object: &&SignedObject| self.seen.place_after(&object.id()).is_some();
        let places: Vec<Digest> = objects.iter().filter(is_place).map(SignedObject::id).collect();
        places[at % places.len()]
    }

    /// The keys that a rotation has revealed, for him to use again.
    fn revealed(&self, at: usize) -> Option<KeyList> {
        let objects = self.seen.objects();
        let revealed = objects.iter().filter_map(|object| match Payload::decode(object.payload()) {
            Ok(Payload::Operation(_, Operation::Rotate { reveal, .. })) => Some(reveal),
            _ => None,
        });
        let revealed: Vec<KeyList> = revealed.collect();
        (!revealed.is_empty()).then(|| revealed[at % revealed.len()].clone())
    }
}
