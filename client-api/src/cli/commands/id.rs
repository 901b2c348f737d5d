//! `xom id`.

use super::super::{Call, CliError, card};

/// Who I am: the DID by which others know this identity.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom id --json")]
pub struct Args {}

impl Args {
    /// Prints.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let identity = call.client()?.get("/api/xom/v1/identity", &[])?;
        call.output.show(&identity, |output| {
            let rows: Vec<(&str, String)> = ["username", "did", "device", "log"]
                .into_iter()
                .map(|name| (name, card::text(&identity, name)))
                .filter(|(_, value)| !value.is_empty())
                .collect();
            output.table(&rows)
        })
    }
}
