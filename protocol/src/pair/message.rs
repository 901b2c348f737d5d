//! The messages of a pairing, to bytes and back.

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use crate::body::is_username;
use crate::encoding::{self, EncodingError};
use crate::ids::{DeviceId, Digest};
use crate::keys::Signature;
use crate::limits::{
    FRAME_BYTES_MAX, IDENTITY_OBJECT_BYTES_MAX, IDENTITY_OBJECTS_MAX, NETWORK_NAME_BYTES_MAX, PAIR_MESSAGE_BYTES_MAX,
};
use crate::rule::Rule;

/// The version of the pairing that this code speaks.
pub const PAIR_VERSION: u64 = 1;

/// Bytes that are no message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MessageError {
    /// Not canonical, or of another shape.
    #[error(transparent)]
    Encoding(#[from] EncodingError),
    /// A kind that is not known, or a member outside its bounds (`PAIR-2`).
    #[error("message of a pairing: {0}")]
    Form(&'static str),
}

impl MessageError {
    /// The rule that is broken.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Encoding(EncodingError::Shape(_)) | Self::Form(_) => Rule("PAIR-2"),
            Self::Encoding(e) => e.rule(),
        }
    }
}

/// One message (`PAIR-2`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The new side begins.
    Knock {
        /// The version that it speaks.
        version: u64,
        /// The network.
        network: String,
        /// Shows that it knows the secret (`PAIR-3`).
        tag: Digest,
        /// Binds it to its nonce and its key (`PAIR-3`).
        commitment: Digest,
    },
    /// The granting side's nonce.
    Welcome {
        /// 32 random bytes.
        nonce: [u8; 32],
    },
    /// The new side opens its commitment.
    Reveal {
        /// 32 random bytes.
        nonce: [u8; 32],
        /// Its device key.
        device: DeviceId,
    },
    /// The new side's owner found the digits equal; its part of the grant (`PAIR-5`).
    Confirm {
        /// The new device's signature over the grant.
        signature: Signature,
    },
    /// The granting side's owner did too, and the grant is made: the identity's objects (`PAIR-5`).
    Granted {
        /// More objects follow in another message.
        more: bool,
        /// The user name of the identity where it was granted.
        username: String,
        /// Signed objects.
        objects: Vec<Vec<u8>>,
    },
    /// The new side has the identity, durably.
    Adopted,
    /// Whoever sends it ends the pairing.
    Refuse(Refused),
}

/// Why a pairing ends without a grant (`PAIR-6`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// No offer with this secret is open there.
    #[error("no such offer is open on the other device; make a new one there")]
    Unknown,
    /// The offer has expired.
    #[error("the offer has expired; make a new one on the other device")]
    Expired,
    /// Another machine is being paired.
    #[error("another machine is being paired with this offer")]
    Busy,
    /// The owner said no, or stopped.
    #[error("pairing was stopped on the other device")]
    Stopped,
    /// The other side broke the protocol, or is of another network or version.
    #[error("the other device does not speak as this one does")]
    Broken,
}

impl Refused {
    const ALL: [Self; 5] = [Self::Unknown, Self::Expired, Self::Busy, Self::Stopped, Self::Broken];

    fn number(self) -> u64 {
        Self::ALL.iter().position(|reason| *reason == self).map_or(0, |at| at as u64)
    }

    fn of_number(number: u64) -> Option<Self> {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at)).copied()
    }
}

#[derive(Serialize, Deserialize)]
struct KnockWire(u64, u64, String, Digest, Digest);
#[derive(Serialize, Deserialize)]
struct WelcomeWire(u64, ByteArray<32>);
#[derive(Serialize, Deserialize)]
struct RevealWire(u64, ByteArray<32>, DeviceId);
#[derive(Serialize, Deserialize)]
struct ConfirmWire(u64, Signature);
#[derive(Serialize, Deserialize)]
struct GrantedWire(u64, bool, String, Vec<ByteBuf>);
#[derive(Serialize, Deserialize)]
struct AdoptedWire(u64, ());
#[derive(Serialize, Deserialize)]
struct RefuseWire(u64, u64);

impl Message {
    /// The frame body.
    pub fn encode(self) -> Vec<u8> {
        match self {
            Self::Knock { version, network, tag, commitment } => {
                encoding::encode(&KnockWire(0, version, network, tag, commitment))
            }
            Self::Welcome { nonce } => encoding::encode(&WelcomeWire(1, ByteArray::new(nonce))),
            Self::Reveal { nonce, device } => encoding::encode(&RevealWire(2, ByteArray::new(nonce), device)),
            Self::Confirm { signature } => encoding::encode(&ConfirmWire(3, signature)),
            Self::Granted { more, username, objects } => {
                let objects = objects.into_iter().map(ByteBuf::from).collect();
                encoding::encode(&GrantedWire(4, more, username, objects))
            }
            Self::Adopted => encoding::encode(&AdoptedWire(5, ())),
            Self::Refuse(reason) => encoding::encode(&RefuseWire(6, reason.number())),
        }
    }

    /// Decodes a frame body (`PAIR-2`).
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        let is_granted = bytes.get(1) == Some(&4);
        let bytes_max = if is_granted { FRAME_BYTES_MAX } else { PAIR_MESSAGE_BYTES_MAX };
        if bytes.len() > bytes_max {
            return Err(MessageError::Form("too long"));
        }
        encoding::check(bytes, bytes_max)?;
        match (bytes.first(), bytes.get(1)) {
            (Some(0x82..=0x85), Some(0..=6)) => Self::decode_kind(bytes[1], bytes),
            _ => Err(MessageError::Form("unknown kind")),
        }
    }

    fn decode_kind(kind: u8, bytes: &[u8]) -> Result<Self, MessageError> {
        match kind {
            0 => {
                let KnockWire(_, version, network, tag, commitment) = shape(bytes)?;
                let fits = network.len() <= NETWORK_NAME_BYTES_MAX;
                fits.then_some(Self::Knock { version, network, tag, commitment })
                    .ok_or(MessageError::Form("the network's name"))
            }
            1 => shape(bytes).map(|WelcomeWire(_, nonce)| Self::Welcome { nonce: nonce.into_array() }),
            2 => shape(bytes).map(|RevealWire(_, nonce, device)| Self::Reveal { nonce: nonce.into_array(), device }),
            3 => shape(bytes).map(|ConfirmWire(_, signature)| Self::Confirm { signature }),
            4 => decode_granted(shape(bytes)?),
            5 => shape(bytes).map(|AdoptedWire(_, ())| Self::Adopted),
            _ => {
                let RefuseWire(_, reason) = shape(bytes)?;
                Refused::of_number(reason).map(Self::Refuse).ok_or(MessageError::Form("unknown reason"))
            }
        }
    }
}

fn decode_granted(wire: GrantedWire) -> Result<Message, MessageError> {
    let GrantedWire(_, more, username, objects) = wire;
    let fits = |object: &ByteBuf| (1..=IDENTITY_OBJECT_BYTES_MAX).contains(&object.len());
    if !is_username(&username) {
        return Err(MessageError::Form("the user name"));
    }
    if objects.len() > IDENTITY_OBJECTS_MAX || !objects.iter().all(fits) {
        return Err(MessageError::Form("the objects"));
    }
    Ok(Message::Granted { more, username, objects: objects.into_iter().map(ByteBuf::into_vec).collect() })
}

/// The bytes have been scanned already.
fn shape<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, MessageError> {
    let error = |e: serde_ipld_dagcbor::DecodeError<_>| EncodingError::Shape(e.to_string()).into();
    serde_ipld_dagcbor::from_slice(bytes).map_err(error)
}
