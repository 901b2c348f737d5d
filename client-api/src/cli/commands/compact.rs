//! `xom compact`.

use serde_json::json;

use super::super::offline::with_or_without_node;
use super::super::{Call, CliError};

/// Give back the space of erased and replaced data, and overwrite what it left behind.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom compact")]
pub struct Args {}

impl Args {
    /// Compacts.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let value = with_or_without_node(
            call,
            |client| client.post("/api/xom/v1/compact", &json!({})),
            async |offline| {
                offline.compact().await.map_err(|error| CliError::Failed(error.to_string()))?;
                Ok(json!({}))
            },
        )?;
        call.output.show(&value, |_| "Compacted.".to_owned())
    }
}
