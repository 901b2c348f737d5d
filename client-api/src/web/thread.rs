//! A status with what it answers and what answers it.

use maud::html;
use xom_node::model::{Context, Status, StatusContent, StatusId};
use xom_node::{Reader, StoreError};
use xom_protocol::Did;

use super::card::{card, cards};
use super::fault::Page;
use super::layout::{self, Tab, display_name};
use super::visitor::{Id, Visitor};
use super::{compose, home, texts};
use crate::http::ApiError;

/// `/@acct/:id`.
pub(super) async fn show_by_name(visitor: Visitor, id: Id) -> Page {
    show(visitor, id).await
}

/// `/statuses/:id`.
pub(super) async fn show(visitor: Visitor, Id(id): Id) -> Page {
    let did = visitor.did;
    let found = visitor.node.read(move |reader| read(reader, &did, StatusId(id))).await?;
    let (status, context) = found.ok_or_else(ApiError::not_found)?;
    let path = format!("/statuses/{id}");
    // Answering a boost answers the post.
    let target = match &status.content {
        StatusContent::Repost(original) => original.as_ref(),
        StatusContent::Post(_) => &status,
    };
    let greeting = if target.account.did == did { String::new() } else { format!("@{} ", target.account.acct) };
    let title = format!("{}: {}", texts::THREAD, display_name(&status.account));
    let main = html! {
        h1.title { (texts::THREAD) }
        div.ancestors { @for ancestor in &context.ancestors { (card(&visitor, ancestor, &path)) } }
        div.focus { (card(&visitor, &status, &path)) }
        (compose::form(&visitor, Some(target.id), &greeting, &path))
        div.descendants { (cards(&visitor, &context.descendants, &path, texts::EMPTY_LIST)) }
    };
    let side = home::side(&visitor).await?;
    Ok(layout::page(&visitor, &title, Tab::None, &side, &main))
}

fn read(reader: &Reader, viewer: &Did, id: StatusId) -> Result<Option<(Status, Context)>, StoreError> {
    let Some(status) = reader.status(Some(viewer), id)? else { return Ok(None) };
    let context = reader.context(Some(viewer), id)?.unwrap_or_default();
    Ok(Some((status, context)))
}
