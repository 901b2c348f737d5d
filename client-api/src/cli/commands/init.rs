//! `xom init`.

use std::path::PathBuf;

use serde_json::json;
use xom_node::keys::{Confirmation, ControlAccess, Keep, Keeping, Keyring, PhraseState};
use xom_node::{CommandError, Offline};
use zeroize::Zeroizing;

use super::super::first_run::{self, Ended, Typed};
use super::super::offline::in_folder;
use super::super::{Call, CliError, secret};
use super::passphrase::describe;
use crate::settings::RunFlags;

/// Make the data folder and the first identity, without starting the node.
///
/// On a terminal it shows the 24 words of the identity and asks for three of them back; elsewhere it asks
/// nothing. Where there is an identity already, none is made; words that are not confirmed yet are shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom init --name lan\n  xom init --json --passphrase-file passphrase")]
pub struct Args {
    /// The user name: 1 to 30 of a-z, 0-9 and _ [default: user] [env: XOM_NAME]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Ask nothing; `xom status` reminds of the words until they are confirmed
    #[arg(long)]
    postpone: bool,
    /// A file with the passphrase that the control key is sealed with
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
    /// Seal the device key too: after each start the node posts nothing until it is opened
    #[arg(long, requires = "passphrase_file")]
    seal_device: bool,
}

impl Args {
    /// Makes what is missing.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let flags = RunFlags { name: self.name.clone(), ..RunFlags::default() };
        let passphrase = self.passphrase_file.as_deref().map(secret::read).transpose()?;
        let asks = !self.postpone && !call.output.is_json() && secret::is_interactive();
        let (did, username, state) = in_folder(call, &flags, Offline::init, async |offline| {
            let first = offline.identities().into_iter().next();
            let (did, username) = first.ok_or_else(|| CliError::Failed("no identity was made".to_owned()))?;
            let keyring = offline.keyring(did);
            self.keep(&keyring, passphrase, asks).await?;
            Ok((did, username, keyring.state().map_err(refused)?))
        })?;
        let value = json!({
            "did": did.to_string(), "username": username, "data_dir": call.data_dir,
            "phrase": state.phrase.name(), "control_key": state.control.name(), "device_key": state.device.name(),
        });
        call.output.show(&value, |output| {
            let words = match state.phrase {
                PhraseState::Absent => describe(&value),
                PhraseState::Unconfirmed | PhraseState::Postponed => {
                    "The words are not confirmed yet; `xom phrase confirm` or `xom init` does it.".to_owned()
                }
            };
            output.table(&[
                ("user name", username.clone()),
                ("DID", did.to_string()),
                ("data folder", call.data_dir.display().to_string()),
            ]) + &format!("\n{words}\nStart the node with `xom run`.")
        })
    }

    /// Brings the keys to where the owner wants them.
    async fn keep(&self, keyring: &Keyring, passphrase: Option<Zeroizing<String>>, asks: bool) -> Result<(), CliError> {
        let state = keyring.state().map_err(refused)?;
        if let Some(passphrase) = passphrase.as_ref().filter(|_| state.control == Keeping::Unsealed) {
            let device = self.seal_device.then_some(true);
            let set = keyring.set_passphrase(ControlAccess::Kept, Some(passphrase.clone()), device);
            set.await.map_err(refused)?;
        }
        if state.phrase == PhraseState::Absent {
            return Ok(());
        }
        if asks {
            let (words, _) = keyring.words().await.map_err(refused)?;
            first_run::show(&words)?;
            let asked = || Ok(wait(keyring.words()).map_err(refused)?.1.0.to_vec());
            let confirm = |typed: Typed| {
                let keep = match typed.passphrase {
                    Some(passphrase) if self.passphrase_file.is_none() => Keep::Sealed { passphrase, device: false },
                    _ => Keep::InWords,
                };
                wait(keyring.confirm(Confirmation { words: typed.answers, keep })).map_err(refused)
            };
            if first_run::confirm(passphrase.map(Some), asked, confirm)? == Ended::Confirmed {
                return Ok(());
            }
        }
        if asks || self.postpone {
            keyring.postpone().await.map_err(refused)?;
        }
        Ok(())
    }
}

/// Waits for the store while the terminal is asked.
fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(work))
}

/// A refusal of the keys as one of the node.
fn refused(error: CommandError) -> CliError {
    match error {
        CommandError::Access(error) => CliError::KeyClosed { code: error.code().to_owned(), said: error.to_string() },
        other => CliError::Failed(other.to_string()),
    }
}
