//! What is signed: the genesis, the operations of the identity log, and the statements of devices.

use serde::{Deserialize, Serialize};

use super::IdentityError;
use super::keys::{Guardians, KeyList, NextKeys};
use super::renewal::{Renewal, check_ids, check_single_use};
use super::state::Priority;
use crate::body::LogHead;
use crate::ids::{DeviceId, Did, Digest};
use crate::keys::PublicKey;
use crate::limits::{
    DEVICES_LIVE_MAX, IDENTITY_STATEMENTS_MAX, LOCKS_LIFTED_MAX, LOGS_PER_DEVICE_MAX, RECOVERIES_CANCELLED_MAX,
    RETIRED_DEVICES_MAX, SEQ_MAX, SERVICE_ADDRESS_BYTES_MAX, SERVICE_ADDRESSES_MAX,
};
use crate::network::Network;

/// A payload whose form has been checked; nothing is said of who signed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The first object of an identity.
    Genesis(Genesis),
    /// An operation of the identity log.
    Operation(Link, Operation),
    /// A free-standing statement of a device.
    Statement(Origin, Statement),
}

/// Where an operation stands in the identity log (`ID-5`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The identity.
    pub did: Did,
    /// One more than the predecessor's; the genesis has 0.
    pub seq: u64,
    /// The id of the predecessor.
    pub prev: Digest,
}

/// Whose statement it is (`ID-11`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The identity.
    pub did: Did,
    /// The device that states it, and signs at index 0.
    pub by: DeviceId,
}

/// The first object of an identity (`ID-3`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genesis {
    /// The network.
    pub network: Network,
    /// Random or derived bytes.
    pub nonce: [u8; 16],
    /// The first control keys, which sign it.
    pub control: KeyList,
    /// The commitment to the keys that sign the first rotation.
    pub next: NextKeys,
    /// The first device.
    pub device: DeviceId,
    /// Guardians.
    pub guardians: Option<Guardians>,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// New keys, by the next keys (`ID-6`).
    Rotate {
        /// The keys that the epoch committed to; they sign this once and never again.
        reveal: KeyList,
        /// What it brings.
        renewal: Renewal,
    },
    /// Guardians announce new keys (`ID-16`). Nothing changes yet.
    RecoverStart {
        /// What the recovery will bring; its control keys sign.
        renewal: Renewal,
    },
    /// Guardians put the new keys in force (`ID-16`). It stands right after its start.
    RecoverFinish,
    /// Control keys cancel recoveries by standing in their place; it does nothing else (`ID-18`).
    Cancel {
        /// The starts that are meant, ascending; for people to read.
        starts: Vec<Digest>,
    },
    /// A device ends (`ID-7`).
    DeviceRemove(DeviceEnd),
    /// Heads of forked logs that count (`ID-8`).
    Settle {
        /// By ascending log id.
        anchors: Vec<LogHead>,
    },
    /// Locks are lifted (`ID-20`).
    Unlock {
        /// Their ids, ascending.
        locks: Vec<Digest>,
    },
    /// The identity ends (`ID-21`).
    Retire {
        /// The next keys, if they sign and not the control keys.
        reveal: Option<KeyList>,
        /// How each device ends, by ascending device.
        ends: Vec<DeviceEnd>,
    },
}

/// What a device states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// A new device (`ID-10`); it signs at index 1.
    Grant {
        /// The new device.
        device: DeviceId,
    },
    /// A device drops itself or one that it granted (`ID-10`).
    Drop(DeviceEnd),
    /// Where the device can be reached (`ID-11`).
    Services {
        /// Greater than that of any earlier one of this device.
        rev: u64,
        /// Multiaddresses as text.
        addresses: Vec<String>,
    },
    /// New grants, drops and services stop counting (`ID-19`).
    Lock {
        /// Greater than that of any earlier one of this device.
        rev: u64,
        /// The ids of the statements that go on counting, ascending.
        stands: Vec<Digest>,
    },
    /// Guardians are asked to wait once more before they finish a recovery (`ID-18`).
    Postpone {
        /// The `recover-start`.
        start: Digest,
    },
}

/// How a device ends: what of it still counts (`ID-7`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeviceEnd {
    /// The device.
    pub device: DeviceId,
    /// The accepted head of each of its logs, by ascending log id; a log that is not named is void.
    pub heads: Vec<LogHead>,
    /// The ids of its grants and drops that stand, ascending; what is not named is void.
    pub stands: Vec<Digest>,
}

impl Payload {
    /// The type on the wire.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "genesis",
            Self::Operation(_, operation) => operation.type_name(),
            Self::Statement(_, statement) => statement.type_name(),
        }
    }

    /// True for a step of a recovery: nothing else carries approvals (`ID-17`).
    pub(super) fn is_recovery(&self) -> bool {
        matches!(self, Self::Operation(_, Operation::RecoverStart { .. } | Operation::RecoverFinish))
    }

    /// Checks every bound; what a composer calls before signing.
    pub fn check(&self) -> Result<(), IdentityError> {
        match self {
            Self::Genesis(genesis) => genesis.check(),
            Self::Operation(link, operation) => {
                if link.seq == 0 || link.seq > SEQ_MAX {
                    return Err(IdentityError::Chain { seq: link.seq, prev_seq: 0 });
                }
                operation.check()
            }
            Self::Statement(origin, statement) => {
                check_key(&origin.by)?;
                statement.check(&origin.by)
            }
        }
    }
}

impl Genesis {
    fn check(&self) -> Result<(), IdentityError> {
        self.control.public_keys()?;
        self.next.check()?;
        if let Some(guardians) = &self.guardians {
            guardians.check()?;
        }
        check_single_use(None, &self.control, &self.next)?;
        check_key(&self.device)
    }
}

impl Operation {
    /// The type on the wire.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Rotate { .. } => "rotate",
            Self::RecoverStart { .. } => "recover-start",
            Self::RecoverFinish => "recover-finish",
            Self::Cancel { .. } => "cancel",
            Self::DeviceRemove(_) => "device-remove",
            Self::Settle { .. } => "settle",
            Self::Unlock { .. } => "unlock",
            Self::Retire { .. } => "retire",
        }
    }

    /// Whose operation it is, in the order that decides at one predecessor (`ID-9`).
    pub fn priority(&self) -> Priority {
        match self {
            Self::Rotate { .. } | Self::Retire { reveal: Some(_), .. } => Priority::Next,
            Self::RecoverStart { .. } | Self::RecoverFinish => Priority::Guardian,
            Self::Cancel { .. } | Self::DeviceRemove(_) | Self::Settle { .. } | Self::Unlock { .. } => {
                Priority::Control
            }
            Self::Retire { reveal: None, .. } => Priority::Control,
        }
    }

    /// The keys that a next-key operation reveals.
    pub(super) fn reveal(&self) -> Option<&KeyList> {
        match self {
            Self::Rotate { reveal, .. } => Some(reveal),
            Self::Retire { reveal, .. } => reveal.as_ref(),
            _ => None,
        }
    }

    fn check(&self) -> Result<(), IdentityError> {
        match self {
            Self::Rotate { reveal, renewal } => {
                reveal.public_keys()?;
                renewal.check(Some(reveal))
            }
            Self::RecoverStart { renewal } => renewal.check(None),
            Self::RecoverFinish => Ok(()),
            Self::Cancel { starts } => check_ids("cancelled recoveries", starts, RECOVERIES_CANCELLED_MAX),
            Self::DeviceRemove(end) => end.check(),
            Self::Settle { anchors } => {
                let good = !anchors.is_empty() && are_heads(anchors, DEVICES_LIVE_MAX * LOGS_PER_DEVICE_MAX);
                if good { Ok(()) } else { Err(IdentityError::Anchors) }
            }
            Self::Unlock { locks } => check_ids("lifted locks", locks, LOCKS_LIFTED_MAX),
            Self::Retire { reveal, ends } => {
                if let Some(reveal) = reveal {
                    reveal.public_keys()?;
                }
                let ascending = ends.windows(2).all(|pair| pair[0].device < pair[1].device);
                if !ascending || ends.len() > RETIRED_DEVICES_MAX {
                    return Err(IdentityError::Heads("ended devices"));
                }
                ends.iter().try_for_each(DeviceEnd::check)
            }
        }
    }
}

impl Statement {
    /// The type on the wire.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Grant { .. } => "grant",
            Self::Drop(_) => "drop",
            Self::Services { .. } => "services",
            Self::Lock { .. } => "lock",
            Self::Postpone { .. } => "postpone",
        }
    }

    /// True for what a lock stops (`ID-19`).
    pub fn can_be_locked(&self) -> bool {
        matches!(self, Self::Grant { .. } | Self::Drop(_) | Self::Services { .. })
    }

    /// The revision, where the greatest of a device supersedes the others (`ID-11`, `ID-19`).
    pub(super) fn rev(&self) -> Option<u64> {
        match self {
            Self::Services { rev, .. } | Self::Lock { rev, .. } => Some(*rev),
            Self::Grant { .. } | Self::Drop(_) | Self::Postpone { .. } => None,
        }
    }

    fn check(&self, by: &DeviceId) -> Result<(), IdentityError> {
        match self {
            Self::Grant { device } if device == by => Err(IdentityError::SelfGrant),
            Self::Grant { device } => check_key(device),
            Self::Drop(end) => end.check(),
            Self::Services { rev, addresses } => {
                let fits = addresses.len() <= SERVICE_ADDRESSES_MAX && *rev <= SEQ_MAX;
                let good = fits && addresses.iter().all(|address| is_address(address));
                if good { Ok(()) } else { Err(IdentityError::Addresses) }
            }
            Self::Lock { rev, .. } if *rev > SEQ_MAX => Err(IdentityError::Ids("revision and statements of a lock")),
            Self::Lock { stands, .. } => {
                check_ids("revision and statements of a lock", stands, IDENTITY_STATEMENTS_MAX)
            }
            Self::Postpone { .. } => Ok(()),
        }
    }
}

impl DeviceEnd {
    fn check(&self) -> Result<(), IdentityError> {
        if !are_heads(&self.heads, LOGS_PER_DEVICE_MAX) {
            return Err(IdentityError::Heads("heads"));
        }
        let ascending = self.stands.windows(2).all(|pair| pair[0] < pair[1]);
        let fits = self.stands.len() <= IDENTITY_STATEMENTS_MAX;
        if ascending && fits { Ok(()) } else { Err(IdentityError::Heads("statement ids")) }
    }
}

/// An address as text: 1 to 256 printable ASCII characters (`ID-11`, `ID-14`).
pub(crate) fn is_address(text: &str) -> bool {
    (1..=SERVICE_ADDRESS_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn check_key(key: &DeviceId) -> Result<(), IdentityError> {
    PublicKey::from_bytes(&key.0).map(|_| ()).map_err(IdentityError::Key)
}

/// Ascending by log, at most `max`, each of a height that a log can have.
fn are_heads(heads: &[LogHead], max: usize) -> bool {
    let ascending = heads.windows(2).all(|pair| pair[0].log < pair[1].log);
    let heights = heads.iter().all(|head| (1..=SEQ_MAX + 1).contains(&head.height));
    ascending && heights && heads.len() <= max
}
