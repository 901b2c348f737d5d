//! Tags.

use serde::Serialize;
use xom_node::TrendingDay;

use crate::api::text::fold;
use crate::http::Base;

/// How much something was used on one day.
#[derive(Debug, Clone, Serialize)]
pub struct History {
    day: String,
    accounts: String,
    uses: String,
}

/// The days of a history as clients see them.
pub fn history(days: &[TrendingDay]) -> Vec<History> {
    let day = |(begin, uses, people): &TrendingDay| History {
        day: (begin / 1_000).to_string(),
        accounts: people.to_string(),
        uses: uses.to_string(),
    };
    days.iter().map(day).collect()
}

/// A tag by itself.
#[derive(Debug, Clone, Serialize)]
pub struct Tag {
    id: String,
    name: String,
    url: String,
    history: Vec<History>,
    following: bool,
    featuring: bool,
}

/// A tag in a status.
#[derive(Debug, Clone, Serialize)]
pub struct StatusTag {
    name: String,
    url: String,
}

impl Tag {
    /// A tag, written without `#`.
    pub fn new(base: &Base, tag: &str) -> Self {
        let name = fold(tag);
        Self { id: name.clone(), url: base.tag(&name), name, history: Vec::new(), following: false, featuring: false }
    }
}

impl Tag {
    /// The same with whether the caller follows it.
    pub fn followed(self, following: bool) -> Self {
        Self { following, ..self }
    }

    /// The same with whether the caller's profile shows it.
    pub fn featured(self, featuring: bool) -> Self {
        Self { featuring, ..self }
    }

    /// The same with how much it was used of late.
    pub fn with_history(self, history: Vec<History>) -> Self {
        Self { history, ..self }
    }
}

impl StatusTag {
    /// A tag, written without `#`.
    pub fn new(base: &Base, tag: &str) -> Self {
        let name = fold(tag);
        Self { url: base.tag(&name), name }
    }
}
