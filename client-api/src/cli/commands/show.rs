//! `xom show`.

use serde_json::{Value, json};

use super::super::{Call, CliError, card};

/// Show a status with its thread; of an own one also who holds copies, and of an erased one what became of them.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom show 115012345678901234")]
pub struct Args {
    /// A Mastodon id, an entry id or its unique prefix
    status: String,
}

impl Args {
    /// Prints.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        let copies = client.get(&format!("/api/xom/v1/statuses/{}/copies", card::segment(self.status.trim())), &[]);
        if let Ok(copies) = &copies
            && !copies["erased_at"].is_null()
        {
            return call.output.show(copies, |_| erased(copies));
        }
        let id = client.find_status(&self.status)?;
        let status = client.get(&format!("/api/v1/statuses/{id}"), &[])?;
        let context = client.get(&format!("/api/v1/statuses/{id}/context"), &[])?;
        let value = json!({
            "ancestors": context["ancestors"], "status": status, "descendants": context["descendants"],
            "copies": copies.as_ref().ok(),
        });
        call.output.show(&value, |output| {
            let marked = card::status(output, &status).replacen("", "▶ ", 1);
            let above = card::list(&value, "ancestors").iter().map(|one| card::status(output, one));
            let below = card::list(&value, "descendants").iter().map(|one| card::status(output, one));
            let held = value["copies"]["summary"].as_str().map(str::to_owned);
            above.chain([marked]).chain(held).chain(below).collect::<Vec<_>>().join("\n\n")
        })
    }
}

/// What became of an erased entry.
fn erased(copies: &Value) -> String {
    let day = |field: &str| copies[field].as_str().map(|time| time.chars().take(10).collect::<String>());
    let here = match (copies["here"].as_str(), day("purge_at")) {
        (Some("hidden"), Some(day)) => format!("hidden here, purged on {day}"),
        _ => "purged here".to_owned(),
    };
    let mut lines = vec![
        format!("{} {}", copies["kind"].as_str().unwrap_or_default(), copies["entry"].as_str().unwrap_or_default()),
        format!("erased on {}, {here}", day("erased_at").unwrap_or_default()),
        copies["summary"].as_str().unwrap_or_default().to_owned(),
    ];
    for copy in copies["copies"].as_array().into_iter().flatten() {
        let name = copy["acct"].as_str().or(copy["holder"].as_str()).unwrap_or_default();
        let fate = copy["fate"].as_str().unwrap_or("no answer");
        let seen: String = copy["last_seen_at"].as_str().unwrap_or_default().chars().take(10).collect();
        let broken = if copy["broken_promise"] == true { ", and broke its promise" } else { "" };
        lines.push(format!("  {}: {fate}, last seen {seen}{broken}", name));
    }
    lines.join("\n")
}
