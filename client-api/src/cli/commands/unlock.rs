//! `xom unlock`.

use std::path::PathBuf;

use serde_json::json;

use super::super::{Call, CliError, secret};

/// Open the sealed device key of the running node, so that it can post.
///
/// The key stays open until the node stops. `xom run --passphrase-file` opens it at the start.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom unlock\n  xom unlock --passphrase-file /run/secrets/xom")]
pub struct Args {
    /// The file with the passphrase; without it, the terminal asks
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Args {
    /// Opens.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let passphrase = match &self.passphrase_file {
            Some(file) => secret::read(file)?,
            None => secret::ask("Passphrase: ")?,
        };
        let state = client.post("/api/xom/v1/unlock", &json!({ "passphrase": passphrase.as_str() }))?;
        call.output.show(&state, |_| "The device key is open until the node stops.".to_owned())
    }
}
