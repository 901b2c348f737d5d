//! Prints and lists of spans (`SYN-25`, `SYN-26`), with the bounds of one message (`SYN-27`).

use serde::{Deserialize, Serialize};
use serde_bytes::{ByteArray, ByteBuf};

use super::wire::shape;
use super::{Message, MessageError, check_numbers, ensure};
use crate::encoding;
use crate::limits::{SPAN_LIST_MAX, SPAN_LISTED_MAX, SPAN_PRINT_BYTES, SPAN_PRINTS_MAX};
use crate::sync::Span;

/// The kind of the message.
pub(super) const KIND: u8 = 23;

/// Bytes of a mark.
const MARK_BYTES: usize = 16;

/// What the sender has in a span, as a print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpanPrint {
    /// Which.
    pub span: Span,
    /// Over all marks in it.
    pub print: [u8; SPAN_PRINT_BYTES],
}

/// All that the sender has in a span.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpanList {
    /// Which.
    pub span: Span,
    /// The marks in it, from the lowest to the highest.
    pub marks: Vec<u128>,
}

/// One message of an exchange of spans (`SYN-26`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spans {
    /// 1 for the sender's first, then one more each.
    pub number: u64,
    /// True if the sender has more to say.
    pub more: bool,
    /// Spans that the receiver compares.
    pub prints: Vec<SpanPrint>,
    /// Spans in which the receiver finds what differs.
    pub lists: Vec<SpanList>,
}

type PrintWire = (ByteBuf, ByteBuf, ByteArray<SPAN_PRINT_BYTES>);
type ListWire = (ByteBuf, ByteBuf, ByteBuf);

#[derive(Serialize, Deserialize)]
struct SpansWire(u64, u64, bool, Vec<PrintWire>, Vec<ListWire>);

pub(super) fn encode(spans: &Spans) -> Vec<u8> {
    let print = |print: &SpanPrint| (bound(print.span.from), bound(print.span.to), ByteArray::new(print.print));
    let list = |list: &SpanList| {
        let marks: Vec<u8> = list.marks.iter().flat_map(|mark| mark.to_be_bytes()).collect();
        (bound(list.span.from), bound(list.span.to), ByteBuf::from(marks))
    };
    let prints = spans.prints.iter().map(print).collect();
    let lists = spans.lists.iter().map(list).collect();
    encoding::encode(&SpansWire(KIND.into(), spans.number, spans.more, prints, lists))
}

pub(super) fn decode(bytes: &[u8]) -> Result<Message, MessageError> {
    let SpansWire(_, number, more, prints, lists) = shape(bytes)?;
    check_numbers(&[number])?;
    ensure(prints.len() <= SPAN_PRINTS_MAX && lists.len() <= SPAN_PRINTS_MAX, "SYN-27", "the number of spans")?;
    let listed: usize = lists.iter().map(|(_, _, marks)| marks.len()).sum();
    ensure(listed <= SPAN_LISTED_MAX * MARK_BYTES, "SYN-27", "the length of the lists")?;
    let prints = prints
        .into_iter()
        .map(|(from, to, print)| Ok(SpanPrint { span: span(&from, &to)?, print: print.into_array() }));
    let prints = prints.collect::<Result<Vec<_>, MessageError>>()?;
    let lists = lists.into_iter().map(list).collect::<Result<Vec<_>, MessageError>>()?;
    ensure(are_apart(prints.iter().map(|print| print.span)), "SYN-26", "the order of prints")?;
    ensure(are_apart(lists.iter().map(|list| list.span)), "SYN-26", "the order of lists")?;
    Ok(Message::Spans(Spans { number, more, prints, lists }))
}

fn list((from, to, marks): ListWire) -> Result<SpanList, MessageError> {
    let span = span(&from, &to)?;
    let (marks, rest) = marks.as_chunks::<MARK_BYTES>();
    ensure(rest.is_empty() && marks.len() <= SPAN_LIST_MAX, "SYN-27", "the length of a list")?;
    let marks: Vec<u128> = marks.iter().map(|mark| u128::from_be_bytes(*mark)).collect();
    let in_order = marks.is_sorted_by(|one, other| one < other) && marks.iter().all(|mark| span.contains(*mark));
    ensure(in_order, "SYN-26", "the marks of a list")?;
    Ok(SpanList { span, marks })
}

/// The bytes of a bound, without zeros at the end.
fn bound(id: u64) -> ByteBuf {
    let bytes = id.to_be_bytes();
    let len = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    ByteBuf::from(bytes[..len].to_vec())
}

fn read_bound(bytes: &[u8]) -> Result<u64, MessageError> {
    let mut whole = [0; 8];
    ensure(bytes.len() <= whole.len(), "SYN-1", "the length of a bound")?;
    ensure(bytes.last() != Some(&0), "SYN-26", "a bound of a span")?;
    whole[..bytes.len()].copy_from_slice(bytes);
    Ok(u64::from_be_bytes(whole))
}

fn span(from: &[u8], to: &[u8]) -> Result<Span, MessageError> {
    let span = Span { from: read_bound(from)?, to: read_bound(to)? };
    ensure(span.is_sound(), "SYN-26", "a span backwards")?;
    Ok(span)
}

/// True if each span begins where the last one ended, or later.
fn are_apart(spans: impl Iterator<Item = Span>) -> bool {
    let mut end = Some(0);
    for span in spans {
        match end {
            Some(end) if span.from >= end => {}
            _ => return false,
        }
        end = (span.to != 0).then_some(span.to);
    }
    true
}
