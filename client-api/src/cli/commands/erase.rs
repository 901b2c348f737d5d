//! `xom erase`.

use serde_json::json;

use super::super::secret::ControlArgs;
use super::super::{Call, CliError};

/// Take an own status back.
///
/// It is hidden at once everywhere; its bytes go seven days later, or at once with --now. Who holds
/// a copy and runs another program may keep it: nobody can promise otherwise.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom erase 115012345678901234 --now")]
pub struct Args {
    /// A Mastodon id, an entry id or its unique prefix
    status: String,
    /// Purge the bytes at once, by an order of the control key
    #[arg(long)]
    now: bool,
    #[command(flatten)]
    control: ControlArgs,
}

impl Args {
    /// Erases.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let id = client.find_status(&self.status)?;
        let path = format!("/api/xom/v1/statuses/{id}/erase");
        let answer = self.control.post(&client, &path, json!({ "now": self.now }))?;
        call.output.show(&answer, |_| match self.now {
            true => format!("{id} is erased and purged. `xom compact` gives the space back."),
            false => format!("{id} is erased; its bytes go in seven days."),
        })
    }
}
