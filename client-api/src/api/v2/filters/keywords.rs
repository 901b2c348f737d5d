//! `/api/v2/filters/:id/keywords` and `/api/v2/filters/keywords/:id`: the phrases of a filter.

use axum::Json;
use serde_json::{Value, json};
use xom_node::private::{self as families, value_of};

use super::words::check_room;
use super::{all, find, keyword, keyword_key};
use crate::api::entities::filter::FilterKeyword;
use crate::api::lookup::Id;
use crate::api::private;
use crate::http::{ApiError, Call, Params};

/// Those of a filter.
pub async fn list(call: Call, id: Id) -> Result<Json<Vec<FilterKeyword>>, ApiError> {
    let filter = find(&call, id).await?;
    Ok(Json(filter.keywords.iter().map(|(id, keyword)| FilterKeyword::new(*id, keyword)).collect()))
}

/// Adds one.
pub async fn post(call: Call, id: Id, params: Params) -> Result<Json<FilterKeyword>, ApiError> {
    let filter = find(&call, id).await?;
    check_room(filter.keywords.len() + 1)?;
    let (id, new) = (private::fresh_id()?, keyword(&params, None)?);
    private::put(&call, keyword_key(filter.id, id), value_of(&new)).await?;
    Ok(Json(FilterKeyword::new(id, &new)))
}

/// One of them.
pub async fn get(call: Call, id: Id) -> Result<Json<FilterKeyword>, ApiError> {
    let (_, keyword) = named(&call, id).await?;
    Ok(Json(FilterKeyword::new(id.0, &keyword)))
}

/// Changes one.
pub async fn put(call: Call, id: Id, params: Params) -> Result<Json<FilterKeyword>, ApiError> {
    let (filter, old) = named(&call, id).await?;
    let changed = keyword(&params, Some(&old))?;
    private::put(&call, keyword_key(filter.id, id.0), value_of(&changed)).await?;
    Ok(Json(FilterKeyword::new(id.0, &changed)))
}

/// Takes one away.
pub async fn delete(call: Call, id: Id) -> Result<Json<Value>, ApiError> {
    let (filter, _) = named(&call, id).await?;
    private::remove(&call, [keyword_key(filter.id, id.0)]).await?;
    Ok(Json(json!({})))
}

/// The filter that has a phrase of this id, and the phrase.
pub(crate) async fn named(call: &Call, Id(id): Id) -> Result<(families::Filter, families::FilterKeyword), ApiError> {
    for filter in all(call).await? {
        if let Some((_, keyword)) = filter.keywords.iter().find(|(known, _)| *known == id) {
            let keyword = keyword.clone();
            return Ok((filter, keyword));
        }
    }
    Err(ApiError::not_found())
}
