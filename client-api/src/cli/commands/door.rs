//! `xom door`.

use serde_json::{Value, json};

use super::super::{Call, CliError, card};

/// Show or set whose replies reach those who follow only you.
///
/// Replies always reach you. Those that come in through the door stand in your thread for everybody who follows you: a few
/// of each stranger a day, more of people whom somebody followed by you follows, most of those whom you follow.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom door introduced")]
pub struct Args {
    /// open, introduced, followed or closed
    #[arg(value_parser = ["open", "introduced", "followed", "closed"])]
    door: Option<String>,
}

impl Args {
    /// Shows it, or sets it.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let value = match &self.door {
            None => client.get("/api/xom/v1/door", &[])?,
            Some(door) => client.post("/api/xom/v1/door", &json!({ "door": door }))?,
        };
        call.output.show(&value, |_| said(&value))
    }
}

fn said(value: &Value) -> String {
    let door = card::text(value, "door");
    let whose = match door.as_str() {
        "open" => "replies of everybody reach your readers, a few of each stranger a day",
        "introduced" => "replies of those whom you follow, and of those whom they follow, reach your readers",
        "followed" => "replies of those whom you follow reach your readers",
        _ => "nobody's replies reach your readers through you",
    };
    format!("{door}: {whose}.")
}
