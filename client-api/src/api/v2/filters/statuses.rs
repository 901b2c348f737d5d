//! `/api/v2/filters/:id/statuses` and `/api/v2/filters/statuses/:id`: the posts of a filter.

use axum::Json;
use serde_json::{Value, json};
use xom_node::model::StatusId;
use xom_node::private::cursor_value;
use xom_protocol::EntryId;

use super::words::check_room;
use super::{all, find, status_key};
use crate::api::entities::filter::FilterStatus;
use crate::api::lookup::{Id, post as post_of};
use crate::api::private;
use crate::http::{ApiError, Call, Params};

/// Those of a filter that are held.
pub async fn list(call: Call, id: Id) -> Result<Json<Vec<FilterStatus>>, ApiError> {
    let filter = find(&call, id).await?;
    let mut shown = Vec::new();
    for (id, entry) in filter.statuses {
        shown.extend(held(&call, entry).await?.map(|status| FilterStatus::new(id, status)));
    }
    Ok(Json(shown))
}

/// Adds one.
pub async fn post(call: Call, id: Id, params: Params) -> Result<Json<FilterStatus>, ApiError> {
    let filter = find(&call, id).await?;
    let status = params.id("status_id")?.ok_or_else(|| ApiError::invalid("Status can't be blank"))?;
    let found = post_of(&call, Id(status)).await?;
    let entry = found.reference.entry;
    if let Some((known, _)) = filter.statuses.iter().find(|(_, known)| *known == entry) {
        return Ok(Json(FilterStatus::new(*known, found.id)));
    }
    check_room(filter.statuses.len() + 1)?;
    let id = private::fresh_id()?;
    private::put(&call, status_key(filter.id, &entry), cursor_value(id)).await?;
    Ok(Json(FilterStatus::new(id, found.id)))
}

/// One of them.
pub async fn get(call: Call, id: Id) -> Result<Json<FilterStatus>, ApiError> {
    let (_, entry) = named(&call, id).await?;
    let status = held(&call, entry).await?.ok_or_else(ApiError::not_found)?;
    Ok(Json(FilterStatus::new(id.0, status)))
}

/// Takes one away.
pub async fn delete(call: Call, id: Id) -> Result<Json<Value>, ApiError> {
    let (filter, entry) = named(&call, id).await?;
    private::remove(&call, [status_key(filter, &entry)]).await?;
    Ok(Json(json!({})))
}

async fn named(call: &Call, Id(id): Id) -> Result<(u64, EntryId), ApiError> {
    let filters = all(call).await?;
    let mut pairs = filters.iter().flat_map(|filter| filter.statuses.iter().map(|pair| (filter.id, *pair)));
    let found = pairs.find(|(_, (known, _))| *known == id);
    found.map(|(filter, (_, entry))| (filter, entry)).ok_or_else(ApiError::not_found)
}

async fn held(call: &Call, entry: EntryId) -> Result<Option<StatusId>, ApiError> {
    Ok(call.node.read(move |reader| reader.status_of_entry(&entry)).await?)
}
