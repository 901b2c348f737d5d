//! `/api/v1/featured_tags`, `/api/v1/accounts/:id/featured_tags` and `/api/v1/tags/:name/{feature,unfeature}`: tags
//! that the caller's profile shows. They are private settings: of others nothing is known.

use axum::Json;
use axum::extract::Path;
use serde::Serialize;
use serde_json::{Value, json};
use xom_node::private::{FEATURED_TAG, cursor_of};

use super::tags::tag;
use crate::api::entities::{Tag, date};
use crate::api::lookup::{Id, account};
use crate::api::private;
use crate::http::{ApiError, Call, Params};

/// Most tags of a profile, as many as Mastodon has.
const FEATURED_MAX: usize = 10;
/// Longest tag, bytes.
const TAG_BYTES_MAX: usize = 100;

/// A tag of a profile.
#[derive(Debug, Clone, Serialize)]
pub struct FeaturedTag {
    id: String,
    name: String,
    url: String,
    statuses_count: String,
    last_status_at: Option<String>,
}

/// Those of the caller.
pub async fn list(call: Call) -> Result<Json<Vec<FeaturedTag>>, ApiError> {
    Ok(Json(all(&call).await?))
}

/// Those of somebody: the caller's own, and none of others.
pub async fn of_account(call: Call, id: Id) -> Result<Json<Vec<FeaturedTag>>, ApiError> {
    let is_own = account(&call, id).await?.did == call.viewer();
    Ok(Json(if is_own { all(&call).await? } else { Vec::new() }))
}

/// Tags that the caller uses much.
pub async fn suggestions(call: Call) -> Result<Json<Vec<Tag>>, ApiError> {
    let viewer = call.viewer();
    let names = call.node.read(move |reader| reader.own_tags(&viewer, FEATURED_MAX)).await?;
    Ok(Json(names.iter().map(|name| Tag::new(&call.base, name)).collect()))
}

/// Shows a tag.
pub async fn post(call: Call, params: Params) -> Result<Json<FeaturedTag>, ApiError> {
    let name = params.text("name").ok_or_else(|| ApiError::invalid("Name can't be blank"))?;
    let name = tag(&name).map_err(|_| ApiError::invalid("Name is no tag"))?;
    add(&call, &name).await?;
    let shown = all(&call).await?.into_iter().find(|known| known.name == name);
    shown.map(Json).ok_or_else(ApiError::not_found)
}

/// Shows a tag no more.
pub async fn delete(call: Call, Id(id): Id) -> Result<Json<Value>, ApiError> {
    let shown = all(&call).await?.into_iter().find(|known| known.id == id.to_string());
    let shown = shown.ok_or_else(ApiError::not_found)?;
    private::remove(&call, [format!("{FEATURED_TAG}{}", shown.name)]).await?;
    Ok(Json(json!({})))
}

/// Shows the tag of an address.
pub async fn feature(call: Call, Path(name): Path<String>, _params: Params) -> Result<Json<Tag>, ApiError> {
    let name = tag(&name)?;
    add(&call, &name).await?;
    Ok(Json(Tag::new(&call.base, &name).featured(true)))
}

/// Shows it no more.
pub async fn unfeature(call: Call, Path(name): Path<String>, _params: Params) -> Result<Json<Tag>, ApiError> {
    let name = tag(&name)?;
    private::remove(&call, [format!("{FEATURED_TAG}{name}")]).await?;
    Ok(Json(Tag::new(&call.base, &name)))
}

async fn add(call: &Call, name: &str) -> Result<(), ApiError> {
    if name.len() > TAG_BYTES_MAX {
        return Err(ApiError::invalid(format!("a tag of more than {TAG_BYTES_MAX} bytes can't be featured")));
    }
    let viewer = call.viewer();
    let known = call.node.read(move |reader| reader.settings(&viewer, FEATURED_TAG)).await?;
    let key = format!("{FEATURED_TAG}{name}");
    if known.len() >= FEATURED_MAX && known.iter().all(|(other, _)| *other != key) {
        return Err(ApiError::invalid("You have already featured the maximum number of hashtags"));
    }
    private::add(call, key).await
}

async fn all(call: &Call) -> Result<Vec<FeaturedTag>, ApiError> {
    let viewer = call.viewer();
    let read = call.node.read(move |reader| {
        let mut found = Vec::new();
        for (key, value) in reader.settings(&viewer, FEATURED_TAG)? {
            let (Some(name), Some(id)) = (key.strip_prefix(FEATURED_TAG), cursor_of(&value)) else { continue };
            let (uses, last_ms) = reader.tag_use(&viewer, name)?;
            found.push((id, name.to_owned(), uses, last_ms));
        }
        Ok(found)
    });
    let shown = read.await?.into_iter().map(|(id, name, uses, last_ms)| FeaturedTag {
        id: id.to_string(),
        url: call.base.tag(&name),
        name,
        statuses_count: uses.to_string(),
        last_status_at: last_ms.map(date),
    });
    Ok(shown.collect())
}
