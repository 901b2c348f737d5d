//! `/api/v1/statuses/:id/{bookmark,unbookmark,pin,unpin,mute,unmute}`: what the caller sets of a post for himself.

use axum::Json;
use xom_node::model::{self, StatusContent};
use xom_node::private::{BOOKMARK, PIN, QUIET, entry_key};
use xom_protocol::EntryId;

use crate::api::entities::Status;
use crate::api::lookup::{Id, post, status};
use crate::api::private;
use crate::http::{ApiError, Call, Params};

/// Most posts that a profile shows first.
pub const PINS_MAX: usize = 5;

/// Puts it aside.
pub async fn bookmark(call: Call, id: Id, _params: Params) -> Result<Json<Status>, ApiError> {
    let found = post(&call, id).await?;
    private::add(&call, entry_key(BOOKMARK, &found.reference.entry)).await?;
    again(&call, &found).await
}

/// Puts it back.
pub async fn unbookmark(call: Call, id: Id, _params: Params) -> Result<Json<Status>, ApiError> {
    let found = post(&call, id).await?;
    private::remove(&call, [entry_key(BOOKMARK, &found.reference.entry)]).await?;
    again(&call, &found).await
}

/// Shows an own post first on the profile, as this node and the owner's other devices serve it.
pub async fn pin(call: Call, id: Id, _params: Params) -> Result<Json<Status>, ApiError> {
    let found = post(&call, id).await?;
    let viewer = call.viewer();
    if found.account.did != viewer {
        return Err(ApiError::invalid("Someone else's post cannot be pinned"));
    }
    let page = model::Page { limit: PINS_MAX, ..model::Page::default() };
    let pinned = call.node.read(move |reader| reader.set_aside(&viewer, &viewer, PIN, &page)).await?;
    let is_new = pinned.iter().all(|(_, known)| known.id != found.id);
    if is_new && pinned.len() == PINS_MAX {
        return Err(ApiError::invalid("You have already pinned the maximum number of posts"));
    }
    private::add(&call, entry_key(PIN, &found.reference.entry)).await?;
    again(&call, &found).await
}

/// Shows it in its place alone.
pub async fn unpin(call: Call, id: Id, _params: Params) -> Result<Json<Status>, ApiError> {
    let found = post(&call, id).await?;
    private::remove(&call, [entry_key(PIN, &found.reference.entry)]).await?;
    again(&call, &found).await
}

/// Wants no more notifications of its thread.
pub async fn mute(call: Call, id: Id, _params: Params) -> Result<Json<Status>, ApiError> {
    let found = post(&call, id).await?;
    private::add(&call, entry_key(QUIET, &thread_of(&found))).await?;
    again(&call, &found).await
}

/// Wants them again.
pub async fn unmute(call: Call, id: Id, _params: Params) -> Result<Json<Status>, ApiError> {
    let found = post(&call, id).await?;
    private::remove(&call, [entry_key(QUIET, &thread_of(&found))]).await?;
    again(&call, &found).await
}

/// The first post of its thread.
fn thread_of(found: &model::Status) -> EntryId {
    match &found.content {
        StatusContent::Post(view) => view.post.root.as_ref().map_or(found.reference.entry, |root| root.entry),
        StatusContent::Repost(inner) => thread_of(inner),
    }
}

async fn again(call: &Call, found: &model::Status) -> Result<Json<Status>, ApiError> {
    let found = status(call, found.id).await?;
    Ok(Json(Status::new(&call.base, &found)))
}
