//! Locks: which are in force, and what they leave counting (`ID-19`).

use std::collections::{BTreeMap, BTreeSet};

use super::devices::Evaluation;
use super::payload::{Origin, Statement};
use crate::ids::{DeviceId, Digest};

/// The locks in force, together.
#[derive(Debug, Clone, Default)]
pub(super) struct Locks {
    /// Who made them.
    pub(super) by: BTreeMap<Digest, DeviceId>,
    stands: BTreeSet<Digest>,
}

impl Locks {
    /// The locks of devices that are live when no lock is looked at, but for those that control keys
    /// lifted. So no device comes back by a lock of its own.
    pub(super) fn in_force<'a>(
        statements: impl Iterator<Item = (&'a Digest, &'a Origin, &'a Statement)>,
        unlocked: &Evaluation,
        lifted: &BTreeSet<Digest>,
    ) -> Self {
        let mut locks = Self::default();
        for (id, origin, statement) in statements {
            let Statement::Lock { stands, .. } = statement else { continue };
            let live = unlocked.devices.get(&origin.by).is_some_and(|device| device.is_live());
            if !live || lifted.contains(id) {
                continue;
            }
            locks.by.insert(*id, origin.by);
            locks.stands.extend(stands);
            locks.stands.extend(chain(unlocked, origin.by));
        }
        locks
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by.is_empty()
    }

    /// True unless the locks stop this statement.
    pub(super) fn leave(&self, id: &Digest, statement: &Statement) -> bool {
        self.is_empty() || !statement.can_be_locked() || self.stands.contains(id)
    }
}

/// The grants by which a device hangs from a device that nobody granted.
fn chain(evaluation: &Evaluation, device: DeviceId) -> Vec<Digest> {
    let (mut chain, mut at) = (Vec::new(), Some(device));
    while let Some(device) = at.and_then(|id| evaluation.devices.get(&id)) {
        chain.push(device.admitted_by);
        at = device.granted_by;
    }
    chain
}
