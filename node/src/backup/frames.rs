//! How a backup travels from the node to whoever keeps it, and how a backup in one file lies there (`ARC-15`):
//! a first line, then frames of a type, a name and bytes, the root last.

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use super::Written;

/// The first line.
pub(crate) const MAGIC: &[u8] = b"xom backup 1\n";
/// Most names that a node is told of.
pub const KNOWN_NAMES_MAX: usize = 1 << 22;
/// Longest frame, bytes: a piece with what is around it, or the root of a very large backup.
const FRAME_BYTES_MAX: usize = 64 << 20;
/// Bytes of a name.
const NAME_BYTES: usize = 16;

const KEPT: u8 = 1;
const FILE: u8 = 2;
const ROOT: u8 = 3;

/// The name of a sealed file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(pub [u8; NAME_BYTES]);

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&data_encoding::HEXLOWER.encode(&self.0))
    }
}

/// Names, one after the other.
pub fn known_names(bytes: &[u8]) -> Option<BTreeSet<Name>> {
    let (names, rest) = bytes.as_chunks::<NAME_BYTES>();
    (rest.is_empty() && names.len() <= KNOWN_NAMES_MAX).then(|| names.iter().map(|name| Name(*name)).collect())
}

/// Something that stands in a backup's stream.
pub(crate) enum Frame {
    /// A file that the keeper has.
    Kept(Name),
    /// A sealed file.
    File(Name, Vec<u8>),
    /// The root, and with it the end.
    Root(Vec<u8>),
}

/// Writes frames.
pub(crate) struct FrameWriter<W> {
    to: W,
    known: BTreeSet<Name>,
    /// What this backup has named already.
    named: BTreeSet<Name>,
    written: Written,
}

impl<W: Write> FrameWriter<W> {
    /// Begins; files in `known` are not sent again.
    pub(crate) fn new(mut to: W, known: BTreeSet<Name>) -> io::Result<Self> {
        to.write_all(MAGIC)?;
        Ok(Self { to, known, named: BTreeSet::new(), written: Written::default() })
    }

    /// True if the keeper has all of these.
    pub(crate) fn has(&self, names: &[Name]) -> bool {
        names.iter().all(|name| self.known.contains(name) || self.named.contains(name))
    }

    /// Adds a file, sealing it only where it is not there.
    pub(crate) fn file<E: From<io::Error>>(
        &mut self,
        name: Name,
        seal: impl FnOnce() -> Result<Vec<u8>, E>,
    ) -> Result<(), E> {
        if !self.named.insert(name) {
            return Ok(());
        }
        self.written.files += 1;
        if self.known.contains(&name) {
            self.frame(KEPT, name, &[])?;
            return Ok(());
        }
        let sealed = seal()?;
        self.written.new_files += 1;
        self.written.new_bytes += sealed.len() as u64;
        Ok(self.frame(FILE, name, &sealed)?)
    }

    /// Ends with the root.
    pub(crate) fn finish(mut self, sealed: &[u8], entries: u64, blobs: u64) -> io::Result<Written> {
        self.frame(ROOT, Name([0; NAME_BYTES]), sealed)?;
        self.to.flush()?;
        let new_bytes = self.written.new_bytes + sealed.len() as u64;
        Ok(Written { entries, blobs, new_bytes, ..self.written })
    }

    fn frame(&mut self, kind: u8, name: Name, bytes: &[u8]) -> io::Result<()> {
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.to.write_all(&[kind])?;
        self.to.write_all(&name.0)?;
        self.to.write_all(&length.to_be_bytes())?;
        self.to.write_all(bytes)
    }
}

/// Reads the first line.
pub(crate) fn read_magic(from: &mut impl Read) -> io::Result<()> {
    let mut magic = [0; MAGIC.len()];
    from.read_exact(&mut magic)?;
    if magic == MAGIC { Ok(()) } else { Err(invalid("not a backup of xom (ARC-15)")) }
}

/// Reads type, name and length of the next frame.
pub(crate) fn read_head(from: &mut impl Read) -> io::Result<(u8, Name, usize)> {
    let mut head = [0; 1 + NAME_BYTES + 4];
    from.read_exact(&mut head)?;
    let mut name = [0; NAME_BYTES];
    name.copy_from_slice(&head[1..=NAME_BYTES]);
    let length = u32::from_be_bytes([head[17], head[18], head[19], head[20]]) as usize;
    if length > FRAME_BYTES_MAX || !(KEPT..=ROOT).contains(&head[0]) {
        return Err(invalid("a frame that is none (ARC-15)"));
    }
    Ok((head[0], Name(name), length))
}

/// Reads a frame.
pub(crate) fn read_frame(from: &mut impl Read) -> io::Result<Frame> {
    let (kind, name, length) = read_head(from)?;
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(match kind {
        KEPT => Frame::Kept(name),
        FILE => Frame::File(name, bytes),
        _ => Frame::Root(bytes),
    })
}

/// True for the root's type.
pub(crate) fn is_root(kind: u8) -> bool {
    kind == ROOT
}

fn invalid(cause: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause.to_owned())
}
