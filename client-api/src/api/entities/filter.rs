//! Filters, in Mastodon's two versions of them.

use serde::Serialize;
use xom_node::model::StatusId;
use xom_node::private::{self, FilterContext};

use super::timestamp;

/// A filter of the second version.
#[derive(Debug, Clone, Serialize)]
pub struct Filter {
    id: String,
    title: String,
    context: Vec<FilterContext>,
    expires_at: Option<String>,
    filter_action: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    keywords: Option<Vec<FilterKeyword>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    statuses: Option<Vec<FilterStatus>>,
}

/// A phrase of a filter.
#[derive(Debug, Clone, Serialize)]
pub struct FilterKeyword {
    id: String,
    keyword: String,
    whole_word: bool,
}

/// A post of a filter.
#[derive(Debug, Clone, Serialize)]
pub struct FilterStatus {
    id: String,
    status_id: String,
}

/// A filter of the first version: one phrase.
#[derive(Debug, Clone, Serialize)]
pub struct FilterV1 {
    id: String,
    phrase: String,
    context: Vec<FilterContext>,
    whole_word: bool,
    expires_at: Option<String>,
    irreversible: bool,
}

/// Why a status fits a filter.
#[derive(Debug, Clone, Serialize)]
pub struct FilterResult {
    filter: Filter,
    keyword_matches: Vec<String>,
    status_matches: Vec<String>,
}

impl Filter {
    fn bare(filter: &private::Filter) -> Self {
        Self {
            id: filter.id.to_string(),
            title: filter.head.title.clone(),
            context: filter.head.context.clone(),
            expires_at: filter.head.until_ms.map(timestamp),
            filter_action: filter.head.action.clone(),
            keywords: None,
            statuses: None,
        }
    }

    /// A filter with its phrases and those of its posts that are held here.
    pub fn new(filter: &private::Filter, statuses: &[(u64, StatusId)]) -> Self {
        let keywords = filter.keywords.iter().map(|(id, keyword)| FilterKeyword::new(*id, keyword));
        let statuses = statuses.iter().map(|(id, status)| FilterStatus::new(*id, *status));
        Self { keywords: Some(keywords.collect()), statuses: Some(statuses.collect()), ..Self::bare(filter) }
    }
}

impl FilterKeyword {
    /// A phrase as clients see it.
    pub fn new(id: u64, keyword: &private::FilterKeyword) -> Self {
        Self { id: id.to_string(), keyword: keyword.keyword.clone(), whole_word: keyword.whole_word }
    }
}

impl FilterStatus {
    /// A post as clients see it.
    pub fn new(id: u64, status: StatusId) -> Self {
        Self { id: id.to_string(), status_id: status.0.to_string() }
    }
}

impl FilterV1 {
    /// A phrase of a filter as a filter of its own.
    pub fn new(filter: &private::Filter, id: u64, keyword: &private::FilterKeyword) -> Self {
        Self {
            id: id.to_string(),
            phrase: keyword.keyword.clone(),
            context: filter.head.context.clone(),
            whole_word: keyword.whole_word,
            expires_at: filter.head.until_ms.map(timestamp),
            irreversible: filter.head.action == "hide",
        }
    }
}

impl FilterResult {
    /// Why the status of this id fits.
    pub fn new(status: StatusId, hit: &private::FilterHit) -> Self {
        Self {
            filter: Filter::bare(&hit.filter),
            keyword_matches: hit.keywords.clone(),
            status_matches: hit.is_named.then(|| status.0.to_string()).into_iter().collect(),
        }
    }
}
