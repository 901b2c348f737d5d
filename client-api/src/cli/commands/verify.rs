//! `xom verify`.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::output::Style;
use super::super::{Call, CliError, Output, card, printable_line};

/// Check everything stored, or a file of `xom export`: chains, signatures, bodies, views.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom verify\n  xom verify lan.xom")]
pub struct Args {
    /// A file of `xom export`; without it, what the node holds
    file: Option<PathBuf>,
}

impl Args {
    /// Checks. Faults are an error of their own, so that scripts notice.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let report = call.client()?.post("/api/xom/v1/verify", &json!({}))?;
        call.output.show(&report, |output| show(output, &report))?;
        match card::list(&report, "faults").len() {
            0 => Ok(()),
            faults => Err(CliError::Faults(faults)),
        }
    }
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
    }
    for fault in card::list(report, "faults").iter().filter_map(Value::as_str) {
        text.push_str(&output.paint(Style::Warn, &format!("! {}\n", printable_line(fault))));
    }
    let (entries, bodies) = (card::number(report, "entries"), card::number(report, "bodies"));
    text + &format!("{} logs, {entries} entries and {bodies} bodies checked.", logs.len())
}
