//! `/api/v2/filters`: what of others the caller would rather not read. Timelines leave out what a filter hides there;
//! everything else carries the filters that it fits.

pub mod keywords;
pub mod statuses;
mod words;

use std::collections::BTreeMap;

use axum::Json;
use serde_json::{Value, json};
use xom_node::model::StatusId;
use xom_node::private::{self as families, FILTER, FILTER_KEYWORD, FILTER_STATUS, value_of};

pub(crate) use words::{change_context, change_head, change_keywords, keyword, line, new_head};

use crate::api::entities::filter::Filter;
use crate::api::lookup::Id;
use crate::api::private;
use crate::http::{ApiError, Call, Params};

/// Most filters of an identity.
pub(crate) const FILTERS_MAX: usize = 100;
/// Most phrases, and most posts, of a filter.
pub(crate) const FILTER_ITEMS_MAX: usize = 100;

/// All of them.
pub async fn list(call: Call) -> Result<Json<Vec<Filter>>, ApiError> {
    let filters = all(&call).await?;
    Ok(Json(show(&call, filters).await?))
}

/// One of them.
pub async fn get(call: Call, id: Id) -> Result<Json<Filter>, ApiError> {
    let filter = find(&call, id).await?;
    one(&call, filter).await
}

/// Makes one.
pub async fn post(call: Call, params: Params) -> Result<Json<Filter>, ApiError> {
    let head = new_head(&params)?;
    if all(&call).await?.len() >= FILTERS_MAX {
        return Err(ApiError::invalid(format!("no more than {FILTERS_MAX} filters can be made")));
    }
    let mut filter = families::Filter { id: private::fresh_id()?, head, keywords: Vec::new(), statuses: Vec::new() };
    let mut changes = change_keywords(&params, &mut filter)?;
    changes.insert(key(filter.id), value_of(&filter.head));
    call.node.put_settings(call.viewer(), changes).await?;
    one(&call, filter).await
}

/// Changes one, and its phrases by `keywords_attributes`.
pub async fn put(call: Call, id: Id, params: Params) -> Result<Json<Filter>, ApiError> {
    let mut filter = find(&call, id).await?;
    change_head(&params, &mut filter.head)?;
    let mut changes = change_keywords(&params, &mut filter)?;
    changes.insert(key(filter.id), value_of(&filter.head));
    call.node.put_settings(call.viewer(), changes).await?;
    one(&call, filter).await
}

/// Takes one away, with its phrases and posts.
pub async fn delete(call: Call, id: Id) -> Result<Json<Value>, ApiError> {
    let filter = find(&call, id).await?;
    private::remove(&call, keys_of(&filter)).await?;
    Ok(Json(json!({})))
}

/// Every setting that a filter is.
pub(crate) fn keys_of(filter: &families::Filter) -> Vec<String> {
    let keywords = filter.keywords.iter().map(|(id, _)| keyword_key(filter.id, *id));
    let statuses = filter.statuses.iter().map(|(_, entry)| status_key(filter.id, entry));
    keywords.chain(statuses).chain([key(filter.id)]).collect()
}

pub(crate) fn key(filter: u64) -> String {
    format!("{FILTER}{filter}")
}

pub(crate) fn keyword_key(filter: u64, id: u64) -> String {
    format!("{FILTER_KEYWORD}{filter}/{id}")
}

fn status_key(filter: u64, entry: &xom_protocol::EntryId) -> String {
    families::entry_key(&format!("{FILTER_STATUS}{filter}/"), entry)
}

/// The caller's filters, also those whose time is over.
pub(crate) async fn all(call: &Call) -> Result<Vec<families::Filter>, ApiError> {
    let viewer = call.viewer();
    Ok(call.node.read(move |reader| reader.filters(&viewer)).await?)
}

async fn find(call: &Call, Id(id): Id) -> Result<families::Filter, ApiError> {
    all(call).await?.into_iter().find(|filter| filter.id == id).ok_or_else(ApiError::not_found)
}

async fn one(call: &Call, filter: families::Filter) -> Result<Json<Filter>, ApiError> {
    show(call, vec![filter]).await?.pop().map(Json).ok_or_else(ApiError::not_found)
}

/// Filters as clients see them: of their posts those that are held.
async fn show(call: &Call, filters: Vec<families::Filter>) -> Result<Vec<Filter>, ApiError> {
    let read = call.node.read(move |reader| {
        let mut shown = Vec::new();
        for filter in filters {
            let mut held: Vec<(u64, StatusId)> = Vec::new();
            for (id, entry) in &filter.statuses {
                held.extend(reader.status_of_entry(entry)?.map(|status| (*id, status)));
            }
            shown.push(Filter::new(&filter, &held));
        }
        Ok(shown)
    });
    Ok(read.await?)
}

/// The changes of settings that a handler has gathered.
pub(crate) type Changes = BTreeMap<String, Vec<u8>>;
