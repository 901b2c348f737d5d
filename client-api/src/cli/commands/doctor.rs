//! `xom doctor`.

use serde_json::{Value, json};
use xom_node::Offline;

use super::super::output::Style;
use super::super::{Call, CliError, Output, card, printable_line};
use crate::doctor::{Check, State, folder, ports};
use crate::settings::{RunFlags, Settings};

/// Look for what is wrong, and say what to do about it.
///
/// Looks at the data folder, the room that is left, ports, the clock against those of peers, the table of who is
/// where, and peers. Ends with code 8 where something does not work; warnings alone end with 0. Where no node runs
/// it looks at what can be seen without one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom doctor\n  xom doctor --json")]
pub struct Args {}

impl Args {
    /// Looks, and prints.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let mut checks = vec![folder::rights(&call.data_dir).json(), folder::disk(&call.data_dir).json()];
        match call.client().and_then(|client| client.get("/api/xom/v1/doctor", &[])) {
            Ok(said) => {
                let listen = card::list(&said, "listen").iter().filter_map(Value::as_str).map(str::to_owned);
                checks.push(ports::of_running(&listen.collect::<Vec<_>>()).json());
                checks.extend(card::list(&said, "checks").iter().cloned());
            }
            Err(CliError::NotRunning(_)) if !Offline::is_in_use(&call.data_dir) => {
                let settings =
                    Settings::load(call.data_dir.clone(), &RunFlags::default(), |name| std::env::var(name).ok())?;
                checks.push(ports::of_settings(&settings).json());
                let found = "no node runs on this folder, so clock, table and peers could not be looked at";
                checks.push(Check::warn("node", found, "start it with `xom run`").json());
            }
            // It runs and does not answer: that is what is wrong.
            Err(error) => {
                let advice = "look into its log; stop it and start it again with `xom run`";
                checks.push(
                    Check::fail("node", format!("a node has this folder and does not answer: {error}"), advice).json(),
                );
            }
        }
        let failed = checks.iter().filter(|check| check["state"] == State::Fail.name()).count();
        let value = json!({ "ok": failed == 0, "checks": checks });
        call.output.show(&value, |output| show(output, &value))?;
        if failed == 0 { Ok(()) } else { Err(CliError::Faults(failed)) }
    }
}

fn show(output: &Output, value: &Value) -> String {
    let mut text = String::new();
    for check in card::list(value, "checks") {
        let state = card::text(check, "state");
        let (mark, style) = match state.as_str() {
            "ok" => ("ok", Style::Dim),
            "unknown" => ("?", Style::Dim),
            "warn" => ("warn", Style::Warn),
            _ => ("FAIL", Style::Warn),
        };
        let line =
            format!("{mark:<5} {:<7} {}", card::text(check, "check"), printable_line(&card::text(check, "found")));
        text.push_str(&output.paint(style, line.trim_end()));
        text.push('\n');
        if let Some(advice) = check.get("advice").and_then(Value::as_str) {
            text.push_str(&format!("{:14}{}\n", "", printable_line(advice)));
        }
    }
    text
}
