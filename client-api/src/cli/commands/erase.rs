//! `xom erase`.

use std::io::Write;

use serde_json::{Value, json};

use super::super::output::complain;
use super::super::secret::{ControlArgs, Opener, is_interactive};
use super::super::{Call, CliError, Client};

/// Take an own status back, or many at once.
///
/// It is hidden at once everywhere; its bytes go seven days later, or at once with --now. Who holds
/// a copy and runs another program may keep it: nobody can promise otherwise. Author, device, time, kind and
/// rough size of every entry stay in the log, and so does the identity's own log.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  xom erase 115012345678901234 --now\n  xom erase --before 2025-01-01 --dry-run\n  xom erase --everything"
)]
pub struct Args {
    /// A Mastodon id, an entry id or its unique prefix
    #[arg(required_unless_present_any = ["before", "device", "everything"])]
    status: Option<String>,
    /// Everything said before this day (UTC) or time: posts with edits, boosts, likes, votes
    #[arg(long, value_name = "DATE", conflicts_with_all = ["status", "device", "everything"])]
    before: Option<String>,
    /// Everything said by this device
    #[arg(long, value_name = "DEVICE", conflicts_with_all = ["status", "everything"])]
    device: Option<String>,
    /// Everything there is, profile and follows too, and the identity ends: it is retired for good
    #[arg(long, conflicts_with = "status")]
    everything: bool,
    /// Do not retire the identity yet: while it stands, those who hold copies answer it
    #[arg(long, requires = "everything")]
    keep_identity: bool,
    /// Only count
    #[arg(long, conflicts_with = "status")]
    dry_run: bool,
    /// Do not ask before everything is erased
    #[arg(long)]
    yes: bool,
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
        let Some(status) = &self.status else { return self.execute_many(call, &client) };
        let id = client.find_status(status)?;
        let path = format!("/api/xom/v1/statuses/{id}/erase");
        let answer = self.control.post(&client, &path, json!({ "now": self.now }))?;
        call.output.show(&answer, |_| match self.now {
            true => format!("{id} is erased and purged. `xom compact` gives the space back."),
            false => format!("{id} is erased; its bytes go in seven days."),
        })
    }

    fn execute_many(&self, call: &Call, client: &Client) -> Result<(), CliError> {
        let found = client.post("/api/xom/v1/erasures", &self.wish(true))?;
        if self.dry_run {
            return call.output.show(&found, |_| format!("{} would be erased", in_words(&found)));
        }
        if self.everything && !self.yes {
            self.confirm(client, &found)?;
        }
        let (mut erased, mut opener) = (0, Opener::of(&self.control)?);
        let mut answer = loop {
            let answer = opener.post(client, "/api/xom/v1/erasures", self.wish(false))?;
            erased += answer["erased"].as_u64().unwrap_or(0);
            let left = answer["left"].as_u64().unwrap_or(0);
            // Whoever is cut off here asks again: what is erased is not found a second time.
            if left == 0 || answer["erased"] == 0 {
                break answer;
            }
            complain(&format!("{erased} erased, {left} to go"));
        };
        answer["erased"] = json!(erased);
        answer["kinds"] = found["kinds"].clone();
        call.output.show(&answer, |_| {
            let done = match (erased, self.now) {
                (0, _) => "There is nothing to erase.".to_owned(),
                (_, true) => format!("{erased} erased; the bytes are purged."),
                (_, false) => format!("{erased} erased; the bytes go in seven days."),
            };
            let ended = if answer["retired"] == true { "\nThe identity is retired." } else { "" };
            format!("{done}{ended}")
        })
    }

    fn wish(&self, dry_run: bool) -> Value {
        let mut body = json!({ "now": self.now, "dry_run": dry_run });
        match (&self.before, &self.device) {
            (Some(before), _) => body["before"] = json!(before),
            (_, Some(device)) => body["device"] = json!(device),
            _ => {
                body["everything"] = json!(true);
                body["retire"] = json!(!self.keep_identity);
            }
        }
        body
    }

    /// Says what will be done, and has the user name typed.
    fn confirm(&self, client: &Client, found: &Value) -> Result<(), CliError> {
        let identity = client.get("/api/xom/v1/identity", &[])?;
        let username = identity["username"].as_str().unwrap_or_default();
        if !is_interactive() {
            return Err(CliError::Usage("everything is erased only with --yes, or where it can be asked".to_owned()));
        }
        let ends = match self.keep_identity {
            true => "",
            false => " and ends the identity: nobody can post, follow or recover it again",
        };
        complain(&format!(
            "This erases {} of {username}{ends}.\nWhat \
             stays, with everybody who has it: that each entry was there, by which device, when, of which kind and \
             rough size, and the log of keys and devices.",
            in_words(found)
        ));
        eprint!("Type the user name to go on: ");
        let failed = |e: std::io::Error| CliError::Usage(format!("could not ask: {e}"));
        std::io::stderr().flush().map_err(failed)?;
        let mut typed = String::new();
        std::io::stdin().read_line(&mut typed).map_err(failed)?;
        match typed.trim() == username {
            true => Ok(()),
            false => Err(CliError::Usage("that is another name; nothing was erased".to_owned())),
        }
    }
}

/// `12 entries (10 post, 2 reaction)`.
fn in_words(found: &Value) -> String {
    let kinds = found["kinds"].as_object();
    let kinds: Vec<String> = kinds.into_iter().flatten().map(|(kind, number)| format!("{number} {kind}")).collect();
    let total = found["found"].as_u64().unwrap_or(0);
    if kinds.is_empty() { format!("{total} entries") } else { format!("{total} entries ({})", kinds.join(", ")) }
}
