//! `xom notifications`.

use super::super::output::Style;
use super::super::{Call, CliError, card};

/// What happened to you, newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom notifications --limit 10")]
pub struct Args {
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=80))]
    limit: u32,
}

impl Args {
    /// Prints.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let limit = self.limit.to_string();
        let value = call.client()?.get("/api/v1/notifications", &[("limit", &limit)])?;
        call.output.show(&value, |output| {
            let Some(list) = value.as_array().filter(|list| !list.is_empty()) else {
                return "Nothing has happened yet.".to_owned();
            };
            let one = |notification: &serde_json::Value| {
                let what = match card::text(notification, "type").as_str() {
                    "mention" => "mentioned or answered you",
                    "reblog" => "boosted your post",
                    "favourite" => "likes your post",
                    "follow" => "follows you",
                    "poll" => "a poll has ended",
                    "update" => "edited a post that you boosted",
                    _ => "did something that this xom does not know",
                };
                let who = card::account(output, &notification["account"]);
                let age =
                    output.paint(Style::Dim, &format!("· {}", card::age(&card::text(notification, "created_at"))));
                let head = format!("{who} {what} {age}");
                match notification.get("status").filter(|status| !status.is_null()) {
                    Some(status) => format!("{head}\n{}", card::status(output, status)),
                    None => head,
                }
            };
            list.iter().map(one).collect::<Vec<_>>().join("\n\n")
        })
    }
}
