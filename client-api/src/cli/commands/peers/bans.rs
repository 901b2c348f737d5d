//! `xom peers bans`, `ban` and `unban`.

use serde_json::{Value, json};

use super::super::super::{Call, CliError, card, printable_line};
use crate::settings::Span;

/// What there is beside the list of peers.
#[derive(Debug, clap::Subcommand)]
pub(super) enum What {
    /// Who is kept away, why, and until when
    #[command(after_help = "Example:\n  xom peers bans")]
    Bans,
    /// Keep a peer away
    #[command(after_help = "Example:\n  xom peers ban 12D3KooW… --for 7d --reason 'fills the disk'")]
    Ban {
        /// The peer id, as `xom peers` shows it
        #[arg(value_name = "PEER")]
        peer: String,
        /// For how long, such as 12h, 7d or 1y
        #[arg(long = "for", value_name = "TIME", default_value = "30d")]
        length: Span,
        /// Why, to remember it by
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Let a peer in again
    #[command(after_help = "Example:\n  xom peers unban 12D3KooW…")]
    Unban {
        /// The peer id
        #[arg(value_name = "PEER")]
        peer: String,
    },
}

impl What {
    pub(super) fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        match self {
            Self::Bans => {
                let value = client.get("/api/xom/v1/peers/bans", &[])?;
                call.output.show(&value, |_| match value.as_array().map_or(&[][..], Vec::as_slice) {
                    [] => "Nobody is kept away.".to_owned(),
                    bans => bans.iter().map(one).collect::<Vec<_>>().join("\n"),
                })
            }
            Self::Ban { peer, length, reason } => {
                let body = json!({ "for_secs": (length.0 / 1_000).to_string(), "reason": reason });
                let value = client.post(&format!("/api/xom/v1/peers/{}/ban", plain(peer)?), &body)?;
                call.output.show(&value, |_| "It is kept away; `xom peers unban` lets it in again.".to_owned())
            }
            Self::Unban { peer } => {
                let value = client.post(&format!("/api/xom/v1/peers/{}/unban", plain(peer)?), &json!({}));
                let value = value.map_err(|error| match error {
                    CliError::NotFound(_) => CliError::NotFound(format!("{peer} is not kept away")),
                    other => other,
                })?;
                call.output.show(&value, |_| "It may come in again.".to_owned())
            }
        }
    }
}

fn one(ban: &Value) -> String {
    let text = |name: &str| printable_line(&card::text(ban, name));
    format!("{}  until {}  {}", text("peer"), text("until"), text("reason"))
}

/// Peer ids are letters and digits; nothing else gets into an address.
fn plain(peer: &str) -> Result<&str, CliError> {
    let is_plain = !peer.is_empty() && peer.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_plain { Ok(peer) } else { Err(CliError::Usage(format!("{peer:?} is no peer id; `xom peers` shows them"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_peer_id_gets_into_no_address() {
        assert!(plain("12D3KooWGjMCmQmnpRCKVzdDGBHjwrqjFqjYvUvZFwNqWwUCCpHR").is_ok());
        for wrong in ["", "12D3KooW/../..", "12D3KooW?x", "12D3KooW%2f", "é"] {
            assert!(plain(wrong).is_err(), "{wrong}");
        }
    }
}
