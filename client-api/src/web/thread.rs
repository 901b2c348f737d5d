//! A status with what it answers and what answers it.

use maud::{Markup, html};
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
    // A thread can have thousands of posts: it is rendered where it is read, and nobody else waits for it.
    let node = visitor.node.clone();
    let rendered = node.read(move |reader| {
        let found = read(reader, &visitor.did, StatusId(id))?;
        Ok(found.map(|(status, context)| render(visitor, id, &status, &context)))
    });
    let (visitor, title, main) = rendered.await?.ok_or_else(ApiError::not_found)?;
    let side = home::side(&visitor).await?;
    Ok(layout::page(&visitor, &title, Tab::None, &side, &main))
}

/// The title and the content of the page; the visitor comes back.
fn render(visitor: Visitor, id: u64, status: &Status, context: &Context) -> (Visitor, String, Markup) {
    let path = format!("/statuses/{id}");
    // Answering a boost answers the post.
    let target = match &status.content {
        StatusContent::Repost(original) => original.as_ref(),
        StatusContent::Post(_) => status,
    };
    let is_own = target.account.did == visitor.did;
    let greeting = if is_own { String::new() } else { format!("@{} ", target.account.acct) };
    let title = format!("{}: {}", texts::THREAD, display_name(&status.account));
    let main = html! {
        h1.title { (texts::THREAD) }
        div.ancestors { @for ancestor in &context.ancestors { (card(&visitor, ancestor, &path)) } }
        div.focus { (card(&visitor, status, &path)) }
        (compose::form(&visitor, Some(target.id), &greeting, &path))
        div.descendants { (cards(&visitor, &context.descendants, &path, texts::EMPTY_LIST)) }
    };
    (visitor, title, main)
}

fn read(reader: &Reader, viewer: &Did, id: StatusId) -> Result<Option<(Status, Context)>, StoreError> {
    let Some(status) = reader.status(Some(viewer), id)? else { return Ok(None) };
    let context = reader.context(Some(viewer), id)?.unwrap_or_default();
    Ok(Some((status, context)))
}
