//! `xom export`.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;
use xom_node::Offline;

use super::super::offline::with_or_without_node;
use super::super::progress::{Counted, bytes_bar};
use super::super::{Call, CliError};
use super::status::bytes;
use crate::archive_page::ReadablePage;

/// Write everything of an identity to an archive: a tar with its identity log, its entries with signatures, its
/// media, and a page index.html that opens without a node.
///
/// Its owner's private settings are in it, who held copies of what was erased, and what was erased in the last days.
/// No private key is. `xom verify FILE` checks it on any machine,
/// `xom restore FILE` goes on with it on a new one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom export lan.tar")]
pub struct Args {
    /// The file to make; it must not exist
    file: PathBuf,
}

impl Args {
    /// Writes.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        if self.file.try_exists().map_err(|cause| CliError::file(&self.file, cause))? {
            return Err(self.is_there());
        }
        let partial = Partial::begin(&self.file)?;
        let written = self.write(call, partial.file())?;
        if self.file.try_exists().map_err(|cause| CliError::file(&self.file, cause))? {
            return Err(self.is_there());
        }
        partial.end(&self.file)?;
        let value = json!({ "file": self.file, "bytes": written });
        call.output.show(&value, |_| format!("{} written to {}", bytes(written), self.file.display()))
    }

    fn is_there(&self) -> CliError {
        CliError::file(&self.file, std::io::ErrorKind::AlreadyExists.into())
    }

    fn write(&self, call: &Call, file: &File) -> Result<u64, CliError> {
        let failed = |cause| CliError::file(&self.file, cause);
        let open =
            || Ok::<_, std::io::Error>(Counted::new(BufWriter::new(file.try_clone()?), bytes_bar("exporting", None)));
        let written = with_or_without_node(
            call,
            |client| {
                let mut to = open().map_err(failed)?;
                client.download("/api/xom/v1/export", &mut to)?;
                to.flush().map_err(failed)?;
                Ok(to.finish().1)
            },
            async |offline| {
                let did = local(&offline, call.identity.as_deref())?;
                let to = open().map_err(failed)?;
                let exported = offline.export(did, Arc::new(ReadablePage), to).await;
                exported.map_err(|error| CliError::Failed(error.to_string()))
            },
        )?;
        file.sync_all().map_err(failed)?;
        Ok(written)
    }
}

/// A file that is not whole yet, beside the one that it becomes: whatever ends the command, nothing that holds less
/// than everything has the final name.
struct Partial {
    path: PathBuf,
    file: File,
    is_whole: bool,
}

impl Partial {
    /// Begins it anew, also where a command that was killed has left one.
    fn begin(of: &Path) -> Result<Self, CliError> {
        let mut name = of.as_os_str().to_owned();
        name.push(".partial");
        let path = PathBuf::from(name);
        let mut options = OpenOptions::new();
        // What was erased in the last days is for the owner's eyes only.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(|cause| CliError::file(&path, cause))?;
        if let Err(cause) = file.try_lock() {
            return Err(match cause {
                TryLockError::WouldBlock => CliError::Failed(format!("another export writes {}", path.display())),
                TryLockError::Error(cause) => CliError::file(&path, cause),
            });
        }
        file.set_len(0).map_err(|cause| CliError::file(&path, cause))?;
        Ok(Self { path, file, is_whole: false })
    }

    fn file(&self) -> &File {
        &self.file
    }

    /// It is whole and durable: it gets its name.
    fn end(mut self, name: &Path) -> Result<(), CliError> {
        std::fs::rename(&self.path, name).map_err(|cause| CliError::file(name, cause))?;
        self.is_whole = true;
        let folder = name.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // The name is durable where the system can make it so.
        if let Ok(folder) = File::open(folder) {
            let _ = folder.sync_all();
        }
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_whole {
            // If it can't go, its name tells what it is.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The identity that is meant: the named one, or the first.
pub(super) fn local(offline: &Offline, name: Option<&str>) -> Result<xom_protocol::Did, CliError> {
    let mut locals = offline.identities().into_iter();
    let found = locals.find(|(_, username)| name.is_none_or(|name| name == username));
    found.map(|(did, _)| did).ok_or_else(|| CliError::NotFound("no such identity on this node".to_owned()))
}
