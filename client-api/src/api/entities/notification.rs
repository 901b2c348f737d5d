//! Notifications.

use serde::Serialize;
use xom_node::model::{self, NotificationKind};

use super::{Account, Status, timestamp};
use crate::http::Base;

/// Something that happened to the caller.
#[derive(Debug, Clone, Serialize)]
pub struct Notification {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    created_at: String,
    group_key: String,
    account: Account,
    status: Option<Status>,
}

impl Notification {
    /// A notification as clients see it.
    pub fn new(base: &Base, notification: &model::Notification) -> Self {
        Self {
            id: notification.id.0.to_string(),
            kind: kind_name(notification.kind),
            created_at: timestamp(notification.time_ms),
            group_key: format!("ungrouped-{}", notification.id.0),
            account: Account::new(base, &notification.account),
            status: notification.status.as_ref().map(|status| Status::new(base, status)),
        }
    }
}

/// Mastodon's name of a kind.
pub fn kind_name(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::Mention => "mention",
        NotificationKind::Reblog => "reblog",
        NotificationKind::Favourite => "favourite",
        NotificationKind::Follow => "follow",
        NotificationKind::Poll => "poll",
        NotificationKind::Update => "update",
    }
}

/// The kind of a name; none for Mastodon's kinds that this node does not have.
pub fn kind_of(name: &str) -> Option<NotificationKind> {
    use NotificationKind::{Favourite, Follow, Mention, Poll, Reblog, Update};
    [Mention, Reblog, Favourite, Follow, Poll, Update].into_iter().find(|kind| kind_name(*kind) == name)
}
