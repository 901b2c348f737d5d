//! The payloads as maps: decoding and encoding.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize};

use super::IdentityError;
use super::keys::{Guardians, KeyList, NextKeys};
use super::payload::{DeviceEnd, Genesis, Link, Operation, Origin, Payload, Statement};
use super::renewal::Renewal;
use crate::body::LogHead;
use crate::encoding;
use crate::ids::{DeviceId, Did, Digest};
use crate::limits::IDENTITY_OBJECT_BYTES_MAX;

/// The version of payloads that this code writes and reads.
const PAYLOAD_VERSION: u64 = 1;

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
    reveal: KeyList,
    control: KeyList,
    next: NextKeys,
    #[serde(deserialize_with = "present")]
    guardians: Option<Guardians>,
    devices: Vec<DeviceId>,
    unlocks: Vec<Digest>,
});
wire!(RecoverStartMap {
    did: Did,
    seq: u64,
    prev: Digest,
    control: KeyList,
    next: NextKeys,
    #[serde(deserialize_with = "present")]
    guardians: Option<Guardians>,
    devices: Vec<DeviceId>,
    unlocks: Vec<Digest>,
});
wire!(RecoverFinishMap { did: Did, seq: u64, prev: Digest });
wire!(CancelMap { did: Did, seq: u64, prev: Digest, starts: Vec<Digest> });
wire!(DeviceRemoveMap { did: Did, seq: u64, prev: Digest, device: DeviceId, heads: Vec<LogHead>, stands: Vec<Digest> });
wire!(SettleMap { did: Did, seq: u64, prev: Digest, anchors: Vec<LogHead> });
wire!(UnlockMap { did: Did, seq: u64, prev: Digest, locks: Vec<Digest> });
wire!(RetireMap {
    did: Did,
    seq: u64,
    prev: Digest,
    #[serde(deserialize_with = "present")]
    reveal: Option<KeyList>,
    ends: Vec<DeviceEnd>,
});
wire!(GrantMap { did: Did, by: DeviceId, device: DeviceId });
wire!(DropMap { did: Did, by: DeviceId, device: DeviceId, heads: Vec<LogHead>, stands: Vec<Digest> });
wire!(ServicesMap { did: Did, by: DeviceId, rev: u64, addresses: Vec<String> });
wire!(LockMap { did: Did, by: DeviceId, rev: u64, stands: Vec<Digest> });
wire!(PostponeMap { did: Did, by: DeviceId, start: Digest });

/// Reads a member that must be there, though it may be null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    Option::deserialize(from)
}

fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, IdentityError> {
    Ok(encoding::decode(bytes, IDENTITY_OBJECT_BYTES_MAX)?)
}

fn read_tag(bytes: &[u8]) -> Result<String, IdentityError> {
    let Tag { v, name } = read(bytes)?;
    if v == PAYLOAD_VERSION { Ok(name) } else { Err(IdentityError::UnknownType { version: v, name }) }
}

impl Payload {
    /// Decodes a payload and checks all that can be checked of it alone.
    pub fn decode(bytes: &[u8]) -> Result<Self, IdentityError> {
        let name = read_tag(bytes)?;
        let payload = match name.as_str() {
            "genesis" => read::<GenesisMap>(bytes)?.into_payload()?,
            "rotate" => read::<RotateMap>(bytes)?.into_payload(),
            "recover-start" => read::<RecoverStartMap>(bytes)?.into_payload(),
            "recover-finish" => {
                let RecoverFinishMap { did, seq, prev, .. } = read(bytes)?;
                Self::Operation(Link { did, seq, prev }, Operation::RecoverFinish)
            }
            "cancel" => {
                let CancelMap { did, seq, prev, starts, .. } = read(bytes)?;
                Self::Operation(Link { did, seq, prev }, Operation::Cancel { starts })
            }
            "device-remove" => {
                let DeviceRemoveMap { did, seq, prev, device, heads, stands, .. } = read(bytes)?;
                let end = DeviceEnd { device, heads, stands };
                Self::Operation(Link { did, seq, prev }, Operation::DeviceRemove(end))
            }
            "settle" => {
                let SettleMap { did, seq, prev, anchors, .. } = read(bytes)?;
                Self::Operation(Link { did, seq, prev }, Operation::Settle { anchors })
            }
            "unlock" => {
                let UnlockMap { did, seq, prev, locks, .. } = read(bytes)?;
                Self::Operation(Link { did, seq, prev }, Operation::Unlock { locks })
            }
            "retire" => {
                let RetireMap { did, seq, prev, reveal, ends, .. } = read(bytes)?;
                Self::Operation(Link { did, seq, prev }, Operation::Retire { reveal, ends })
            }
            "grant" => {
                let GrantMap { did, by, device, .. } = read(bytes)?;
                Self::Statement(Origin { did, by }, Statement::Grant { device })
            }
            "drop" => {
                let DropMap { did, by, device, heads, stands, .. } = read(bytes)?;
                Self::Statement(Origin { did, by }, Statement::Drop(DeviceEnd { device, heads, stands }))
            }
            "services" => {
                let ServicesMap { did, by, rev, addresses, .. } = read(bytes)?;
                Self::Statement(Origin { did, by }, Statement::Services { rev, addresses })
            }
            "lock" => {
                let LockMap { did, by, rev, stands, .. } = read(bytes)?;
                Self::Statement(Origin { did, by }, Statement::Lock { rev, stands })
            }
            "postpone" => {
                let PostponeMap { did, by, start, .. } = read(bytes)?;
                Self::Statement(Origin { did, by }, Statement::Postpone { start })
            }
            _ => return Err(IdentityError::UnknownType { version: PAYLOAD_VERSION, name }),
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
            Self::Operation(link, operation) => encode_operation(name, link, operation),
            Self::Statement(Origin { did, by }, statement) => match statement {
                Statement::Grant { device } => encoding::encode(&GrantMap { v: 1, name, did, by, device }),
                Statement::Drop(DeviceEnd { device, heads, stands }) => {
                    encoding::encode(&DropMap { v: 1, name, did, by, device, heads, stands })
                }
                Statement::Services { rev, addresses } => {
                    encoding::encode(&ServicesMap { v: 1, name, did, by, rev, addresses })
                }
                Statement::Lock { rev, stands } => encoding::encode(&LockMap { v: 1, name, did, by, rev, stands }),
                Statement::Postpone { start } => encoding::encode(&PostponeMap { v: 1, name, did, by, start }),
            },
        }
    }
}

fn encode_operation(name: String, link: Link, operation: Operation) -> Vec<u8> {
    let Link { did, seq, prev } = link;
    match operation {
        Operation::Rotate { reveal, renewal } => {
            let Renewal { control, next, guardians, devices, unlocks } = renewal;
            encoding::encode(&RotateMap {
                v: 1,
                name,
                did,
                seq,
                prev,
                reveal,
                control,
                next,
                guardians,
                devices,
                unlocks,
            })
        }
        Operation::RecoverStart { renewal } => {
            let Renewal { control, next, guardians, devices, unlocks } = renewal;
            encoding::encode(&RecoverStartMap {
                v: 1,
                name,
                did,
                seq,
                prev,
                control,
                next,
                guardians,
                devices,
                unlocks,
            })
        }
        Operation::RecoverFinish => encoding::encode(&RecoverFinishMap { v: 1, name, did, seq, prev }),
        Operation::Cancel { starts } => encoding::encode(&CancelMap { v: 1, name, did, seq, prev, starts }),
        Operation::DeviceRemove(DeviceEnd { device, heads, stands }) => {
            encoding::encode(&DeviceRemoveMap { v: 1, name, did, seq, prev, device, heads, stands })
        }
        Operation::Settle { anchors } => encoding::encode(&SettleMap { v: 1, name, did, seq, prev, anchors }),
        Operation::Unlock { locks } => encoding::encode(&UnlockMap { v: 1, name, did, seq, prev, locks }),
        Operation::Retire { reveal, ends } => encoding::encode(&RetireMap { v: 1, name, did, seq, prev, reveal, ends }),
    }
}

impl GenesisMap {
    fn into_payload(self) -> Result<Payload, IdentityError> {
        let Self { network, nonce, control, next, device, guardians, .. } = self;
        let network = network.parse().map_err(|_| IdentityError::Genesis("name of the network is not allowed"))?;
        Ok(Payload::Genesis(Genesis { network, nonce, control, next, device, guardians }))
    }
}

impl RotateMap {
    fn into_payload(self) -> Payload {
        let Self { did, seq, prev, reveal, control, next, guardians, devices, unlocks, .. } = self;
        let renewal = Renewal { control, next, guardians, devices, unlocks };
        Payload::Operation(Link { did, seq, prev }, Operation::Rotate { reveal, renewal })
    }
}

impl RecoverStartMap {
    fn into_payload(self) -> Payload {
        let Self { did, seq, prev, control, next, guardians, devices, unlocks, .. } = self;
        let renewal = Renewal { control, next, guardians, devices, unlocks };
        Payload::Operation(Link { did, seq, prev }, Operation::RecoverStart { renewal })
    }
}
