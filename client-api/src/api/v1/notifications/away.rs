//! `/api/v1/notifications/{clear,:id/dismiss,unread_count}`: what the caller has seen or put away, on this node.

use axum::Json;
use serde_json::{Value, json};
use xom_node::model::{NotificationId, Page};
use xom_node::records::{NOTIFICATION_DISMISSED, NOTIFICATIONS_CLEARED, NOTIFICATIONS_DISMISSED_MAX};

use crate::api::lookup::Id;
use crate::api::v1::markers::last_read;
use crate::http::link::{PageSize, Paging};
use crate::http::{ApiError, Call, Params};

/// How many unread ones are counted.
const UNREAD: PageSize = PageSize { default: 100, max: 1_000 };

/// Puts all away that there are now.
pub async fn clear(call: Call, _params: Params) -> Result<Json<Value>, ApiError> {
    let viewer = call.viewer();
    let page = Page { limit: 1, ..Page::default() };
    let newest = call.node.read(move |reader| reader.notifications(&viewer, None, &[], None, &page)).await?;
    let newest = newest.first().map_or(0, |notification| notification.id.0);
    let put = call.node.records(move |records| {
        let mut up_to = newest;
        for (key, _) in records.range(NOTIFICATION_DISMISSED, &viewer.0, NOTIFICATIONS_DISMISSED_MAX)? {
            // One that was put away before may be newer than any that still shows.
            let id = key.get(viewer.0.len()..).and_then(|id| Some(u64::from_be_bytes(id.try_into().ok()?)));
            up_to = up_to.max(id.unwrap_or(0));
            records.remove(NOTIFICATION_DISMISSED, &key)?;
        }
        let known = records.get(NOTIFICATIONS_CLEARED, &viewer.0)?;
        let known = known.and_then(|id| Some(u64::from_be_bytes(id.try_into().ok()?))).unwrap_or(0);
        records.put(NOTIFICATIONS_CLEARED, &viewer.0, &up_to.max(known).to_be_bytes())
    });
    put.await?;
    Ok(Json(json!({})))
}

/// Puts one away.
pub async fn dismiss(call: Call, Id(id): Id, _params: Params) -> Result<Json<Value>, ApiError> {
    let viewer = call.viewer();
    let found = call.node.read(move |reader| reader.notification(&viewer, NotificationId(id))).await?;
    found.ok_or_else(ApiError::not_found)?;
    put_away(&call, vec![id]).await?;
    Ok(Json(json!({})))
}

/// Puts these away; those with the lowest ids come back beyond the bound.
pub async fn put_away(call: &Call, ids: Vec<u64>) -> Result<(), ApiError> {
    let viewer = call.viewer();
    let put = call.node.records(move |records| {
        for id in &ids {
            records.put(NOTIFICATION_DISMISSED, &[&viewer.0[..], &id.to_be_bytes()].concat(), &[])?;
        }
        let known = records.range(NOTIFICATION_DISMISSED, &viewer.0, NOTIFICATIONS_DISMISSED_MAX + ids.len())?;
        for (key, _) in known.iter().take(known.len().saturating_sub(NOTIFICATIONS_DISMISSED_MAX)) {
            records.remove(NOTIFICATION_DISMISSED, key)?;
        }
        Ok(())
    });
    Ok(put.await?)
}

/// How many are newer than what the caller has read, by his marker.
pub async fn unread_count(call: Call, params: Params) -> Result<Json<Value>, ApiError> {
    let limit = Paging::read(&params, UNREAD)?.page().limit - 1;
    let viewer = call.viewer();
    let read = call.node.read(move |reader| {
        let page = Page { limit, since_id: last_read(reader, &viewer, "notifications")?, ..Page::default() };
        Ok(reader.notifications(&viewer, None, &[], None, &page)?.len())
    });
    Ok(Json(json!({ "count": read.await? })))
}
