//! `xom phrase`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::first_run::{self, Ended, Typed};
use super::super::{Call, CliError, Client, card, secret};
use super::passphrase::describe;

/// The 24 words from which the running node's identity can be brought back anywhere.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom phrase show\n  xom phrase confirm")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Show the words; only until they are confirmed
    #[command(after_help = "Example:\n  xom phrase show")]
    Show,
    /// Give three of the words back: then they are deleted from this machine
    #[command(after_help = "Example:\n  xom phrase confirm\n  xom phrase confirm --words-file words \
        --passphrase-file passphrase")]
    Confirm {
        /// A file with all 24 words, of which those are taken that are asked for; without it, the terminal asks
        #[arg(long, value_name = "FILE")]
        words_file: Option<PathBuf>,
        /// A file with the passphrase that the control key is sealed with
        #[arg(long, value_name = "FILE", conflicts_with = "unsealed")]
        passphrase_file: Option<PathBuf>,
        /// Seal the device key too
        #[arg(long)]
        seal_device: bool,
        /// Keep the control key in the data folder unsealed, with a warning in `xom status`
        #[arg(long, conflicts_with = "seal_device")]
        unsealed: bool,
    },
    /// Leave it for later; the reminder stays
    #[command(after_help = "Example:\n  xom phrase postpone")]
    Postpone,
}

impl Args {
    /// Shows, confirms or postpones.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        match &self.action {
            Action::Show => {
                let value = client.get("/api/xom/v1/phrase", &[])?;
                let words = card::list(&value, "words").iter().filter_map(Value::as_str).collect::<Vec<_>>();
                let words = Zeroizing::new(words.join(" "));
                call.output.show(&value, |_| first_run::grid(&words).to_string())
            }
            Action::Confirm { words_file, passphrase_file, seal_device, unsealed } => {
                let passphrase = passphrase_file.as_deref().map(secret::read).transpose()?;
                let choice = json!({ "device": seal_device, "unsealed": unsealed });
                let state = match words_file {
                    Some(file) => {
                        let answers = pick(&secret::read(file)?, &asked(&client)?)?;
                        confirm(&client, &choice, &Typed { answers, passphrase })?
                    }
                    None => ask(&client, &choice, passphrase, *unsealed)?,
                };
                call.output.show(&state, |_| format!("The words are confirmed. {}", describe(&state)))
            }
            Action::Postpone => {
                let state = client.post("/api/xom/v1/phrase/postpone", &json!({}))?;
                call.output.show(&state, |_| "Left for later; `xom status` reminds of it.".to_owned())
            }
        }
    }
}

/// Asks on the terminal.
fn ask(
    client: &Client,
    choice: &Value,
    passphrase: Option<Zeroizing<String>>,
    unsealed: bool,
) -> Result<Value, CliError> {
    if !secret::is_interactive() {
        return Err(CliError::Usage("nobody can be asked here; name a file with --words-file".to_owned()));
    }
    let mut state = Value::Null;
    let ask_for = passphrase.map(Some).or(unsealed.then_some(None));
    let ended = first_run::confirm(
        ask_for,
        || asked(client),
        |typed| {
            state = confirm(client, choice, &typed)?;
            Ok(())
        },
    )?;
    match ended {
        Ended::Confirmed => Ok(state),
        Ended::Postponed => Err(CliError::Refused("the words are not confirmed; try again when you have them".into())),
    }
}

fn asked(client: &Client) -> Result<Vec<usize>, CliError> {
    let value = client.get("/api/xom/v1/phrase/asked", &[])?;
    let places = card::list(&value, "asked").iter().filter_map(Value::as_u64);
    Ok(places.filter_map(|place| usize::try_from(place).ok()).collect())
}

fn confirm(client: &Client, choice: &Value, typed: &Typed) -> Result<Value, CliError> {
    let mut answers = Zeroizing::new(String::with_capacity(128));
    for word in &typed.answers {
        answers.push_str(word);
        answers.push(' ');
    }
    let mut body = choice.clone();
    body["answers"] = json!(answers.as_str());
    if let Some(passphrase) = &typed.passphrase {
        body["new_passphrase"] = json!(passphrase.as_str());
    }
    client.post("/api/xom/v1/phrase/confirm", &body)
}

/// The words at some places.
fn pick(words: &str, places: &[usize]) -> Result<Vec<Zeroizing<String>>, CliError> {
    let words: Vec<&str> = words.split_whitespace().collect();
    let missing = || CliError::Usage(format!("the file has {} words, 24 are needed", words.len()));
    let word = |place: &usize| words.get(place.checked_sub(1)?).map(|word| Zeroizing::new((*word).to_owned()));
    places.iter().map(|place| word(place).ok_or_else(missing)).collect()
}
