//! Takes down the names and sizes of an archive's files, and refuses what an archive must not hold.

use std::collections::BTreeMap;

use super::{ArchiveError, ArchiveLimits, FileEntry};

/// The files of an archive as they are found.
#[derive(Debug)]
pub(super) struct Listing {
    files: BTreeMap<String, FileEntry>,
    entries: u64,
    unpacked_bytes: u64,
    unpacked_bytes_max: u64,
    limits: ArchiveLimits,
}

impl Listing {
    /// Of an archive of `packed_bytes`, or of a folder.
    pub(super) fn new(packed_bytes: Option<u64>, limits: &ArchiveLimits) -> Self {
        let plausible = packed_bytes.map_or(u64::MAX, |bytes| bytes.saturating_mul(limits.ratio_max));
        let unpacked_bytes_max = limits.unpacked_bytes_max.min(plausible.max(limits.ratio_free_bytes));
        Self { files: BTreeMap::new(), entries: 0, unpacked_bytes: 0, unpacked_bytes_max, limits: *limits }
    }

    /// Counts one entry and gives its name in plain form; `None` for the archive's own top.
    pub(super) fn name(&mut self, raw: &str) -> Result<Option<String>, ArchiveError> {
        self.entries += 1;
        if self.entries > self.limits.entries_max {
            return Err(ArchiveError::TooManyEntries { max: self.limits.entries_max });
        }
        let name = plain_name(raw).ok_or_else(|| ArchiveError::UnsafeName { name: raw.to_owned() })?;
        Ok(Some(name).filter(|name| !name.is_empty()))
    }

    /// Counts the bytes of a file that is about to be read or skipped.
    pub(super) fn count(&mut self, name: &str, bytes: u64) -> Result<(), ArchiveError> {
        if bytes > self.limits.file_bytes_max {
            return Err(ArchiveError::FileTooLarge { name: name.to_owned(), max: self.limits.file_bytes_max });
        }
        self.unpacked_bytes = self.unpacked_bytes.saturating_add(bytes);
        if self.unpacked_bytes > self.unpacked_bytes_max {
            return Err(ArchiveError::UnpacksTooLarge { max: self.unpacked_bytes_max });
        }
        Ok(())
    }

    /// Takes down a file; a later one of the same name takes the place of an earlier one, as unpacking would do.
    pub(super) fn add(&mut self, name: String, bytes: u64, number: usize) {
        self.files.insert(name, FileEntry { bytes, number });
    }

    pub(super) fn into_files(self) -> BTreeMap<String, FileEntry> {
        self.files
    }
}

/// `raw` with single slashes and without dots; `None` if it leads out of the archive.
fn plain_name(raw: &str) -> Option<String> {
    let raw = raw.replace('\\', "/");
    let drive = raw.as_bytes().get(1) == Some(&b':');
    if raw.starts_with('/') || drive || raw.contains('\0') {
        return None;
    }
    let parts: Vec<&str> = raw.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (!parts.contains(&"..")).then(|| parts.join("/"))
}
