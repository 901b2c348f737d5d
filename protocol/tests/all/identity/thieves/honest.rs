//! An owner who acts by the rules on what is held without the thief.

use xom_protocol::Network;
use xom_protocol::identity::{Approval, DeviceEnd, IdentityRecord, RecoveryRequest, SignedObject, compose};
use xom_protocol::keys::SecretKey;
use xom_protocol::phrase::Phrase;

use super::Deed;
use crate::identity::people::{Person, alice, device, head, person};

/// alice, her words, her devices and everything that she signed.
pub(super) struct Owner {
    pub(super) alice: Person,
    pub(super) guardians: [Person; 3],
    /// A device that the first one granted, before anything else.
    pub(super) laptop: SecretKey,
    devices: Vec<SecretKey>,
    pub(super) objects: Vec<SignedObject>,
    /// Her words, which are new after a recovery.
    words: Phrase,
}

impl Owner {
    pub(super) fn new(guarded: bool) -> Self {
        let (alice, guardians) = (alice(), ["bob", "carol", "dave"].map(person));
        let (phone, laptop) = (alice.first_device(), device("laptop"));
        let mut objects = vec![alice.grant(&phone, &laptop)];
        if guarded {
            let [bob, carol, dave] = &guardians;
            let named = alice.guarded_by(&[bob, carol, dave], 2);
            objects.push(alice.rotate_with(alice.start(), Some(named)).0);
        }
        let devices = vec![phone, laptop.clone()];
        let words = person("alice").phrase;
        Self { alice, guardians, laptop, devices, objects, words }
    }

    pub(super) fn record(&self) -> IdentityRecord {
        self.alice.insert_all(&self.objects)
    }

    /// The key that is in control now.
    pub(super) fn control(&self) -> SecretKey {
        self.words.control_key(self.record().state().epoch)
    }

    fn live(&self, at: usize) -> Option<SecretKey> {
        let record = self.record();
        let is_live = |device: &&SecretKey| record.state().live_device(&device.public().device_id()).is_some();
        let live: Vec<&SecretKey> = self.devices.iter().filter(is_live).collect();
        (!live.is_empty()).then(|| live[at % live.len()].clone())
    }

    /// Does one legal thing; without a live device, only what words can do.
    pub(super) fn act(&mut self, deed: &Deed) {
        let (what, a, b, _) = *deed;
        let Some(by) = self.live(a) else { return self.rotate(&[]) };
        match what % 8 {
            0 | 1 => {
                let granted = device(&format!("device {}", self.devices.len()));
                self.objects.push(self.alice.grant(&by, &granted));
                self.devices.push(granted);
            }
            2 => {
                let of_it = self.record().statements_of(&by.public().device_id());
                let granted = of_it.iter().find_map(|(_, statement)| match statement {
                    xom_protocol::identity::Statement::Grant { device } => Some(*device),
                    _ => None,
                });
                let device = granted.filter(|device| *device != self.laptop.public().device_id());
                let end = device.map(|device| DeviceEnd { device, heads: vec![head("d", 3)], stands: vec![] });
                self.objects.extend(end.map(|end| self.alice.drop(&by, end)));
            }
            3 => self.objects.push(self.alice.services(&by, 1 + b as u64)),
            4 => self.settle(1 + b as u64),
            5 => {
                let brought = device(&format!("device {}", self.devices.len()));
                self.rotate(&[&brought]);
                self.devices.push(brought);
            }
            6 => {
                let (rev, stands) = self.record().new_lock(&by.public().device_id());
                let lock = compose::lock(Network::MAIN, self.alice.did, &by, rev, stands);
                self.objects.push(lock.expect("lock"));
            }
            _ => {
                let locks = self.record().state().locks.keys().copied().collect();
                let place = self.record().state().place();
                self.objects.push(compose::unlock(&place, locks, &[&self.control()]).expect("unlock"));
            }
        }
    }

    pub(super) fn settle(&mut self, height: u64) {
        let place = self.record().state().place();
        let settled = compose::settle(&place, vec![head("forked", height)], &[&self.control()]);
        self.objects.push(settled.expect("settle"));
    }

    pub(super) fn cancel(&mut self) {
        let place = self.record().state().place();
        self.objects.push(compose::cancel(&place, vec![], &[&self.control()]).expect("cancel"));
    }

    pub(super) fn rotate(&mut self, devices: &[&SecretKey]) {
        let place = self.record().state().place();
        self.objects.push(self.words.rotation(&place, devices).expect("rotation"));
    }

    /// Ends a device; what it said up to now stands.
    pub(super) fn remove(&mut self, device: &SecretKey) {
        let record = self.record();
        let id = device.public().device_id();
        let stands = record.statements_of(&id).into_iter().map(|(id, _)| id).collect();
        let end = DeviceEnd { device: id, heads: vec![head("log", 7)], stands };
        let removal = compose::device_remove(&record.state().place(), end, &[&self.control()]);
        self.objects.push(removal.expect("removal"));
    }

    /// Loses the words; two guardians bring new ones.
    pub(super) fn recover(&mut self, finish: bool) {
        let place = self.record().state().place();
        let number = place.epoch + 1;
        let words = person("alice again").phrase;
        let tablet = device("tablet");
        let renewal = words.renewal(number, place.guardians.clone(), &[&tablet]);
        let control = words.control_key(number);
        let request = RecoveryRequest::start(&place, renewal.clone());
        let approvals = self.approvals(&request, [0, 1]);
        let start = compose::recover(Network::MAIN, &request, approvals, &renewal.control, &[&control, &tablet]);
        self.objects.push(start.expect("start"));
        if finish {
            let place = self.record().state().recovery.as_ref().expect("started").place.clone();
            let request = RecoveryRequest::finish(&place);
            let approvals = self.approvals(&request, [1, 2]);
            let finish = compose::recover(Network::MAIN, &request, approvals, &renewal.control, &[&control]);
            self.objects.push(finish.expect("finish"));
            (self.words, self.devices) = (words, vec![tablet]);
        }
    }

    fn approvals(&self, request: &RecoveryRequest, by: [usize; 2]) -> Vec<Approval> {
        let guardians = by.map(|at| &self.guardians[at]);
        let approve = |who: &Person| request.approve(&who.record(), &[&who.phrase.control_key(0)]).expect("approval");
        guardians.map(approve).into()
    }
}
