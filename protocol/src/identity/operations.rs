//! The tree of operations: every verified one, with the keys that hold after it.

use std::collections::{BTreeMap, BTreeSet};

use super::approval::RecoveryRequest;
use super::keys::{Guardians, KeyList, NextKeys};
use super::payload::{Genesis, Link, Operation};
use super::place::Place;
use super::renewal::Renewal;
use super::signers::Signers;
use super::state::Priority;
use super::{IdentityError, SignedObject};
use crate::ids::{DeviceId, Did, Digest};
use crate::keys::Domain;
use crate::limits::{
    IDENTITY_OPERATIONS_BYTES_MAX, IDENTITY_OPERATIONS_MAX, IDENTITY_RECOVERIES_BYTES_MAX, IDENTITY_RECOVERIES_MAX,
    IDENTITY_ROTATIONS_BYTES_MAX, IDENTITY_ROTATIONS_MAX,
};
use crate::network::Network;

/// Every verified operation, by id; the root is the genesis.
#[derive(Debug, Clone)]
pub(super) struct OperationTree {
    network: Network,
    pub(super) root: Digest,
    nodes: BTreeMap<Digest, Node>,
    pub(super) children: BTreeMap<Digest, BTreeSet<Digest>>,
    /// The operations by next keys that end an epoch, by what began it.
    pub(super) rotations: BTreeMap<Digest, BTreeSet<Digest>>,
    /// How much there is of each priority: a flood of one leaves room for the others (`ID-12`).
    counts: BTreeMap<Priority, Count>,
}

/// The genesis or one operation.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) object: SignedObject,
    pub(super) seq: u64,
    pub(super) prev: Digest,
    /// The genesis, rotation or finished recovery whose keys hold from here on.
    epoch: Digest,
    /// How many of those came before.
    epoch_index: u32,
    /// None for the genesis.
    pub(super) operation: Option<Operation>,
}

/// The keys that hold from the beginning of an epoch on.
pub(super) struct Epoch<'a> {
    pub(super) control: &'a KeyList,
    pub(super) next: &'a NextKeys,
    pub(super) guardians: &'a Option<Guardians>,
}

/// How many operations, and their bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    operations: usize,
    bytes: usize,
}

impl OperationTree {
    pub(super) fn new(object: SignedObject, genesis: &Genesis) -> Self {
        let root = object.id();
        let node = Node { object, seq: 0, prev: root, epoch: root, epoch_index: 0, operation: None };
        let nodes = BTreeMap::from([(root, node)]);
        let (children, rotations, counts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { network: genesis.network, root, nodes, children, rotations, counts }
    }

    pub(super) fn contains(&self, id: &Digest) -> bool {
        self.nodes.contains_key(id)
    }

    pub(super) fn node(&self, id: &Digest) -> Option<&Node> {
        self.nodes.get(id)
    }

    /// Every node with its id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Digest, &Node)> {
        self.nodes.iter()
    }

    /// The operations in an order in which each comes after its predecessor.
    pub(super) fn in_order(&self) -> Vec<&SignedObject> {
        let mut nodes: Vec<_> = self.nodes.iter().collect();
        nodes.sort_by_key(|(id, node)| (node.seq, **id));
        nodes.into_iter().map(|(_, node)| &node.object).collect()
    }

    /// The devices that any operation of the tree brings or would bring, whether or not it counts.
    pub(super) fn brought_devices(&self) -> BTreeSet<DeviceId> {
        let brought = self.nodes.values().filter_map(|node| node.operation.as_ref().and_then(Operation::renewal));
        brought.flat_map(|renewal| renewal.devices.iter().copied()).collect()
    }

    /// Whether one more operation finds room (`ID-12`).
    pub(super) fn has_room(&self, priority: Priority, object: &SignedObject) -> bool {
        let (operations_max, bytes_max) = match priority {
            Priority::Next => (IDENTITY_ROTATIONS_MAX, IDENTITY_ROTATIONS_BYTES_MAX),
            Priority::Control => (IDENTITY_OPERATIONS_MAX, IDENTITY_OPERATIONS_BYTES_MAX),
            Priority::Guardian => (IDENTITY_RECOVERIES_MAX, IDENTITY_RECOVERIES_BYTES_MAX),
        };
        let count = self.counts.get(&priority).copied().unwrap_or_default();
        count.operations < operations_max && count.bytes + object.bytes() <= bytes_max
    }

    /// Lets go of operations that can't count any more: of an epoch that a next key ended, off the log,
    /// and leading to no operation of a next key (`ID-12`).
    pub(super) fn forget_decided(&mut self, path: &[Digest]) {
        let mut keep: BTreeSet<Digest> = path.iter().copied().chain([self.root]).collect();
        let mut undecided = keep.clone();
        for node in path.iter().map(|id| &self.nodes[id]).filter(|node| node.is_by_next_key()) {
            undecided.remove(&self.nodes[&node.prev].epoch);
        }
        for (id, node) in &self.nodes {
            if undecided.contains(&node.epoch) || node.is_by_next_key() {
                let mut at = *id;
                while keep.insert(at) {
                    at = self.nodes[&at].prev;
                }
            }
        }
        self.nodes.retain(|id, _| keep.contains(id));
        self.children.retain(|id, _| keep.contains(id));
        self.children.values_mut().for_each(|children| children.retain(|id| keep.contains(id)));
        self.counts.clear();
        for node in self.nodes.values() {
            if let Some(operation) = &node.operation {
                self.counts.entry(operation.priority()).or_default().add(&node.object);
            }
        }
    }

    /// Verifies an operation whose predecessor is in the tree (`ID-5`, `ID-6`, `ID-16`, `ID-21`).
    pub(super) fn verify(
        &self,
        genesis: &Genesis,
        object: &SignedObject,
        link: &Link,
        operation: &Operation,
    ) -> Result<(), IdentityError> {
        let prev = &self.nodes[&link.prev];
        if link.seq != prev.seq + 1 {
            return Err(IdentityError::Chain { seq: link.seq, prev_seq: prev.seq });
        }
        if matches!(prev.operation, Some(Operation::Retire { .. })) {
            return Err(IdentityError::Retired);
        }
        let epoch = self.epoch(genesis, prev);
        if operation.reveal().is_some_and(|reveal| NextKeys::commit_to(reveal) != *epoch.next) {
            return Err(IdentityError::NotCommitted);
        }
        let control = match (operation, &prev.operation) {
            (Operation::RecoverFinish, Some(Operation::RecoverStart { renewal })) => &renewal.control,
            (Operation::RecoverFinish, _) => {
                return Err(IdentityError::Recovery("it does not stand right after its start"));
            }
            _ => epoch.control,
        };
        object.verify(Domain::Identity, self.network, &Signers::of_operation(operation, control)?)?;
        let Some(request) = RecoveryRequest::of(link, operation) else { return Ok(()) };
        let guardians = epoch.guardians.as_ref().ok_or(IdentityError::Recovery("there are no guardians"))?;
        request.check_approvals(self.network, guardians, object.approvals())
    }

    /// Adds an operation that has been verified.
    pub(super) fn add(&mut self, object: SignedObject, link: &Link, operation: Operation) {
        let id = object.id();
        let prev = &self.nodes[&link.prev];
        let (epoch_before, index_before) = (prev.epoch, prev.epoch_index);
        if operation.priority() == Priority::Next {
            self.rotations.entry(epoch_before).or_default().insert(id);
        }
        self.counts.entry(operation.priority()).or_default().add(&object);
        let begins = matches!(operation, Operation::Rotate { .. } | Operation::RecoverFinish);
        let (epoch, epoch_index) = if begins { (id, index_before + 1) } else { (epoch_before, index_before) };
        let node = Node { object, seq: link.seq, prev: link.prev, epoch, epoch_index, operation: Some(operation) };
        self.nodes.insert(id, node);
        self.children.entry(link.prev).or_default().insert(id);
    }

    /// The keys that hold after a node.
    pub(super) fn epoch<'a>(&'a self, genesis: &'a Genesis, node: &Node) -> Epoch<'a> {
        match self.renewal_at(&node.epoch) {
            Some(Renewal { control, next, guardians, .. }) => Epoch { control, next, guardians },
            None => Epoch { control: &genesis.control, next: &genesis.next, guardians: &genesis.guardians },
        }
    }

    /// What a rotation or a finished recovery brings.
    pub(super) fn renewal_at(&self, id: &Digest) -> Option<&Renewal> {
        let node = self.nodes.get(id)?;
        match &node.operation {
            Some(Operation::Rotate { renewal, .. }) => Some(renewal),
            Some(Operation::RecoverFinish) => self.nodes.get(&node.prev)?.operation.as_ref()?.renewal(),
            _ => None,
        }
    }

    /// The place after an operation or the genesis.
    pub(super) fn place_after(&self, genesis: &Genesis, id: &Digest) -> Option<Place> {
        let node = self.nodes.get(id)?;
        let Epoch { control, next, guardians } = self.epoch(genesis, node);
        Some(Place {
            network: self.network,
            did: Did(self.root.0),
            prev: *id,
            seq: node.seq + 1,
            epoch: node.epoch_index,
            control: control.clone(),
            next: next.clone(),
            guardians: guardians.clone(),
        })
    }
}

impl Node {
    pub(super) fn is_by_next_key(&self) -> bool {
        self.operation.as_ref().is_some_and(|operation| operation.priority() == Priority::Next)
    }

    /// The genesis or operation that began its epoch, and how many began before.
    pub(super) fn epoch(&self) -> (Digest, u32) {
        (self.epoch, self.epoch_index)
    }
}

impl Count {
    fn add(&mut self, object: &SignedObject) {
        self.operations += 1;
        self.bytes += object.bytes();
    }
}

impl Operation {
    /// What it brings or would bring.
    pub(super) fn renewal(&self) -> Option<&Renewal> {
        match self {
            Self::Rotate { renewal, .. } | Self::RecoverStart { renewal } => Some(renewal),
            _ => None,
        }
    }
}
