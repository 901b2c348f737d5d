//! `xom peers`.

mod bans;

use serde_json::Value;

use super::super::output::Style;
use super::super::{Call, CliError, Output, card, printable_line};

/// The nodes that this node knows.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom peers --json\n  xom peers bans", args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    what: Option<bans::What>,
}

impl Args {
    /// Prints.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        if let Some(what) = &self.what {
            return what.execute(call);
        }
        let value = call.client()?.get("/api/xom/v1/peers", &[])?;
        call.output.show(&value, |output| {
            let list = value.as_array().map_or_else(|| card::list(&value, "peers"), Vec::as_slice);
            if list.is_empty() {
                return "No peers yet. Follow somebody with `xom follow <invite>`, or pass your own: `xom invite`."
                    .to_owned();
            }
            list.iter().map(|peer| one(output, peer)).collect::<Vec<_>>().join("\n")
        })
    }
}

/// How a peer is connected, in words.
fn way(link: &Value) -> String {
    let tried = link.get("hole_punching_failed") == Some(&Value::Bool(true));
    match card::text(link, "kind").as_str() {
        "relayed" => {
            let punched = if tried { "; meeting without it was tried in vain" } else { "" };
            format!("relayed by {}{punched}", card::text(link, "by"))
        }
        "hole-punched" => "direct, both have met in the middle (hole punching)".to_owned(),
        kind => kind.to_owned(),
    }
}

fn one(output: &Output, peer: &Value) -> String {
    let is = |name: &str| peer.get(name) == Some(&Value::Bool(true));
    let state = match (is("connected"), is("in_sync")) {
        (true, true) => "connected, in sync",
        (true, false) => "connected, exchanging",
        (false, _) => "not connected",
    };
    let texts = |name: &str| -> Vec<String> {
        card::list(peer, name).iter().filter_map(Value::as_str).map(printable_line).collect()
    };
    let refusals: Vec<String> = match peer.get("refusals") {
        Some(Value::Object(map)) => map.iter().map(|(rule, count)| format!("{rule} {count}")).collect(),
        Some(Value::Array(list)) => list.iter().map(|pair| format!("{} {}", pair[0], pair[1])).collect(),
        _ => Vec::new(),
    };
    let mut rows = vec![("state", state.to_owned())];
    rows.extend(peer.get("link").filter(|link| link.is_object()).map(|link| ("link", way(link))));
    rows.extend(texts("dids").into_iter().map(|did| ("identity", did)));
    rows.extend(texts("addresses").into_iter().map(|address| ("address", address)));
    let (received, sent) = (card::number(peer, "entries_received"), card::number(peer, "entries_sent"));
    rows.push(("entries", format!("{received} received, {sent} sent")));
    if !refusals.is_empty() {
        rows.push(("refused", printable_line(&refusals.join(", "))));
    }
    format!("{}\n{}", output.paint(Style::Bold, &card::text(peer, "peer")), output.table(&rows))
}
