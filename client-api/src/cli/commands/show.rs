//! `xom show`.

use serde_json::json;

use super::super::{Call, CliError, card};

/// Show a status with its thread.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom show 115012345678901234")]
pub struct Args {
    /// A Mastodon id, an entry id or its unique prefix
    status: String,
}

impl Args {
    /// Prints.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let id = client.find_status(&self.status)?;
        let status = client.get(&format!("/api/v1/statuses/{id}"), &[])?;
        let context = client.get(&format!("/api/v1/statuses/{id}/context"), &[])?;
        let value = json!({
            "ancestors": context["ancestors"], "status": status, "descendants": context["descendants"],
        });
        call.output.show(&value, |output| {
            let marked = card::status(output, &status).replacen("", "▶ ", 1);
            let above = card::list(&value, "ancestors").iter().map(|one| card::status(output, one));
            let below = card::list(&value, "descendants").iter().map(|one| card::status(output, one));
            above.chain([marked]).chain(below).collect::<Vec<_>>().join("\n\n")
        })
    }
}
