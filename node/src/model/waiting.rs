//! Notifications that wait until the viewer looks at them.

use std::sync::Arc;

use super::{Account, Notification, NotificationId};

/// Notifications of somebody that wait until the viewer looks at them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationRequest {
    /// Of whom.
    pub account: Arc<Account>,
    /// How many.
    pub count: u64,
    /// The newest of them.
    pub newest: Notification,
    /// The oldest.
    pub oldest: NotificationId,
}

/// Which notifications are asked for, as far as the viewer's policy is concerned.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NotificationScope {
    /// Those that it accepts.
    #[default]
    Accepted,
    /// Those that wait.
    Waiting,
    /// Both.
    All,
}
