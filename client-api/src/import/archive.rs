//! The files of an archive: a folder, a `.zip` or a `.tar.gz`, told apart by content.
//!
//! Nothing of the archive is ever used as a path on this machine, links are refused, and what it may unpack to is
//! bounded, so that a hostile archive can neither read nor write outside and can't fill the disk.

mod folder;
mod listing;
mod tarball;
mod zipped;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use xom_protocol::limits::BLOB_BYTES_MAX;

use self::folder::Folder;
use self::listing::Listing;
use self::tarball::Tarball;
use self::zipped::Zipped;

/// The posts.
pub const OUTBOX: &str = "outbox.json";
/// The account.
pub const ACTOR: &str = "actor.json";
/// What the name of a temporary folder begins with; one that was left behind can be removed.
pub const SCRATCH_PREFIX: &str = "import-";
/// Bytes that are copied at once.
const COPY_BYTES: usize = 64 << 10;
/// The folder of the media.
const MEDIA: &str = "media_attachments/";

/// What an archive may hold.
#[derive(Debug, Clone, Copy)]
pub struct ArchiveLimits {
    /// Most files and folders.
    pub entries_max: u64,
    /// Most bytes of all files together, unpacked.
    pub unpacked_bytes_max: u64,
    /// Most bytes of one file, unpacked.
    pub file_bytes_max: u64,
    /// Unpacked bytes for each packed byte, above which an archive larger than `ratio_free_bytes` is refused: media
    /// hardly shrink, JSON shrinks to a twentieth.
    pub ratio_max: u64,
    /// Unpacked bytes that no ratio is asked of.
    pub ratio_free_bytes: u64,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            entries_max: 1_000_000,
            unpacked_bytes_max: 64 << 30,
            file_bytes_max: 1 << 30,
            ratio_max: 100,
            ratio_free_bytes: 1 << 30,
        }
    }
}

/// An opened archive.
#[derive(Debug)]
pub struct Archive {
    files: BTreeMap<String, FileEntry>,
    /// What precedes the name of every file, with a slash at the end; empty if nothing does.
    top: String,
    /// Where each media file is, by its name from `media_attachments/` on.
    media: BTreeMap<String, String>,
    source: Source,
    /// Where media are copied to, one at a time.
    scratch: PathBuf,
}

/// A media file, copied out into a file without a name.
#[derive(Debug)]
pub struct Medium {
    /// The copy, to be read from its beginning.
    pub file: File,
    /// Its length.
    pub bytes: u64,
}

/// One file of an archive.
#[derive(Debug, Clone, Copy)]
struct FileEntry {
    bytes: u64,
    /// The source's own number for it.
    number: usize,
}

#[derive(Debug)]
enum Source {
    Folder(Folder),
    Tarball(Tarball),
    Zipped(Zipped),
}

/// Why an archive can't be read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// Some other kind of file.
    #[error("{path} is neither a folder, a .zip nor a .tar.gz file")]
    NotAnArchive {
        /// As the user gave it.
        path: String,
    },
    /// It is not an archive of Mastodon's, or not a whole one.
    #[error("the archive holds no {name}; is it the one that Mastodon offers under \"Import and export\"?")]
    Missing {
        /// The name of the file.
        name: &'static str,
    },
    /// A name that leads out of the archive.
    #[error("the archive holds the unsafe name {name:?}")]
    UnsafeName {
        /// The name.
        name: String,
    },
    /// A link, a device or the like.
    #[error("the archive holds {name:?}, which is a link or a special file")]
    NotAFile {
        /// The name.
        name: String,
    },
    /// More files than [`ArchiveLimits::entries_max`].
    #[error("the archive holds more than {max} files")]
    TooManyEntries {
        /// The limit.
        max: u64,
    },
    /// A file above [`ArchiveLimits::file_bytes_max`].
    #[error("{name:?} in the archive is larger than {max} bytes")]
    FileTooLarge {
        /// The name.
        name: String,
        /// The limit.
        max: u64,
    },
    /// More than [`ArchiveLimits::unpacked_bytes_max`], or far more than its own size tells.
    #[error("the archive unpacks to more than {max} bytes")]
    UnpacksTooLarge {
        /// The limit that holds for an archive of its size.
        max: u64,
    },
    /// A damaged file.
    #[error("the archive is damaged: {0}")]
    Damaged(String),
    /// A file that is not what its name says.
    #[error("{name} in the archive is not what it should be: {source}")]
    Json {
        /// The name of the file.
        name: &'static str,
        /// What the parser says.
        source: serde_json::Error,
    },
    /// The disk that it lies on.
    #[error("the archive can't be read: {0}")]
    Io(#[from] io::Error),
    /// The disk that files are copied to before they are sent.
    #[error("no file can be written beside the node's data: {0}")]
    Disk(io::Error),
}

impl Archive {
    /// Opens what lies at `path`; a `.tar.gz` is unpacked to a temporary folder in `scratch`.
    ///
    /// # Errors
    /// If it is no archive, is damaged or hostile, or has no outbox.
    pub fn open(path: &Path, scratch: &Path, limits: &ArchiveLimits) -> Result<Self, ArchiveError> {
        let (listing, source) = if fs::metadata(path)?.is_dir() {
            let (listing, folder) = Folder::open(path, limits)?;
            (listing, Source::Folder(folder))
        } else {
            let mut start = [0; 4];
            let length = File::open(path)?.take(4).read(&mut start)?;
            match &start[..length] {
                [b'P', b'K', 3, 4] | [b'P', b'K', 5, 6] => {
                    let (listing, zipped) = Zipped::open(path, limits)?;
                    (listing, Source::Zipped(zipped))
                }
                [0x1f, 0x8b, ..] => {
                    let (listing, tarball) = Tarball::unpack(path, scratch, limits)?;
                    (listing, Source::Tarball(tarball))
                }
                _ => return Err(ArchiveError::NotAnArchive { path: path.display().to_string() }),
            }
        };
        Self::from_listing(listing, source, scratch)
    }

    fn from_listing(listing: Listing, source: Source, scratch: &Path) -> Result<Self, ArchiveError> {
        let files = listing.into_files();
        let top = files
            .keys()
            .filter_map(|name| name.strip_suffix(OUTBOX))
            .filter(|top| top.is_empty() || top.ends_with('/'))
            .min_by_key(|top| top.matches('/').count())
            .ok_or(ArchiveError::Missing { name: OUTBOX })?
            .to_owned();
        if !files.contains_key(&format!("{top}{ACTOR}")) {
            return Err(ArchiveError::Missing { name: ACTOR });
        }
        let media = files
            .keys()
            .filter(|name| name.starts_with(&top))
            .filter_map(|name| Some((from_media(name)?.to_owned(), name.clone())))
            .collect();
        Ok(Self { files, top, media, source, scratch: scratch.to_owned() })
    }

    /// The archive's name for the file that `url` in its JSON means: a path in the archive, or the address that the
    /// file had on the web.
    #[must_use]
    pub fn find(&self, url: &str) -> Option<String> {
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let decoded = super::html_text::percent_decode(path);
        [path, decoded.as_str()].into_iter().find_map(|path| {
            let in_media = from_media(path).and_then(|name| self.media.get(name).cloned());
            let in_top = || format!("{}{}", self.top, path.trim_start_matches('/'));
            in_media.or_else(|| Some(in_top()).filter(|name| self.files.contains_key(name)))
        })
    }

    /// How large the file `name` is, if there is one.
    #[must_use]
    pub fn bytes(&self, name: &str) -> Option<u64> {
        self.files.get(name).map(|entry| entry.bytes)
    }

    /// The content of a media file that [`Archive::find`] has found.
    ///
    /// # Errors
    /// If there is none, it is larger than a blob may be, or it can't be read.
    pub fn media(&mut self, name: &str) -> Result<Medium, ArchiveError> {
        let mut file = tempfile::tempfile_in(&self.scratch).map_err(ArchiveError::Disk)?;
        let bytes = copy(&mut self.reader(name)?.take(BLOB_BYTES_MAX + 1), &mut file)?;
        if bytes > BLOB_BYTES_MAX {
            return Err(ArchiveError::FileTooLarge { name: name.to_owned(), max: BLOB_BYTES_MAX });
        }
        file.rewind()?;
        Ok(Medium { file, bytes })
    }

    /// Reads one of the JSON files, [`OUTBOX`] or [`ACTOR`].
    pub(super) fn json(&mut self, name: &'static str) -> Result<Box<dyn Read + '_>, ArchiveError> {
        let full = format!("{}{name}", self.top);
        self.reader(&full).map_err(|error| match error {
            ArchiveError::Io(cause) if cause.kind() == io::ErrorKind::NotFound => ArchiveError::Missing { name },
            other => other,
        })
    }

    /// Reads a file, never more than the listing said it holds.
    fn reader(&mut self, name: &str) -> Result<Box<dyn Read + '_>, ArchiveError> {
        let entry = *self.files.get(name).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let reader: Box<dyn Read + '_> = match &mut self.source {
            Source::Folder(folder) => Box::new(folder.reader(name)?),
            Source::Tarball(tarball) => Box::new(tarball.reader(entry.number)?),
            Source::Zipped(zipped) => zipped.reader(entry.number)?,
        };
        Ok(Box::new(reader.take(entry.bytes)))
    }
}

/// Copies to the end. What can't be read is the archive's fault, what can't be written the disk's.
fn copy(from: &mut impl Read, to: &mut impl Write) -> Result<u64, ArchiveError> {
    let (mut piece, mut bytes) = (vec![0; COPY_BYTES], 0);
    loop {
        let read = match from.read(&mut piece) {
            Ok(0) => return Ok(bytes),
            Ok(read) => read,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
            Err(cause) => return Err(cause.into()),
        };
        to.write_all(&piece[..read]).map_err(ArchiveError::Disk)?;
        bytes += read as u64;
    }
}

/// `name` from `media_attachments/` on, as a folder of its own.
fn from_media(name: &str) -> Option<&str> {
    let at = name.match_indices(MEDIA).find(|(at, _)| *at == 0 || name.as_bytes()[at - 1] == b'/')?.0;
    Some(&name[at..])
}
