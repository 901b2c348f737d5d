//! `xom feed`.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::super::{Call, CliError, Output, card, printable_line};

/// Algorithms that order posts, and what they make of yours.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom feed read close-friends")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

/// What to do.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// The algorithms that are here
    #[command(after_help = "Example:\n  xom feed list")]
    List,
    /// What one of them says
    #[command(after_help = "Example:\n  xom feed show quiet")]
    Show {
        /// Its short name or its id
        name: String,
    },
    /// A page of it, each post with why it stands there
    #[command(after_help = "Example:\n  xom feed read close-friends --limit 5 --set half_life=6")]
    Read {
        /// Its short name or its id
        name: String,
        #[command(flatten)]
        page: Page,
    },
    /// Order your timeline by a file that is not published
    #[command(after_help = "Example:\n  xom feed try mine.toml")]
    Try {
        /// The file, in TOML
        file: PathBuf,
        #[command(flatten)]
        page: Page,
    },
}

/// Which page.
#[derive(Debug, clap::Args)]
struct Page {
    /// At most so many posts
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u32,
    /// Leave out so many before
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    offset: u32,
    /// Set what can be tuned
    #[arg(long = "set", value_name = "NAME=NUMBER", value_parser = setting)]
    set: Vec<(String, i64)>,
}

impl Args {
    /// Shows or orders.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let client = call.client()?;
        match &self.what {
            What::List => {
                let value = client.get("/api/xom/v1/feeds", &[])?;
                call.output.show(&value, |_| {
                    let feeds = value.as_array().map_or(&[][..], Vec::as_slice);
                    feeds.iter().map(one).collect::<Vec<_>>().join("\n\n")
                })
            }
            What::Show { name } => {
                let value = client.get(&format!("/api/xom/v1/feeds/{}", card::segment(name)), &[])?;
                call.output.show(&value, |_| whole(&value))
            }
            What::Read { name, page } => {
                let value = client.post(&format!("/api/xom/v1/feeds/{}/page", card::segment(name)), &page.asked())?;
                call.output.show(&value, |output| shown(output, &value))
            }
            What::Try { file, page } => {
                let cannot =
                    |error: std::io::Error| CliError::Usage(format!("could not read {}: {error}", file.display()));
                let source = std::fs::read_to_string(file).map_err(cannot)?;
                let asked = json!({ "source": source, "page": page.asked() });
                let value = client.post("/api/xom/v1/feeds/try", &asked)?;
                call.output.show(&value, |output| shown(output, &value))
            }
        }
    }
}

impl Page {
    fn asked(&self) -> Value {
        let set: serde_json::Map<String, Value> =
            self.set.iter().map(|(name, value)| (name.clone(), (*value).into())).collect();
        json!({ "limit": self.limit, "offset": self.offset, "params": set })
    }
}

/// Reads `name=number`.
fn setting(text: &str) -> Result<(String, i64), String> {
    let (name, number) = text.split_once('=').ok_or("NAME=NUMBER")?;
    number
        .trim()
        .parse()
        .map(|number| (name.trim().to_owned(), number))
        .map_err(|_| format!("{number} is not a number"))
}

fn one(feed: &Value) -> String {
    let text = |name: &str| printable_line(&card::text(feed, name));
    format!("{}: {}\n  {}\n  {}", text("slug"), text("name"), text("summary"), text("id"))
}

fn whole(feed: &Value) -> String {
    let mut lines = vec![one(feed)];
    let line = |one: &Value| {
        let text = |name: &str| printable_line(&card::text(one, name));
        format!("  {}: {}\n    {}", text("id"), text("label"), text("source"))
    };
    let param = |one: &Value| {
        let text = |name: &str| printable_line(&card::text(one, name));
        let number = |name: &str| one.get(name).and_then(Value::as_i64).unwrap_or_default();
        format!("  {}: {} ({} to {}, {})", text("id"), text("label"), number("min"), number("max"), number("default"))
    };
    for (name, title, show) in [
        ("filters", "keeps a post if", &line as &dyn Fn(&Value) -> String),
        ("terms", "adds up", &line),
        ("params", "can be tuned", &param),
    ] {
        let list = card::list(feed, name);
        if !list.is_empty() {
            lines.push(format!("{title}:"));
            lines.extend(list.iter().map(show));
        }
    }
    lines.join("\n")
}

fn shown(output: &Output, page: &Value) -> String {
    let items = card::list(page, "items");
    let mut parts: Vec<String> = items
        .iter()
        .map(|item| format!("{}\n  {}", card::status(output, &item["status"]), why(&item["explanation"])))
        .collect();
    if parts.is_empty() {
        parts.push("Nothing here.".to_owned());
    }
    let withheld = card::list(page, "withheld");
    if !withheld.is_empty() {
        let counts = withheld.iter().map(|one| {
            let (filter, reason) = (card::text(one, "filter"), card::text(one, "reason"));
            format!("{} {}", card::number(one, "count"), if filter.is_empty() { reason } else { filter })
        });
        parts.push(format!("Withheld: {}.", counts.collect::<Vec<_>>().join(", ")));
    }
    parts.join("\n\n")
}

/// `score 1500 = fresh 1000 + closeness 500, place 3 by score`.
fn why(explanation: &Value) -> String {
    let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_i64).unwrap_or_default();
    let term = |term: &Value| {
        let error = card::text(term, "error");
        let value = if error.is_empty() { number(term, "value").to_string() } else { format!("({error})") };
        format!("{} {value}", printable_line(&card::text(term, "id")))
    };
    let terms: Vec<String> = card::list(explanation, "terms").iter().map(term).collect();
    let sum = if terms.is_empty() { String::new() } else { format!(" = {}", terms.join(" + ")) };
    let mut said = format!("score {}{sum}", number(explanation, "score"));
    let is_there = |name: &str| explanation.get(name).is_some_and(|value| !value.is_null());
    if is_there("held_back_by") {
        said += &format!("; held back by a cap from place {}", number(explanation, "place_by_score") + 1);
    }
    if is_there("brought_forward_by") {
        said += &format!("; brought forward by a mix from place {}", number(explanation, "place_by_score") + 1);
    }
    said
}
