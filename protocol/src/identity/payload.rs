//! What is signed: the genesis, the operations of the identity log, and the statements of devices.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::IdentityError;
use super::keys::{Guardians, KeyList, NextKeys};
use crate::body::LogHead;
use crate::encoding;
use crate::ids::{DeviceId, Did, Digest};
use crate::keys::PublicKey;
use crate::limits::{
    DEVICES_LIVE_MAX, IDENTITY_OBJECT_BYTES_MAX, IDENTITY_STATEMENTS_MAX, LOGS_PER_DEVICE_MAX, SEQ_MAX,
    SERVICE_ADDRESS_BYTES_MAX, SERVICE_ADDRESSES_MAX,
};
use crate::network::Network;

/// The version of payloads that this code writes and reads.
const PAYLOAD_VERSION: u64 = 1;

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
    /// The commitment to the control keys after them.
    pub next: NextKeys,
    /// The first device.
    pub device: DeviceId,
    /// Guardians.
    pub guardians: Option<Guardians>,
}

/// What an operation does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// New control keys (`ID-6`).
    Rotate {
        /// The keys that the predecessor committed to; they sign.
        control: KeyList,
        /// The commitment to the keys after them.
        next: NextKeys,
        /// Guardians from here on.
        guardians: Option<Guardians>,
    },
    /// A device ends (`ID-7`).
    DeviceRemove(DeviceEnd),
    /// Heads of forked logs that count (`ID-8`).
    Settle {
        /// By ascending log id.
        anchors: Vec<LogHead>,
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
}

/// How a device ends: what of it still counts (`ID-7`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceEnd {
    /// The device.
    pub device: DeviceId,
    /// The accepted head of each of its logs, by ascending log id; a log that is not named is void.
    pub heads: Vec<LogHead>,
    /// The ids of its grants and drops that stand, ascending; what is not named is void.
    pub stands: Vec<Digest>,
}

/// The two members by which a payload is told.
#[derive(Deserialize)]
struct Tag {
    v: u64,
    #[serde(rename = "type")]
    name: String,
}

macro_rules! wire {
    ($(#[$doc:meta])* $name:ident { $($(#[$attr:meta])* $field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
            v: u64,
            #[serde(rename = "type")]
            name: String,
            $($(#[$attr])* $field: $type,)*
        }
    };
}

wire!(GenesisMap {
    network: String,
    #[serde(with = "serde_bytes")]
    nonce: [u8; 16],
    control: KeyList,
    next: NextKeys,
    device: DeviceId,
    #[serde(deserialize_with = "present")]
    guardians: Option<Guardians>,
});
wire!(RotateMap {
    did: Did,
    seq: u64,
    prev: Digest,
    control: KeyList,
    next: NextKeys,
    #[serde(deserialize_with = "present")]
    guardians: Option<Guardians>,
});
wire!(DeviceRemoveMap { did: Did, seq: u64, prev: Digest, device: DeviceId, heads: Vec<LogHead>, stands: Vec<Digest>, });
wire!(SettleMap { did: Did, seq: u64, prev: Digest, anchors: Vec<LogHead>, });
wire!(GrantMap { did: Did, by: DeviceId, device: DeviceId });
wire!(DropMap { did: Did, by: DeviceId, device: DeviceId, heads: Vec<LogHead>, stands: Vec<Digest>, });
wire!(ServicesMap { did: Did, by: DeviceId, rev: u64, addresses: Vec<String>, });

/// Reads a member that must be there, though it may be null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

impl Payload {
    /// Decodes a payload and checks all that can be checked of it alone.
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let Tag { v, name } = read(bytes)?;
        if v != PAYLOAD_VERSION {
            return Err(IdentityError::UnknownType { version: v, name });
        }
        let payload = match name.as_str() {
            "genesis" => Self::Genesis(read::<GenesisMap>(bytes)?.try_into()?),
            "rotate" => read::<RotateMap>(bytes)?.into(),
            "device-remove" => read::<DeviceRemoveMap>(bytes)?.into(),
            "settle" => read::<SettleMap>(bytes)?.into(),
            "grant" => read::<GrantMap>(bytes)?.into(),
            "drop" => read::<DropMap>(bytes)?.into(),
            "services" => read::<ServicesMap>(bytes)?.into(),
            _ => return Err(IdentityError::UnknownType { version: v, name }),
        };
        payload.check()?;
        Ok(payload)
    }

    /// The canonical bytes. Check with [`Payload::check`] first.
    pub fn encode(&self) -> Vec<u8> {
        let name = self.type_name().to_owned();
        match self.clone() {
            Self::Genesis(Genesis { network, nonce, control, next, device, guardians }) => {
                let network = network.to_string();
                encoding::encode(&GenesisMap { v: 1, name, network, nonce, control, next, device, guardians })
            }
            Self::Operation(Link { did, seq, prev }, operation) => match operation {
                Operation::Rotate { control, next, guardians } => {
                    encoding::encode(&RotateMap { v: 1, name, did, seq, prev, control, next, guardians })
                }
                Operation::DeviceRemove(DeviceEnd { device, heads, stands }) => {
                    encoding::encode(&DeviceRemoveMap { v: 1, name, did, seq, prev, device, heads, stands })
                }
                Operation::Settle { anchors } => encoding::encode(&SettleMap { v: 1, name, did, seq, prev, anchors }),
            },
            Self::Statement(Origin { did, by }, statement) => match statement {
                Statement::Grant { device } => encoding::encode(&GrantMap { v: 1, name, did, by, device }),
                Statement::Drop(DeviceEnd { device, heads, stands }) => {
                    encoding::encode(&DropMap { v: 1, name, did, by, device, heads, stands })
                }
                Statement::Services { rev, addresses } => {
                    encoding::encode(&ServicesMap { v: 1, name, did, by, rev, addresses })
                }
            },
        }
    }

    /// The type on the wire.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Genesis(_) => "genesis",
            Self::Operation(_, Operation::Rotate { .. }) => "rotate",
            Self::Operation(_, Operation::DeviceRemove(_)) => "device-remove",
            Self::Operation(_, Operation::Settle { .. }) => "settle",
            Self::Statement(_, Statement::Grant { .. }) => "grant",
            Self::Statement(_, Statement::Drop(_)) => "drop",
            Self::Statement(_, Statement::Services { .. }) => "services",
        }
    }

    /// Checks every bound; what a composer calls before signing.
    pub fn check(&self) -> Result<(), IdentityError> {
        match self {
            Self::Genesis(genesis) => {
                check_keys(&genesis.control, &genesis.next, genesis.guardians.as_ref())?;
                check_key(&genesis.device)
            }
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

impl Operation {
    fn check(&self) -> Result<(), IdentityError> {
        match self {
            Self::Rotate { control, next, guardians } => check_keys(control, next, guardians.as_ref()),
            Self::DeviceRemove(end) => end.check(),
            Self::Settle { anchors } => {
                let good = !anchors.is_empty() && are_heads(anchors, DEVICES_LIVE_MAX * LOGS_PER_DEVICE_MAX);
                if good { Ok(()) } else { Err(IdentityError::Anchors) }
            }
        }
    }
}

impl Statement {
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

impl TryFrom<GenesisMap> for Genesis {
    type Error = IdentityError;

    fn try_from(map: GenesisMap) -> Result<Self, IdentityError> {
        let GenesisMap { network, nonce, control, next, device, guardians, .. } = map;
        let network = network.parse().map_err(|_| IdentityError::Genesis("name of the network is not allowed"))?;
        Ok(Self { network, nonce, control, next, device, guardians })
    }
}

impl From<RotateMap> for Payload {
    fn from(RotateMap { did, seq, prev, control, next, guardians, .. }: RotateMap) -> Self {
        Self::Operation(Link { did, seq, prev }, Operation::Rotate { control, next, guardians })
    }
}

impl From<DeviceRemoveMap> for Payload {
    fn from(DeviceRemoveMap { did, seq, prev, device, heads, stands, .. }: DeviceRemoveMap) -> Self {
        Self::Operation(Link { did, seq, prev }, Operation::DeviceRemove(DeviceEnd { device, heads, stands }))
    }
}

impl From<SettleMap> for Payload {
    fn from(SettleMap { did, seq, prev, anchors, .. }: SettleMap) -> Self {
        Self::Operation(Link { did, seq, prev }, Operation::Settle { anchors })
    }
}

impl From<GrantMap> for Payload {
    fn from(GrantMap { did, by, device, .. }: GrantMap) -> Self {
        Self::Statement(Origin { did, by }, Statement::Grant { device })
    }
}

impl From<DropMap> for Payload {
    fn from(DropMap { did, by, device, heads, stands, .. }: DropMap) -> Self {
        Self::Statement(Origin { did, by }, Statement::Drop(DeviceEnd { device, heads, stands }))
    }
}

impl From<ServicesMap> for Payload {
    fn from(ServicesMap { did, by, rev, addresses, .. }: ServicesMap) -> Self {
        Self::Statement(Origin { did, by }, Statement::Services { rev, addresses })
    }
}

/// An address as text: 1 to 256 printable ASCII characters (`ID-11`, `ID-14`).
pub(crate) fn is_address(text: &str) -> bool {
    (1..=SERVICE_ADDRESS_BYTES_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, IdentityError> {
    Ok(encoding::decode(bytes, IDENTITY_OBJECT_BYTES_MAX)?)
}

fn check_keys(control: &KeyList, next: &NextKeys, guardians: Option<&Guardians>) -> Result<(), IdentityError> {
    control.public_keys()?;
    next.check()?;
    guardians.map_or(Ok(()), Guardians::check)
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
