//! The handle: what clients of the node hold.

use tokio::sync::broadcast;
use xom_protocol::body::Attachment;
use xom_protocol::{BlobId, Did};

use crate::command::{Command, Done};
use crate::config::NodeConfig;
use crate::error::{CommandError, StartError, StoreError};
use crate::model::{Event, Media, MediaId, NodeStatus, PeerInfo, VerifyReport};
use crate::reader::Reader;

/// A running node; owns every task.
pub struct Node {}

/// A cheap clone through which clients read and command.
#[derive(Clone)]
pub struct Handle {}

impl Node {
    /// Opens the data folder, makes the first identity where there is none, and starts all tasks.
    pub async fn start(config: NodeConfig) -> Result<Self, StartError> {
        unimplemented!()
    }
    /// A handle.
    pub fn handle(&self) -> Handle {
        unimplemented!()
    }
    /// Stops all tasks and waits for them; what was acknowledged is durable anyway.
    pub async fn stop(self) {
        unimplemented!()
    }
}

impl Handle {
    /// Runs a read on one consistent snapshot, off the async threads.
    pub async fn read<T, F>(&self, read: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    {
        unimplemented!()
    }
    /// Carries a command out; durable when it answers.
    pub async fn command(&self, identity: Did, command: Command) -> Result<Done, CommandError> {
        unimplemented!()
    }
    /// Carries many commands out in one group commit, in order; one answer each.
    pub async fn commands(&self, identity: Did, commands: Vec<Command>) -> Vec<Result<Done, CommandError>> {
        unimplemented!()
    }
    /// What is stored from now on. A receiver that lags is told so and must read again.
    pub fn events(&self) -> broadcast::Receiver<Event> {
        unimplemented!()
    }
    /// Stores a blob durably and looks at its bytes for type, size in pixels and so on (never trusts a declared type).
    pub async fn add_blob(&self, bytes: Vec<u8>, declared_type: Option<String>) -> Result<Attachment, CommandError> {
        unimplemented!()
    }
    /// A blob that is held; its bytes were checked when it came.
    pub async fn blob(&self, id: BlobId) -> Result<Option<Vec<u8>>, StoreError> {
        unimplemented!()
    }
    /// Remembers an upload until it is used.
    pub async fn add_media(&self, owner: Did, attachment: Attachment) -> Result<MediaId, CommandError> {
        unimplemented!()
    }
    /// Changes the description or focus of an upload.
    pub async fn update_media(&self, media: Media) -> Result<(), CommandError> {
        unimplemented!()
    }
    /// A signed invite with this node's current addresses.
    pub async fn invite(&self, identity: Did) -> Result<String, CommandError> {
        unimplemented!()
    }
    /// Reads an invite or a DID, learns its addresses, follows, and dials. Answers the followed DID.
    pub async fn follow_invite(&self, identity: Did, invite: String) -> Result<Did, CommandError> {
        unimplemented!()
    }
    /// All peers known.
    pub async fn peers(&self) -> Vec<PeerInfo> {
        unimplemented!()
    }
    /// The state of the node.
    pub async fn status(&self) -> Result<NodeStatus, StoreError> {
        unimplemented!()
    }
    /// Checks everything stored: chains, signatures, commitments, views.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        unimplemented!()
    }
    /// Everything of one identity as one CAR-like stream of frames, for `xom export`.
    pub async fn export(&self, identity: Did) -> Result<Vec<u8>, CommandError> {
        unimplemented!()
    }
    /// Gives the space of purged and replaced data back and overwrites what purges left behind.
    pub async fn compact(&self) -> Result<(), StoreError> {
        unimplemented!()
    }
    /// Drops all views and makes them again from the entries.
    pub async fn rebuild_views(&self) -> Result<u64, StoreError> {
        unimplemented!()
    }
}
