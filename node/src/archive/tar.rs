//! The tar of an archive (`ARC-1`): plain files, each header with exactly one possible form, so that no
//! bit of it can differ unnoticed, and nothing that a reader would have to interpret.

use std::io::{self, Read, Write};

use sha2::{Digest as _, Sha256};
use xom_protocol::Digest;

/// Bytes of a header, and what content is padded to.
pub(super) const BLOCK: usize = 512;
/// Largest member, bytes: eleven octal digits.
pub(super) const MEMBER_BYTES_MAX: u64 = 0o77_777_777_777;
/// Longest name, bytes.
const NAME_BYTES_MAX: usize = 100;
/// Bytes copied at a time.
const PIECE: usize = 64 << 10;

/// The header of a member; none where its name or size does not fit.
pub(super) fn header(name: &str, size: u64) -> Option<[u8; BLOCK]> {
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.is_ascii() || size > MEMBER_BYTES_MAX {
        return None;
    }
    let mut block = [0; BLOCK];
    let mut put = |at: usize, text: &str| block[at..at + text.len()].copy_from_slice(text.as_bytes());
    put(0, name);
    for at in [108, 116, 329, 337] {
        put(at, "0000000");
    }
    put(100, "0000644");
    put(124, &format!("{size:011o}"));
    put(136, "00000000000");
    put(148, "        ");
    put(156, "0");
    put(257, "ustar\0");
    put(263, "00");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(block)
}

/// Bytes after `size` bytes of content up to the next header.
fn padding(size: u64) -> usize {
    (BLOCK - (size % BLOCK as u64) as usize) % BLOCK
}

/// Writes members, and hashes all that is written.
pub(super) struct TarWriter<W> {
    to: W,
    hash: Sha256,
    bytes: u64,
    /// What is left of the member that is being written.
    left: u64,
    padding: usize,
}

impl<W: Write> TarWriter<W> {
    pub(super) fn new(to: W) -> Self {
        Self { to, hash: Sha256::new(), bytes: 0, left: 0, padding: 0 }
    }

    /// Begins a member; exactly `size` bytes must follow.
    pub(super) fn begin(&mut self, name: &str, size: u64) -> io::Result<()> {
        let header = header(name, size).ok_or_else(|| invalid(format!("no member can be {name} of {size} bytes")))?;
        self.put(&header)?;
        self.left = size;
        self.padding = padding(size);
        Ok(())
    }

    /// Ends the member.
    pub(super) fn end(&mut self) -> io::Result<()> {
        if self.left > 0 {
            return Err(invalid(format!("a member is {} bytes shorter than it was to be", self.left)));
        }
        let padding = std::mem::take(&mut self.padding);
        self.put(&[0; BLOCK][..padding])
    }

    /// A whole member.
    pub(super) fn member(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        self.begin(name, bytes.len() as u64)?;
        self.write_all(bytes)?;
        self.end()
    }

    /// What is left of the member.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// The SHA-256 of everything written so far.
    pub(super) fn digest(&self) -> Digest {
        Digest(self.hash.clone().finalize().into())
    }

    /// Ends the file. Answers its length, bytes.
    pub(super) fn finish(mut self) -> io::Result<u64> {
        self.put(&[0; 2 * BLOCK])?;
        self.to.flush()?;
        Ok(self.bytes)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }
}

impl<W: Write> Write for TarWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len() as u64;
        self.left = self.left.checked_sub(length).ok_or_else(|| invalid("a member is longer than it was to be"))?;
        self.put(bytes)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// What stands next in a tar.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A member.
    Member {
        /// Its name: ASCII, nothing else is known of it.
        name: String,
        /// Its size, bytes.
        size: u64,
    },
    /// The end, and nothing after it.
    End,
}

/// Reads members strictly.
pub(super) struct TarReader<R> {
    from: R,
    hash: Sha256,
    before_header: Sha256,
    left: u64,
    padding: usize,
}

impl<R: Read> TarReader<R> {
    pub(super) fn new(from: R) -> Self {
        Self { from, hash: Sha256::new(), before_header: Sha256::new(), left: 0, padding: 0 }
    }

    /// Reads the next header; what is left of the member before it is read and thrown away.
    pub(super) fn next(&mut self) -> io::Result<Next> {
        io::copy(self, &mut io::sink())?;
        let mut block = [0; BLOCK];
        let padding = std::mem::take(&mut self.padding);
        self.fill(&mut block[..padding])?;
        if block != [0; BLOCK] {
            return Err(invalid("padding that is not zero (ARC-1)"));
        }
        self.before_header = self.hash.clone();
        self.fill(&mut block)?;
        if block == [0; BLOCK] {
            self.fill(&mut block)?;
            let more = self.from.read(&mut [0])?;
            let ends = block == [0; BLOCK] && more == 0;
            return if ends { Ok(Next::End) } else { Err(invalid("bytes after the end of the tar (ARC-1)")) };
        }
        let (name, size) = parse(&block).ok_or_else(|| invalid("a header that is not of this form (ARC-1)"))?;
        self.left = size;
        self.padding = self::padding(size);
        Ok(Next::Member { name, size })
    }

    /// What is left of the member, bytes.
    pub(super) fn left(&self) -> u64 {
        self.left
    }

    /// The SHA-256 of everything before the header of this member.
    pub(super) fn digest_before(&self) -> Digest {
        Digest(self.before_header.clone().finalize().into())
    }

    fn fill(&mut self, bytes: &mut [u8]) -> io::Result<()> {
        self.from.read_exact(bytes).map_err(cut_short)?;
        self.hash.update(bytes);
        Ok(())
    }
}

/// Reads the member up to its end.
impl<R: Read> Read for TarReader<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(bytes.len()).min(PIECE);
        if most == 0 {
            return Ok(0);
        }
        let read = self.from.read(&mut bytes[..most])?;
        if read == 0 {
            return Err(cut_short(io::ErrorKind::UnexpectedEof.into()));
        }
        self.hash.update(&bytes[..read]);
        self.left -= read as u64;
        Ok(read)
    }
}

/// Name and size of a header, if this very header is the one that they give.
fn parse(block: &[u8; BLOCK]) -> Option<(String, u64)> {
    let name = block[..NAME_BYTES_MAX].split(|byte| *byte == 0).next()?;
    let name = std::str::from_utf8(name).ok()?;
    let size = u64::from_str_radix(std::str::from_utf8(&block[124..135]).ok()?, 8).ok()?;
    (header(name, size)? == *block).then(|| (name.to_owned(), size))
}

pub(super) fn invalid(cause: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, cause.into())
}

fn cut_short(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => invalid("the file is cut short (ARC-1)"),
        _ => error,
    }
}
