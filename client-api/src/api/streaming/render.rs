//! Turns what was stored into what streams carry. A stream shows a status where its timeline would: the timelines
//! themselves are asked, for a page that holds this status alone.

use serde::Serialize;
use xom_node::model::{Event, Page, PublicScope, StatusContent, StatusId, TagFilter};
use xom_node::{Reader, StoreError, folded_tag};
use xom_protocol::Did;

use super::channel::Facets;
use super::feed::Item;
use crate::api::entities::{Notification, Status};
use crate::http::Base;

/// The events of one identity under one name, in order.
pub(super) fn render(reader: &Reader, viewer: &Did, base: &Base, events: &[Event]) -> Result<Vec<Item>, StoreError> {
    let mut items = Vec::new();
    for event in events {
        match event {
            Event::StatusPosted(id) => items.extend(shown(reader, viewer, base, *id, "update")?),
            Event::StatusEdited(id) => items.extend(shown(reader, viewer, base, *id, "status.update")?),
            Event::StatusErased(id) => {
                let facets = Facets { everywhere: true, ..Facets::default() };
                items.push(Item { event: "delete", payload: id.0.to_string(), facets });
            }
            Event::Notified { viewer: whose, notification } if whose == viewer => {
                let found = reader.notification(viewer, *notification)?;
                let facets = Facets { notification: true, ..Facets::default() };
                items.extend(found.and_then(|found| item("notification", &Notification::new(base, &found), facets)));
            }
            Event::FiltersChanged(whose) if whose == viewer => {
                let facets = Facets { own: true, ..Facets::default() };
                items.push(Item { event: "filters_changed", payload: String::new(), facets });
            }
            Event::Notified { .. } | Event::FiltersChanged(_) | Event::RecordChanged { .. } => {}
        }
    }
    Ok(items)
}

/// A status, where some timeline shows it.
fn shown(
    reader: &Reader,
    viewer: &Did,
    base: &Base,
    id: StatusId,
    event: &'static str,
) -> Result<Option<Item>, StoreError> {
    let page = Page { limit: 1, max_id: id.0.checked_add(1), since_id: id.0.checked_sub(1), min_id: None };
    let home = reader.home(viewer, &page)?.pop();
    let public = reader.public(Some(viewer), PublicScope::All, false, &page)?.pop();
    let mut facets = Facets { home: home.is_some(), public: public.is_some(), ..Facets::default() };
    let Some(status) = home.or(public).map_or_else(|| reader.status(Some(viewer), id), |found| Ok(Some(found)))? else {
        return Ok(None);
    };
    facets.local = status.account.local;
    if let StatusContent::Post(view) = &status.content {
        facets.media = !view.post.attachments.is_empty();
        for tag in &view.post.tags {
            let filter = TagFilter { any: vec![tag.clone()], ..TagFilter::default() };
            if !reader.tag(Some(viewer), &filter, PublicScope::All, false, &page)?.is_empty() {
                facets.tags.push(folded_tag(tag));
            }
        }
    }
    for list in reader.lists_with(viewer, &status.account.did)? {
        if !reader.list(viewer, list, &page)?.is_empty() {
            facets.lists.push(list);
        }
    }
    let is_listed = facets.home || facets.public || !facets.tags.is_empty() || !facets.lists.is_empty();
    Ok(if is_listed { item(event, &Status::new(base, &status), facets) } else { None })
}

fn item(event: &'static str, entity: &impl Serialize, facets: Facets) -> Option<Item> {
    match serde_json::to_string(entity) {
        Ok(payload) => Some(Item { event, payload, facets }),
        Err(cause) => {
            tracing::error!(%cause, event, "an event could not be written");
            None
        }
    }
}
