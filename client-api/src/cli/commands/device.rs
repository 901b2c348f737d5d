//! `xom device`: the devices of an identity.

mod pair;

use serde_json::json;

use super::super::output::Style;
use super::super::secret::ControlArgs;
use super::super::{Call, CliError, card};

/// The devices of this identity: list them, add one, end one, name one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom device list\n  xom device pair")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show all devices
    List(ListArgs),
    // Without texts of their own: theirs would take the place of the long ones below.
    Pair(pair::Args),
    Remove(RemoveArgs),
    /// Give a device a name that only your devices know
    Rename(RenameArgs),
}

impl Args {
    /// Does what is asked.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        match &self.command {
            Command::List(args) => args.execute(call),
            Command::Pair(args) => args.execute(call),
            Command::Remove(args) => args.execute(call),
            Command::Rename(args) => args.execute(call),
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom device list --json")]
struct ListArgs {}

impl ListArgs {
    fn execute(&self, call: &Call) -> Result<(), CliError> {
        let devices = call.client()?.get("/api/xom/v1/devices", &[])?;
        call.output.show(&devices, |output| {
            let mut lines = String::new();
            for device in devices.as_array().into_iter().flatten() {
                let id: String = card::text(device, "device").chars().take(16).collect();
                let name = Some(card::text(device, "name")).filter(|name| !name.is_empty());
                let state = match (device["live"] == true, device["here"] == true) {
                    (true, true) => "this node",
                    (true, false) => "live",
                    (false, _) => "ended",
                };
                let name = output.paint(Style::Bold, name.as_deref().unwrap_or("(no name)"));
                lines +=
                    &format!("{}  {state:9}  {name}  {} entries\n", output.paint(Style::Dim, &id), device["height"]);
            }
            lines
        })
    }
}

/// End a device: what it signs from now on counts nowhere, whatever time it claims.
///
/// What it wrote until now, as far as this node holds it, goes on counting. Of a device that was stolen name when,
/// or how many of its entries are yours: the rest never counted then, and what it erased comes back. Who has its
/// key can claim an earlier time, so look at what is left; more can't be taken away later. The control key signs,
/// or where it is not kept here and nothing is given this device does, if it admitted that one or is it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom device remove 'old phone'\n  xom device remove 3f2a9c --words-file words\n  \
    xom device remove laptop --before 2026-03-12T18:00")]
struct RemoveArgs {
    /// Its id, the beginning of it, or its name
    #[arg(value_name = "DEVICE")]
    device: String,
    /// End the devices that it admitted with it
    #[arg(long)]
    with_granted: bool,
    /// Keep only what it wrote before this day, minute (UTC) or time
    #[arg(long, value_name = "DATE", conflicts_with = "entries")]
    before: Option<String>,
    /// Keep only its first entries, so many; `xom device list` shows how many there are
    #[arg(long, value_name = "NUMBER")]
    entries: Option<u64>,
    #[command(flatten)]
    control: ControlArgs,
}

impl RemoveArgs {
    fn execute(&self, call: &Call) -> Result<(), CliError> {
        let path = format!("/api/xom/v1/devices/{}/remove", card::segment(&self.device));
        let mut body = json!({"with_granted": self.with_granted});
        if let Some(before) = &self.before {
            body["before"] = json!(before);
        }
        if let Some(entries) = self.entries {
            body["entries"] = json!(entries);
        }
        let ended = self.control.post(&call.client()?, &path, body)?;
        call.output.show(&ended, |_| format!("device {} has ended", card::text(&ended, "device")))
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom device rename 3f2a9c 'old phone'")]
struct RenameArgs {
    /// Its id, the beginning of it, or its name now
    #[arg(value_name = "DEVICE")]
    device: String,
    /// One line of at most 64 bytes
    #[arg(value_name = "NAME")]
    name: String,
}

impl RenameArgs {
    fn execute(&self, call: &Call) -> Result<(), CliError> {
        let path = format!("/api/xom/v1/devices/{}/rename", card::segment(&self.device));
        let devices = call.client()?.post(&path, &json!({"name": self.name}))?;
        call.output.show(&devices, |_| format!("{} is now called {}", self.device, self.name))
    }
}
