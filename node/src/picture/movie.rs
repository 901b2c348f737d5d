//! MP4 and QuickTime: boxes in which cameras and programs write places, names and times are overwritten with nothing.
//! No byte moves, since tables in the file say where its samples are.

use std::io::{self, BufRead, Read, Write};

/// Boxes that are overwritten, wherever they stand.
const DROPPED: [&[u8; 4]; 3] = [b"udta", b"meta", b"uuid"];
/// Boxes in which others are looked for.
const OPENED: [&[u8; 4]; 2] = [b"moov", b"trak"];

/// Copies a film. Where it is no longer made of boxes, the rest is copied as it is: nobody reads anything in that.
pub(super) fn clean(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    // How many bytes are left of each open box, the innermost last.
    let mut open: Vec<u64> = Vec::new();
    loop {
        while open.last() == Some(&0) {
            open.pop();
        }
        if let Some(left) = open.last_mut().filter(|left| **left < 8) {
            // Too few bytes for a box: some programs end one with zeros.
            io::copy(&mut from.by_ref().take(*left), to)?;
            *left = 0;
            continue;
        }
        let mut head = Vec::with_capacity(16);
        read_more(from, &mut head, 8)?;
        // What says no size reaches to the end of what it is in.
        let rest = open.last().copied().unwrap_or(u64::MAX);
        let Some((size, kind)) = read_head(from, &mut head, rest)? else {
            to.write_all(&head)?;
            return io::copy(from, to).map(drop);
        };
        let length = head.len() as u64;
        let fits = size >= length && open.last().is_none_or(|left| size <= *left);
        if !fits {
            to.write_all(&head)?;
            return io::copy(from, to).map(drop);
        }
        if let Some(left) = open.last_mut() {
            *left -= size;
        }
        let content = size - length;
        if DROPPED.contains(&&kind) {
            head[4..8].copy_from_slice(b"free");
            to.write_all(&head)?;
            let there = io::copy(&mut from.by_ref().take(content), &mut io::sink())?;
            io::copy(&mut io::repeat(0).take(there), to)?;
        } else if OPENED.contains(&&kind) && open.len() < 2 {
            to.write_all(&head)?;
            open.push(content);
        } else {
            to.write_all(&head)?;
            io::copy(&mut from.by_ref().take(content), to)?;
        }
    }
}

/// The size of a box with its head, `rest` where it says none, and its kind; nothing at the end.
fn read_head(from: &mut impl BufRead, head: &mut Vec<u8>, rest: u64) -> io::Result<Option<(u64, [u8; 4])>> {
    let Some((size, kind)) = head.split_first_chunk::<4>() else { return Ok(None) };
    let (size, Ok(kind)) = (u64::from(u32::from_be_bytes(*size)), <[u8; 4]>::try_from(kind)) else { return Ok(None) };
    if size != 1 {
        return Ok(Some((if size == 0 { rest } else { size }, kind)));
    }
    read_more(from, head, 8)?;
    Ok(head.get(8..16).and_then(|size| size.try_into().ok()).map(|size| (u64::from_be_bytes(size), kind)))
}

/// Reads so many bytes, or those that are left.
fn read_more(from: &mut impl BufRead, into: &mut Vec<u8>, bytes: u64) -> io::Result<()> {
    from.by_ref().take(bytes).read_to_end(into).map(drop)
}
