//! PNG: chunks that decoders need, also of animations; texts, times, EXIF and unknown chunks go.

use std::io::{self, BufRead, Write};

use super::exif::{EXIF_BYTES_MAX, Orientation};
use super::{array, beginning, copy_exact, damaged, skip};

/// What every file begins with.
const SIGNATURE: [u8; 8] = *b"\x89PNG\r\n\x1a\n";
/// Chunks that are kept.
const KEPT: [&[u8; 4]; 16] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"iCCP", b"sBIT", b"sRGB", b"cICP", b"bKGD",
    b"pHYs", b"acTL", b"fcTL", b"fdAT",
];
/// Longest chunk that the format allows.
const CHUNK_BYTES_MAX: u64 = (1 << 31) - 1;

/// Copies a picture.
pub(super) fn clean(from: &mut impl BufRead, to: &mut impl Write) -> io::Result<Orientation> {
    if array(from)? != SIGNATURE {
        return Err(damaged());
    }
    to.write_all(&SIGNATURE)?;
    let mut orientation = Orientation::default();
    let mut has_header = false;
    loop {
        let (length, kind): (u64, [u8; 4]) = match (array(from), array(from)) {
            (Ok(length), Ok(kind)) => (u64::from(u32::from_be_bytes(length)), kind),
            // Cut short, or followed by something else: what there is is shown.
            (Err(e), _) | (_, Err(e)) if e.kind() == io::ErrorKind::UnexpectedEof && has_header => break,
            (Err(e), _) | (_, Err(e)) => return Err(e),
        };
        let is_chunk = kind.iter().all(u8::is_ascii_alphabetic) && length <= CHUNK_BYTES_MAX;
        if !is_chunk || has_header == (kind == *b"IHDR") {
            match has_header {
                true => break,
                false => return Err(damaged()),
            }
        }
        has_header = true;
        if KEPT.contains(&&kind) {
            to.write_all(&u32::try_from(length).map_err(|_| damaged())?.to_be_bytes())?;
            to.write_all(&kind)?;
            // With its checksum.
            copy_exact(from, to, length + 4)?;
        } else if kind == *b"eXIf" {
            let tiff = beginning(from, length, EXIF_BYTES_MAX)?;
            skip(from, 4)?;
            orientation = Orientation::of_tiff(&tiff);
            if !orientation.is_upright() {
                write_chunk(to, b"eXIf", &orientation.tiff())?;
            }
        } else {
            skip(from, length + 4)?;
        }
        if kind == *b"IEND" {
            break;
        }
    }
    Ok(orientation)
}

fn write_chunk(to: &mut impl Write, kind: &[u8; 4], content: &[u8]) -> io::Result<()> {
    to.write_all(&u32::try_from(content.len()).map_err(|_| damaged())?.to_be_bytes())?;
    let bytes = [kind.as_slice(), content].concat();
    to.write_all(&bytes)?;
    to.write_all(&checksum(&bytes).to_be_bytes())
}

/// The CRC of a chunk, as ISO 3309 and ITU-T V.42 have it.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 };
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}
