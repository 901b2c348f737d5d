//! `xom backup`.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::{Value, json};
use xom_node::backup::{BackupDir, Pruned, known_names};
use xom_node::{ControlAccess, Offline};
use xom_protocol::phrase::Phrase;

use super::super::offline::with_or_without_node;
use super::super::progress::{Counted, bytes_bar};
use super::super::secret::{self, ControlArgs};
use super::super::{Call, CliError, Client};
use super::export::local;
use super::status::bytes;

/// Back the whole node up, sealed so that only the 24 words open it; the node may be running.
///
/// A folder is filled step by step: each run writes only what is new, and the newest backups are kept. A path with
/// an ending, such as `lan.backup`, is one file, written whole each time. No device key is in a backup: a restore
/// gets a new one. What you erase stays in older backups until they are let go; `--keep 1` lets all but the
/// newest go.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  xom backup /media/usb/xom\n  xom backup lan.backup --words-file words.txt")]
pub struct Args {
    /// A folder, or a file with an ending
    to: PathBuf,
    /// How many backups stay in the folder
    #[arg(long, value_name = "NUMBER", default_value_t = 14, value_parser = clap::value_parser!(u16).range(1..))]
    keep: u16,
    #[command(flatten)]
    control: ControlArgs,
}

impl Args {
    /// Backs up.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let is_file = self.to.is_file() || (!self.to.is_dir() && self.to.extension().is_some());
        let value = if is_file { self.to_file(call)? } else { self.to_dir(call)? };
        call.output.show(&value, |_| {
            let number = |name: &str| value[name].as_u64().unwrap_or_default();
            let new = bytes(number("new_bytes"));
            format!("backed up to {}: {new} new in {} files", self.to.display(), number("new_files"))
        })
    }

    fn to_dir(&self, call: &Call) -> Result<Value, CliError> {
        let dir = BackupDir::open(&self.to)?;
        let known = dir.known()?;
        let written = self.stream(call, &known, |mut from| Ok(dir.take(&mut from)?))?;
        let Pruned { backups, files } = dir.prune(usize::from(self.keep))?;
        Ok(json!({
            "to": self.to,
            "files": written.files,
            "new_files": written.new_files,
            "new_bytes": written.new_bytes,
            "old_backups_removed": backups,
            "old_files_removed": files,
        }))
    }

    /// The file is replaced only by a whole one.
    fn to_file(&self, call: &Call) -> Result<Value, CliError> {
        let mut name = self.to.file_name().map(OsString::from).unwrap_or_default();
        name.push(".new");
        let new = self.to.with_file_name(name);
        let failed = |cause| CliError::file(&new, cause);
        let length = self.stream(call, &[], |from| {
            let mut to = BufWriter::new(private_file(&new).map_err(failed)?);
            let length = io::copy(from, &mut to).and_then(|length| {
                to.flush()?;
                to.get_ref().sync_all()?;
                Ok(length)
            });
            length.map_err(failed)
        });
        let length = length.inspect_err(|_| {
            // What is not whole must not stay; if it can't go, the error below tells of the file.
            let _ = fs::remove_file(&new);
        })?;
        fs::rename(&new, &self.to).map_err(|cause| CliError::file(&self.to, cause))?;
        Ok(json!({ "to": self.to, "files": 1, "new_files": 1, "new_bytes": length }))
    }

    /// Has the node make a backup, or the folder where none runs, and hands its stream to `take`.
    fn stream<T: Send>(
        &self,
        call: &Call,
        known: &[u8],
        take: impl Fn(&mut dyn Read) -> Result<T, CliError> + Sync,
    ) -> Result<T, CliError> {
        with_or_without_node(
            call,
            |client: &Client| {
                self.control.post(client, "/api/xom/v1/backup/key", json!({}))?;
                let from = client.exchange("/api/xom/v1/backup", known)?;
                let mut from = Counted::new(BufReader::new(from), bytes_bar("backing up", None));
                let taken = take(&mut from);
                from.finish();
                taken
            },
            async |offline| {
                let did = local(&offline, call.identity.as_deref())?;
                let names = known_names(known).unwrap_or_default();
                self.offline(&offline, did, names, &take).await
            },
        )
    }

    async fn offline<T: Send>(
        &self,
        offline: &Offline,
        did: xom_protocol::Did,
        known: BTreeSet<xom_node::backup::Name>,
        take: &(impl Fn(&mut dyn Read) -> Result<T, CliError> + Sync),
    ) -> Result<T, CliError> {
        let access = match self.control.words()? {
            Some(words) => ControlAccess::Words(phrase(&words)?),
            None => ControlAccess::Kept,
        };
        let failed = |error: &dyn std::error::Error| CliError::Failed(error.to_string());
        offline.prepare_backup(did, access).await.map_err(|error| failed(&error))?;
        let (from, to) = io::pipe().map_err(|error| failed(&error))?;
        let runtime = tokio::runtime::Handle::current();
        thread::scope(|threads| {
            let taking = threads.spawn(|| take(&mut Counted::new(from, bytes_bar("backing up", None))));
            let written = tokio::task::block_in_place(|| runtime.block_on(offline.backup(did, known, to)));
            let taken = taking.join().map_err(|_| CliError::Failed("the backup broke off".to_owned()))?;
            // Where the taker failed the writer only knows that nobody reads.
            let taken = taken?;
            written.map_err(|error| failed(&error))?;
            Ok(taken)
        })
    }
}

/// The words as a phrase.
pub(super) fn phrase(words: &str) -> Result<Phrase, CliError> {
    Phrase::parse(words).map_err(|error| CliError::Failed(error.to_string()))
}

fn private_file(path: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The words of a file, or typed on the terminal.
pub(super) fn words(file: Option<&Path>) -> Result<Phrase, CliError> {
    match file {
        Some(file) => phrase(&secret::read(file)?),
        None if secret::is_interactive() => phrase(&secret::ask("The 24 words: ")?),
        None => Err(CliError::Usage("name the file with the 24 words: --words-file FILE".to_owned())),
    }
}
