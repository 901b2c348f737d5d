//! What is shown of the topics that a node has joined.

use xom_protocol::gossip::Topic;

/// A topic that was joined (`GSP-1`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicView {
    /// The topic.
    pub topic: Topic,
    /// How many authors are on its roster.
    pub authors: u64,
    /// Those of the connected peers that have joined it too.
    pub peers: Vec<String>,
    /// Those of them that are in this node's mesh.
    pub mesh: Vec<String>,
}
