//! `xom app`: apps that have logged in.

use serde_json::{Value, json};

use super::super::output::Style;
use super::super::{Call, CliError, Output, card};

/// Apps that have logged in on this node: list them, put one out.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom app list\n  xom app revoke 3f2a9c0d1b2e4f50")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Show every login of an app: what it may do, and when it was last used
    #[command(after_help = "Example:\n  xom app list --json")]
    List,
    /// End a login, or all of an app; what it holds open ends at once
    #[command(after_help = "Example:\n  xom app revoke 3f2a9c0d1b2e4f50")]
    Revoke {
        /// The id of a login, or of an app, as `xom app list` shows them
        #[arg(value_name = "ID", allow_hyphen_values = true)]
        id: String,
    },
}

impl Args {
    /// Does what is asked.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        match &self.command {
            Command::List => {
                let apps = client.get("/api/xom/v1/apps", &[])?;
                call.output.show(&apps, |output| match apps.as_array().map_or(&[][..], Vec::as_slice) {
                    [] => "No app has logged in.".to_owned(),
                    logins => logins.iter().map(|login| one(output, login)).collect::<Vec<_>>().join("\n"),
                })
            }
            Command::Revoke { id } => {
                let done = client.post(&format!("/api/xom/v1/apps/{}/revoke", card::segment(id)), &json!({}));
                let done = done.map_err(|error| match error {
                    CliError::NotFound(_) => CliError::NotFound(format!("{id} is no login and no app")),
                    other => other,
                })?;
                call.output.show(&done, |_| match card::number(&done, "revoked") {
                    1 => "1 login has ended.".to_owned(),
                    count => format!("{count} logins have ended."),
                })
            }
        }
    }
}

fn one(output: &Output, login: &Value) -> String {
    let scopes: Vec<&str> = card::list(login, "scopes").iter().filter_map(Value::as_str).collect();
    let last = Some(card::text(login, "last_used_at")).filter(|last| !last.is_empty());
    let mut rows = vec![("login", card::text(login, "id")), ("app", card::text(login, "app"))];
    rows.extend(Some(card::text(login, "website")).filter(|site| !site.is_empty()).map(|site| ("site", site)));
    rows.push(("acts as", format!("@{}", card::text(login, "identity"))));
    rows.push(("may", scopes.join(" ")));
    rows.push(("since", card::text(login, "created_at")));
    rows.push(("last used", last.unwrap_or_else(|| "never".to_owned())));
    format!("{}\n{}", output.paint(Style::Bold, &card::text(login, "name")), output.table(&rows))
}
