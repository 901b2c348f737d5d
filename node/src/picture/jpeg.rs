//! JPEG: segments that decoders need, and the scans; comments and every other application's segments go.

use std::io::{self, BufRead, Write};

use super::exif::{EXIF_BYTES_MAX, Orientation};
use super::{array, beginning, copy_exact, damaged, skip};

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const SCAN: u8 = 0xda;
const JFIF: u8 = 0xe0;
const EXIF: u8 = 0xe1;
const PROFILE: u8 = 0xe2;
const ADOBE: u8 = 0xee;

/// Copies a picture.
pub(super) fn clean(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<Orientation> {
    if array(from)? != [0xff, START] {
        return Err(damaged());
    }
    to.write_all(&[0xff, START])?;
    let mut orientation = None;
    let mut marker = next_marker(from)?;
    loop {
        match marker {
            END => break,
            // Parameters-less markers between segments have no place here.
            0x01 | 0xd0..=0xd7 | START => {}
            SCAN => {
                segment(from, to, SCAN)?;
                match scan(from, to)? {
                    Some(next) => {
                        marker = next;
                        continue;
                    }
                    // Cut short: what there is is shown.
                    None => break,
                }
            }
            EXIF if orientation.is_none() => {
                let length = length(from)?;
                let bytes = beginning(from, length, EXIF_BYTES_MAX)?;
                if let Some(tiff) = bytes.strip_prefix(b"Exif\0\0") {
                    let found = Orientation::of_tiff(tiff);
                    orientation = Some(found);
                    if !found.is_upright() {
                        let content = [b"Exif\0\0".as_slice(), &found.tiff()].concat();
                        write_segment(to, EXIF, &content)?;
                    }
                }
            }
            JFIF => {
                let length = length(from)?;
                let mut bytes = beginning(from, length, 14)?;
                if bytes.starts_with(b"JFIF\0") && bytes.len() == 14 {
                    // Without its small picture.
                    bytes[12..].fill(0);
                    write_segment(to, JFIF, &bytes)?;
                }
            }
            PROFILE | ADOBE => {
                let length = length(from)?;
                let bytes = beginning(from, length, 1 << 16)?;
                if bytes.starts_with(b"ICC_PROFILE\0") || (marker == ADOBE && bytes.starts_with(b"Adobe")) {
                    write_segment(to, marker, &bytes)?;
                }
            }
            // Frames, tables, intervals: what the decoder works with.
            0xc0..=0xcf | 0xdb..=0xdd => segment(from, to, marker)?,
            _ => {
                let length = length(from)?;
                skip(from, length)?;
            }
        }
        marker = next_marker(from)?;
    }
    to.write_all(&[0xff, END])?;
    Ok(orientation.unwrap_or_default())
}

/// The next marker; what stands before it belongs to nothing.
fn next_marker(from: &mut impl BufRead) -> io::Result<u8> {
    loop {
        skip_until(from, &mut io::sink())?;
        let mut code = 0xff;
        while code == 0xff {
            [code] = array(from)?;
        }
        if code != 0 {
            return Ok(code);
        }
    }
}

/// Copies up to the next 0xff, which is taken and not copied.
fn skip_until(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<()> {
    loop {
        let buffer = from.fill_buf()?;
        if buffer.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match buffer.iter().position(|byte| *byte == 0xff) {
            Some(at) => {
                to.write_all(&buffer[..at])?;
                from.consume(at + 1);
                return Ok(());
            }
            None => {
                to.write_all(buffer)?;
                let all = buffer.len();
                from.consume(all);
            }
        }
    }
}

/// Copies the data of a scan, with its restart markers. Answers the marker after it; none at the end of the file.
fn scan(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<Option<u8>> {
    let ended = |e: io::Error| if e.kind() == io::ErrorKind::UnexpectedEof { Ok(None) } else { Err(e) };
    loop {
        if let Err(e) = skip_until(from, to) {
            return ended(e);
        }
        let mut code = 0xff;
        while code == 0xff {
            match array(from) {
                Ok([next]) => code = next,
                Err(e) => return ended(e),
            }
        }
        match code {
            0 | 0xd0..=0xd7 => to.write_all(&[0xff, code])?,
            marker => return Ok(Some(marker)),
        }
    }
}

/// The length of a segment's content.
fn length(from: &mut impl BufRead) -> io::Result<u64> {
    u64::from(u16::from_be_bytes(array(from)?)).checked_sub(2).ok_or_else(damaged)
}

/// Copies a segment.
fn segment(from: &mut impl BufRead, to: &mut impl Write, marker: u8) -> io::Result<()> {
    let length = length(from)?;
    to.write_all(&[0xff, marker])?;
    to.write_all(&u16::try_from(length + 2).map_err(|_| damaged())?.to_be_bytes())?;
    copy_exact(from, to, length)
}

fn write_segment(to: &mut impl Write, marker: u8, content: &[u8]) -> io::Result<()> {
    to.write_all(&[0xff, marker])?;
    to.write_all(&u16::try_from(content.len() + 2).map_err(|_| damaged())?.to_be_bytes())?;
    to.write_all(content)
}
