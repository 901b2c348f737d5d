//! WebP: the picture, its colours and its frames; EXIF, XMP and unknown chunks go.

use std::io::{self, BufRead, Seek, SeekFrom, Write};

use super::exif::{EXIF_BYTES_MAX, Orientation};
use super::{array, beginning, copy_exact, damaged};

/// Chunks that are kept.
const KEPT: [&[u8; 4]; 7] = [b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"];
/// Most chunks that are looked at: some for each of as many frames as anybody waits for.
const CHUNKS_MAX: usize = 65_536;
/// Flags of a file: it has EXIF, it has XMP.
const EXIF: u8 = 0x08;
const XMP: u8 = 0x04;

/// Where a chunk that is kept stands, and how long it is with its head and its padding.
struct Kept {
    kind: [u8; 4],
    at: u64,
    bytes: u64,
}

/// Copies a picture: reads where everything is first, since the size of what is kept stands at the beginning.
pub(super) fn clean(from: &mut (impl BufRead + Seek), to: &mut impl Write) -> io::Result<Orientation> {
    let head: [u8; 12] = array(from)?;
    if !head.starts_with(b"RIFF") || !head.ends_with(b"WEBP") {
        return Err(damaged());
    }
    let (mut kept, mut orientation) = (Vec::new(), Orientation::default());
    let [_, _, _, _, size @ .., _, _, _, _] = head;
    let end = u64::from(u32::from_le_bytes(size)) + 8;
    let mut at = 12;
    while at + 8 <= end && kept.len() < CHUNKS_MAX {
        let kind: [u8; 4] = match array(from) {
            // Cut short: what there is is shown.
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => break,
            kind => kind?,
        };
        let length = u64::from(u32::from_le_bytes(array(from)?));
        let bytes = 8 + length + length % 2;
        if KEPT.contains(&&kind) {
            kept.push(Kept { kind, at, bytes });
        }
        if kind == *b"EXIF" {
            let exif = beginning(from, length, EXIF_BYTES_MAX)?;
            orientation = Orientation::of_tiff(exif.strip_prefix(b"Exif\0\0").unwrap_or(&exif));
            from.seek(SeekFrom::Start(at + bytes))?;
        } else {
            from.seek_relative(i64::try_from(bytes - 8).map_err(|_| damaged())?)?;
        }
        at += bytes;
    }
    let is_extended = kept.first().is_some_and(|first| first.kind == *b"VP8X");
    let tiff = Some(orientation.tiff()).filter(|_| is_extended && !orientation.is_upright());
    let own = tiff.as_ref().map_or(0, |tiff| 8 + tiff.len() as u64);
    let all = 4 + own + kept.iter().map(|chunk| chunk.bytes).sum::<u64>();
    to.write_all(b"RIFF")?;
    to.write_all(&u32::try_from(all).map_err(|_| damaged())?.to_le_bytes())?;
    to.write_all(b"WEBP")?;
    for chunk in kept {
        from.seek(SeekFrom::Start(chunk.at))?;
        if chunk.kind == *b"VP8X" && chunk.bytes > 8 {
            copy_exact(from, to, 8)?;
            let [flags] = array(from)?;
            let has_exif = if tiff.is_some() { EXIF } else { 0 };
            to.write_all(&[flags & !(EXIF | XMP) | has_exif])?;
            copy_exact(from, to, chunk.bytes - 9)?;
        } else {
            copy_exact(from, to, chunk.bytes)?;
        }
    }
    if let Some(tiff) = tiff {
        to.write_all(b"EXIF")?;
        to.write_all(&u32::try_from(tiff.len()).map_err(|_| damaged())?.to_le_bytes())?;
        to.write_all(&tiff)?;
    }
    Ok(if is_extended { orientation } else { Orientation::default() })
}
