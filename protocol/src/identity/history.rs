//! What counts of an identity's objects, in an order in which it can be told; and places to go on from.

use std::collections::BTreeSet;

use super::devices;
use super::payload::{Payload, Statement};
use super::place::Place;
use super::statements::StatementNode;
use super::{IdentityRecord, SignedObject};
use crate::ids::{DeviceId, Did, Digest};

/// One object that counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryItem {
    /// Its id.
    pub id: Digest,
    /// What it says.
    pub payload: Payload,
}

impl IdentityRecord {
    /// The genesis, the operations of the log in their order, then the statements that stand: each after
    /// the grant of its device, otherwise by id. When each came is for the node to say.
    pub fn history(&self) -> Vec<HistoryItem> {
        let genesis = Payload::Genesis(self.genesis.clone());
        let mut items = vec![HistoryItem { id: self.operations.root, payload: genesis }];
        for id in &self.path {
            let object = self.operations.node(id).map(|node| node.object.payload());
            let payload = object.and_then(|payload| Payload::decode(payload).ok());
            items.extend(payload.map(|payload| HistoryItem { id: *id, payload }));
        }
        for (id, node) in self.statements.in_order() {
            if self.counts(id, node) {
                let payload = Payload::Statement(node.origin, node.statement.clone());
                items.push(HistoryItem { id: *id, payload });
            }
        }
        items
    }

    /// True if a statement is part of the set and stands, and no lock stops it (`ID-10`, `ID-19`).
    pub fn stands(&self, statement: &Digest) -> bool {
        self.statements.node(statement).is_some_and(|node| self.counts(statement, node))
    }

    /// The statements of a device that stand, ascending: what `DeviceEnd::stands` can name (`ID-7`).
    pub fn statements_of(&self, device: &DeviceId) -> Vec<(Digest, Statement)> {
        let of_it = self.statements.iter().filter(|(id, node)| node.origin.by == *device && self.counts(id, node));
        of_it.map(|(id, node)| (*id, node.statement.clone())).collect()
    }

    /// The revision of the next `services` of `device` (`ID-11`).
    pub fn next_services_rev(&self, device: &DeviceId) -> u64 {
        self.statements.newest_services(*device).map_or(1, |rev| rev + 1)
    }

    /// The revision and the statements of a new lock by `device`: all that stand now (`ID-19`).
    pub fn new_lock(&self, device: &DeviceId) -> (u64, Vec<Digest>) {
        let rev = self.statements.newest_lock(*device).map_or(1, |(rev, _)| rev + 1);
        let standing =
            self.statements.iter().filter(|(id, node)| node.statement.can_be_locked() && self.counts(id, node));
        (rev, standing.map(|(id, _)| *id).collect())
    }

    /// What `device` answers when locks that have come since `before` leave out statements that stood
    /// then: a lock of its own that names them too (`ID-19`). None if nothing is left out, or if the
    /// device has no say.
    pub fn counter_lock(&self, before: &Self, device: &DeviceId) -> Option<(u64, Vec<Digest>)> {
        let has_say = self.unlocked.devices.get(device).is_some_and(|device| device.is_live());
        if self.locks.is_empty() || !has_say {
            return None;
        }
        let stood = |id: &Digest, node: &StatementNode| {
            let unlocked = devices::stands(&self.unlocked.ends, id, &node.origin, &node.statement);
            node.statement.can_be_locked() && unlocked && before.stands(id)
        };
        let left_out = self.statements.iter().filter(|(id, node)| stood(id, node) && !self.counts(id, node));
        let left_out: BTreeSet<Digest> = left_out.map(|(id, _)| *id).collect();
        if left_out.is_empty() {
            return None;
        }
        let (rev, standing) = self.new_lock(device);
        Some((rev, left_out.into_iter().chain(standing).collect::<BTreeSet<_>>().into_iter().collect()))
    }

    /// The place after an object of the identity log, whether or not it counts.
    pub fn place_after(&self, id: &Digest) -> Option<Place> {
        self.operations.place_after(&self.genesis, id)
    }

    /// The place of an operation: what stands there with a higher key undoes it (`ID-9`).
    pub fn place_of(&self, operation: &Digest) -> Option<Place> {
        let node = self.operations.node(operation).filter(|node| node.operation.is_some())?;
        self.place_after(&node.prev)
    }

    /// The place right after what began the current epoch: a rotation there voids all that control keys
    /// have done since (`ID-9`).
    pub fn place_of_epoch(&self) -> Place {
        let began = self.operations.node(&self.state.head).map_or(self.operations.root, |node| node.epoch().0);
        self.place_after(&began).expect("what began the epoch of the head is part of the tree")
    }

    /// The guardians whose approvals an operation carries here. Another copy of it may carry others, so
    /// they are no part of the state.
    pub fn approvals(&self, operation: &Digest) -> Vec<Did> {
        let object = self.operations.node(operation).map(|node| &node.object);
        let approvals = object.map(SignedObject::approvals).unwrap_or_default();
        approvals.iter().map(|approval| approval.guardian).collect()
    }

    /// The ids of the identity log, from the genesis to the head.
    pub fn log(&self) -> Vec<Digest> {
        [self.operations.root].into_iter().chain(self.path.iter().copied()).collect()
    }

    /// The genesis and the operations that began the epochs of the log: a guardian's proof (`ID-17`).
    pub(super) fn rotations(&self) -> Vec<SignedObject> {
        let mut objects = Vec::new();
        let mut at = self.operations.node(&self.state.head);
        while let Some(began) = at.and_then(|node| self.operations.node(&node.epoch().0)) {
            objects.push(began.object.clone());
            let is_genesis = began.operation.is_none();
            at = if is_genesis { None } else { self.operations.node(&began.prev) };
        }
        objects.reverse();
        objects
    }

    fn counts(&self, id: &Digest, node: &StatementNode) -> bool {
        let stands = devices::stands(&self.ends, id, &node.origin, &node.statement);
        stands && self.locks.leave(id, &node.statement)
    }
}
