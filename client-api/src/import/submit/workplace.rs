//! The folder `imports` in the data folder: where archives are unpacked and private posts kept. Only the owner's.

use std::error::Error;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::SubmitError;
use crate::import::archive::SCRATCH_PREFIX;

/// The folder; locked as long as this lives.
#[derive(Debug)]
pub(super) struct Workplace {
    path: PathBuf,
    _lock: File,
}

impl Workplace {
    /// Makes the folder if it is not there, locks it, and clears away what an interrupted import left.
    pub(super) fn take<E: Error>(data_dir: &Path) -> Result<Self, SubmitError<E>> {
        let path = data_dir.join("imports");
        let failed = |cause: io::Error| SubmitError::Folder { what: path.display().to_string(), cause };
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.recursive(true).create(&path).map_err(failed)?;
        let lock = OpenOptions::new().create(true).append(true).open(path.join("lock")).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SubmitError::Busy),
            Err(TryLockError::Error(cause)) => return Err(failed(cause)),
        }
        for entry in fs::read_dir(&path).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().to_string_lossy().starts_with(SCRATCH_PREFIX) {
                fs::remove_dir_all(entry.path()).map_err(failed)?;
            }
        }
        Ok(Self { path, _lock: lock })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{SubmitError, Workplace};

    type Error = std::fmt::Error;

    #[test]
    fn one_import_runs_at_a_time_and_clears_what_an_interrupted_one_left() {
        let data = tempfile::tempdir().unwrap();
        let first = Workplace::take::<Error>(data.path()).unwrap();
        fs::create_dir(first.path().join("import-abc")).unwrap();
        fs::write(first.path().join("private-0.json"), "{}").unwrap();
        assert!(matches!(Workplace::take::<Error>(data.path()), Err(SubmitError::Busy)));
        drop(first);
        let second = Workplace::take::<Error>(data.path()).unwrap();
        assert!(!second.path().join("import-abc").exists());
        assert!(second.path().join("private-0.json").exists());
    }
}
