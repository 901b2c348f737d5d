//! What is done to pictures and films where they come in: what they tell of their maker is left out before they get
//! a name (`BLOB-9`). Nothing of it decodes more than the frame of a format, and none of it trusts a length.

mod blurhash;
mod exif;
mod gif;
mod jpeg;
mod movie;
mod png;
mod preview;
mod webp;

use std::io::{self, BufRead, Read, Seek, Write};

pub(crate) use exif::Orientation;
pub use preview::preview_size;
pub(crate) use preview::{NoPreview, Preview, preview};

/// Why a file can't be taken apart.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CleanError {
    /// It is not what its first bytes say, or is cut short.
    #[error("the {0} is damaged")]
    Damaged(&'static str),
    /// It can't be read or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Copies a file without what it tells of its maker: places, times, names, programs, small pictures and whatever
/// follows its end. What is shown stays bit for bit. Answers how a picture is to be turned, which stays in it too.
/// Types that it does not know are copied as they are.
pub(crate) fn clean(
    media_type: &str,
    from: &mut (impl BufRead + Seek),
    to: &mut impl Write,
) -> Result<Orientation, CleanError> {
    let (kind, cleaned) = match media_type {
        "image/jpeg" => ("JPEG", jpeg::clean(from, to)),
        "image/png" => ("PNG", png::clean(from, to)),
        "image/gif" => ("GIF", gif::clean(from, to).map(|()| Orientation::default())),
        "image/webp" => ("WebP", webp::clean(from, to)),
        "video/mp4" | "video/quicktime" | "audio/mp4" => {
            ("film", movie::clean(from, to).map(|()| Orientation::default()))
        }
        _ => ("file", io::copy(from, to).map(|_| Orientation::default())),
    };
    cleaned.map_err(|e| match e.kind() {
        io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => CleanError::Damaged(kind),
        _ => CleanError::Io(e),
    })
}

/// Copies so many bytes; fails where there are fewer.
fn copy_exact(from: &mut impl Read, to: &mut impl Write, bytes: u64) -> io::Result<()> {
    match io::copy(&mut from.take(bytes), to)? {
        copied if copied == bytes => Ok(()),
        _ => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Skips so many bytes; fails where there are fewer.
fn skip(from: &mut impl Read, bytes: u64) -> io::Result<()> {
    copy_exact(from, &mut io::sink(), bytes)
}

/// Reads so many bytes.
fn array<const N: usize>(from: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// Reads at most so many bytes of a part that has `length`, and skips the others.
fn beginning(from: &mut impl Read, length: u64, most: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(length.min(most)).read_to_end(&mut bytes)?;
    skip(from, length - bytes.len() as u64)?;
    Ok(bytes)
}

/// The error for what no file of its kind holds.
fn damaged() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests;
