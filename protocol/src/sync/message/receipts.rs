//! The messages about erased entries: receipts of holders, known copies, and the acknowledgement of both.

use serde::{Deserialize, Serialize};
use serde_bytes::ByteBuf;

use super::wire::{decode_objects, shape};
use super::{Message, MessageError, check_numbers, ensure};
use crate::encoding;
use crate::ids::{DeviceId, Did, EntryId};
use crate::limits::{COPIES_MAX, RECEIPT_BYTES_MAX, RECEIPTS_MAX, TIME_MS_MAX};

/// The kind of a message with receipts.
pub(super) const RECEIPTS: u8 = 15;
/// The kind of the acknowledgement.
pub(super) const RECEIPTS_ACK: u8 = 16;
/// The kind of a message with known copies.
pub(super) const COPIES: u8 = 17;

/// Receipts of one holder (`RCP-5`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HolderReceipts {
    /// The holder's identity: all signed objects held of it, unless they are too many.
    pub objects: Vec<Vec<u8>>,
    /// Its receipts, as they came.
    pub receipts: Vec<Vec<u8>>,
}

/// A copy of an erased entry that a device of the author knows of (`RCP-6`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownCopy {
    /// The erased entry.
    pub entry: EntryId,
    /// Who holds the copy.
    pub holder: Did,
    /// On which device.
    pub device: DeviceId,
    /// When the author's device last heard of the holder, milliseconds since 1970 by its own clock.
    pub seen_ms: u64,
}

/// What one message says about erased entries (`RCP-5`, `RCP-6`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReceiptNews {
    /// Receipts, by holder.
    Receipts(Vec<HolderReceipts>),
    /// Copies, told among the devices of one identity.
    Copies(Vec<KnownCopy>),
}

impl ReceiptNews {
    /// True if there is nothing to say.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Receipts(items) => items.is_empty(),
            Self::Copies(copies) => copies.is_empty(),
        }
    }
}

#[derive(Serialize, Deserialize)]
struct ReceiptsWire(u64, u64, Vec<(Vec<ByteBuf>, Vec<ByteBuf>)>);
#[derive(Serialize, Deserialize)]
struct CopiesWire(u64, u64, Vec<(EntryId, Did, DeviceId, u64)>);
#[derive(Serialize, Deserialize)]
struct ReceiptsAckWire(u64, u64);

/// The frame body of a message with news.
pub(super) fn encode(number: u64, news: ReceiptNews) -> Vec<u8> {
    match news {
        ReceiptNews::Receipts(items) => {
            let list = |list: Vec<Vec<u8>>| list.into_iter().map(ByteBuf::from).collect();
            let item = |item: HolderReceipts| (list(item.objects), list(item.receipts));
            let items = items.into_iter().map(item).collect();
            encoding::encode(&ReceiptsWire(u64::from(RECEIPTS), number, items))
        }
        ReceiptNews::Copies(copies) => {
            let item = |copy: KnownCopy| (copy.entry, copy.holder, copy.device, copy.seen_ms);
            encoding::encode(&CopiesWire(u64::from(COPIES), number, copies.into_iter().map(item).collect()))
        }
    }
}

/// The frame body of an acknowledgement.
pub(super) fn encode_ack(number: u64) -> Vec<u8> {
    encoding::encode(&ReceiptsAckWire(u64::from(RECEIPTS_ACK), number))
}

/// Reads one of the three (`RCP-5`, `RCP-6`).
pub(super) fn decode(kind: u8, bytes: &[u8]) -> Result<Message, MessageError> {
    match kind {
        RECEIPTS => {
            let ReceiptsWire(_, number, items) = shape(bytes)?;
            check_numbers(&[number])?;
            let count: usize = items.iter().map(|(_, receipts)| receipts.len()).sum();
            let right = items.iter().all(|(_, receipts)| !receipts.is_empty());
            ensure(right && (1..=RECEIPTS_MAX).contains(&count), "RCP-5", "the number of receipts")?;
            let item = |(objects, receipts): (_, Vec<ByteBuf>)| {
                let fits = receipts.iter().all(|receipt| receipt.len() <= RECEIPT_BYTES_MAX);
                ensure(fits, "RCP-1", "the length of a receipt")?;
                let receipts = receipts.into_iter().map(ByteBuf::into_vec).collect();
                Ok(HolderReceipts { objects: decode_objects(objects, "RCP-5")?, receipts })
            };
            let items = items.into_iter().map(item).collect::<Result<_, MessageError>>()?;
            Ok(Message::Receipts { number, news: ReceiptNews::Receipts(items) })
        }
        RECEIPTS_ACK => {
            let ReceiptsAckWire(_, number) = shape(bytes)?;
            check_numbers(&[number]).map(|()| Message::ReceiptsAck { number })
        }
        _ => {
            let CopiesWire(_, number, copies) = shape(bytes)?;
            check_numbers(&[number])?;
            ensure((1..=COPIES_MAX).contains(&copies.len()), "RCP-6", "the number of copies")?;
            ensure(copies.iter().all(|(_, _, _, ms)| *ms <= TIME_MS_MAX), "RCP-6", "a time")?;
            let copy = |(entry, holder, device, seen_ms)| KnownCopy { entry, holder, device, seen_ms };
            Ok(Message::Receipts { number, news: ReceiptNews::Copies(copies.into_iter().map(copy).collect()) })
        }
    }
}
