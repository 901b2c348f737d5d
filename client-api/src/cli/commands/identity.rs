//! `xom identity`: what is done with the identity's log.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::super::secret::{ControlArgs, ask, is_interactive, read};
use super::super::{Call, CliError, Client, card};

/// Rotate the control key, lift locks, answer a recovery by guardians.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom identity rotate --words-file words.txt\n  xom identity unlock")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Bring a new control key, by the 24 words: one that was stolen is worth nothing afterwards
    #[command(after_help = "Example:\n  xom identity rotate --words-file words.txt")]
    Rotate(WordsArgs),
    /// Show what is known of an identity: its DID document, and its history in words
    #[command(after_help = "Example:\n  xom identity resolve did:xom:… --json")]
    Resolve {
        /// The DID
        did: xom_protocol::Did,
    },
    /// Lift all locks, by the control key
    #[command(after_help = "Example:\n  xom identity unlock --passphrase-file passphrase.txt")]
    Unlock(ControlArgs),
    /// Ask the guardians to wait once more with a recovery; any device can, once
    #[command(after_help = "Example:\n  xom identity postpone-recovery")]
    PostponeRecovery,
    /// Stop a recovery by guardians, by the control key
    #[command(after_help = "Example:\n  xom identity cancel-recovery --words-file words.txt")]
    CancelRecovery(ControlArgs),
}

/// What a command takes that is signed by the words.
#[derive(Debug, Default, clap::Args)]
pub(super) struct WordsArgs {
    /// The file with the 24 words; without it, the terminal asks
    #[arg(long, value_name = "FILE")]
    words_file: Option<PathBuf>,
    /// The file with the passphrase that the new control key is sealed with, where the old one was
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl WordsArgs {
    /// The words, read or asked for.
    pub(super) fn words(&self) -> Result<zeroize::Zeroizing<String>, CliError> {
        match &self.words_file {
            Some(file) => read(file),
            None if is_interactive() => ask("The 24 words: "),
            None => Err(CliError::Usage("the 24 words are needed; give --words-file FILE".to_owned())),
        }
    }

    /// Sends `body` with the words.
    pub(super) fn post(
        &self,
        client: &Client,
        path: &str,
        mut body: serde_json::Value,
    ) -> Result<serde_json::Value, CliError> {
        body["words"] = json!(*self.words()?);
        if let Some(file) = &self.passphrase_file {
            body["passphrase"] = json!(*read(file)?);
        }
        client.post(path, &body)
    }
}

impl Args {
    /// Carries the command out.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let path = |name: &str| format!("/api/xom/v1/identity/{name}");
        let (answer, said) = match &self.command {
            Command::Rotate(words) => {
                let answer = words.post(&client, &path("rotate"), json!({}))?;
                let said = format!("There is a new control key. {}", kept(&card::text(&answer, "control_key")));
                (answer, said)
            }
            Command::Unlock(control) => {
                let answer = control.post(&client, &path("unlock"), json!({}))?;
                (answer, "The locks are lifted.".to_owned())
            }
            Command::Resolve { did } => {
                let mut known = client.get(&format!("/api/xom/v1/identities/{did}"), &[])?;
                known["document"] = client.get(&format!("/api/xom/v1/identities/{did}/document"), &[])?;
                let document = serde_json::to_string_pretty(&known["document"]).unwrap_or_default();
                let lines = known["history"].as_array().into_iter().flatten();
                let lines = lines.filter_map(|line| line["text"].as_str().map(|text| format!("  {text}")));
                let lines: Vec<String> = lines.collect();
                let said = format!("{document}\n\nHistory, by when this node saw it:\n{}", lines.join("\n"));
                (known, said)
            }
            Command::PostponeRecovery => {
                let answer = client.post(&path("postpone-recovery"), &json!({}))?;
                let said = "The guardians wait once more. Stop the recovery with `xom identity cancel-recovery`.";
                (answer, said.to_owned())
            }
            Command::CancelRecovery(control) => {
                let answer = control.post(&client, &path("cancel-recovery"), json!({}))?;
                (answer, "The recovery is stopped.".to_owned())
            }
        };
        call.output.show(&answer, |_| said)
    }
}

/// Where the new control key is kept, for people.
pub(super) fn kept(keeping: &str) -> &'static str {
    match keeping {
        "unsealed" => "It lies unsealed in the data folder, as the old one did.",
        "sealed" => "It is sealed in the data folder.",
        _ => "It is kept in the words alone.",
    }
}
