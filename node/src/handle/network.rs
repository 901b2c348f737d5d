//! What clients ask of the network besides status and peers: how it stands, and who is kept away.

use std::time::Duration;

use super::Handle;
use crate::error::StoreError;
use crate::model::{BanInfo, Health};
use crate::space;

impl Handle {
    /// How the node stands, for those who check or measure it.
    pub async fn health(&self) -> Result<Health, StoreError> {
        let health = self.net.health().await?;
        let folder = self.config.data_dir.clone();
        let free = tokio::task::spawn_blocking(move || space::free_bytes(&folder)).await;
        Ok(Health { disk_free_bytes: free.map_err(|_| StoreError::Stopping)?, ..health })
    }

    /// Who is kept away, why, and until when.
    pub async fn bans(&self) -> Result<Vec<BanInfo>, StoreError> {
        self.net.bans().await
    }

    /// Keeps a peer away for so long; false where the text is no peer id, or this node's, or there are too many bans.
    pub async fn ban(&self, peer: &str, length: Duration, reason: &str) -> Result<bool, StoreError> {
        self.net.ban(peer, length, reason).await
    }

    /// Lets a peer in again; false where it was not kept away.
    pub async fn unban(&self, peer: &str) -> Result<bool, StoreError> {
        self.net.unban(peer).await
    }
}
