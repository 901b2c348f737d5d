//! All that is known of one identity: a set of verified objects, and the state that follows from it.
//!
//! The state depends on the set alone, never on the order of arrival (`ID-9`, `ID-10`).

use std::collections::{BTreeMap, BTreeSet};

use super::devices::{self, End, Evaluation};
use super::locks::Locks;
use super::operations::OperationTree;
use super::payload::{Genesis, Link, Operation, Origin, Payload, Statement};
use super::pending::{Pending, WaitsFor};
use super::signers::Signers;
use super::state::IdentityState;
use super::statements::{StatementNode, StatementSet};
use super::{IdentityError, SignedObject};
use crate::ids::{DeviceId, Did, Digest};
use crate::keys::Domain;
use crate::limits::{DEVICES_EVER_MAX, IDENTITY_SEARCHES_MAX, IDENTITY_STATEMENTS_BYTES_MAX, IDENTITY_STATEMENTS_MAX};
use crate::network::Network;

/// What became of an inserted object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inserted {
    /// Verified and new.
    New,
    /// Already there, or superseded by what is there.
    Known,
    /// Kept until what it stands on comes; not yet part of the set.
    Pending,
}

/// The objects of one identity.
#[derive(Debug, Clone)]
pub struct IdentityRecord {
    pub(super) genesis: Genesis,
    pub(super) operations: OperationTree,
    pub(super) statements: StatementSet,
    pending: Pending,
    /// The identity log, as of the last evaluation.
    pub(super) path: Vec<Digest>,
    /// The devices if no lock is looked at.
    pub(super) unlocked: Evaluation,
    /// How each device ends.
    pub(super) ends: BTreeMap<DeviceId, Option<End>>,
    /// The locks in force.
    pub(super) locks: Locks,
    pub(super) state: IdentityState,
    /// How often room was looked for since the record was last given something.
    searches: u32,
}

impl IdentityRecord {
    /// Begins a record with the genesis, for a node of `network` (`ID-3`).
    pub fn from_genesis(network: Network, object: SignedObject) -> Result<Self, IdentityError> {
        let Payload::Genesis(genesis) = Payload::decode(object.payload())? else {
            return Err(IdentityError::Genesis("the first object is not a genesis"));
        };
        if !object.approvals().is_empty() {
            return Err(IdentityError::Approvals);
        }
        if genesis.network != network {
            return Err(IdentityError::Genesis("it is of another network"));
        }
        object.verify(Domain::Identity, network, &Signers::of_list(&genesis.control)?)?;
        let state = first_state(Did(object.id().0), &genesis);
        let statements = StatementSet::new(genesis.device);
        let operations = OperationTree::new(object, &genesis);
        let (pending, unlocked, locks) = (Pending::default(), Evaluation::default(), Locks::default());
        let (ends, path) = (BTreeMap::new(), Vec::new());
        let searches = 0;
        let mut record =
            Self { genesis, operations, statements, pending, path, unlocked, ends, locks, state, searches };
        record.evaluate();
        Ok(record)
    }

    /// Begins a record with a genesis and inserts the other objects; fails with the first error.
    pub fn from_objects(
        network: Network,
        objects: impl IntoIterator<Item = SignedObject>,
    ) -> Result<Self, IdentityError> {
        let mut objects = objects.into_iter();
        let first = objects.next().ok_or(IdentityError::Genesis("there is no object"))?;
        let mut record = Self::from_genesis(network, first)?;
        for object in objects {
            record.take(object)?;
        }
        record.evaluate();
        Ok(record)
    }

    /// The identity.
    pub fn did(&self) -> Did {
        self.state.did
    }

    /// The genesis.
    pub fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The state.
    pub fn state(&self) -> &IdentityState {
        &self.state
    }

    /// Takes one object, in any order of arrival.
    pub fn insert(&mut self, object: SignedObject) -> Result<Inserted, IdentityError> {
        self.searches = 0;
        let inserted = self.take(object);
        if self.searches > 0 || inserted == Ok(Inserted::New) {
            self.evaluate();
        }
        inserted
    }

    /// Takes many objects, in any order of arrival, and evaluates them once. The results are in their order.
    pub fn insert_all(
        &mut self,
        objects: impl IntoIterator<Item = SignedObject>,
    ) -> Vec<Result<Inserted, IdentityError>> {
        self.searches = 0;
        let results: Vec<_> = objects.into_iter().map(|object| self.take(object)).collect();
        if self.searches > 0 || results.contains(&Ok(Inserted::New)) {
            self.evaluate();
        }
        results
    }

    /// The devices that the retirement on the log ended, with what it let count of them; none while the identity
    /// stands (`ID-21`).
    pub fn retired_devices(&self) -> Vec<DeviceId> {
        let node = self.state.retired.and_then(|id| self.operations.node(&id));
        match node.and_then(|node| node.operation.as_ref()) {
            Some(Operation::Retire { ends, .. }) => ends.iter().map(|end| end.device).collect(),
            _ => Vec::new(),
        }
    }

    /// True if the object with this id is part of the set.
    pub fn contains(&self, id: &Digest) -> bool {
        self.operations.contains(id) || self.statements.contains(id)
    }

    /// Every object of the set, in an order that goes into an empty record without waiting.
    pub fn objects(&self) -> Vec<SignedObject> {
        let operations = self.operations.in_order().into_iter();
        operations.chain(self.statements.in_order().into_iter().map(|(_, node)| &node.object)).cloned().collect()
    }

    /// The digest of the set: equal sets have equal digests, whatever their order of arrival (`ID-11`).
    pub fn digest(&self) -> Digest {
        let operations = self.operations.iter().map(|(id, _)| id);
        digest_of(operations.chain(self.statements.iter().map(|(id, _)| id)))
    }

    /// Takes one object and whatever was waiting for it, without evaluating.
    fn take(&mut self, object: SignedObject) -> Result<Inserted, IdentityError> {
        let inserted = self.place(object)?;
        if inserted == Inserted::New {
            self.take_pending();
        }
        Ok(inserted)
    }

    /// Objects that waited and turn out wrong are let go.
    fn take_pending(&mut self) {
        loop {
            let (operations, statements) = (&self.operations, &self.statements);
            let ready = self.pending.take_ready(|waits_for| match waits_for {
                WaitsFor::Operation(id) => operations.contains(id),
                WaitsFor::Device(device) => statements.reaches(device),
            });
            let placed = ready.into_iter().filter(|object| self.place(object.clone()) == Ok(Inserted::New)).count();
            if placed == 0 {
                return;
            }
        }
    }

    fn place(&mut self, object: SignedObject) -> Result<Inserted, IdentityError> {
        let id = object.id();
        if self.contains(&id) {
            return Ok(Inserted::Known);
        }
        match Payload::decode(object.payload())? {
            payload if !object.approvals().is_empty() && !payload.is_recovery() => Err(IdentityError::Approvals),
            Payload::Genesis(_) => Err(IdentityError::OtherIdentity(Did(id.0))),
            Payload::Operation(link, operation) => {
                self.check_did(link.did)?;
                self.place_operation(object, link, operation)
            }
            Payload::Statement(origin, statement) => {
                self.check_did(origin.did)?;
                self.place_statement(object, origin, statement)
            }
        }
    }

    fn check_did(&self, did: Did) -> Result<(), IdentityError> {
        if did == self.did() { Ok(()) } else { Err(IdentityError::OtherIdentity(did)) }
    }

    fn place_operation(
        &mut self,
        object: SignedObject,
        link: Link,
        operation: Operation,
    ) -> Result<Inserted, IdentityError> {
        if !self.operations.contains(&link.prev) {
            return self.pending.keep(object, WaitsFor::Operation(link.prev));
        }
        self.operations.verify(&self.genesis, &object, &link, &operation)?;
        let priority = operation.priority();
        if !self.operations.has_room(priority, &object) {
            self.search("as many operations as it may")?;
            self.operations.forget_decided(&self.operations.path().ids);
            let (genesis_device, roots) = (self.genesis.device, self.operations.brought_devices());
            self.statements.retain(genesis_device, roots, |_, _| true);
            if !self.operations.has_room(priority, &object) {
                return Err(IdentityError::Full("as many operations as it may"));
            }
        }
        self.statements.join(operation.renewal().map(|renewal| renewal.devices.as_slice()).unwrap_or_default());
        self.operations.add(object, &link, operation);
        Ok(Inserted::New)
    }

    fn place_statement(
        &mut self,
        object: SignedObject,
        origin: Origin,
        statement: Statement,
    ) -> Result<Inserted, IdentityError> {
        let node = StatementNode::verify(self.genesis.network, object, origin, statement)?;
        if !self.statements.reaches(&node.origin.by) {
            return self.pending.keep(node.object, WaitsFor::Device(node.origin.by));
        }
        if self.statements.is_superseded(&node) {
            return Ok(Inserted::Known);
        }
        if !self.has_room_for_statement(&node) {
            self.search("as many statements or devices as it may")?;
            self.evaluate();
            let ends = &self.unlocked.ends;
            let stands = |id: &Digest, node: &StatementNode| devices::stands(ends, id, &node.origin, &node.statement);
            let joining = self.statements.joining(&self.accepted_by_order());
            let kept = |id: &Digest, node: &StatementNode| joining.contains(id) || stands(id, node);
            self.statements.retain(self.genesis.device, self.operations.brought_devices(), kept);
            let in_force = stands(&node.object.id(), &node);
            if !in_force || !self.has_room_for_statement(&node) {
                return Err(IdentityError::Full("as many statements or devices as it may"));
            }
        }
        self.statements.add(node);
        Ok(Inserted::New)
    }

    /// Looking for room means looking at all that is there, so it is not done for every object of a flood (`ID-12`).
    fn search(&mut self, what: &'static str) -> Result<(), IdentityError> {
        if self.searches == IDENTITY_SEARCHES_MAX {
            return Err(IdentityError::Full(what));
        }
        self.searches += 1;
        Ok(())
    }

    fn has_room_for_statement(&self, node: &StatementNode) -> bool {
        let new_device = matches!(&node.statement, Statement::Grant { device } if !self.statements.reaches(device));
        let devices = self.statements.granted_devices() + usize::from(new_device);
        let bytes = self.statements.bytes() + node.object.bytes();
        let fits = self.statements.len() < IDENTITY_STATEMENTS_MAX && bytes <= IDENTITY_STATEMENTS_BYTES_MAX;
        fits && devices < DEVICES_EVER_MAX
    }
}

/// The SHA-256 of the ids in ascending order (`ID-11`).
pub(super) fn digest_of<'a>(ids: impl Iterator<Item = &'a Digest>) -> Digest {
    let ids: BTreeSet<&Digest> = ids.collect();
    let ids: Vec<&[u8]> = ids.into_iter().map(|id| id.0.as_slice()).collect();
    Digest::of(&ids)
}

/// The state before anything was evaluated.
fn first_state(did: Did, genesis: &Genesis) -> IdentityState {
    IdentityState {
        did,
        network: genesis.network,
        control: genesis.control.clone(),
        next: genesis.next.clone(),
        guardians: genesis.guardians.clone(),
        epoch: 0,
        head: Digest(did.0),
        seq: 0,
        devices: BTreeMap::new(),
        duplicity: None,
        anchors: BTreeMap::new(),
        statements: digest_of([].iter()),
        locks: BTreeMap::new(),
        recovery: None,
        retired: None,
    }
}
