//! `xom export`.

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::path::PathBuf;
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
        let mut options = OpenOptions::new();
        // What was erased in the last days is for the owner's eyes only.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.write(true).create_new(true).open(&self.file);
        let file = file.map_err(|cause| CliError::file(&self.file, cause))?;
        let written = self.write(call, &file).inspect_err(|_| {
            // A file that holds less than everything must not stay; if it can't go, the error below tells of it.
            let _ = std::fs::remove_file(&self.file);
        })?;
        let value = json!({ "file": self.file, "bytes": written });
        call.output.show(&value, |_| format!("{} written to {}", bytes(written), self.file.display()))
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

/// The identity that is meant: the named one, or the first.
pub(super) fn local(offline: &Offline, name: Option<&str>) -> Result<xom_protocol::Did, CliError> {
    let mut locals = offline.identities().into_iter();
    let found = locals.find(|(_, username)| name.is_none_or(|name| name == username));
    found.map(|(did, _)| did).ok_or_else(|| CliError::NotFound("no such identity on this node".to_owned()))
}
