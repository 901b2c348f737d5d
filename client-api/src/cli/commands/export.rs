//! `xom export`.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use serde_json::json;

use super::super::{Call, CliError};
use super::status::bytes;

/// Write everything of an identity to a file: its identity log, entries with signatures, and media.
///
/// No private key is in it. `xom verify FILE` checks it on any machine.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom export lan.xom")]
pub struct Args {
    /// The file to make; it must not exist
    file: PathBuf,
}

impl Args {
    /// Writes.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.file)
            .map_err(|cause| CliError::file(&self.file, cause))?;
        let written = call.client().and_then(|client| client.get_bytes("/api/xom/v1/export")).and_then(|export| {
            let write = file.write_all(&export).and_then(|()| file.sync_all());
            write.map(|()| export.len() as u64).map_err(|cause| CliError::file(&self.file, cause))
        });
        let size = written.inspect_err(|_| {
            // A file that holds less than everything must not stay; if it can't go, the error below tells of it.
            let _ = std::fs::remove_file(&self.file);
        })?;
        let value = json!({ "file": self.file, "bytes": size });
        call.output.show(&value, |_| format!("{} written to {}", bytes(size), self.file.display()))
    }
}
