//! Devices: a pure function of the statements and of what control keys and guardians ordered.

use std::collections::{BTreeMap, BTreeSet};

use super::payload::{DeviceEnd, Origin, Statement};
use super::state::{Device, DeviceStatus};
use crate::body::LogHead;
use crate::ids::{DeviceId, Digest, LogId};
use crate::keys::PublicKey;
use crate::limits::DEVICES_LIVE_MAX;

/// The end of a device, put together from all that say so with equal right.
#[derive(Debug, Clone, Default)]
pub(super) struct End {
    accepted: BTreeMap<LogId, LogHead>,
    stands: BTreeSet<Digest>,
}

/// The devices, and how each of them ends, if it does.
#[derive(Debug, Clone, Default)]
pub(super) struct Evaluation {
    pub(super) devices: BTreeMap<DeviceId, Device>,
    pub(super) ends: BTreeMap<DeviceId, Option<End>>,
}

/// A device that may be admitted: by which grant or operation, and by whom if it was a grant.
type Candidate = (Digest, DeviceId, Option<DeviceId>);

/// What control keys and guardians say about devices.
#[derive(Debug, Clone, Default)]
pub(super) struct Ordered {
    /// The devices that nobody granted, with what brought them: the newest first, the genesis device last.
    pub(super) roots: Vec<(Digest, DeviceId)>,
    /// How control keys end devices.
    pub(super) removed: BTreeMap<DeviceId, End>,
    /// The identity is retired: every device has ended.
    pub(super) retired: bool,
}

/// The statements of one identity, sorted by who says what.
#[derive(Debug, Default)]
struct Said<'a> {
    grants: BTreeMap<DeviceId, Vec<(Digest, DeviceId)>>,
    /// By dropping and dropped device.
    drops: BTreeMap<(DeviceId, DeviceId), Vec<(Digest, &'a DeviceEnd)>>,
    services: BTreeMap<DeviceId, (u64, Digest, &'a [String])>,
}

impl End {
    /// True where something that the device said goes on counting.
    pub(super) fn accepts_any(&self) -> bool {
        !self.accepted.is_empty() || !self.stands.is_empty()
    }

    /// Adds what one more operation or statement accepts: heads only rise (`ID-7`).
    pub(super) fn merge(&mut self, end: &DeviceEnd) {
        for head in &end.heads {
            raise(&mut self.accepted, head);
        }
        self.stands.extend(&end.stands);
    }
}

/// Keeps the greater of two heads of one log; the first of two of equal height.
pub(super) fn raise(heads: &mut BTreeMap<LogId, LogHead>, head: &LogHead) {
    let kept = heads.entry(head.log).or_insert(*head);
    if head.height > kept.height {
        *kept = *head;
    }
}

/// Every admitted device (`ID-10`).
///
/// Goes outward from the devices that nobody granted along the grants that stand, nearest first, at
/// equal distance by ascending grant id; so each device hangs from one granter, and nothing depends on
/// arrival.
///
/// `granted` is every device that a grant names, with the first such grant, whether or not a lock stops it.
pub(super) fn evaluate<'a>(
    ordered: &Ordered,
    granted: &BTreeMap<DeviceId, Digest>,
    statements: impl IntoIterator<Item = (&'a Digest, &'a Origin, &'a Statement)>,
) -> Evaluation {
    let said = Said::sort(statements);
    let mut evaluation = Evaluation { devices: BTreeMap::new(), ends: BTreeMap::new() };
    let roots = ordered.roots.iter().map(|(brought_by, device)| (*brought_by, *device, None));
    evaluation.spread(roots.collect(), ordered, &said);
    // Control keys accept what a removed device wrote even where the grant to it fell away.
    let fallen = |device: &&DeviceId| granted.contains_key(*device) && !evaluation.devices.contains_key(*device);
    let fallen: Vec<DeviceId> = ordered.removed.keys().filter(fallen).copied().collect();
    for device in fallen {
        evaluation.spread(vec![(granted[&device], device, None)], ordered, &said);
    }
    evaluation
}

/// Whether a statement is in force: its device is admitted and goes on, or its end names it, or it is
/// its own drop (`ID-10`).
pub(super) fn stands(
    ends: &BTreeMap<DeviceId, Option<End>>,
    id: &Digest,
    origin: &Origin,
    statement: &Statement,
) -> bool {
    let own_drop = matches!(statement, Statement::Drop(end) if end.device == origin.by);
    match ends.get(&origin.by) {
        None => false,
        Some(None) => true,
        Some(Some(end)) => own_drop || end.stands.contains(id),
    }
}

impl Evaluation {
    /// Admits candidates in their order and, level by level, what they granted.
    fn spread(&mut self, mut level: Vec<Candidate>, ordered: &Ordered, said: &Said<'_>) {
        let mut live = self.devices.values().filter(|device| device.is_live()).count();
        while !level.is_empty() {
            let mut next_level = Vec::new();
            for (admitted_by, id, granted_by) in level {
                if self.devices.contains_key(&id) {
                    continue;
                }
                let end = ordered.removed.get(&id).cloned().or_else(|| said.end_of(id, granted_by, &self.ends));
                let end = end.or_else(|| ordered.retired.then(End::default));
                if end.is_none() && live == DEVICES_LIVE_MAX {
                    continue;
                }
                let Ok(key) = PublicKey::from_bytes(&id.0) else { continue };
                live += usize::from(end.is_none());
                let stands = |grant: &&(Digest, DeviceId)| end.as_ref().is_none_or(|end| end.stands.contains(&grant.0));
                let grants = said.grants.get(&id).into_iter().flatten().filter(stands);
                next_level.extend(grants.map(|(grant, device)| (*grant, *device, Some(id))));
                self.devices.insert(id, said.device(key, admitted_by, granted_by, end.as_ref()));
                self.ends.insert(id, end);
            }
            next_level.sort_unstable();
            level = next_level;
        }
    }
}

impl<'a> Said<'a> {
    fn sort(statements: impl IntoIterator<Item = (&'a Digest, &'a Origin, &'a Statement)>) -> Self {
        let mut said = Self::default();
        for (id, origin, statement) in statements {
            match statement {
                Statement::Grant { device } => said.grants.entry(origin.by).or_default().push((*id, *device)),
                Statement::Drop(end) => said.drops.entry((origin.by, end.device)).or_default().push((*id, end)),
                Statement::Services { rev, addresses } => {
                    let newest = said.services.entry(origin.by).or_insert((*rev, *id, addresses));
                    if (*rev, *id) > (newest.0, newest.1) {
                        *newest = (*rev, *id, addresses);
                    }
                }
                Statement::Lock { .. } | Statement::Postpone { .. } => {}
            }
        }
        said
    }

    /// The end that drops give a device: those of its granter that stand, otherwise its own.
    fn end_of(
        &self,
        device: DeviceId,
        granted_by: Option<DeviceId>,
        ends: &BTreeMap<DeviceId, Option<End>>,
    ) -> Option<End> {
        let by_granter = granted_by.and_then(|granter| {
            let granter_end = ends.get(&granter).and_then(Option::as_ref);
            let stands = |id: &Digest| granter_end.is_none_or(|end| end.stands.contains(id));
            self.merged((granter, device), stands)
        });
        by_granter.or_else(|| self.merged((device, device), |_| true))
    }

    fn merged(&self, key: (DeviceId, DeviceId), stands: impl Fn(&Digest) -> bool) -> Option<End> {
        let mut merged = None;
        for (id, end) in self.drops.get(&key).into_iter().flatten() {
            if stands(id) {
                merged.get_or_insert_with(End::default).merge(end);
            }
        }
        merged
    }

    fn device(&self, key: PublicKey, admitted_by: Digest, granted_by: Option<DeviceId>, end: Option<&End>) -> Device {
        match end {
            Some(end) => {
                let status = DeviceStatus::Ended { accepted: end.accepted.clone() };
                Device { key, admitted_by, granted_by, status, services: Vec::new() }
            }
            None => {
                let services = self.services.get(&key.device_id());
                let services = services.map(|(_, _, addresses)| addresses.to_vec()).unwrap_or_default();
                Device { key, admitted_by, granted_by, status: DeviceStatus::Live, services }
            }
        }
    }
}
