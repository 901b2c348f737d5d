//! What a run leaves in the data folder for the command line: its address.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The file that holds the address of the client API while the node runs.
pub const ADDRESS_FILE: &str = "http.addr";

/// The address file; removed when the run ends.
pub(super) struct AddressFile(PathBuf);

impl AddressFile {
    /// Writes the address.
    pub(super) fn write(data_dir: &Path, address: SocketAddr) -> io::Result<Self> {
        let path = data_dir.join(ADDRESS_FILE);
        replace_private(&path, format!("{address}\n").as_bytes())?;
        Ok(Self(path))
    }
}

/// Removes what a run that was killed has left. Only for whoever holds the folder's lock.
pub(crate) fn forget_address(data_dir: &Path) {
    // Most often there is none.
    let _ = fs::remove_file(data_dir.join(ADDRESS_FILE));
}

impl Drop for AddressFile {
    fn drop(&mut self) {
        // A file that stays is noticed: nobody answers there.
        let _ = fs::remove_file(&self.0);
    }
}

/// Replaces a file that only its owner may read, in one step.
pub(crate) fn replace_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = path.with_file_name(name);
    if new.exists() {
        fs::remove_file(&new)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_address_is_private_and_goes_with_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(ADDRESS_FILE);
        let file = AddressFile::write(folder.path(), "127.0.0.1:7766".parse().unwrap()).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "127.0.0.1:7766\n");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        drop(file);
        assert!(!path.exists());
    }
}
