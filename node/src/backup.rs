//! Backups: a whole node, sealed so that only the words open it (chapter 07, from `ARC-11` on).
//!
//! The node seals with public keys and can open nothing that it wrote. What is in a backup is rows of tables
//! and pieces of blobs; what is never in it is a secret key, a phrase or a token.

mod cutter;
mod dir;
mod frames;
mod restore;
mod root;
mod seal;
mod source;

use std::path::PathBuf;

use crate::error::{StartError, StoreError};
use crate::keys::AccessError;

pub use dir::{BackupDir, Pruned};
pub use frames::{KNOWN_NAMES_MAX, Name, known_names};
pub use restore::{Progress, Restored, RestoredIdentity, restore};
pub use source::{check_backup, is_backup};

pub(crate) use cutter::{Cutter, records};
pub(crate) use frames::FrameWriter;
pub(crate) use restore::{begin, check as check_restored, other, put_in_place};
pub(crate) use root::{ROOT_NAME, Root};
pub(crate) use seal::{NameKey, Recipient, seal};

/// The version of the form (`ARC-14`).
pub(crate) const VERSION: u64 = 1;
/// Bytes of a blob in one sealed file (`ARC-13`).
pub(crate) const PIECE_BYTES: usize = 1 << 20;

/// What a backup wrote.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Sealed files that are part of this backup.
    pub files: u64,
    /// Those that were not there before.
    pub new_files: u64,
    /// Bytes of the new ones.
    pub new_bytes: u64,
    /// Entries in it.
    pub entries: u64,
    /// Blobs in it.
    pub blobs: u64,
}

/// A backup can't be made, read or restored.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// Nothing can be sealed for the identity: its words were never here.
    #[error(transparent)]
    NoKey(AccessError),
    /// The words are of another identity (`ARC-11`).
    #[error("these words do not open this backup")]
    Words,
    /// Not a backup of this program, or one that is damaged; the rule says where.
    #[error("{0}")]
    Damaged(String),
    /// The folder to restore into holds something.
    #[error("{0} is not empty; restore into a folder that does not exist yet")]
    NotEmpty(PathBuf),
    /// Another restore was begun in the folder.
    #[error("in {0} the restore of another backup was begun; delete {0}/restoring to begin this one")]
    OtherRestore(PathBuf),
    /// What was restored breaks rules.
    #[error("what this backup holds is not whole, {count} faults; the first: {first}")]
    Faults {
        /// How many.
        count: usize,
        /// One of them.
        first: String,
    },
    /// Another process works on the backup or the folder.
    #[error("{0} is in use by another process")]
    InUse(PathBuf),
    /// A file can't be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: std::io::Error,
    },
    /// The stream of a backup broke.
    #[error("the backup was cut off: {0}")]
    Stream(#[from] std::io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder can't be opened.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl BackupError {
    fn file(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |cause| Self::File { path, cause }
    }
}

macro_rules! store_errors {
    ($($error:ty),*) => {$(
        impl From<$error> for BackupError {
            fn from(error: $error) -> Self {
                Self::Store(error.into())
            }
        }
    )*};
}

store_errors!(redb::StorageError, redb::TableError, redb::TransactionError, redb::CommitError);
