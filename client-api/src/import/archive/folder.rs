//! An archive that the user has unpacked.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::{ArchiveError, ArchiveLimits, Listing};

/// A folder with the files of an archive.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
}

impl Folder {
    pub(super) fn open(path: &Path, limits: &ArchiveLimits) -> Result<(Listing, Self), ArchiveError> {
        let mut listing = Listing::new(None, limits);
        let mut folders = vec![(path.to_owned(), String::new())];
        while let Some((folder, prefix)) = folders.pop() {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                // A name that is no text is named by no JSON.
                let Ok(own_name) = entry.file_name().into_string() else { continue };
                let Some(name) = listing.name(&format!("{prefix}{own_name}"))? else { continue };
                let metadata = fs::symlink_metadata(entry.path())?;
                if metadata.is_dir() {
                    folders.push((entry.path(), format!("{name}/")));
                } else if metadata.is_file() {
                    listing.count(&name, metadata.len())?;
                    listing.add(name, metadata.len(), 0);
                } else {
                    return Err(ArchiveError::NotAFile { name });
                }
            }
        }
        Ok((listing, Self { path: path.to_owned() }))
    }

    /// `name` is one that [`Folder::open`] has found.
    pub(super) fn reader(&self, name: &str) -> io::Result<File> {
        File::open(self.path.join(name))
    }
}
