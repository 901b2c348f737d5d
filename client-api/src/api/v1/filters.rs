//! `/api/v1/filters`: the filters of the second version, phrase by phrase, for old clients.

use axum::Json;
use serde_json::{Value, json};
use xom_node::private::{self as families, FilterHead, FilterKeyword, value_of};

use crate::api::entities::filter::FilterV1;
use crate::api::lookup::Id;
use crate::api::private;
use crate::api::v2::filters::keywords::named;
use crate::api::v2::filters::{Changes, FILTERS_MAX, all, change_context, key, keys_of, keyword_key, line};
use crate::http::{ApiError, Call, Params};

/// Every phrase of every filter.
pub async fn list(call: Call) -> Result<Json<Vec<FilterV1>>, ApiError> {
    let filters = all(&call).await?;
    let phrases = |filter: &families::Filter| -> Vec<FilterV1> {
        filter.keywords.iter().map(|(id, keyword)| FilterV1::new(filter, *id, keyword)).collect()
    };
    Ok(Json(filters.iter().flat_map(phrases).collect()))
}

/// One phrase.
pub async fn get(call: Call, id: Id) -> Result<Json<FilterV1>, ApiError> {
    let (filter, keyword) = named(&call, id).await?;
    Ok(Json(FilterV1::new(&filter, id.0, &keyword)))
}

/// Makes a filter of one phrase.
pub async fn post(call: Call, params: Params) -> Result<Json<FilterV1>, ApiError> {
    let head = FilterHead { title: String::new(), context: Vec::new(), action: "warn".to_owned(), until_ms: None };
    let mut filter = families::Filter { id: private::fresh_id()?, head, keywords: Vec::new(), statuses: Vec::new() };
    let keyword = change(&params, &mut filter.head, FilterKeyword { keyword: String::new(), whole_word: true })?;
    if all(&call).await?.len() >= FILTERS_MAX {
        return Err(ApiError::invalid(format!("no more than {FILTERS_MAX} filters can be made")));
    }
    put_both(&call, &filter, private::fresh_id()?, keyword).await
}

/// Changes one; where its filter has other phrases, what holds for all of them changes for all.
pub async fn put(call: Call, id: Id, params: Params) -> Result<Json<FilterV1>, ApiError> {
    let (mut filter, old) = named(&call, id).await?;
    let keyword = change(&params, &mut filter.head, old)?;
    put_both(&call, &filter, id.0, keyword).await
}

/// Takes one away, and its filter with its last phrase.
pub async fn delete(call: Call, id: Id) -> Result<Json<Value>, ApiError> {
    let (filter, _) = named(&call, id).await?;
    let is_last = filter.keywords.len() == 1 && filter.statuses.is_empty();
    let keys = if is_last { keys_of(&filter) } else { vec![keyword_key(filter.id, id.0)] };
    private::remove(&call, keys).await?;
    Ok(Json(json!({})))
}

fn change(params: &Params, head: &mut FilterHead, old: FilterKeyword) -> Result<FilterKeyword, ApiError> {
    let phrase = params.raw_text("phrase").map(|phrase| line(&phrase, "Phrase")).transpose()?;
    let phrase = phrase.unwrap_or(old.keyword);
    if phrase.is_empty() {
        return Err(ApiError::invalid("Phrase can't be blank"));
    }
    change_context(params, head)?;
    if head.title.is_empty() {
        head.title.clone_from(&phrase);
    }
    if let Some(irreversible) = params.flag("irreversible") {
        head.action = if irreversible { "hide" } else { "warn" }.to_owned();
    }
    Ok(FilterKeyword { keyword: phrase, whole_word: params.flag("whole_word").unwrap_or(old.whole_word) })
}

async fn put_both(
    call: &Call,
    filter: &families::Filter,
    id: u64,
    keyword: FilterKeyword,
) -> Result<Json<FilterV1>, ApiError> {
    let mut changes = Changes::new();
    changes.insert(key(filter.id), value_of(&filter.head));
    changes.insert(keyword_key(filter.id, id), value_of(&keyword));
    call.node.put_settings(call.viewer(), changes).await?;
    Ok(Json(FilterV1::new(filter, id, &keyword)))
}
