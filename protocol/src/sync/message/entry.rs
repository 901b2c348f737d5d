//! Entries inside messages: arrays of header, signature, salt and body.

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use super::{MessageError, ensure};
use crate::entry::{SaltedBody, SignedEntry};
use crate::ids::LogId;
use crate::keys::Signature;
use crate::limits::{BODY_BYTES_MAX, HEADER_BYTES_MAX, SALT_BYTES};

/// Where in a header of version 1 the bytes of the log id begin: after the array head, the version
/// and two byte strings of 32 bytes.
const LOG_AT: usize = 2 + 34 + 34 + 2;

/// Where an entry says that it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The log.
    pub log: LogId,
    /// The place in it.
    pub seq: u64,
}

/// Reads log and place out of a header's bytes without decoding it; none where these bytes can't be a
/// header of version 1. Says nothing of the rest.
pub fn place(header: &[u8]) -> Option<Place> {
    let is_version_1 = header.first() == Some(&0x8a) && header.get(1) == Some(&1);
    let log = header.get(LOG_AT..LOG_AT + 32).filter(|_| is_version_1)?;
    let log = LogId(<[u8; 32]>::try_from(log).ok()?);
    let first = *header.get(LOG_AT + 32)?;
    let width = match first {
        0..=23 => return Some(Place { log, seq: u64::from(first) }),
        24..=27 => 1 << (first - 24),
        _ => return None,
    };
    let bytes = header.get(LOG_AT + 33..LOG_AT + 33 + width)?;
    let seq = bytes.iter().fold(0, |seq, byte| seq << 8 | u64::from(*byte));
    Some(Place { log, seq })
}

/// True for what may be a header of another version, whose place nobody can read here; chapter 02 refuses it
/// (`LOG-2`).
pub(in crate::sync) fn is_of_another_version(header: &[u8]) -> bool {
    matches!(header, [0x80..=0x97, 0 | 2..=0x17, ..])
}

/// An entry on the wire (`LOG-9`): header, signature, salt and body.
#[derive(Serialize, Deserialize)]
pub(super) struct EntryWire(ByteBuf, Option<Signature>, Option<ByteArray<SALT_BYTES>>, Option<ByteBuf>);

/// Turns entries into what is encoded.
pub(super) fn to_wire(entries: Vec<SignedEntry>) -> Vec<EntryWire> {
    let wire = |SignedEntry { header, signature, body }: SignedEntry| {
        let (salt, bytes) = body.map(|body| (ByteArray::new(body.salt), ByteBuf::from(body.bytes))).unzip();
        EntryWire(ByteBuf::from(header), signature, salt, bytes)
    };
    entries.into_iter().map(wire).collect()
}

/// Takes over decoded entries; `rule` is that of the message.
pub(super) fn from_wire(entries: Vec<EntryWire>, rule: &'static str) -> Result<Vec<SignedEntry>, MessageError> {
    entries.into_iter().map(|entry| entry.into_entry(rule)).collect()
}

impl EntryWire {
    fn into_entry(self, rule: &'static str) -> Result<SignedEntry, MessageError> {
        let Self(header, signature, salt, bytes) = self;
        ensure(header.len() <= HEADER_BYTES_MAX, rule, "the size of a header")?;
        ensure(salt.is_some() == bytes.is_some(), rule, "a body without salt or a salt without body")?;
        ensure(bytes.as_ref().is_none_or(|bytes| bytes.len() <= BODY_BYTES_MAX), rule, "the size of a body")?;
        let salted = |(salt, bytes): (ByteArray<SALT_BYTES>, ByteBuf)| SaltedBody {
            salt: salt.into_array(),
            bytes: bytes.into_vec(),
        };
        Ok(SignedEntry { header: header.into_vec(), signature, body: salt.zip(bytes).map(salted) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Header, Kind};
    use crate::ids::{DeviceId, Did, Digest};

    #[test]
    fn the_place_of_an_entry_is_read_without_decoding_it() {
        for seq in [0, 1, 23, 24, 255, 257, 65_535, 65_537, 1 << 33, (1 << 53) - 1] {
            let header = Header {
                author: Did([1; 32]),
                device: DeviceId([2; 32]),
                log: LogId([3; 32]),
                seq,
                prev: (seq > 0).then_some(Digest([4; 32])),
                commitment: Digest([5; 32]),
                size_class: 8,
                time_ms: 0,
                kind: Kind::Post,
            };
            let bytes = header.encode();
            assert_eq!(place(&bytes), Some(Place { log: header.log, seq }));
            for cut in 0..=LOG_AT + 32 {
                assert_eq!(place(&bytes[..cut]), None, "{cut}");
            }
        }
    }
}
