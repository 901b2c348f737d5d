//! Keeping others (`KEEP-1`): what the owner asks for, and what he sees.

use libp2p::Multiaddr;
use xom_protocol::Did;
use xom_protocol::invite::Invite;
use xom_protocol::keep::Decision;

use super::Handle;
use crate::error::{CommandError, StoreError};
use crate::keep::{HoldersReport, KeepView, Policy, Terms, WishView};

impl Handle {
    /// Keeps an identity, named by its DID or by an invite, whose addresses are dialled. `told` states it in the table
    /// of who is where (`KEEP-4`). Answers whom.
    pub async fn keep(&self, who: &str, terms: Terms, told: bool) -> Result<Did, CommandError> {
        let (did, addresses) = self.named(who)?;
        self.store.keep(did, terms, told, false).await?;
        self.net.name(addresses).await?;
        Ok(did)
    }

    /// Ends a keep: what was held for it is dropped (`KEEP-3`). False where there is none.
    pub async fn end_keep(&self, did: Did) -> Result<bool, StoreError> {
        let ended = self.store.end_keep(did).await?;
        if ended {
            self.drop_ended_keeps();
        }
        Ok(ended)
    }

    /// The identities that this node keeps, by DID.
    pub async fn keeps(&self) -> Result<Vec<KeepView>, StoreError> {
        let store = self.store.clone();
        let read = move || store.snapshot()?.keep_views();
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(StoreError::Stopping))
    }

    /// Lets an identity be kept that asks for it, on these terms at most (`KEEP-7`), and keeps it at once where it
    /// has asked. Answers whether it is kept now.
    pub async fn allow_keep(&self, did: Did, most: Terms) -> Result<bool, CommandError> {
        let change = move |policy: &mut Policy| {
            policy.deny.remove(&did);
            policy.allow.insert(did, most);
        };
        self.store.change_policy(change).await?;
        Ok(self.store.settle_wish(did).await? == Some(Decision::Kept))
    }

    /// Refuses an identity whenever it asks to be kept, and ends the keep that it had asked for.
    pub async fn deny_keep(&self, did: Did) -> Result<(), CommandError> {
        let change = move |policy: &mut Policy| {
            policy.allow.remove(&did);
            policy.deny.insert(did);
        };
        self.store.change_policy(change).await?;
        self.store.settle_wish(did).await?;
        self.drop_ended_keeps();
        Ok(())
    }

    /// Whom this node keeps when it is asked.
    pub async fn keep_policy(&self) -> Result<Policy, CommandError> {
        self.store.change_policy(|_| {}).await
    }

    /// Who asks to be kept, and waits for the owner, the newest first.
    pub async fn keep_wishes(&self) -> Result<Vec<WishView>, StoreError> {
        let store = self.store.clone();
        let read = move || store.snapshot()?.wishes();
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(StoreError::Stopping))
    }

    /// Asks somebody, by DID or invite, to keep an identity that lives here: as soon as a node of theirs is reached.
    /// Answers whom.
    pub async fn ask_keeper(&self, identity: Did, who: &str, terms: Terms) -> Result<Did, CommandError> {
        let (did, addresses) = self.named(who)?;
        self.store.ask_keeper(identity, did, terms).await?;
        self.net.name(addresses).await?;
        Ok(did)
    }

    /// Takes the wish back that somebody keeps an identity which lives here. What he keeps by now he keeps until it
    /// ends. False where nobody was asked.
    pub async fn forget_keeper(&self, identity: Did, did: Did) -> Result<bool, StoreError> {
        self.store.forget_keeper(identity, did).await
    }

    /// Which copies there are of the logs of an identity that lives here (`KEEP-8`). Asks whoever is connected first,
    /// where `ask` says so, and waits for the answers.
    pub async fn holders(&self, identity: Did, ask: bool) -> Result<HoldersReport, StoreError> {
        if ask {
            self.net.ask_holders().await;
        }
        self.read(move |reader| reader.holders(&identity)).await
    }

    /// What was kept for keeps that have ended goes in the background; what is left when the node stops goes after
    /// its next start.
    fn drop_ended_keeps(&self) {
        let store = self.store.clone();
        tokio::spawn(async move {
            if let Err(cause) = store.expire_keeps().await {
                tracing::warn!(%cause, "what was kept is dropped later");
            }
        });
    }

    /// A DID, or the DID and addresses of an invite.
    fn named(&self, who: &str) -> Result<(Did, Vec<Multiaddr>), CommandError> {
        let who = who.trim();
        if let Ok(did) = who.parse::<Did>() {
            return Ok((did, Vec::new()));
        }
        let invite = Invite::parse(self.store.network(), who).map_err(|e| CommandError::Invite(e.to_string()))?;
        Ok((invite.did(), invite.addresses().iter().filter_map(|address| address.parse().ok()).collect()))
    }
}
