//! `xom bootstrap`.

use serde_json::{Value, json};

use super::super::{Call, CliError, card, printable_line};

/// The nodes that this one begins with when it knows nobody yet.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom bootstrap add /ip4/203.0.113.7/udp/4001/quic-v1/p2p/12D3KooW…")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

/// What to do with the list.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// Show them
    #[command(after_help = "Example:\n  xom bootstrap list --json")]
    List,
    /// Put an address on the list; it is dialled at once, and again at every start
    #[command(after_help = "Example:\n  xom bootstrap add /ip4/203.0.113.7/udp/4001/quic-v1/p2p/12D3KooW…")]
    Add {
        /// The address, as `xom status` shows it there
        address: String,
    },
    /// Take an address off the list
    #[command(after_help = "Example:\n  xom bootstrap remove /ip4/203.0.113.7/udp/4001/quic-v1/p2p/12D3KooW…")]
    Remove {
        /// The address
        address: String,
    },
}

impl Args {
    /// Shows or changes the list.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        match &self.what {
            What::List => {
                let value = client.get("/api/xom/v1/bootstrap", &[])?;
                call.output.show(&value, |_| match value.as_array().map_or(&[][..], Vec::as_slice) {
                    [] => "No nodes to begin with. Add one with `xom bootstrap add <address>`.".to_owned(),
                    list => list.iter().map(one).collect::<Vec<_>>().join("\n"),
                })
            }
            What::Add { address } => {
                let value = client.post("/api/xom/v1/bootstrap", &json!({ "address": address }))?;
                let is_new = value.get("added") == Some(&Value::Bool(true));
                let said = if is_new { "It is dialled now, and at every start." } else { "It is there already." };
                call.output.show(&value, |_| said.to_owned())
            }
            What::Remove { address } => {
                let value = client.post("/api/xom/v1/bootstrap/remove", &json!({ "address": address }));
                let value = value.map_err(|error| match error {
                    CliError::NotFound(_) => CliError::NotFound(format!("{address} is not on the list")),
                    other => other,
                })?;
                call.output.show(&value, |_| "It is off the list.".to_owned())
            }
        }
    }
}

fn one(listed: &Value) -> String {
    let text = |name: &str| printable_line(&card::text(listed, name));
    let of = if text("from") == "settings" { "  (of the settings)" } else { "" };
    format!("{}{of}", text("address"))
}
