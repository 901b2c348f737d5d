//! `xom copies`: who holds the own logs, and how far.

use serde_json::Value;

use super::super::output::Style;
use super::super::{Call, CliError, Output, card, printable_line};

/// Who holds copies of what you post, and which of them are behind.
///
/// The nodes that are connected are asked; what others said within two days still counts. An answer is a signed
/// promise, not a proof.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom copies\n  xom copies --json")]
pub struct Args {}

impl Args {
    /// Prints.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let value = call.client()?.get("/api/xom/v1/keepers", &[])?;
        call.output.show(&value, |output| show(output, &value))
    }
}

fn show(output: &Output, value: &Value) -> String {
    let logs = card::list(value, "logs").iter().map(|log| one(output, log));
    let asked = card::list(value, "keepers").iter().map(|keeper| {
        let state = printable_line(&card::text(keeper, "state"));
        ("asked to keep", format!("{}: {state}", printable_line(&card::text(keeper, "did"))))
    });
    let asked: Vec<_> = asked.collect();
    let mut parts: Vec<String> = logs.collect();
    parts.extend((!asked.is_empty()).then(|| output.table(&asked)));
    parts.join("\n")
}

fn one(output: &Output, log: &Value) -> String {
    let (copies, behind) = (card::number(log, "copies"), card::number(log, "behind"));
    let said = match (copies, behind) {
        (0, _) => "no live copy on a machine of somebody else".to_owned(),
        (copies, 0) => format!("{copies} live, none behind"),
        (copies, behind) => format!("{copies} live, {behind} of them behind"),
    };
    let mut rows = vec![("entries", card::number(log, "height").to_string()), ("copies", said)];
    for holder in card::list(log, "holders") {
        let is = |name: &str| holder.get(name) == Some(&Value::Bool(true));
        let who = holder["acct"].as_str().map_or_else(|| card::text(holder, "did"), str::to_owned);
        let behind = match (card::number(holder, "height"), card::number(holder, "behind")) {
            (0, _) => "holds nothing of it".to_owned(),
            (_, 0) => "up to date".to_owned(),
            (_, behind) => format!("{behind} behind"),
        };
        let until = holder["until"].as_str().map(|until| format!(", keeps until {until}")).unwrap_or_default();
        let own = if is("own") { ", your own" } else { "" };
        let live = if is("live") {
            String::new()
        } else {
            format!(", not heard of since {}", card::text(holder, "stated_at"))
        };
        rows.push(("holder", printable_line(&format!("{who}: {behind}{until}{own}{live}"))));
    }
    format!("{}\n{}", output.paint(Style::Bold, &format!("log {}", card::text(log, "log"))), output.table(&rows))
}
