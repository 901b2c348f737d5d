//! The scanner: one pass over the bytes, a fixed stack, no allocation.

use super::EncodingError;
use crate::limits::{CID_BYTES_MAX, DEPTH_MAX, ITEMS_MAX};

/// One open array or map.
#[derive(Clone, Copy, Default)]
struct Frame {
    /// Items still to come; a map of n pairs has 2n.
    remaining: u64,
    is_map: bool,
    /// Where the last key of a map stands, with its head: start and end.
    last_key: (usize, usize),
}

/// The head of one item.
struct Head {
    major: u8,
    info: u8,
    value: u64,
    at: usize,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    items: u64,
}

/// Checks one whole object.
pub(super) fn scan(bytes: &[u8]) -> Result<(), EncodingError> {
    let mut scanner = Scanner { bytes, at: 0, items: 0 };
    let mut stack = [Frame::default(); DEPTH_MAX];
    let mut depth = 0_usize;
    loop {
        let start = scanner.at;
        let opened = scanner.item()?;
        if let Some(frame) = depth.checked_sub(1).map(|top| &mut stack[top]) {
            if frame.is_map && frame.remaining % 2 == 0 {
                check_key(bytes, frame, start, scanner.at)?;
            }
            frame.remaining -= 1;
        }
        if let Some(frame) = opened {
            if depth == DEPTH_MAX {
                return Err(EncodingError::TooComplex { at: start });
            }
            stack[depth] = frame;
            depth += 1;
        }
        while depth > 0 && stack[depth - 1].remaining == 0 {
            depth -= 1;
        }
        if depth == 0 {
            break;
        }
    }
    if scanner.at < bytes.len() { Err(EncodingError::Trailing { at: scanner.at }) } else { Ok(()) }
}

/// Keys are text and sorted by their encoded bytes, which is shorter first, then bytewise.
fn check_key(bytes: &[u8], frame: &mut Frame, start: usize, end: usize) -> Result<(), EncodingError> {
    let (last_start, last_end) = frame.last_key;
    let is_text = bytes[start] >> 5 == 3;
    let in_order = last_end == 0 || bytes[last_start..last_end] < bytes[start..end];
    if !is_text || !in_order {
        return Err(EncodingError::MapKey { at: start });
    }
    frame.last_key = (start, end);
    Ok(())
}

impl Scanner<'_> {
    /// Reads one head and, for bytes, text and links, its content; an array or map comes back open.
    fn item(&mut self) -> Result<Option<Frame>, EncodingError> {
        self.items += 1;
        let head = self.head()?;
        if self.items > ITEMS_MAX {
            return Err(EncodingError::TooComplex { at: head.at });
        }
        match head.major {
            0 | 1 => Ok(None),
            2 => self.take(head.value).map(|_| None),
            3 => {
                let text = self.take(head.value)?;
                std::str::from_utf8(text).map(|_| None).map_err(|_| EncodingError::NotUtf8 { at: head.at })
            }
            4 => self.open(&head, head.value, false),
            5 => {
                let items = head.value.checked_mul(2).ok_or(EncodingError::TooComplex { at: head.at })?;
                self.open(&head, items, true)
            }
            6 => self.link(&head).map(|()| None),
            _ if matches!(head.info, 20..=22) => Ok(None),
            _ => Err(EncodingError::ForbiddenValue { at: head.at }),
        }
    }

    fn head(&mut self) -> Result<Head, EncodingError> {
        let at = self.at;
        let first = *self.bytes.get(at).ok_or(EncodingError::Truncated { at })?;
        self.at += 1;
        let (major, info) = (first >> 5, first & 0x1f);
        if major == 7 {
            return Ok(Head { major, info, value: 0, at });
        }
        let (width, least) = match info {
            0..=23 => return Ok(Head { major, info, value: u64::from(info), at }),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(EncodingError::NotMinimal { at }),
        };
        let value = self.take(width)?.iter().fold(0, |value, byte| value << 8 | u64::from(*byte));
        if value < least {
            return Err(EncodingError::NotMinimal { at });
        }
        Ok(Head { major, info, value, at })
    }

    fn open(&self, head: &Head, items: u64, is_map: bool) -> Result<Option<Frame>, EncodingError> {
        if items > ITEMS_MAX {
            return Err(EncodingError::TooComplex { at: head.at });
        }
        let left = (self.bytes.len() - self.at) as u64;
        if items > left {
            return Err(EncodingError::Truncated { at: head.at });
        }
        Ok(Some(Frame { remaining: items, is_map, last_key: (0, 0) }))
    }

    fn link(&mut self, tag: &Head) -> Result<(), EncodingError> {
        let refused = EncodingError::Link { at: tag.at };
        if tag.value != 42 {
            return Err(refused);
        }
        let head = self.head()?;
        let fits = head.major == 2 && head.value >= 2 && head.value <= CID_BYTES_MAX as u64;
        if !fits {
            return Err(refused);
        }
        let link = self.take(head.value)?;
        if link[0] != 0 {
            return Err(refused);
        }
        let mut cid = &link[1..];
        let read = cid::Cid::read_bytes(&mut cid);
        if read.is_ok_and(|read| cid.is_empty() && read.to_bytes() == link[1..]) { Ok(()) } else { Err(refused) }
    }

    fn take(&mut self, count: u64) -> Result<&[u8], EncodingError> {
        let truncated = EncodingError::Truncated { at: self.at };
        let left = self.bytes.len() - self.at;
        let count = usize::try_from(count).ok().filter(|count| *count <= left).ok_or(truncated)?;
        let start = self.at;
        self.at += count;
        Ok(&self.bytes[start..self.at])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], want: Result<(), &str>) {
        let got = scan(bytes);
        assert_eq!(got.clone().map_err(|e| e.rule().0), want, "{bytes:02x?}: {got:?}");
    }

    #[test]
    fn canonical_objects_pass() {
        for good in
            [&[0x00][..], &[0x80], &[0xa0], &[0x83, 1, 2, 3], &[0xa2, 0x61, b'a', 1, 0x62, b'a', b'a', 2], &[0xf6]]
        {
            check(good, Ok(()));
        }
    }

    #[test]
    fn other_forms_are_refused_with_their_rule() {
        check(&[], Err("ENC-1"));
        check(&[0x00, 0x00], Err("ENC-1"));
        check(&[0x18, 0x17], Err("ENC-2"));
        check(&[0x9f, 0xff], Err("ENC-2"));
        check(&[0xa2, 0x61, b'b', 1, 0x61, b'a', 2], Err("ENC-3"));
        check(&[0xa2, 0x61, b'a', 1, 0x61, b'a', 2], Err("ENC-3"));
        check(&[0xa1, 0x01, 0x01], Err("ENC-3"));
        check(&[0x61, 0xff], Err("ENC-3"));
        check(&[0xfb, 0, 0, 0, 0, 0, 0, 0, 0], Err("ENC-4"));
        check(&[0xf7], Err("ENC-4"));
        check(&[0xc1, 0x00], Err("ENC-6"));
        check(&[0xd8, 0x2a, 0x42, 1, 1], Err("ENC-6"));
        check(&[0x5b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Err("ENC-1"));
        check(&[0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Err("ENC-5"));
        check(&[0xbb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Err("ENC-5"));
    }

    #[test]
    fn depth_and_item_bombs_cost_one_pass() {
        for depth in [18, 100, 100_000, 2_000_000] {
            check(&vec![0x81; depth], Err("ENC-5"));
        }
        let mut wide = vec![0x9a, 0x00, 0x0f, 0x42, 0x40];
        wide.extend(std::iter::repeat_n(0x80, 1_000_000));
        check(&wide, Err("ENC-5"));
    }

    #[test]
    fn sixteen_levels_are_allowed() {
        let mut deep = vec![0x81; 15];
        deep.push(0x80);
        check(&deep, Ok(()));
    }
}
