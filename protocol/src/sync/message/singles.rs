//! Messages about admitted entries to bytes and back (`ADM-6`).

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use super::entry::{EntryWire, from_wire, to_wire};
use super::wire::{decode_objects, shape};
use super::{Message, MessageError, SaltedId, check_numbers, ensure};
use crate::encoding;
use crate::ids::EntryId;
use crate::limits::{SALTED_ID_BYTES, SINGLES_MAX};
use crate::sync::Aimed;

/// The kind of a request.
pub(super) const REQUEST: u8 = 26;
/// The kind of an answer.
pub(super) const ANSWER: u8 = 27;

#[derive(Serialize, Deserialize)]
struct RequestWire(u64, u64, ByteArray<SALTED_ID_BYTES>, Vec<EntryId>);
#[derive(Serialize, Deserialize)]
struct AnswerWire(u64, u64, Vec<(Vec<ByteBuf>, Vec<EntryWire>)>);

/// The bytes of a request.
pub(super) fn encode_request(request: u64, id: SaltedId, entries: Vec<EntryId>) -> Vec<u8> {
    encoding::encode(&RequestWire(u64::from(REQUEST), request, ByteArray::new(id), entries))
}

/// The bytes of an answer.
pub(super) fn encode_answer(request: u64, items: Vec<Aimed>) -> Vec<u8> {
    let item = |Aimed { objects, entries }| {
        let objects = Vec::into_iter(objects).map(ByteBuf::from).collect();
        (objects, to_wire(entries))
    };
    encoding::encode(&AnswerWire(u64::from(ANSWER), request, items.into_iter().map(item).collect()))
}

/// Reads a request.
pub(super) fn decode_request(bytes: &[u8]) -> Result<Message, MessageError> {
    let RequestWire(_, request, id, entries) = shape(bytes)?;
    check_numbers(&[request])?;
    ensure((1..=SINGLES_MAX).contains(&entries.len()), "ADM-6", "the number of entries")?;
    Ok(Message::SinglesRequest { request, id: id.into_array(), entries })
}

/// Reads an answer.
pub(super) fn decode_answer(bytes: &[u8]) -> Result<Message, MessageError> {
    let AnswerWire(_, request, items) = shape(bytes)?;
    check_numbers(&[request])?;
    let count: usize = items.iter().map(|(_, entries)| entries.len()).sum();
    ensure(count <= SINGLES_MAX && items.len() <= SINGLES_MAX, "ADM-6", "the number of entries")?;
    let item = |(objects, entries)| {
        Ok(Aimed { objects: decode_objects(objects, "ADM-6")?, entries: from_wire(entries, "ADM-6")? })
    };
    let items = items.into_iter().map(item).collect::<Result<_, MessageError>>()?;
    Ok(Message::Singles { request, items })
}
