//! The set of statements: verified, and joined by a chain of grants to a device that nobody granted.

use std::collections::{BTreeMap, BTreeSet};

use super::payload::{Origin, Statement};
use super::signers::Signers;
use super::{IdentityError, SignedObject};
use crate::ids::{DeviceId, Digest};
use crate::keys::Domain;
use crate::network::Network;

/// The type of locks.
const LOCK: &str = "lock";
/// The type of a statement of addresses.
const SERVICES: &str = "services";

/// Every statement that is kept, by id.
#[derive(Debug, Clone)]
pub(super) struct StatementSet {
    /// The genesis device, and every device that an operation brings or would bring.
    roots: BTreeSet<DeviceId>,
    nodes: BTreeMap<Digest, StatementNode>,
    /// Devices that a chain of grants joins to a root, whether or not the grants stand.
    reached: BTreeSet<DeviceId>,
    /// The newest statement of each device of each type that has revisions; older ones are not kept.
    newest: BTreeMap<(DeviceId, &'static str), (u64, Digest)>,
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
        object.verify(Domain::Statement, network, &Signers::of_statement(&origin, &statement)?)?;
        Ok(Self { object, origin, statement })
    }
}

impl StatementNode {
    fn key(&self) -> (DeviceId, &'static str) {
        (self.origin.by, self.statement.type_name())
    }
}

impl StatementSet {
    pub(super) fn new(genesis_device: DeviceId) -> Self {
        let roots = BTreeSet::from([genesis_device]);
        let reached = roots.clone();
        Self { roots, nodes: BTreeMap::new(), reached, newest: BTreeMap::new(), bytes: 0 }
    }

    /// Joins devices that an operation brings.
    pub(super) fn join(&mut self, devices: &[DeviceId]) {
        // What these granted is there only if they were joined before, and then so is whom they granted.
        self.roots.extend(devices);
        self.reached.extend(devices);
    }

    pub(super) fn contains(&self, id: &Digest) -> bool {
        self.nodes.contains_key(id)
    }

    pub(super) fn node(&self, id: &Digest) -> Option<&StatementNode> {
        self.nodes.get(id)
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// How many bytes the payloads have.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many devices were granted.
    pub(super) fn granted_devices(&self) -> usize {
        self.reached.len() - self.roots.len()
    }

    /// Every device that a grant names, with the first such grant by id.
    pub(super) fn granted(&self) -> BTreeMap<DeviceId, Digest> {
        let mut granted = BTreeMap::new();
        for (id, node) in &self.nodes {
            if let Statement::Grant { device } = &node.statement {
                granted.entry(*device).or_insert(*id);
            }
        }
        granted
    }

    /// True if a chain of grants joins `device` to a root.
    pub(super) fn reaches(&self, device: &DeviceId) -> bool {
        self.reached.contains(device)
    }

    /// Every statement, by ascending id.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&Digest, &StatementNode)> {
        self.nodes.iter()
    }

    /// True if a newer statement of the same device and type is kept (`ID-11`, `ID-19`).
    pub(super) fn is_superseded(&self, node: &StatementNode) -> bool {
        let Some(rev) = node.statement.rev() else { return false };
        self.newest.get(&node.key()).is_some_and(|kept| *kept > (rev, node.object.id()))
    }

    /// The revision of the newest `services` of a device.
    pub(super) fn newest_services(&self, device: DeviceId) -> Option<u64> {
        self.newest.get(&(device, SERVICES)).map(|(rev, _)| *rev)
    }

    /// The revision and id of the newest lock of a device.
    pub(super) fn newest_lock(&self, device: DeviceId) -> Option<(u64, Digest)> {
        self.newest.get(&(device, LOCK)).copied()
    }

    /// Adds a statement in the place of the one that it supersedes.
    pub(super) fn add(&mut self, node: StatementNode) {
        let id = node.object.id();
        if let Some(rev) = node.statement.rev() {
            let before = self.newest.insert(node.key(), (rev, id));
            let before = before.and_then(|(_, before)| self.nodes.remove(&before));
            self.bytes -= before.map_or(0, |before| before.object.bytes());
        }
        if let Statement::Grant { device } = &node.statement {
            self.reached.insert(*device);
        }
        self.bytes += node.object.bytes();
        self.nodes.insert(id, node);
    }

    /// Keeps only the statements that `keep` wants and that a chain of grants still joins to one of
    /// `roots` or to the genesis device.
    pub(super) fn retain(
        &mut self,
        genesis_device: DeviceId,
        roots: BTreeSet<DeviceId>,
        keep: impl Fn(&Digest, &StatementNode) -> bool,
    ) {
        self.roots = roots;
        self.roots.insert(genesis_device);
        self.nodes.retain(|id, node| keep(id, node));
        self.reached = self.distances().into_keys().collect();
        self.nodes.retain(|_, node| self.reached.contains(&node.origin.by));
        self.newest.retain(|_, (_, id)| self.nodes.contains_key(id));
        self.bytes = self.nodes.values().map(|node| node.object.bytes()).sum();
    }

    /// The grants by which these devices belong to the identity: to each the first by id, which admits it, and those
    /// that join whoever made that one to a root.
    pub(super) fn joining(&self, devices: &[DeviceId]) -> BTreeSet<Digest> {
        let (granted, distances) = (self.granted(), self.distances());
        let mut joining = BTreeSet::new();
        for device in devices {
            let Some(first) = granted.get(device) else { continue };
            joining.insert(*first);
            let mut by = self.nodes[first].origin.by;
            while let Some(distance) = distances.get(&by).copied().filter(|distance| *distance > 0) {
                let nearer = |node: &StatementNode| {
                    let is_grant = matches!(&node.statement, Statement::Grant { device } if *device == by);
                    is_grant && distances.get(&node.origin.by).is_some_and(|of| *of < distance)
                };
                let Some((id, node)) = self.nodes.iter().find(|(_, node)| nearer(node)) else { break };
                joining.insert(*id);
                by = node.origin.by;
            }
        }
        joining
    }

    /// The statements in an order that goes into an empty set without waiting.
    pub(super) fn in_order(&self) -> Vec<(&Digest, &StatementNode)> {
        let distances = self.distances();
        let mut nodes: Vec<_> = self.nodes.iter().collect();
        nodes.sort_by_key(|(id, node)| (distances.get(&node.origin.by).copied(), **id));
        nodes
    }

    /// How many grants each device is away from a root.
    fn distances(&self) -> BTreeMap<DeviceId, usize> {
        let mut grants: BTreeMap<DeviceId, Vec<DeviceId>> = BTreeMap::new();
        for node in self.nodes.values() {
            if let Statement::Grant { device } = &node.statement {
                grants.entry(node.origin.by).or_default().push(*device);
            }
        }
        let mut distances: BTreeMap<DeviceId, usize> = self.roots.iter().map(|root| (*root, 0)).collect();
        let mut level: Vec<DeviceId> = self.roots.iter().copied().collect();
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
