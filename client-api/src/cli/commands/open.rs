//! `xom open`.

use serde_json::json;

use super::super::{Call, CliError, card};

/// Print a one-time login link for the page; valid once, for 10 minutes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom open\n  firefox \"$(xom open)\"")]
pub struct Args {}

impl Args {
    /// Prints.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let value = call.client()?.post("/api/xom/v1/login-links", &json!({}))?;
        call.output.show(&value, |_| card::text(&value, "url"))
    }
}
