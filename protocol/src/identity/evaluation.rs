//! Computing the state of an identity anew from its set of objects.

use std::collections::{BTreeMap, BTreeSet};

use super::IdentityRecord;
use super::devices::{self, Evaluation, Ordered, raise};
use super::locks::Locks;
use super::path::Path;
use super::payload::{Operation, Origin, Statement};
use super::record::digest_of;
use super::renewal::Renewal;
use super::state::{IdentityState, Priority, Recovery};
use crate::body::LogHead;
use crate::ids::{DeviceId, Digest, LogId};

/// What the operations of the log say, put together.
#[derive(Default)]
struct Said {
    ordered: Ordered,
    anchors: BTreeMap<LogId, LogHead>,
    /// The locks that were lifted.
    lifted: BTreeSet<Digest>,
    retired: Option<Digest>,
}

impl IdentityRecord {
    /// Computes the state anew from the set.
    pub(super) fn evaluate(&mut self) {
        let path = self.operations.path();
        let said = self.read(&path);
        let granted = self.statements.granted();
        self.unlocked = devices::evaluate(&said.ordered, &granted, self.said());
        let unlocked = &self.unlocked;
        self.locks = match said.retired {
            Some(_) => Locks::default(),
            None => Locks::in_force(self.said(), unlocked, &said.lifted),
        };
        let Evaluation { devices, ends } = match self.locks.is_empty() {
            true => unlocked.clone(),
            false => {
                let left = self.said().filter(|(id, _, statement)| self.locks.leave(id, statement));
                devices::evaluate(&said.ordered, &granted, left)
            }
        };
        self.ends = ends;
        let head = path.ids.last().copied().unwrap_or(self.operations.root);
        let place = self.operations.place_after(&self.genesis, &head).expect("the head is part of the tree");
        self.state = IdentityState {
            did: place.did,
            network: place.network,
            epoch: place.epoch,
            head,
            seq: place.seq - 1,
            devices,
            recovery: self.recovery(&path, said.retired),
            duplicity: path.duplicity,
            anchors: said.anchors,
            statements: digest_of(self.statements.iter().map(|(id, _)| id)),
            locks: self.locks.by.clone(),
            retired: said.retired,
            control: place.control,
            next: place.next,
            guardians: place.guardians,
        };
        self.path = path.ids;
    }

    /// The devices that operations end and of which something goes on counting, also where the grant to them fell
    /// away (`ID-7`).
    pub(super) fn accepted_by_order(&self) -> Vec<DeviceId> {
        let removed = self.read(&self.operations.path()).ordered.removed;
        removed.into_iter().filter(|(_, end)| end.accepts_any()).map(|(device, _)| device).collect()
    }

    /// Every statement, with who says it.
    fn said(&self) -> impl Iterator<Item = (&Digest, &Origin, &Statement)> {
        self.statements.iter().map(|(id, node)| (id, &node.origin, &node.statement))
    }

    /// Reads the operations of the log.
    fn read(&self, path: &Path) -> Said {
        let mut said = Said::default();
        for id in &path.ids {
            let Some(operation) = self.operations.node(id).and_then(|node| node.operation.as_ref()) else { continue };
            match operation {
                Operation::Rotate { renewal, .. } => said.renew(*id, renewal),
                Operation::RecoverFinish => {
                    if let Some(renewal) = self.operations.renewal_at(id) {
                        said.renew(*id, renewal);
                    }
                }
                Operation::DeviceRemove(end) => said.end(end),
                Operation::Settle { anchors } => anchors.iter().for_each(|head| raise(&mut said.anchors, head)),
                Operation::Unlock { locks } => said.lifted.extend(locks),
                Operation::Retire { ends, .. } => {
                    ends.iter().for_each(|end| said.end(end));
                    said.ordered.retired = true;
                    said.retired = Some(*id);
                }
                Operation::RecoverStart { .. } | Operation::Cancel { .. } => {}
            }
        }
        said.ordered.roots.reverse();
        said.ordered.roots.push((self.operations.root, self.genesis.device));
        said
    }

    /// The recovery that stands at the head, or that began the epoch of the head (`ID-16`).
    fn recovery(&self, path: &Path, retired: Option<Digest>) -> Option<Recovery> {
        let head = *path.ids.last()?;
        let cancelled = path.duplicity.as_ref().is_some_and(|found| found.priority != Priority::Guardian);
        let operation = |id: &Digest| self.operations.node(id).and_then(|node| node.operation.as_ref());
        let (start, finished) = match operation(&head)? {
            Operation::RecoverStart { .. } if cancelled => return None,
            Operation::RecoverStart { .. } => (head, None),
            _ => {
                let (began, _) = self.operations.node(&head)?.epoch();
                let Operation::RecoverFinish = operation(&began)? else { return None };
                (self.operations.node(&began)?.prev, Some(began))
            }
        };
        let Operation::RecoverStart { renewal } = operation(&start)? else { return None };
        Some(Recovery {
            start,
            renewal: renewal.clone(),
            postponed: self.postponed(&start),
            finished,
            place: self.operations.place_after(&self.genesis, &start)?,
        })
        .filter(|_| retired.is_none())
    }

    /// The devices whose word to postpone a recovery stands.
    fn postponed(&self, start: &Digest) -> Vec<DeviceId> {
        let postpones = self.statements.iter().filter(|(id, node)| {
            let names_it = matches!(&node.statement, Statement::Postpone { start: named } if named == start);
            names_it && devices::stands(&self.ends, id, &node.origin, &node.statement)
        });
        postpones.map(|(_, node)| node.origin.by).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

impl Said {
    fn renew(&mut self, id: Digest, renewal: &Renewal) {
        self.ordered.roots.extend(renewal.devices.iter().rev().map(|device| (id, *device)));
        self.lifted.extend(&renewal.unlocks);
    }

    fn end(&mut self, end: &super::DeviceEnd) {
        self.ordered.removed.entry(end.device).or_default().merge(end);
        end.heads.iter().for_each(|head| raise(&mut self.anchors, head));
    }
}
