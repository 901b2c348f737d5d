//! `xom verify`.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use serde_json::{Value, json};
use xom_node::backup::{check_backup, is_backup};
use xom_node::model::VerifyReport;
use xom_node::verify_archive;

use super::super::offline::with_or_without_node;
use super::super::output::Style;
use super::super::progress::{Counted, bytes_bar};
use super::super::{Call, CliError, Output, card, printable_line};
use crate::api::xom::verify::report;

/// Check everything stored, or a file of `xom export`: chains, signatures, bodies, views. Of a backup, which only the
/// words open, check that no file is missing or damaged.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom verify\n  xom verify lan.tar")]
pub struct Args {
    /// A file of `xom export`, or a backup; without it, what the node holds
    file: Option<PathBuf>,
}

impl Args {
    /// Checks. Faults are an error of their own, so that scripts notice.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let report = match &self.file {
            Some(path) if is_backup(path) => value(&check_backup(path)?),
            Some(path) => {
                let file = File::open(path).map_err(|cause| CliError::file(path, cause))?;
                let length = file.metadata().ok().map(|found| found.len());
                let mut file = Counted::new(BufReader::new(file), bytes_bar("checking", length));
                let checked = verify_archive(&mut file);
                file.finish();
                value(&checked)
            }
            None => with_or_without_node(
                call,
                |client| client.post("/api/xom/v1/verify", &json!({})),
                async |offline| {
                    let checked = offline.verify().await;
                    checked.map(|checked| value(&checked)).map_err(|error| CliError::Failed(error.to_string()))
                },
            )?,
        };
        call.output.show(&report, |output| show(output, &report))?;
        match card::list(&report, "faults").len() {
            0 => Ok(()),
            faults => Err(CliError::Faults(faults)),
        }
    }
}

fn value(checked: &VerifyReport) -> Value {
    json!(report(checked))
}

fn show(output: &Output, report: &Value) -> String {
    let logs = card::list(report, "logs");
    let mut text = String::new();
    for log in logs {
        let disputed = if log["disputed"] == Value::Bool(true) { "  disputed" } else { "" };
        text.push_str(&format!("{}{}\n", card::text(log, "did"), output.paint(Style::Warn, disputed)));
        let (height, head) = (card::number(log, "height"), card::text(log, "head"));
        text.push_str(&output.paint(Style::Dim, &format!("  log {}\n", card::text(log, "log"))));
        text.push_str(&output.paint(Style::Dim, &format!("  {height} entries, head {head}\n")));
        if let Some(from) = log["void_from"].as_u64() {
            let void = format!("  void from {from} on: {} entries that count nowhere\n", height.saturating_sub(from));
            text.push_str(&output.paint(Style::Warn, &void));
        }
    }
    for void in card::list(report, "void_checkpoints") {
        let (log, seq) = (card::text(void, "log"), card::number(void, "seq"));
        text.push_str(
            &output.paint(Style::Warn, &format!("log {log} at {seq}: a false checkpoint, which counts nowhere\n")),
        );
    }
    for fault in card::list(report, "faults").iter().filter_map(Value::as_str) {
        text.push_str(&output.paint(Style::Warn, &format!("! {}\n", printable_line(fault))));
    }
    let (entries, bodies) = (card::number(report, "entries"), card::number(report, "bodies"));
    text + &format!("{} logs, {entries} entries and {bodies} bodies checked.", logs.len())
}
