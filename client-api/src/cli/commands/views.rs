//! `xom views rebuild`.

use clap::Subcommand;
use serde_json::json;

use super::super::offline::with_or_without_node;
use super::super::{Call, CliError};

/// Work on what is derived from the entries: timelines, threads, counters, notifications.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom views rebuild")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Drop all views and make them again from the entries
    #[command(after_help = "Example:\n  xom views rebuild")]
    Rebuild,
}

impl Args {
    /// Rebuilds.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let Action::Rebuild = self.action;
        let value = with_or_without_node(
            call,
            |client| client.post("/api/xom/v1/views/rebuild", &json!({})),
            async |offline| {
                let entries = offline.rebuild_views().await.map_err(|error| CliError::Failed(error.to_string()))?;
                Ok(json!({ "entries": entries }))
            },
        )?;
        call.output.show(&value, |_| format!("All views made again from {} entries.", value["entries"]))
    }
}
