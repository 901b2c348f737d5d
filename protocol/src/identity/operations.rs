//! The tree of operations, and the one path through it that is the identity log.

use std::collections::{BTreeMap, BTreeSet};

use super::keys::{Guardians, KeyList, NextKeys};
use super::payload::{Genesis, Link, Operation};
use super::state::{Duplicity, Priority};
use super::{IdentityError, SignedObject};
use crate::ids::Digest;
use crate::keys::{Domain, PublicKey};
use crate::network::Network;

/// Every verified operation, by id; the root is the genesis.
#[derive(Debug, Clone)]
pub(super) struct OperationTree {
    network: Network,
    root: Digest,
    nodes: BTreeMap<Digest, Node>,
    children: BTreeMap<Digest, BTreeSet<Digest>>,
    /// The rotations that end an epoch, by the genesis or rotation that began it.
    rotations: BTreeMap<Digest, BTreeSet<Digest>>,
    counts: Counts,
}

/// The genesis or one operation.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) object: SignedObject,
    pub(super) seq: u64,
    prev: Digest,
    /// The genesis or rotation whose keys hold from here on.
    epoch: Digest,
    /// None for the genesis.
    pub(super) operation: Option<Operation>,
}

/// The keys that hold from the genesis or a rotation on.
pub(super) struct Epoch<'a> {
    pub(super) control: &'a KeyList,
    pub(super) next: &'a NextKeys,
    pub(super) guardians: &'a Option<Guardians>,
}

/// How much a tree holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Counts {
    /// Operations signed by control keys.
    pub(super) by_control: usize,
    /// Rotations.
    pub(super) rotations: usize,
    /// Bytes of all objects.
    pub(super) bytes: usize,
}

/// The identity log: the one path that counts.
pub(super) struct Path {
    /// From the first operation to the newest.
    pub(super) ids: Vec<Digest>,
    pub(super) duplicity: Option<Duplicity>,
}

impl OperationTree {
    pub(super) fn new(object: SignedObject, genesis: &Genesis) -> Self {
        let root = object.id();
        let node = Node { object, seq: 0, prev: root, epoch: root, operation: None };
        let counts = Counts { bytes: node.object.bytes(), ..Counts::default() };
        let nodes = BTreeMap::from([(root, node)]);
        let (children, rotations) = (BTreeMap::new(), BTreeMap::new());
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

    /// How much the tree holds.
    pub(super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// The operations in an order in which each comes after its predecessor.
    pub(super) fn in_order(&self) -> Vec<&SignedObject> {
        let mut nodes: Vec<_> = self.nodes.iter().collect();
        nodes.sort_by_key(|(id, node)| (node.seq, **id));
        nodes.into_iter().map(|(_, node)| &node.object).collect()
    }

    /// The last node of a path; the genesis if it is empty.
    pub(super) fn newest(&self, path: &Path) -> (Digest, &Node) {
        let id = path.ids.last().copied().unwrap_or(self.root);
        (id, &self.nodes[&id])
    }

    /// Lets go of operations that can't count any more: off the log, of an epoch that a rotation
    /// ended, and leading to no rotation (`ID-12`).
    pub(super) fn forget_decided(&mut self) {
        let path = self.path();
        let current = self.newest(&path).1.epoch;
        let mut keep: BTreeSet<Digest> = path.ids.into_iter().chain([self.root]).collect();
        for (id, node) in &self.nodes {
            if node.epoch == current || node.is_rotation() {
                let mut at = *id;
                while keep.insert(at) {
                    at = self.nodes[&at].prev;
                }
            }
        }
        self.nodes.retain(|id, _| keep.contains(id));
        self.children.retain(|id, _| keep.contains(id));
        self.children.values_mut().for_each(|children| children.retain(|id| keep.contains(id)));
        let by_control = self.nodes.len() - 1 - self.counts.rotations;
        let bytes = self.nodes.values().map(|node| node.object.bytes()).sum();
        self.counts = Counts { by_control, bytes, ..self.counts };
    }

    /// Verifies an operation whose predecessor is in the tree (`ID-5`, `ID-6`).
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
        let epoch = self.epoch(genesis, prev);
        let signers = match operation {
            Operation::Rotate { control, .. } if NextKeys::commit_to(control) != *epoch.next => {
                return Err(IdentityError::NotCommitted);
            }
            Operation::Rotate { control, .. } => control,
            Operation::DeviceRemove(_) | Operation::Settle { .. } => epoch.control,
        };
        let keys: Vec<PublicKey> = signers.public_keys()?;
        object.verify(Domain::Identity, self.network, &keys, signers.threshold)
    }

    /// Adds an operation that has been verified.
    pub(super) fn add(&mut self, object: SignedObject, link: &Link, operation: Operation) {
        let id = object.id();
        let epoch_before = self.nodes[&link.prev].epoch;
        let rotates = matches!(operation, Operation::Rotate { .. });
        if rotates {
            self.rotations.entry(epoch_before).or_default().insert(id);
            self.counts.rotations += 1;
        } else {
            self.counts.by_control += 1;
        }
        self.counts.bytes += object.bytes();
        let epoch = if rotates { id } else { epoch_before };
        let node = Node { object, seq: link.seq, prev: link.prev, epoch, operation: Some(operation) };
        self.nodes.insert(id, node);
        self.children.entry(link.prev).or_default().insert(id);
    }

    /// The keys that hold after a node.
    pub(super) fn epoch<'a>(&'a self, genesis: &'a Genesis, node: &Node) -> Epoch<'a> {
        match &self.nodes[&node.epoch].operation {
            Some(Operation::Rotate { control, next, guardians }) => Epoch { control, next, guardians },
            _ => Epoch { control: &genesis.control, next: &genesis.next, guardians: &genesis.guardians },
        }
    }

    /// Finds the identity log (`ID-9`).
    ///
    /// From the genesis or a rotation on: one rotation anywhere in the epoch makes its path the log;
    /// several freeze the log where their paths part; none, and it goes on to where control keys
    /// signed two successors.
    pub(super) fn path(&self) -> Path {
        let mut ids = Vec::new();
        let mut from = self.root;
        loop {
            let mut ways = self.rotations.get(&from).into_iter().flatten().map(|id| (*id, self.way(&from, id)));
            let Some((rotation, first)) = ways.next() else { return self.walk(ids, from) };
            let mut proof = vec![rotation];
            let common = ways.fold(first, |common, (rotation, way)| {
                proof.push(rotation);
                common.into_iter().zip(way).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
            });
            let at = common.last().copied().unwrap_or(from);
            ids.extend(common);
            if let [only] = proof.as_slice() {
                from = *only;
                continue;
            }
            let duplicity = Some(Duplicity { priority: Priority::Next, at, proof });
            return Path { ids, duplicity };
        }
    }

    /// Follows control keys' operations while there is one successor.
    fn walk(&self, mut ids: Vec<Digest>, mut at: Digest) -> Path {
        loop {
            let successors: Vec<Digest> = self.children.get(&at).into_iter().flatten().take(2).copied().collect();
            match successors.as_slice() {
                [] => return Path { ids, duplicity: None },
                [only] => {
                    ids.push(*only);
                    at = *only;
                }
                _ => {
                    let duplicity = Some(Duplicity { priority: Priority::Control, at, proof: successors });
                    return Path { ids, duplicity };
                }
            }
        }
    }

    /// The nodes below `from` down to `to`.
    fn way(&self, from: &Digest, to: &Digest) -> Vec<Digest> {
        let (mut way, mut at) = (Vec::new(), *to);
        while at != *from {
            way.push(at);
            at = self.nodes[&at].prev;
        }
        way.reverse();
        way
    }
}

impl Node {
    fn is_rotation(&self) -> bool {
        matches!(self.operation, Some(Operation::Rotate { .. }))
    }
}
