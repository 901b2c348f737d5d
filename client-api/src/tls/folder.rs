//! The files of the node's own certificates, in a folder of the data folder that only its owner can read.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::TlsError;
use crate::run::replace_private;

/// The folder `tls` of a data folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFolder(PathBuf);

impl TlsFolder {
    /// Of a data folder; it need not be there.
    pub fn of(data_dir: &Path) -> Self {
        Self(data_dir.join("tls"))
    }

    /// The settings that `xom tls setup` has written.
    pub fn settings(&self) -> PathBuf {
        self.0.join("local.toml")
    }

    /// The certificate of the local authority, which devices are made to trust.
    pub fn authority(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// The key of the local authority.
    pub fn authority_key(&self) -> PathBuf {
        self.0.join("ca.key")
    }

    /// The certificate that the local authority has made, with its key: one file, so that they change together.
    pub fn local(&self) -> PathBuf {
        self.0.join("local.pem")
    }

    /// The same of an ACME authority.
    pub fn acme(&self) -> PathBuf {
        self.0.join("acme.pem")
    }

    /// The account at an ACME authority.
    pub fn account(&self) -> PathBuf {
        self.0.join("acme-account.json")
    }

    /// Writes one of its files in one step, readable by its owner alone.
    pub(super) fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), TlsError> {
        self.make().map_err(|cause| TlsError::file(&self.0, cause))?;
        replace_private(path, bytes).map_err(|cause| TlsError::file(path, cause))
    }

    /// Takes one of its files away.
    pub(super) fn remove(&self, path: &Path) -> Result<(), TlsError> {
        match fs::remove_file(path) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(TlsError::file(path, cause)),
            _ => Ok(()),
        }
    }

    fn make(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o700))
    }
}
