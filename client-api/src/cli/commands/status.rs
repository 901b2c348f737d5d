//! `xom status`.

use serde_json::Value;

use super::super::output::Style;
use super::super::{Call, CliError, Output, card, printable_line};

/// The state of the node.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom status --json")]
pub struct Args {}

impl Args {
    /// Prints.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let value = call.client()?.get("/api/xom/v1/status", &[])?;
        call.output.show(&value, |output| show(output, call, &value))
    }
}

fn show(output: &Output, call: &Call, value: &Value) -> String {
    let mut rows = vec![("data folder", call.data_dir.display().to_string()), ("peer id", card::text(value, "peer"))];
    let listen = card::list(value, "listen").iter().filter_map(Value::as_str);
    rows.extend(listen.map(|address| ("listens on", printable_line(address))));
    if let Some(fingerprint) = value.get("swarm_key").and_then(Value::as_str) {
        rows.push(("closed network", format!("swarm key {}", printable_line(fingerprint))));
    }
    if let Some(reachability) = value.get("reachability") {
        rows.push(("reachable", card::text(reachability, "words")));
        let relays = card::list(reachability, "relays").iter().filter_map(Value::as_str);
        rows.extend(relays.map(|relay| ("relayed by", printable_line(relay))));
        let (reservations, circuits) =
            (card::number(reachability, "reservations"), card::number(reachability, "circuits"));
        if reservations > 0 {
            rows.push(("relays for", format!("{reservations} peers, of whom {circuits} pairs talk now")));
        }
        rows.extend(reachability.get("gateway").and_then(Value::as_str).map(|words| ("UPnP", printable_line(words))));
    }
    rows.push(("running for", duration(card::number(value, "uptime_secs"))));
    rows.push(("peers connected", card::number(value, "peers_connected").to_string()));
    let (sent, received) = (card::number(value, "bytes_sent"), card::number(value, "bytes_received"));
    rows.push(("exchanged", format!("{} sent, {} received", bytes(sent), bytes(received))));
    rows.push(("identities known", card::number(value, "identities").to_string()));
    rows.push(("entries stored", card::number(value, "entries").to_string()));
    rows.push(("disk", bytes(card::number(value, "disk_bytes"))));
    rows.extend(value["copies"].as_u64().map(|copies| {
        let said = match copies {
            0 => "nobody else holds all you wrote; see `xom copies` and `xom keep ask`".to_owned(),
            1 => "1 other machine holds all you wrote".to_owned(),
            copies => format!("{copies} other machines hold all you wrote"),
        };
        ("copies", said)
    }));
    match value.get("refusals") {
        Some(Value::Object(map)) => {
            rows.extend(map.iter().map(|(rule, count)| ("refused", printable_line(&format!("{rule}: {count}")))));
        }
        Some(Value::Array(list)) => {
            rows.extend(list.iter().map(|pair| ("refused", printable_line(&format!("{}: {}", pair[0], pair[1])))));
        }
        _ => {}
    }
    let warnings = card::list(value, "warnings").iter().filter_map(Value::as_str);
    let warnings = warnings.map(|warning| output.paint(Style::Warn, &format!("! {}\n", printable_line(warning))));
    output.table(&rows) + &warnings.collect::<String>()
}

fn duration(seconds: u64) -> String {
    match seconds {
        ..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}

/// A number of bytes, to one decimal of the greatest unit that fits.
pub(super) fn bytes(count: u64) -> String {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1000)];
    match units.into_iter().find(|(_, size)| count >= *size) {
        Some((unit, size)) => format!("{}.{} {unit}", count / size, count % size * 10 / size),
        None => format!("{count} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times_are_short() {
        assert_eq!([0, 999, 1500, 2_000_000, 3_210_000_000].map(bytes), ["0 B", "999 B", "1.5 kB", "2.0 MB", "3.2 GB"]);
        assert_eq!([5, 60, 3660, 90_000].map(duration), ["5 s", "1 min", "1 h 1 min", "1 d 1 h"]);
    }
}
