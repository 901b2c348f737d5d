//! What a push message says: enough for a line on a locked screen. Apps read the rest from the node.

use serde_json::{Value, json};
use xom_node::model::{Notification, NotificationKind, StatusContent};

use super::encrypt::TEXT_BYTES_MAX;
use crate::api::entities::kind_name;
use crate::http::Base;

/// Most characters of the status that is quoted.
const BODY_CHARS_MAX: usize = 140;
/// Most characters of a name.
const NAME_CHARS_MAX: usize = 60;

/// A notification in the members that Mastodon's has, but for the token: the node keeps its hash alone.
pub(super) fn message(base: &Base, notification: &Notification) -> Vec<u8> {
    let account = &notification.account;
    let name = if account.name.is_empty() { &account.username } else { &account.name };
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    let title = match notification.kind {
        NotificationKind::Mention => format!("{name} mentioned you"),
        NotificationKind::Reblog => format!("{name} boosted your post"),
        NotificationKind::Favourite => format!("{name} liked your post"),
        NotificationKind::Follow => format!("{name} follows you"),
        NotificationKind::Poll => format!("A poll of {name} has ended"),
        NotificationKind::Update => format!("{name} edited a post"),
    };
    let icon =
        account.avatar.as_ref().map_or_else(|| base.placeholder_avatar(&account.did), |found| base.blob(&found.blob));
    let said = |body: &str| {
        let said = json!({
            "preferred_locale": "en",
            "notification_id": notification.id.0.to_string(),
            "notification_type": kind_name(notification.kind),
            "icon": icon,
            "title": title,
            "body": body,
        });
        Value::to_string(&said).into_bytes()
    };
    let whole = said(&body(notification));
    if whole.len() <= TEXT_BYTES_MAX { whole } else { said("") }
}

/// The beginning of the status, or the warning that stands before it.
fn body(notification: &Notification) -> String {
    let Some(StatusContent::Post(view)) = notification.status.as_ref().map(|status| &status.content) else {
        return String::new();
    };
    let text = if view.post.warning.is_empty() { &view.post.text } else { &view.post.warning };
    let mut body: String = text.chars().take(BODY_CHARS_MAX).collect();
    if body.len() < text.len() {
        body.push('…');
    }
    body
}
