//! Polls, which Mastodon keeps as questions with one or any of their answers.

use serde_json::Value;
use xom_protocol::limits::{POLL_OPTION_CHARS_MAX, POLL_OPTIONS_MAX};

use super::activity::parse_time;

/// A poll of an archive, with its result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ArchivedPoll {
    /// The options.
    pub options: Vec<String>,
    /// More than one could be chosen.
    pub multiple: bool,
    /// When it ended, milliseconds since 1970.
    pub ends_ms: u64,
    /// Votes for each option, as the archive counts them.
    pub votes: Vec<u64>,
}

impl ArchivedPoll {
    /// Votes can't be published by the one who counted them; so the result is told and not taken.
    pub(super) fn result_note(&self) -> Option<String> {
        let counts = self.options.iter().zip(&self.votes).map(|(option, votes)| format!("{option}: {votes}"));
        let counts: Vec<String> = counts.collect();
        let any = self.votes.iter().any(|votes| *votes > 0);
        any.then(|| format!("the votes in its poll are not taken ({})", counts.join(", ")))
    }
}

/// Reads the poll of a question that was published at `published_ms`.
///
/// # Errors
/// With the reason, if it is none that can be taken.
pub(super) fn read_poll(question: &Value, published_ms: u64) -> Result<ArchivedPoll, String> {
    let (answers, multiple) = match (question["oneOf"].as_array(), question["anyOf"].as_array()) {
        (Some(one), None) => (one, false),
        (_, Some(any)) => (any, true),
        (None, None) => return Err("its poll has no options".to_owned()),
    };
    let options: Vec<String> =
        answers.iter().map(|answer| answer["name"].as_str().unwrap_or_default().trim().to_owned()).collect();
    if !(2..=POLL_OPTIONS_MAX).contains(&options.len()) {
        return Err(format!("its poll has {} options; 2 to {POLL_OPTIONS_MAX} can be taken", options.len()));
    }
    if options.iter().any(|option| option.is_empty() || option.chars().count() > POLL_OPTION_CHARS_MAX) {
        return Err(format!("an option of its poll is empty or longer than {POLL_OPTION_CHARS_MAX} characters"));
    }
    let time = |key: &str| question[key].as_str().and_then(parse_time);
    Ok(ArchivedPoll {
        options,
        multiple,
        ends_ms: time("endTime").or_else(|| time("closed")).unwrap_or(published_ms),
        votes: answers.iter().map(|answer| answer["replies"]["totalItems"].as_u64().unwrap_or(0)).collect(),
    })
}
