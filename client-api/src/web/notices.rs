//! What happened to the owner.

use axum::extract::Query;
use maud::{Markup, html};
use xom_node::model::{Notification, NotificationKind};

use super::card::card;
use super::fault::Page;
use super::home::{self, Paging};
use super::layout::{self, Tab, avatar, name, pager, time};
use super::texts;
use super::visitor::Visitor;

/// `/notifications`.
pub(super) async fn show(visitor: Visitor, Query(paging): Query<Paging>) -> Page {
    let did = visitor.did;
    let read = move |reader: &xom_node::Reader| reader.notifications(&did, None, &[], None, &paging.bounds());
    let mut notifications = visitor.node.read(read).await?;
    let older = Paging::cut(&mut notifications, |notification| notification.id.0);
    let main = html! {
        h1.title { (texts::NOTIFICATIONS) }
        @if notifications.is_empty() { p.card.empty { (texts::EMPTY_LIST) } }
        @for notification in &notifications { (one(&visitor, notification)) }
        (pager("/notifications", older, paging.is_first()))
    };
    let side = home::side(&visitor).await?;
    Ok(layout::page(&visitor, texts::NOTIFICATIONS, Tab::Notifications, &side, &main))
}

fn one(visitor: &Visitor, notification: &Notification) -> Markup {
    let what = match notification.kind {
        NotificationKind::Mention => texts::MENTIONED_YOU,
        NotificationKind::Reblog => texts::BOOSTED_YOU,
        NotificationKind::Favourite => texts::LIKED_YOU,
        NotificationKind::Follow => texts::FOLLOWED_YOU,
        NotificationKind::Poll => texts::POLL_OVER,
        NotificationKind::Update => texts::EDITED_BOOST,
    };
    html! {
        section.happening {
            p { (avatar(&notification.account)) span { (name(&notification.account)) " " (what) " · " (time(notification.time_ms)) } }
            @if let Some(status) = &notification.status { (card(visitor, status, "/notifications")) }
        }
    }
}
