//! What a relay and those who use it say to each other: the messages of circuit relay v2 as libp2p specifies them, in
//! protobuf (`RCH-4`, `RCH-5`).
//!
//! Fields that are not known are passed over, and a field that comes twice counts as it came last, as protobuf has it.

mod fields;

use self::fields::{Fields, Writer};

/// Longest message, bytes (`RCH-4`).
pub const RELAY_MESSAGE_BYTES_MAX: usize = 4_096;

/// Bytes that are no message of a relay (`RCH-4`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RelayMessageError {
    /// They end in the middle of a field.
    #[error("the message ends in the middle of a field")]
    Cut,
    /// A number of more than 64 bits, or a kind of field that the messages do not have.
    #[error("a field of the message is malformed")]
    Field,
    /// A type of message that there is none of, or none at all.
    #[error("the message is of an unknown type")]
    Type,
    /// What a message of this type must have is missing.
    #[error("the message says nothing of the {0}")]
    Missing(&'static str),
}

/// How a relay, or whoever is reached through one, answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayStatus {
    /// It is done.
    Ok,
    /// No reservation is kept for this peer.
    ReservationRefused,
    /// Not now: there are too many.
    ResourceLimitExceeded,
    /// Not for this peer.
    PermissionDenied,
    /// The other peer did not answer.
    ConnectionFailed,
    /// No reservation is kept for the other peer.
    NoReservation,
    /// The question was not understood.
    MalformedMessage,
    /// The question does not belong here.
    UnexpectedMessage,
    /// Any other number.
    Unknown(u64),
}

impl RelayStatus {
    /// The number on the wire.
    pub fn code(self) -> u64 {
        match self {
            Self::Ok => 100,
            Self::ReservationRefused => 200,
            Self::ResourceLimitExceeded => 201,
            Self::PermissionDenied => 202,
            Self::ConnectionFailed => 203,
            Self::NoReservation => 204,
            Self::MalformedMessage => 400,
            Self::UnexpectedMessage => 401,
            Self::Unknown(code) => code,
        }
    }

    fn of(code: u64) -> Self {
        match code {
            100 => Self::Ok,
            200 => Self::ReservationRefused,
            201 => Self::ResourceLimitExceeded,
            202 => Self::PermissionDenied,
            203 => Self::ConnectionFailed,
            204 => Self::NoReservation,
            400 => Self::MalformedMessage,
            401 => Self::UnexpectedMessage,
            code => Self::Unknown(code),
        }
    }
}

/// A reservation that a relay keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation {
    /// Until when, seconds since 1970, by the relay's clock.
    pub expire_secs: u64,
    /// Where the relay says that it is reached, as binary multiaddresses. Nobody believes that (`RCH-7`).
    pub addresses: Vec<Vec<u8>>,
}

/// What a circuit may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CircuitLimit {
    /// Seconds; none or 0 without a limit.
    pub duration_secs: Option<u64>,
    /// Bytes in each direction; none or 0 without a limit.
    pub bytes: Option<u64>,
}

/// A message between a relay and whoever asks it for something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HopMessage {
    /// Keep a reservation for me.
    Reserve,
    /// Connect me with this peer, named by the bytes of its peer id.
    Connect(Vec<u8>),
    /// The answer to either.
    Status {
        /// How it went.
        status: RelayStatus,
        /// The reservation that is kept.
        reservation: Option<Reservation>,
        /// What a circuit may cost.
        limit: Option<CircuitLimit>,
    },
}

/// A message between a relay and whoever is reached through it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StopMessage {
    /// Somebody wants to talk with you.
    Connect {
        /// Who, as bytes of the peer id.
        source: Vec<u8>,
        /// What the circuit may cost.
        limit: Option<CircuitLimit>,
    },
    /// The answer.
    Status(RelayStatus),
}

impl HopMessage {
    /// An answer and nothing more.
    pub fn status(status: RelayStatus) -> Self {
        Self::Status { status, reservation: None, limit: None }
    }

    /// The bytes, without their length.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        match self {
            Self::Reserve => writer.number(1, 0),
            Self::Connect(peer) => {
                writer.number(1, 1);
                writer.bytes(2, &encode_peer(peer));
            }
            Self::Status { status, reservation, limit } => {
                writer.number(1, 2);
                if let Some(reservation) = reservation {
                    writer.bytes(3, &reservation.encode());
                }
                if let Some(limit) = limit {
                    writer.bytes(4, &limit.encode());
                }
                writer.number(5, status.code());
            }
        }
        writer.into_bytes()
    }

    /// Reads a message (`RCH-4`).
    pub fn decode(bytes: &[u8]) -> Result<Self, RelayMessageError> {
        let fields = Fields::read(bytes)?;
        match fields.number(1).ok_or(RelayMessageError::Type)? {
            0 => Ok(Self::Reserve),
            1 => Ok(Self::Connect(decode_peer(&fields, 2)?)),
            2 => Ok(Self::Status {
                status: RelayStatus::of(fields.number(5).ok_or(RelayMessageError::Missing("status"))?),
                reservation: fields.bytes(3).map(Reservation::decode).transpose()?,
                limit: fields.bytes(4).map(CircuitLimit::decode).transpose()?,
            }),
            _ => Err(RelayMessageError::Type),
        }
    }
}

impl StopMessage {
    /// The bytes, without their length.
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        match self {
            Self::Connect { source, limit } => {
                writer.number(1, 0);
                writer.bytes(2, &encode_peer(source));
                if let Some(limit) = limit {
                    writer.bytes(3, &limit.encode());
                }
            }
            Self::Status(status) => {
                writer.number(1, 1);
                writer.number(4, status.code());
            }
        }
        writer.into_bytes()
    }

    /// Reads a message (`RCH-4`).
    pub fn decode(bytes: &[u8]) -> Result<Self, RelayMessageError> {
        let fields = Fields::read(bytes)?;
        match fields.number(1).ok_or(RelayMessageError::Type)? {
            0 => Ok(Self::Connect {
                source: decode_peer(&fields, 2)?,
                limit: fields.bytes(3).map(CircuitLimit::decode).transpose()?,
            }),
            1 => {
                let status = fields.number(4).ok_or(RelayMessageError::Missing("status"))?;
                Ok(Self::Status(RelayStatus::of(status)))
            }
            _ => Err(RelayMessageError::Type),
        }
    }
}

impl Reservation {
    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.number(1, self.expire_secs);
        for address in &self.addresses {
            writer.bytes(2, address);
        }
        writer.into_bytes()
    }

    fn decode(bytes: &[u8]) -> Result<Self, RelayMessageError> {
        let fields = Fields::read(bytes)?;
        Ok(Self {
            expire_secs: fields.number(1).ok_or(RelayMessageError::Missing("end of the reservation"))?,
            addresses: fields.all_bytes(2).map(<[u8]>::to_vec).collect(),
        })
    }
}

impl CircuitLimit {
    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        if let Some(secs) = self.duration_secs {
            writer.number(1, secs);
        }
        if let Some(bytes) = self.bytes {
            writer.number(2, bytes);
        }
        writer.into_bytes()
    }

    fn decode(bytes: &[u8]) -> Result<Self, RelayMessageError> {
        let fields = Fields::read(bytes)?;
        Ok(Self { duration_secs: fields.number(1), bytes: fields.number(2) })
    }
}

fn encode_peer(peer: &[u8]) -> Vec<u8> {
    let mut writer = Writer::default();
    writer.bytes(1, peer);
    writer.into_bytes()
}

fn decode_peer(fields: &Fields<'_>, number: u64) -> Result<Vec<u8>, RelayMessageError> {
    let peer = Fields::read(fields.bytes(number).ok_or(RelayMessageError::Missing("peer"))?)?;
    Ok(peer.bytes(1).ok_or(RelayMessageError::Missing("peer"))?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status() -> HopMessage {
        HopMessage::Status {
            status: RelayStatus::Ok,
            reservation: Some(Reservation { expire_secs: 1_800_000_000, addresses: vec![vec![4, 127, 0, 0, 1]] }),
            limit: Some(CircuitLimit { duration_secs: Some(120), bytes: Some(1 << 20) }),
        }
    }

    #[test]
    fn rch_4_messages_of_a_relay_have_the_bytes_that_libp2p_gives_them() {
        assert_eq!(HopMessage::Reserve.encode(), [0x08, 0], "RCH-4");
        assert_eq!(HopMessage::Connect(vec![7, 8]).encode(), [0x08, 1, 0x12, 4, 0x0a, 2, 7, 8]);
        let refused = HopMessage::status(RelayStatus::ResourceLimitExceeded);
        assert_eq!(refused.encode(), [0x08, 2, 0x28, 0xc9, 1]);
        let limit = Some(CircuitLimit { duration_secs: Some(1), bytes: Some(300) });
        let connect = StopMessage::Connect { source: vec![9], limit };
        assert_eq!(connect.encode(), [0x08, 0, 0x12, 3, 0x0a, 1, 9, 0x1a, 5, 0x08, 1, 0x10, 0xac, 2]);
        assert_eq!(StopMessage::Status(RelayStatus::Ok).encode(), [0x08, 1, 0x20, 100]);
        for message in [HopMessage::Reserve, HopMessage::Connect(vec![1; 38]), refused, status()] {
            assert_eq!(HopMessage::decode(&message.encode()), Ok(message));
        }
        for message in [connect, StopMessage::Status(RelayStatus::Unknown(7))] {
            assert_eq!(StopMessage::decode(&message.encode()), Ok(message));
        }
    }

    #[test]
    fn rch_4_every_number_of_a_status_comes_back_as_itself() {
        for code in (0..500).chain([u64::MAX]) {
            assert_eq!(RelayStatus::of(code).code(), code);
        }
    }

    #[test]
    fn rch_4_unknown_fields_are_passed_over_and_the_last_of_two_counts() {
        let mut bytes = HopMessage::Connect(vec![1]).encode();
        bytes.extend([0x3a, 2, 0xff, 0xff, 0x41, 0, 0, 0, 0, 0, 0, 0, 0, 0x4d, 0, 0, 0, 0]);
        bytes.extend([0x12, 3, 0x0a, 1, 2]);
        assert_eq!(HopMessage::decode(&bytes), Ok(HopMessage::Connect(vec![2])));
    }

    #[test]
    fn rch_4_what_is_no_message_is_refused_and_never_a_panic() {
        use RelayMessageError::{Cut, Field, Missing, Type};
        for (bytes, error) in [
            (&[][..], Type),
            (&[0x08, 3], Type),
            (&[0x08], Cut),
            (&[0x08, 1], Missing("peer")),
            (&[0x08, 1, 0x12, 0], Missing("peer")),
            (&[0x08, 1, 0x12, 9, 0x0a], Cut),
            (&[0x08, 2], Missing("status")),
            (&[0x0b], Field),
            (&[0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], Field),
            (&[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Cut),
        ] {
            assert_eq!(HopMessage::decode(bytes), Err(error), "{bytes:?}");
        }
        let whole = status().encode();
        for end in 0..whole.len() {
            assert!(HopMessage::decode(&whole[..end]).is_err(), "{end}");
        }
        for at in 0..whole.len() {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x80;
            let _ = (HopMessage::decode(&flipped), StopMessage::decode(&flipped));
        }
    }
}
