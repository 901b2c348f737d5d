//! How statuses and accounts look in a terminal. Reads Mastodon's JSON as the node answers it.

use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::output::Style;
use super::{Output, printable, printable_line};
use crate::import::html_text::html_to_text;

/// The width of the indent under a name.
const INDENT: &str = "  ";

/// A member that is a text, safe to print; empty if it is missing.
pub(crate) fn text(value: &Value, name: &str) -> String {
    printable_line(value.get(name).and_then(Value::as_str).unwrap_or_default())
}

/// A member that is a number.
pub(crate) fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_u64).unwrap_or_default()
}

/// A member that is a list.
pub(crate) fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// A text as a segment of a path of the API.
pub(crate) fn segment(text: &str) -> String {
    crate::http::base::encode_segment(text)
}

/// `Lan Nguyễn  @lan`.
pub(crate) fn account(output: &Output, account: &Value) -> String {
    let name = text(account, "display_name");
    let acct = format!("@{}", text(account, "acct"));
    if name.is_empty() {
        return output.paint(Style::Bold, &acct);
    }
    format!("{}  {}", output.paint(Style::Bold, &name), output.paint(Style::Dim, &acct))
}

/// A status over several lines, without a line break at its end.
pub(crate) fn status(output: &Output, status: &Value) -> String {
    if let Some(reblog) = status.get("reblog").filter(|reblog| !reblog.is_null()) {
        let by = account(output, &status["account"]);
        return format!("{} {by} boosted\n{}", output.paint(Style::Dim, "⟳"), self::status(output, reblog));
    }
    let mut lines = vec![headline(output, status)];
    let warning = text(status, "spoiler_text");
    if !warning.is_empty() {
        lines.push(format!("{INDENT}{}", output.paint(Style::Warn, &format!("[{warning}]"))));
    }
    let content = plain(status.get("content").and_then(Value::as_str).unwrap_or_default());
    lines.extend(content.trim().lines().map(|line| format!("{INDENT}{line}")));
    lines.extend(list(status, "media_attachments").iter().map(|media| medium(output, media)));
    if let Some(poll) = status.get("poll").filter(|poll| !poll.is_null()) {
        lines.extend(
            list(poll, "options")
                .iter()
                .map(|option| format!("{INDENT}○ {}  {}", text(option, "title"), number(option, "votes_count"))),
        );
    }
    lines.push(format!("{INDENT}{}", output.paint(Style::Dim, &counts(status))));
    lines.join("\n")
}

/// Statuses, one below the other.
pub(crate) fn statuses(output: &Output, list: &[Value]) -> String {
    let cards: Vec<String> = list.iter().map(|one| status(output, one)).collect();
    cards.join("\n\n")
}

/// How long ago a time in RFC 3339 was, in one word.
pub(crate) fn age(created_at: &str) -> String {
    let Ok(then) = OffsetDateTime::parse(created_at, &Rfc3339) else { return printable_line(created_at) };
    age_of((OffsetDateTime::now_utc() - then).whole_seconds(), then)
}

fn age_of(seconds: i64, then: OffsetDateTime) -> String {
    match seconds {
        ..60 => "now".to_owned(),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h", seconds / 3600),
        86_400..604_800 => format!("{} d", seconds / 86_400),
        _ => then.date().to_string(),
    }
}

fn headline(output: &Output, status: &Value) -> String {
    let age = age(status.get("created_at").and_then(Value::as_str).unwrap_or_default());
    let reply = if status.get("in_reply_to_id").is_some_and(|id| !id.is_null()) { "  ↩ reply" } else { "" };
    let edited = if status.get("edited_at").is_some_and(|at| !at.is_null()) { "  edited" } else { "" };
    let tail = output.paint(Style::Dim, &format!("· {age}{reply}{edited}"));
    let id = output.paint(Style::Accent, &text(status, "id"));
    format!("{} {tail}  {id}", account(output, &status["account"]))
}

fn medium(output: &Output, media: &Value) -> String {
    let description = text(media, "description");
    let description = if description.is_empty() { "no description".to_owned() } else { description };
    let url = output.paint(Style::Accent, &text(media, "url"));
    format!("{INDENT}▣ {}: {description}  {url}", text(media, "type"))
}

fn counts(status: &Value) -> String {
    let mark = |name: &str| if status.get(name) == Some(&Value::Bool(true)) { "*" } else { "" };
    format!(
        "replies {}  boosts {}{}  likes {}{}",
        number(status, "replies_count"),
        number(status, "reblogs_count"),
        mark("reblogged"),
        number(status, "favourites_count"),
        mark("favourited")
    )
}

/// HTML of the node as text that is safe to print.
pub(crate) fn plain(html: &str) -> String {
    html_to_text(html, &[]).map_or_else(|_| printable(html), |plain| printable(&plain.text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_is_shown_without_its_html_and_without_terminal_codes() {
        let value = json!({
            "id": "114", "created_at": "2020-01-02T03:04:05.000Z", "spoiler_text": "food\u{1b}[2J",
            "content": "<p>Xin chào<br>xóm \u{1b}[31m&amp; all</p>", "replies_count": 1, "reblogs_count": 2,
            "favourites_count": 3, "favourited": true, "in_reply_to_id": null,
            "account": {"display_name": "Lan\u{202e}", "acct": "lan"}, "media_attachments": [],
        });
        let shown = status(&Output::new(false), &value);
        let expected =
            "Lan  @lan · 2020-01-02  114\n  [food[2J]\n  Xin chào\n  xóm [31m& all\n  replies 1  boosts 2  likes 3*";
        assert_eq!(shown, expected);
    }

    #[test]
    fn an_age_is_one_word() {
        let then = OffsetDateTime::UNIX_EPOCH;
        let ages: Vec<String> = [5, 60, 7200, 90_000, 700_000].map(|seconds| age_of(seconds, then)).into();
        assert_eq!(ages, ["now", "1 min", "2 h", "1 d", "1970-01-01"]);
    }
}
