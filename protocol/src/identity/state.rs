//! What follows from an identity's objects: its keys, its devices, and what of each device counts.

use std::collections::BTreeMap;

use super::keys::{Guardians, KeyList, NextKeys};
use super::place::Place;
use super::renewal::Renewal;
use crate::body::LogHead;
use crate::ids::{DeviceId, Did, Digest, LogId};
use crate::keys::PublicKey;
use crate::log::root_log_id;
use crate::network::Network;
use crate::rule::Rule;

/// The state of an identity: a pure function of the set of its objects.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityState {
    /// The identity.
    pub did: Did,
    /// The network.
    pub network: Network,
    /// The current control keys.
    pub control: KeyList,
    /// The commitment to the keys after them.
    pub next: NextKeys,
    /// Guardians.
    pub guardians: Option<Guardians>,
    /// How many rotations and finished recoveries there were: the index of the control key that derives
    /// from a phrase.
    pub epoch: u32,
    /// The id of the newest operation of the identity log, or of the genesis; the next one links to it.
    pub head: Digest,
    /// Its number; the genesis has 0.
    pub seq: u64,
    /// Every device that was ever admitted.
    pub devices: BTreeMap<DeviceId, Device>,
    /// Two operations at one place, which freeze the log there until a higher key decides (`ID-9`).
    pub duplicity: Option<Duplicity>,
    /// For each log that a control key named in a `settle` or `device-remove`: the greatest head (`ID-8`).
    pub anchors: BTreeMap<LogId, LogHead>,
    /// The digest of the statements (`ID-11`).
    pub statements: Digest,
    /// The locks in force, with the devices that made them (`ID-19`).
    pub locks: BTreeMap<Digest, DeviceId>,
    /// The recovery that guardians have started, or the one that began this epoch (`ID-16`).
    pub recovery: Option<Recovery>,
    /// The operation that ended the identity (`ID-21`).
    pub retired: Option<Digest>,
}

/// A recovery by guardians that nothing has cancelled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The `recover-start`.
    pub start: Digest,
    /// What it brings.
    pub renewal: Renewal,
    /// The devices that ask the guardians to wait once more, ascending; many count like one.
    pub postponed: Vec<DeviceId>,
    /// The `recover-finish`, once it is in force.
    pub finished: Option<Digest>,
    /// Where the finish stands. An operation of the control keys of this place, here, cancels the
    /// recovery even when it is finished (`ID-9`).
    pub place: Place,
}

/// A device of an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// Its key.
    pub key: PublicKey,
    /// The grant, or the genesis or operation that brought it.
    pub admitted_by: Digest,
    /// Who granted it; none for a device that the genesis or an operation brought.
    pub granted_by: Option<DeviceId>,
    /// Whether it goes on.
    pub status: DeviceStatus,
    /// Where it can be reached, by its own newest statement; empty if it has ended.
    pub services: Vec<String>,
}

/// Whether a device goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceStatus {
    /// It may sign.
    Live,
    /// It may not; what counts of each of its logs ends at an accepted head.
    Ended {
        /// The accepted head of each log; a log that is not there is void.
        accepted: BTreeMap<LogId, LogHead>,
    },
}

/// Proof of two valid successors of equal priority (`ID-9`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicity {
    /// Which keys signed them.
    pub priority: Priority,
    /// The predecessor up to which the log stands.
    pub at: Digest,
    /// The ids of operations that exclude each other, ascending; below next keys the first two.
    pub proof: Vec<Digest>,
}

/// The order among keys at one predecessor (`ID-9`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Guardians, by a recovery.
    Guardian,
    /// Control keys; they outrank guardians.
    Control,
    /// Next keys, by a rotation or a retirement; they outrank control keys.
    Next,
}

/// An entry that does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAdmitted {
    /// The key is no device of the identity, or its grant does not stand (`LOG-7`).
    #[error("{0} is not a device of this identity")]
    UnknownDevice(DeviceId),
    /// The device has ended, and this log of it was not accepted (`ID-7`).
    #[error("device has ended and log {0} of it was not accepted")]
    LogVoid(LogId),
    /// The device has ended before this entry (`ID-7`).
    #[error("device has ended at height {height}, entry has number {seq}")]
    AfterEnd {
        /// The accepted height.
        height: u64,
        /// The entry's place.
        seq: u64,
    },
    /// The entry stands at the accepted height but is not the accepted head (`ID-7`).
    #[error("entry {seq} is not the accepted head of the ended device")]
    OtherBranch {
        /// The entry's place.
        seq: u64,
    },
}

impl NotAdmitted {
    /// The rule that the entry breaks.
    pub fn rule(&self) -> Rule {
        match self {
            Self::UnknownDevice(_) => Rule("LOG-7"),
            Self::LogVoid(_) | Self::AfterEnd { .. } | Self::OtherBranch { .. } => Rule("ID-7"),
        }
    }
}

impl IdentityState {
    /// Whether the entry with number `seq` and header hash `hash` in `log` of `device` counts
    /// (`LOG-7`, `ID-7`). Below an accepted head only its ancestors do, which is for the chain to show.
    pub fn admits(&self, device: &DeviceId, log: &LogId, seq: u64, hash: &Digest) -> Result<(), NotAdmitted> {
        let known = self.devices.get(device).ok_or(NotAdmitted::UnknownDevice(*device))?;
        let DeviceStatus::Ended { accepted } = &known.status else { return Ok(()) };
        let head = accepted.get(log).ok_or(NotAdmitted::LogVoid(*log))?;
        if seq >= head.height {
            return Err(NotAdmitted::AfterEnd { height: head.height, seq });
        }
        let is_head = seq + 1 == head.height;
        if is_head && *hash != head.head { Err(NotAdmitted::OtherBranch { seq }) } else { Ok(()) }
    }

    /// The device, if it may sign now.
    pub fn live_device(&self, device: &DeviceId) -> Option<&Device> {
        self.devices.get(device).filter(|device| device.is_live())
    }

    /// The devices that may sign now.
    pub fn live_devices(&self) -> impl Iterator<Item = (&DeviceId, &Device)> {
        self.devices.iter().filter(|(_, device)| device.is_live())
    }

    /// The place after the head, where the next operation stands.
    pub fn place(&self) -> Place {
        Place {
            network: self.network,
            did: self.did,
            prev: self.head,
            seq: self.seq + 1,
            epoch: self.epoch,
            control: self.control.clone(),
            next: self.next.clone(),
            guardians: self.guardians.clone(),
        }
    }

    /// The id of the root log of `device` (`LOG-1`).
    pub fn root_log(&self, device: &DeviceId) -> LogId {
        root_log_id(self.network, &self.did, device)
    }
}

impl Device {
    /// True if it may sign now.
    pub fn is_live(&self) -> bool {
        self.status == DeviceStatus::Live
    }
}
