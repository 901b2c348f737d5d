//! The topics in which this node hears and tells early of new heads (chapter 15).

use std::collections::BTreeSet;

use xom_protocol::Did;
use xom_protocol::gossip::Topic;

use super::Handle;
use crate::error::{StoreError, TopicError};
use crate::model::TopicView;

impl Handle {
    /// Joins a topic until the node stops, or gives one that was joined another roster. Heads of those on the roster
    /// are announced and passed on, and fetched where the node wants them; whom the node does not hold as an identity
    /// it can't check, and passes nothing on of (`GSP-4`).
    pub async fn join_topic(&self, topic: Topic, roster: BTreeSet<Did>) -> Result<(), TopicError> {
        self.net.join_topic(topic, roster).await
    }

    /// Leaves a topic; false if it was not joined.
    pub async fn leave_topic(&self, topic: Topic) -> Result<bool, StoreError> {
        self.net.leave_topic(topic).await
    }

    /// The topics that are joined.
    pub async fn topics(&self) -> Result<Vec<TopicView>, StoreError> {
        self.net.topics().await
    }
}
