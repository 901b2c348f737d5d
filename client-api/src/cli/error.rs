//! What a command can end with: one clear sentence and an exit code.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use xom_node::StartError;
use xom_node::backup::BackupError;

use super::Exit;
use crate::settings::SettingsError;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A setting can't be used.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// A wrong combination of arguments.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers for the data folder.
    #[error("the node of {0} is not running; start it with `xom run`")]
    NotRunning(PathBuf),
    /// The node understood and refused.
    #[error("the node refused: {0}")]
    Refused(String),
    /// The node refused because a key is closed; the code says which and why.
    #[error("the node refused: {said}")]
    KeyClosed {
        /// The code, for programs.
        code: String,
        /// What the node says.
        said: String,
    },
    /// What was named is not held.
    #[error("{0}")]
    NotFound(String),
    /// The node can't start, or the folder can't be worked on.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The address of the client API is taken.
    #[error("address {0} is in use; stop what uses it, or choose another with --http")]
    PortBusy(SocketAddr),
    /// `verify` found faults.
    #[error("{0} faults found")]
    Faults(usize),
    /// A file can't be read or written.
    #[error("{path}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// Whoever reads the output has gone away.
    #[error("output closed")]
    Closed,
    /// A backup can't be made, read or restored.
    #[error(transparent)]
    Backup(#[from] BackupError),
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

impl CliError {
    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Settings(_) | Self::Usage(_) => Exit::Usage,
            Self::NotRunning(_) => Exit::NotRunning,
            Self::Refused(_) | Self::KeyClosed { .. } => Exit::Refused,
            Self::NotFound(_) => Exit::NotFound,
            Self::Start(StartError::Listen { .. }) | Self::PortBusy(_) => Exit::PortBusy,
            Self::Start(StartError::Entropy(_)) => Exit::Failed,
            Self::Start(StartError::SwarmKey { .. } | StartError::NotTcp { .. }) => Exit::Usage,
            Self::Start(_) => Exit::Folder,
            Self::Faults(_) | Self::Backup(BackupError::Damaged(_) | BackupError::Faults { .. }) => Exit::Faults,
            Self::Backup(BackupError::NotEmpty(_) | BackupError::OtherRestore(_) | BackupError::InUse(_)) => {
                Exit::Folder
            }
            Self::Backup(BackupError::Start(_)) => Exit::Folder,
            Self::Backup(BackupError::Words | BackupError::NoKey(_)) => Exit::Refused,
            Self::Backup(BackupError::File { .. } | BackupError::Stream(_) | BackupError::Store(_)) => Exit::Failed,
            Self::Closed => Exit::Ok,
            Self::File { .. } | Self::Failed(_) => Exit::Failed,
        }
    }

    /// A failure with a file.
    pub fn file(path: &Path, cause: io::Error) -> Self {
        Self::File { path: path.to_owned(), cause }
    }
}
