//! An archive in a `.zip` file, read in place.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use zip::ZipArchive;
use zip::result::ZipError;

use super::{ArchiveError, ArchiveLimits, Listing};

/// An open `.zip` file.
#[derive(Debug)]
pub(super) struct Zipped {
    zip: ZipArchive<BufReader<File>>,
}

impl Zipped {
    pub(super) fn open(path: &Path, limits: &ArchiveLimits) -> Result<(Listing, Self), ArchiveError> {
        let file = File::open(path)?;
        let mut listing = Listing::new(Some(file.metadata()?.len()), limits);
        let zip = ZipArchive::new(BufReader::new(file)).map_err(damaged)?;
        for number in 0..zip.len() {
            let entry = zip.by_index_data(number).map_err(damaged)?;
            let Some(name) = listing.name(&entry.name().map_err(damaged)?)? else { continue };
            if entry.is_dir() {
                continue;
            }
            if !entry.is_file() {
                return Err(ArchiveError::NotAFile { name });
            }
            listing.count(&name, entry.size())?;
            listing.add(name, entry.size(), number);
        }
        Ok((listing, Self { zip }))
    }

    pub(super) fn reader(&mut self, number: usize) -> Result<Box<dyn Read + '_>, ArchiveError> {
        Ok(Box::new(self.zip.by_index(number).map_err(damaged)?))
    }
}

fn damaged(error: ZipError) -> ArchiveError {
    match error {
        ZipError::Io(cause) => ArchiveError::Io(cause),
        other => ArchiveError::Damaged(other.to_string()),
    }
}
