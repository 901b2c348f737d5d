//! `xom refuse`.

use serde_json::json;

use super::super::{Call, CliError, card};

/// Delete a picture or other medium from this node for good: it is never fetched, served or shown again
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom refuse http://127.0.0.1:7766/media/bafkr4i...")]
pub struct Args {
    /// Its id, or the address at which this node shows it
    medium: String,
}

impl Args {
    /// Refuses it.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let value = call.client()?.post("/api/xom/v1/refused", &json!({ "medium": self.medium }))?;
        call.output.show(&value, |_| format!("{} is gone and stays away.", card::text(&value, "refused")))
    }
}
