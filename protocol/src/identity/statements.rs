//! The set of statements: verified, and joined to the genesis device by a chain of grants.

use std::collections::{BTreeMap, BTreeSet};

use super::payload::{Origin, Statement};
use super::{IdentityError, SignedObject};
use crate::ids::{DeviceId, Digest};
use crate::keys::{Domain, PublicKey};
use crate::network::Network;

/// Every statement that is kept, by id.
#[derive(Debug, Clone)]
pub(super) struct StatementSet {
    genesis_device: DeviceId,
    nodes: BTreeMap<Digest, StatementNode>,
    /// Devices that a chain of grants joins to the genesis device, whether or not the grants stand.
    reached: BTreeSet<DeviceId>,
    /// The newest services statement of each device; older ones are not kept.
    services: BTreeMap<DeviceId, (u64, Digest)>,
    bytes: usize,
}

/// A verified statement.
#[derive(Debug, Clone)]
pub(super) struct StatementNode {
    pub(super) object: SignedObject,
    pub(super) origin: Origin,
    pub(super) statement: Statement,
}

impl StatementNode {
    /// Verifies a statement by the keys that it names itself (`ID-10`, `ID-11`).
    pub(super) fn verify(
        network: Network,
        object: SignedObject,
        origin: Origin,
        statement: Statement,
    ) -> Result<Self, IdentityError> {
        let key = |device: &DeviceId| PublicKey::from_bytes(&device.0).map_err(IdentityError::Key);
        let mut keys = vec![key(&origin.by)?];
        if let Statement::Grant { device } = &statement {
            keys.push(key(device)?);
        }
        object.verify(Domain::Statement, network, &keys, keys.len() as u64)?;
        Ok(Self { object, origin, statement })
    }
}

impl StatementSet {
    pub(super) fn new(genesis_device: DeviceId) -> Self {
        let reached = BTreeSet::from([genesis_device]);
        Self { genesis_device, nodes: BTreeMap::new(), reached, services: BTreeMap::new(), bytes: 0 }
    }

    pub(super) fn contains(&self, id: &Digest) -> bool {
        self.nodes.contains_key(id)
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How many bytes the payloads have.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many devices a chain of grants joins to the genesis device.
    pub(super) fn devices(&self) -> usize {
        self.reached.len()
    }

    /// True if a chain of grants joins `device` to the genesis device.
    pub(super) fn reaches(&self, device: &DeviceId) -> bool {
        self.reached.contains(device)
    }

    /// Every statement, by ascending id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Digest, &StatementNode)> {
        self.nodes.iter()
    }

    /// True if a newer services statement of the same device is kept.
    pub(super) fn is_superseded(&self, node: &StatementNode) -> bool {
        let Statement::Services { rev, .. } = &node.statement else { return false };
        self.services.get(&node.origin.by).is_some_and(|kept| *kept > (*rev, node.object.id()))
    }

    /// Adds a statement in the place of the one that it supersedes.
    pub(super) fn add(&mut self, node: StatementNode) {
        let id = node.object.id();
        match &node.statement {
            Statement::Services { rev, .. } => {
                let before = self.services.insert(node.origin.by, (*rev, id));
                let before = before.and_then(|(_, before)| self.nodes.remove(&before));
                self.bytes -= before.map_or(0, |before| before.object.bytes());
            }
            Statement::Grant { device } => {
                self.reached.insert(*device);
            }
            Statement::Drop(_) => {}
        }
        self.bytes += node.object.bytes();
        self.nodes.insert(id, node);
    }

    /// Keeps only the statements that `keep` wants and that a chain of grants still joins to the
    /// genesis device.
    pub(super) fn retain(&mut self, keep: impl Fn(&Digest, &StatementNode) -> bool) {
        self.nodes.retain(|id, node| keep(id, node));
        self.reached = self.distances().into_keys().collect();
        self.nodes.retain(|_, node| self.reached.contains(&node.origin.by));
        self.services.retain(|_, (_, id)| self.nodes.contains_key(id));
        self.bytes = self.nodes.values().map(|node| node.object.bytes()).sum();
    }

    /// The statements in an order that goes into an empty set without waiting.
    pub(super) fn in_order(&self) -> Vec<&SignedObject> {
        let distances = self.distances();
        let mut nodes: Vec<_> = self.nodes.iter().collect();
        nodes.sort_by_key(|(id, node)| (distances.get(&node.origin.by).copied(), **id));
        nodes.into_iter().map(|(_, node)| &node.object).collect()
    }

    /// How many grants each device is away from the genesis device.
    fn distances(&self) -> BTreeMap<DeviceId, usize> {
        let mut grants: BTreeMap<DeviceId, Vec<DeviceId>> = BTreeMap::new();
        for node in self.nodes.values() {
            if let Statement::Grant { device } = &node.statement {
                grants.entry(node.origin.by).or_default().push(*device);
            }
        }
        let mut distances = BTreeMap::from([(self.genesis_device, 0)]);
        let mut level = vec![self.genesis_device];
        for distance in 1.. {
            let granted = level.iter().flat_map(|by| grants.get(by)).flatten().copied();
            let granted: Vec<DeviceId> = granted.filter(|device| !distances.contains_key(device)).collect();
            if granted.is_empty() {
                break;
            }
            distances.extend(granted.iter().map(|device| (*device, distance)));
            level = granted;
        }
        distances
    }
}
