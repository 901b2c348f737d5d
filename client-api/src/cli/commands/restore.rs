//! `xom restore`.

use std::path::PathBuf;

use indicatif::ProgressBar;
use serde_json::{Value, json};
use xom_node::archive::take_over;
use xom_node::backup::{Progress, Restored, is_backup, restore};

use super::super::progress::bytes_bar;
use super::super::{Call, CliError, Output, printable_line};
use super::backup::words;

/// Bring a node back from a backup, or go on with an exported archive, in a folder that does not exist yet.
///
/// Everything is checked before it counts. Cut short, it goes on when it is run again. No device key comes back,
/// so that no place of a log is signed twice: the identity gets a new one, from a device that still works or by the
/// 24 words, and until then the folder is only read.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  xom restore /media/usb/xom --words-file words.txt\n  xom --data-dir new restore lan.tar"
)]
pub struct Args {
    /// The folder or file of `xom backup`, or the file of `xom export`
    from: PathBuf,
    /// The file with the 24 words, which open a backup; without it, the terminal asks
    #[arg(long, value_name = "FILE")]
    words_file: Option<PathBuf>,
}

impl Args {
    /// Restores.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let runtime = runtime.map_err(|error| CliError::Failed(format!("can't start: {error}")))?;
        let bar = bytes_bar("restoring", Some(0));
        let shown = bar.clone();
        let progress = move |progress: Progress| show_progress(&shown, progress);
        let (from, to) = (self.from.clone(), call.data_dir.clone());
        let restored = if is_backup(&from) {
            let phrase = words(self.words_file.as_deref())?;
            runtime.block_on(restore(from, to, phrase, progress))
        } else {
            runtime.block_on(take_over(from, to, progress))
        };
        bar.finish_and_clear();
        let value = report(&restored?);
        call.output.show(&value, |output| show(output, &value))
    }
}

fn show_progress(bar: &ProgressBar, progress: Progress) {
    match progress {
        Progress::Bytes { done, total } => {
            bar.set_length(total);
            bar.set_position(done);
        }
        Progress::Checking => bar.set_message("checking everything"),
    }
}

fn report(restored: &Restored) -> Value {
    let identities = restored.identities.iter();
    let identities =
        identities.map(|identity| json!({ "did": identity.did.to_string(), "username": identity.username }));
    json!({
        "identities": identities.collect::<Vec<_>>(),
        "made_ms": restored.time_ms,
        "entries": restored.entries,
        "blobs": restored.blobs,
        "missing_blobs": restored.missing_blobs,
    })
}

fn show(_output: &Output, report: &Value) -> String {
    let number = |name: &str| report[name].as_u64().unwrap_or_default();
    let mut text = format!("Restored {} entries and {} media", number("entries"), number("blobs"));
    if number("missing_blobs") > 0 {
        text.push_str(&format!("; {} more are asked for from peers", number("missing_blobs")));
    }
    text.push_str(".\n");
    for identity in report["identities"].as_array().into_iter().flatten() {
        let name = printable_line(identity["username"].as_str().unwrap_or_default());
        text.push_str(&format!(
            "{name} has no device key here yet, and nothing is signed for {name} until it has: run `xom recover` with \
             the 24 words, or `xom join` beside a device that still works.\n"
        ));
    }
    text
}
