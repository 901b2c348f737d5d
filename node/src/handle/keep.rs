//! Keeping others (`KEEP-1`): what the owner asks for, and what he sees.

use xom_protocol::Did;
use xom_protocol::invite::Invite;

use super::Handle;
use crate::error::{CommandError, StoreError};
use crate::keep::{KeepView, Terms};

impl Handle {
    /// Keeps an identity, named by its DID or by an invite, whose addresses are dialled. `told` states it in the table
    /// of who is where (`KEEP-4`). Answers whom.
    pub async fn keep(&self, who: &str, terms: Terms, told: bool) -> Result<Did, CommandError> {
        let who = who.trim();
        let (did, addresses) = match who.parse::<Did>() {
            Ok(did) => (did, Vec::new()),
            Err(_) => {
                let invite = Invite::parse(self.store.network(), who);
                let invite = invite.map_err(|e| CommandError::Invite(e.to_string()))?;
                (invite.did(), invite.addresses().iter().filter_map(|address| address.parse().ok()).collect())
            }
        };
        self.store.keep(did, terms, told, false).await?;
        self.net.name(addresses).await?;
        Ok(did)
    }

    /// Ends a keep: what was held for it is dropped (`KEEP-3`). False where there is none.
    pub async fn end_keep(&self, did: Did) -> Result<bool, StoreError> {
        let ended = self.store.end_keep(did).await?;
        if ended {
            let store = self.store.clone();
            // What is left when the node stops is dropped after the next start.
            tokio::spawn(async move {
                if let Err(cause) = store.expire_keeps().await {
                    tracing::warn!(%cause, "what was kept is dropped later");
                }
            });
        }
        Ok(ended)
    }

    /// The identities that this node keeps, by DID.
    pub async fn keeps(&self) -> Result<Vec<KeepView>, StoreError> {
        let store = self.store.clone();
        let read = move || store.snapshot()?.keep_views();
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(StoreError::Stopping))
    }
}
