//! `xom follow` and `xom unfollow`.

use serde_json::json;

use super::super::{Call, CliError, Client, card};
use super::timeline::path_segment;

/// Follow somebody, by an invite, a DID or the name by which this node knows them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom follow 'xom:did:xom:…?a=…'\n  xom follow did:xom:…\n  xom follow lan@….xom")]
pub struct Args {
    /// An invite, a DID, or a name such as lan@….xom
    who: String,
}

/// Stop following somebody.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom unfollow lan@….xom")]
pub struct UnfollowArgs {
    /// A DID, or a name such as lan@….xom
    who: String,
}

impl Args {
    /// Follows.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let who = self.who.trim();
        let answer = if who.starts_with("xom:") {
            client.post("/api/xom/v1/follow", &json!({ "invite": who }))?
        } else if who.starts_with("did:") {
            client.post("/api/xom/v1/follow", &json!({ "did": who }))?
        } else {
            let id = lookup(&client, who)?;
            client.post(&format!("/api/v1/accounts/{}/follow", path_segment(&id)), &json!({}))?
        };
        call.output.show(&answer, |_| {
            let did = card::text(&answer, "did");
            let followed = if did.is_empty() { who.to_owned() } else { did };
            format!("You follow {followed}. What they wrote comes as soon as a node that has it is reached.")
        })
    }
}

impl UnfollowArgs {
    /// Stops following.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let id = lookup(&client, self.who.trim())?;
        let answer = client.post(&format!("/api/v1/accounts/{}/unfollow", path_segment(&id)), &json!({}))?;
        call.output.show(&answer, |_| format!("You don't follow {} any more.", self.who.trim()))
    }
}

/// The local id of an account.
fn lookup(client: &Client, who: &str) -> Result<String, CliError> {
    let account = client.get("/api/v1/accounts/lookup", &[("acct", who)]).map_err(|error| match error {
        CliError::NotFound(_) => CliError::NotFound(format!("nobody is known here as {who:?}")),
        other => other,
    })?;
    Ok(card::text(&account, "id"))
}
