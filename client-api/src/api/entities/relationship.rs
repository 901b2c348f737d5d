//! How the caller stands to another account.

use serde::Serialize;
use xom_node::model::{self, AccountId};

use super::timestamp;

/// A relationship.
#[derive(Debug, Clone, Serialize)]
pub struct Relationship {
    id: String,
    following: bool,
    showing_reblogs: bool,
    notifying: bool,
    languages: Option<Vec<String>>,
    followed_by: bool,
    blocking: bool,
    blocked_by: bool,
    muting: bool,
    muting_notifications: bool,
    muting_expires_at: Option<String>,
    requested: bool,
    requested_by: bool,
    domain_blocking: bool,
    endorsed: bool,
    note: String,
}

impl Relationship {
    /// A relationship as clients see it.
    pub fn new(account: AccountId, relationship: &model::Relationship) -> Self {
        Self {
            id: account.0.to_string(),
            following: relationship.following,
            showing_reblogs: relationship.following && !relationship.no_reposts,
            notifying: false,
            languages: None,
            followed_by: relationship.followed_by,
            blocking: relationship.blocking,
            blocked_by: relationship.blocked_by,
            muting: relationship.muting,
            muting_notifications: relationship.muting_notifications,
            muting_expires_at: relationship.muting_until_ms.map(timestamp),
            requested: false,
            requested_by: false,
            domain_blocking: relationship.host_blocking,
            endorsed: relationship.endorsed,
            note: relationship.note.clone(),
        }
    }
}
