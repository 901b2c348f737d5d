//! `xom timeline`.

use serde_json::Value;

use super::super::{Call, CliError, card};

/// Read the home timeline, newest first.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  xom timeline --limit 5\n  xom timeline --tag vietnam")]
pub struct Args {
    /// At most so many
    #[arg(long, value_name = "NUMBER", default_value_t = 20)]
    limit: u32,
    /// All public posts that this node holds, instead of the home timeline
    #[arg(long, conflicts_with = "tag")]
    public: bool,
    /// The public posts with a tag, instead of the home timeline
    #[arg(long, value_name = "TAG")]
    tag: Option<String>,
    /// Only older than this Mastodon id
    #[arg(long, value_name = "ID")]
    before: Option<String>,
}

impl Args {
    /// Reads.
    pub fn execute(&self, call: &Call) -> Result<(), CliError> {
        let path = match &self.tag {
            Some(tag) => format!("/api/v1/timelines/tag/{}", path_segment(tag.trim_start_matches('#'))),
            None if self.public => "/api/v1/timelines/public".to_owned(),
            None => "/api/v1/timelines/home".to_owned(),
        };
        let statuses = self.pages(&call.client()?, &path)?;
        let value = Value::Array(statuses);
        call.output.show(&value, |output| match value.as_array() {
            Some(list) if !list.is_empty() => card::statuses(output, list),
            _ => "Nothing here yet. Write with `xom post`, or follow somebody with `xom follow <invite>`.".to_owned(),
        })
    }

    /// Reads page by page: the node gives at most 40 at once.
    fn pages(&self, client: &super::super::Client, path: &str) -> Result<Vec<Value>, CliError> {
        /// The most that one page may hold.
        const PAGE_MAX: usize = 40;
        let wanted = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut before = self.before.clone();
        let mut all: Vec<Value> = Vec::new();
        while all.len() < wanted {
            let limit = (wanted - all.len()).min(PAGE_MAX).to_string();
            let mut query = vec![("limit", limit.as_str())];
            query.extend(before.as_deref().map(|id| ("max_id", id)));
            let page = match client.get(path, &query)? {
                Value::Array(page) if !page.is_empty() => page,
                _ => break,
            };
            before = page.last().and_then(|last| last.get("id")?.as_str().map(str::to_owned));
            all.extend(page);
            if before.is_none() {
                break;
            }
        }
        Ok(all)
    }
}

/// A text as one segment of a path, percent-encoded (RFC 3986).
pub(super) fn path_segment(text: &str) -> String {
    let keep = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    text.bytes().map(|b| if keep(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_one_segment_of_the_path() {
        assert_eq!(path_segment("a/b?c #xóm"), "a%2Fb%3Fc%20%23x%C3%B3m");
    }
}
