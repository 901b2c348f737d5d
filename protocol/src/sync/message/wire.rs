//! Messages to bytes and back, with the bounds of every message.

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use super::entry::{EntryWire, from_wire, to_wire};
use super::{
    AimedPush, Claim, Heads, Hello, IdentityHead, LogHead, Message, MessageError, Offer, Push, Range, SaltedId,
    check_numbers, ensure,
};
use super::{receipts, singles, spans};
use crate::encoding;
use crate::ids::{DeviceId, Did, Digest};
use crate::keys::Signature;
use crate::limits::{
    AIMED_ENTRIES_MAX, FAULT_PROOF_BYTES_MAX, FORK_PROOF_BYTES_MAX, FRAME_BYTES_MAX, HEADS_MAX,
    IDENTITY_OBJECT_BYTES_MAX, IDENTITY_OBJECTS_MAX, MESSAGE_TEXT_BYTES_MAX, NETWORK_NAME_BYTES_MAX, OFFER_IDS_MAX,
    PROOFS_MAX, PUSH_ENTRIES_MAX, RANGE_ENTRIES_MAX, SALTED_ID_BYTES, SETTINGS_MESSAGE_MAX,
};
use crate::log::Position;
use crate::sync::{Aimed, Proof, Setting};

type IdWire = ByteArray<SALTED_ID_BYTES>;

#[derive(Serialize, Deserialize)]
struct HelloWire(u64, u64, String, ByteArray<32>, u64, Vec<u64>);
#[derive(Serialize, Deserialize)]
struct ProofWire(u64, Vec<(Did, DeviceId, Signature)>);
#[derive(Serialize, Deserialize)]
struct OfferWire(u64, u64, bool, u64, ByteBuf);
#[derive(Serialize, Deserialize)]
struct HeadsWire(u64, u64, Vec<(IdWire, u64, Option<Digest>, bool)>, Vec<(IdWire, Option<Digest>)>);
#[derive(Serialize, Deserialize)]
struct ComparedWire(u64, u64);
#[derive(Serialize, Deserialize)]
struct RangeRequestWire(u64, u64, IdWire, u64, u64);
#[derive(Serialize, Deserialize)]
struct RangeWire(u64, u64, u64, bool, Vec<EntryWire>);
#[derive(Serialize, Deserialize)]
struct IdentityRequestWire(u64, u64, IdWire);
#[derive(Serialize, Deserialize)]
struct IdentityObjectsWire(u64, u64, bool, Vec<ByteBuf>);
#[derive(Serialize, Deserialize)]
struct PushWire(u64, u64, IdWire, u64, u64, Vec<EntryWire>);
#[derive(Serialize, Deserialize)]
struct AckWire(u64, u64, u64);
#[derive(Serialize, Deserialize)]
struct AimedWire(u64, u64, bool, u64, Vec<(Vec<ByteBuf>, Vec<EntryWire>)>);
#[derive(Serialize, Deserialize)]
struct ForkRequestWire(u64, u64, IdWire, u64);
#[derive(Serialize, Deserialize)]
struct AncestorsRequestWire(u64, u64, IdWire, u64, Digest);
#[derive(Serialize, Deserialize)]
struct PingWire(u64, ());
#[derive(Serialize, Deserialize)]
struct ProvenWire(u64, IdWire, ByteBuf);
#[derive(Serialize, Deserialize)]
struct SettingsWire(u64, Did, Vec<(String, u64, ByteBuf)>);
#[derive(Serialize, Deserialize)]
struct ByeWire(u64, String);

impl Message {
    /// The frame body.
    pub fn encode(self) -> Vec<u8> {
        match self {
            Self::Hello(hello) => encoding::encode(&HelloWire(
                0,
                hello.version,
                hello.network,
                ByteArray::new(hello.nonce),
                hello.epoch,
                hello.resume.map_or_else(Vec::new, |(epoch, counter)| vec![epoch, counter]),
            )),
            Self::Proof(claims) => {
                let claims = claims.into_iter().map(|claim| (claim.did, claim.device, claim.signature));
                encoding::encode(&ProofWire(1, claims.collect()))
            }
            Self::Offer(Offer { number, more, counter, ids }) => {
                encoding::encode(&OfferWire(2, number, more, counter, ByteBuf::from(ids.concat())))
            }
            Self::Heads(heads) => encode_heads(&heads),
            Self::Compared { number } => encoding::encode(&ComparedWire(4, number)),
            Self::RangeRequest { request, id, from, to } => {
                encoding::encode(&RangeRequestWire(5, request, ByteArray::new(id), from, to))
            }
            Self::Range(Range { request, from, end, entries }) => {
                encoding::encode(&RangeWire(6, request, from, end, to_wire(entries)))
            }
            Self::IdentityRequest { request, id } => {
                encoding::encode(&IdentityRequestWire(7, request, ByteArray::new(id)))
            }
            Self::IdentityObjects { request, end, objects } => {
                let objects = objects.into_iter().map(ByteBuf::from).collect();
                encoding::encode(&IdentityObjectsWire(8, request, end, objects))
            }
            Self::Push(Push { number, id, from, counter, entries }) => {
                encoding::encode(&PushWire(9, number, ByteArray::new(id), from, counter, to_wire(entries)))
            }
            Self::Ack { pushes, counter } => encoding::encode(&AckWire(10, pushes, counter)),
            Self::Aimed(aimed) => encode_aimed(aimed),
            Self::ForkRequest { request, id, at } => {
                encoding::encode(&ForkRequestWire(12, request, ByteArray::new(id), at))
            }
            Self::AncestorsRequest { request, id, at, hash } => {
                encoding::encode(&AncestorsRequestWire(22, request, ByteArray::new(id), at, hash))
            }
            Self::Proven { id, proof } => {
                let (kind, bytes) = match proof {
                    Proof::Fork(bytes) => (18, bytes),
                    Proof::Fault(bytes) => (19, bytes),
                };
                encoding::encode(&ProvenWire(kind, ByteArray::new(id), ByteBuf::from(bytes)))
            }
            Self::SinglesRequest { request, id, entries } => singles::encode_request(request, id, entries),
            Self::Singles { request, items } => singles::encode_answer(request, items),
            Self::Receipts { number, news } => receipts::encode(number, news),
            Self::ReceiptsAck { number } => receipts::encode_ack(number),
            Self::Settings { did, items } => {
                let items = items.into_iter().map(|item| (item.key, item.rev, ByteBuf::from(item.value)));
                encoding::encode(&SettingsWire(21, did, items.collect()))
            }
            Self::Spans(message) => spans::encode(&message),
            Self::Ping => encoding::encode(&PingWire(13, ())),
            Self::Bye { reason } => encoding::encode(&ByeWire(14, reason)),
        }
    }

    /// Decodes a frame body (`SYN-1`).
    pub fn decode(bytes: &[u8]) -> Result<Self, MessageError> {
        encoding::check(bytes, FRAME_BYTES_MAX)?;
        match (bytes.first(), bytes.get(1)) {
            // A number above 23 takes a byte of its own.
            (Some(0x82..=0x97), Some(0x18)) => Self::decode_kind(bytes.get(2).copied().unwrap_or_default(), bytes),
            (Some(0x82..=0x97), Some(kind)) => Self::decode_kind(*kind, bytes),
            _ => Err(MessageError::Unknown),
        }
    }

    fn decode_kind(kind: u8, bytes: &[u8]) -> Result<Self, MessageError> {
        match kind {
            0 => decode_hello(shape(bytes)?),
            1 => decode_proof(shape(bytes)?),
            2 => decode_offer(shape(bytes)?),
            3 => decode_heads(shape(bytes)?),
            4 => {
                let ComparedWire(_, number) = shape(bytes)?;
                check_numbers(&[number]).map(|()| Self::Compared { number })
            }
            5 => decode_range_request(shape(bytes)?),
            6 => decode_range(shape(bytes)?),
            7 => {
                let IdentityRequestWire(_, request, id) = shape(bytes)?;
                check_numbers(&[request]).map(|()| Self::IdentityRequest { request, id: id.into_array() })
            }
            8 => decode_identity_objects(shape(bytes)?),
            9 => decode_push(shape(bytes)?),
            10 => {
                let AckWire(_, pushes, counter) = shape(bytes)?;
                check_numbers(&[pushes, counter]).map(|()| Self::Ack { pushes, counter })
            }
            11 => decode_aimed(shape(bytes)?),
            12 => {
                let ForkRequestWire(_, request, id, at) = shape(bytes)?;
                check_numbers(&[request, at]).map(|()| Self::ForkRequest { request, id: id.into_array(), at })
            }
            13 => shape::<PingWire>(bytes).map(|_| Self::Ping),
            21 => decode_settings(shape(bytes)?),
            14 => {
                let ByeWire(_, reason) = shape(bytes)?;
                ensure(reason.len() <= MESSAGE_TEXT_BYTES_MAX, "SYN-15", "the length of a reason")?;
                Ok(Self::Bye { reason })
            }
            18 => decode_proven(shape(bytes)?, FORK_PROOF_BYTES_MAX, Proof::Fork),
            19 => decode_proven(shape(bytes)?, FAULT_PROOF_BYTES_MAX, Proof::Fault),
            22 => {
                let AncestorsRequestWire(_, request, id, at, hash) = shape(bytes)?;
                let id = id.into_array();
                check_numbers(&[request, at]).map(|()| Self::AncestorsRequest { request, id, at, hash })
            }
            singles::REQUEST => singles::decode_request(bytes),
            singles::ANSWER => singles::decode_answer(bytes),
            spans::KIND => spans::decode(bytes),
            receipts::RECEIPTS..=receipts::COPIES => receipts::decode(kind, bytes),
            _ => Err(MessageError::Unknown),
        }
    }
}

fn decode_settings(wire: SettingsWire) -> Result<Message, MessageError> {
    let SettingsWire(_, did, items) = wire;
    ensure((1..=SETTINGS_MESSAGE_MAX).contains(&items.len()), "PAIR-8", "the number of settings")?;
    let items = items.into_iter().map(|(key, rev, value)| Setting { key, rev, value: value.into_vec() });
    let items: Vec<Setting> = items.collect();
    ensure(items.iter().all(Setting::fits), "PAIR-8", "a setting")?;
    Ok(Message::Settings { did, items })
}

/// The bytes have been scanned already.
pub(super) fn shape<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, MessageError> {
    let error = |e: serde_ipld_dagcbor::DecodeError<_>| encoding::EncodingError::Shape(e.to_string()).into();
    serde_ipld_dagcbor::from_slice(bytes).map_err(error)
}

fn encode_heads(heads: &Heads) -> Vec<u8> {
    let log = |head: &LogHead| (ByteArray::new(head.id), head.position.height, head.position.head, head.wanted);
    let identity = |head: &IdentityHead| (ByteArray::new(head.id), head.digest);
    let logs = heads.logs.iter().map(log).collect();
    encoding::encode(&HeadsWire(3, heads.counter, logs, heads.identities.iter().map(identity).collect()))
}

fn encode_aimed(aimed: AimedPush) -> Vec<u8> {
    let item = |Aimed { objects, entries }| {
        let objects = Vec::into_iter(objects).map(ByteBuf::from).collect();
        (objects, to_wire(entries))
    };
    let items = aimed.items.into_iter().map(item).collect();
    encoding::encode(&AimedWire(11, aimed.number, aimed.more, aimed.counter, items))
}

fn decode_hello(HelloWire(_, version, network, nonce, epoch, resume): HelloWire) -> Result<Message, MessageError> {
    let resume = match resume.as_slice() {
        [] => None,
        [epoch, counter] => Some((*epoch, *counter)),
        _ => return Err(MessageError::Unknown),
    };
    check_numbers(&[version, resume.map_or(0, |(_, counter)| counter)])?;
    ensure(network.len() <= NETWORK_NAME_BYTES_MAX, "SYN-3", "the length of a network name")?;
    Ok(Message::Hello(Hello { version, network, nonce: nonce.into_array(), epoch, resume }))
}

fn decode_proof(ProofWire(_, claims): ProofWire) -> Result<Message, MessageError> {
    ensure(claims.len() <= PROOFS_MAX, "SYN-4", "the number of proofs")?;
    let claims = claims.into_iter().map(|(did, device, signature)| Claim { did, device, signature });
    Ok(Message::Proof(claims.collect()))
}

fn decode_offer(OfferWire(_, number, more, counter, bytes): OfferWire) -> Result<Message, MessageError> {
    check_numbers(&[number, counter])?;
    let (ids, rest) = bytes.as_chunks::<SALTED_ID_BYTES>();
    ensure(rest.is_empty(), "SYN-5", "the length of the ids")?;
    ensure(ids.len() <= OFFER_IDS_MAX, "SYN-5", "the number of ids")?;
    let ids: Vec<SaltedId> = ids.to_vec();
    Ok(Message::Offer(Offer { number, more, counter, ids }))
}

fn decode_heads(HeadsWire(_, counter, logs, identities): HeadsWire) -> Result<Message, MessageError> {
    check_numbers(&[counter])?;
    ensure(logs.len() <= HEADS_MAX && identities.len() <= HEADS_MAX, "SYN-7", "the number of heads")?;
    for (_, height, head, _) in &logs {
        check_numbers(&[*height])?;
        ensure(head.is_some() == (*height > 0), "SYN-7", "a head without height or a height without head")?;
    }
    let log = |(id, height, head, wanted): (IdWire, u64, Option<Digest>, bool)| LogHead {
        id: id.into_array(),
        position: Position { height, head },
        wanted,
    };
    let identity = |(id, digest): (IdWire, Option<Digest>)| IdentityHead { id: id.into_array(), digest };
    let logs = logs.into_iter().map(log).collect();
    Ok(Message::Heads(Heads { counter, logs, identities: identities.into_iter().map(identity).collect() }))
}

fn decode_range_request(RangeRequestWire(_, request, id, from, to): RangeRequestWire) -> Result<Message, MessageError> {
    check_numbers(&[request, from, to])?;
    ensure(from < to && to - from <= RANGE_ENTRIES_MAX, "SYN-9", "the range")?;
    Ok(Message::RangeRequest { request, id: id.into_array(), from, to })
}

fn decode_range(RangeWire(_, request, from, end, entries): RangeWire) -> Result<Message, MessageError> {
    check_numbers(&[request, from])?;
    ensure(entries.len() as u64 <= RANGE_ENTRIES_MAX, "SYN-10", "the number of entries")?;
    let entries = from_wire(entries, "SYN-10")?;
    Ok(Message::Range(Range { request, from, end, entries }))
}

fn decode_identity_objects(
    IdentityObjectsWire(_, request, end, objects): IdentityObjectsWire,
) -> Result<Message, MessageError> {
    check_numbers(&[request])?;
    let objects = decode_objects(objects, "SYN-8")?;
    Ok(Message::IdentityObjects { request, end, objects })
}

fn decode_push(PushWire(_, number, id, from, counter, entries): PushWire) -> Result<Message, MessageError> {
    check_numbers(&[number, from, counter])?;
    ensure((1..=PUSH_ENTRIES_MAX).contains(&entries.len()), "SYN-11", "the number of entries")?;
    let entries = from_wire(entries, "SYN-11")?;
    Ok(Message::Push(Push { number, id: id.into_array(), from, counter, entries }))
}

fn decode_aimed(AimedWire(_, number, more, counter, items): AimedWire) -> Result<Message, MessageError> {
    check_numbers(&[number, counter])?;
    let count: usize = items.iter().map(|(_, entries)| entries.len()).sum();
    ensure(count <= AIMED_ENTRIES_MAX && items.len() <= AIMED_ENTRIES_MAX, "SYN-12", "the number of entries")?;
    let item = |(objects, entries)| {
        Ok(Aimed { objects: decode_objects(objects, "SYN-12")?, entries: from_wire(entries, "SYN-12")? })
    };
    let items = items.into_iter().map(item).collect::<Result<_, MessageError>>()?;
    Ok(Message::Aimed(AimedPush { number, more, counter, items }))
}

fn decode_proven(
    ProvenWire(_, id, bytes): ProvenWire,
    bytes_max: usize,
    proof: fn(Vec<u8>) -> Proof,
) -> Result<Message, MessageError> {
    ensure(bytes.len() <= bytes_max, "SYN-19", "the length of a proof")?;
    Ok(Message::Proven { id: id.into_array(), proof: proof(bytes.into_vec()) })
}

pub(super) fn decode_objects(objects: Vec<ByteBuf>, rule: &'static str) -> Result<Vec<Vec<u8>>, MessageError> {
    let right = objects.iter().all(|object| object.len() <= IDENTITY_OBJECT_BYTES_MAX);
    ensure(right && objects.len() <= IDENTITY_OBJECTS_MAX, rule, "the size of an identity")?;
    Ok(objects.into_iter().map(ByteBuf::into_vec).collect())
}
