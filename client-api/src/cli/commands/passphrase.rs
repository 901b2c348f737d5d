//! `xom passphrase`.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};

use super::super::secret::{self, ControlArgs};
use super::super::{Call, CliError, card};

/// Seal the keys of the running node with a passphrase, change it, or take it away.
///
/// The passphrase seals the control key where it is kept on this node. The device key is sealed only where you
/// say so: then the node posts nothing after a start until somebody opens it with `xom unlock`, on the page, or
/// with `xom run --passphrase-file`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom passphrase set\n  xom passphrase set --device seal")]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Set or change the passphrase
    #[command(after_help = "Example:\n  xom passphrase set --passphrase-file old --new-passphrase-file new")]
    Set {
        #[command(flatten)]
        control: ControlArgs,
        /// The file with the new passphrase; without it, the terminal asks
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
        /// What becomes of the device key [default: as it is]
        #[arg(long, value_name = "WHAT")]
        device: Option<Device>,
    },
    /// Leave the keys unsealed, mode 0600, with a warning in `xom status`
    #[command(after_help = "Example:\n  xom passphrase remove")]
    Remove {
        #[command(flatten)]
        control: ControlArgs,
    },
}

/// What becomes of the device key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Device {
    /// Sealed too
    Seal,
    /// Not sealed
    Open,
}

impl Args {
    /// Seals or unseals.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let (control, body) = match &self.action {
            Action::Set { control, new_passphrase_file, device } => {
                let new = match new_passphrase_file {
                    Some(file) => secret::read(file)?,
                    None => secret::ask_new("New passphrase: ")?
                        .ok_or_else(|| CliError::Usage("no passphrase was typed; nothing was changed".to_owned()))?,
                };
                let device = device.map(|device| device == Device::Seal);
                (control, json!({ "new_passphrase": new.as_str(), "device": device }))
            }
            Action::Remove { control } => (control, json!({})),
        };
        let state = control.post(&client, "/api/xom/v1/passphrase", body)?;
        call.output.show(&state, |_| describe(&state))
    }
}

/// How the keys lie, in words.
pub(super) fn describe(state: &Value) -> String {
    let control = match card::text(state, "control_key").as_str() {
        "absent" => "The control key is kept nowhere but in the words.".to_owned(),
        kept => format!("The control key is {kept}."),
    };
    format!("{control} The device key is {}.", card::text(state, "device_key"))
}
