//! `xom init`.

use serde_json::json;
use xom_node::Offline;

use super::super::offline::in_folder;
use super::super::{Call, CliError};
use crate::settings::RunFlags;

/// Make the data folder and the first identity, without starting the node.
///
/// Where there is an identity already, nothing is changed and it is shown.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom init --name lan")]
pub struct Args {
    /// The user name: 1 to 30 of a-z, 0-9 and _ [default: user] [env: XOM_NAME]
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
}

impl Args {
    /// Makes what is missing.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let flags = RunFlags { name: self.name.clone(), ..RunFlags::default() };
        let identities = in_folder(call, &flags, Offline::init, async |offline| Ok(offline.identities()))?;
        let (did, username) = identities.first().ok_or_else(|| CliError::Failed("no identity was made".to_owned()))?;
        let value = json!({ "did": did.to_string(), "username": username, "data_dir": call.data_dir });
        call.output.show(&value, |output| {
            output.table(&[
                ("user name", username.clone()),
                ("DID", did.to_string()),
                ("data folder", call.data_dir.display().to_string()),
            ]) + "\nStart the node with `xom run`."
        })
    }
}
