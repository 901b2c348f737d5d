//! The devices of an identity: listing, pairing, ending them.

use libp2p::Multiaddr;
use tokio::sync::oneshot;
use xom_protocol::limits::INVITE_ADDRESSES_MAX;
use xom_protocol::{DeviceId, Did};

use super::Handle;
use crate::error::{CommandError, StoreError};
use crate::keys::{ControlAccess, ControlKey};
use crate::model::{DeviceView, EndedBy, Kept, PairOffer, PairState};
use crate::net::pair::{self, Ask};
use crate::{JoinError, Joined};

/// What the owner of a node is told whose device was removed, or whose identity has ended.
pub(super) fn ended_warning(username: &str, retired: bool) -> String {
    if retired {
        return format!("{username} was retired: nothing is signed under this identity any more");
    }
    format!(
        "the device of {username} on this node was removed from its identity: it signs nothing any more, and others \
         take nothing from it; pair it anew from another device"
    )
}

impl Handle {
    /// All devices that an identity ever had, the live ones first.
    pub async fn devices(&self, identity: Did) -> Result<Vec<DeviceView>, StoreError> {
        let store = self.store.clone();
        let read = move || store.snapshot()?.devices(&identity);
        tokio::task::spawn_blocking(read).await.unwrap_or(Err(StoreError::Stopping))
    }

    /// Makes an offer to pair another device; an older one is void (`PAIR-1`).
    pub async fn pair_begin(&self, identity: Did) -> Result<PairOffer, CommandError> {
        let addresses = self.net.addresses(INVITE_ADDRESSES_MAX).await?;
        let addresses = addresses.iter().map(Multiaddr::to_string).collect();
        let (reply, answer) = oneshot::channel();
        self.net.pair(Ask::Begin(identity, addresses, reply)).await?;
        answer.await.map_err(|_| StoreError::Stopping)?
    }

    /// How far the newest offer has come.
    pub fn pair_state(&self) -> PairState {
        self.net.pair_state()
    }

    /// The owner found these digits on both screens. Refused where others are shown by now.
    pub async fn pair_confirm(&self, digits: String) -> Result<(), CommandError> {
        let (reply, answer) = oneshot::channel();
        self.net.pair(Ask::Confirm(digits, reply)).await?;
        answer.await.map_err(|_| StoreError::Stopping)?
    }

    /// The owner stops, or found other digits on the other screen: the offer is void.
    pub async fn pair_stop(&self) -> Result<(), CommandError> {
        let (reply, answer) = oneshot::channel();
        self.net.pair(Ask::Stop(reply)).await?;
        answer.await.map_err(|_| StoreError::Stopping.into())
    }

    /// True where an identity lives here and its device key signs nothing any more: its device has ended, or the folder
    /// is an old copy. Joining or recovering gives it a new one.
    pub async fn signs_nothing(&self, identity: Did) -> Result<bool, StoreError> {
        let store = self.store.clone();
        let look = move || store.lives_here_in_vain(&identity);
        tokio::task::spawn_blocking(look).await.unwrap_or(Err(StoreError::Stopping))
    }

    /// Joins the identity of another node's offer: for a node without it, or on which its device key signs nothing; `name` is for the new device. `compare` shows the six digits to
    /// the owner and answers whether the other screen has the same ones.
    pub async fn join<F, A>(&self, offer: &str, name: Option<&str>, compare: F) -> Result<Joined, JoinError>
    where
        F: FnOnce(String) -> A,
        A: Future<Output = bool>,
    {
        pair::join(&self.store, &self.net, offer, name, compare).await
    }

    /// Gives a device a name, which only the devices of the identity get to know (`PAIR-8`).
    pub async fn name_device(&self, identity: Did, device: DeviceId, name: &str) -> Result<(), CommandError> {
        self.store.name_device(identity, device, name).await
    }

    /// Ends a device. The control key does it where `access` opens one; where none is kept here and nothing
    /// was given, this node's own device does, if it admitted that device or is it.
    pub async fn end_device(
        &self,
        identity: Did,
        device: DeviceId,
        access: &ControlAccess,
        with_granted: bool,
    ) -> Result<EndedBy, CommandError> {
        self.end_device_keeping(identity, device, access, with_granted, Kept::All).await
    }

    /// The same, where only a part of what the device wrote goes on counting: for one that was stolen.
    pub async fn end_device_keeping(
        &self,
        identity: Did,
        device: DeviceId,
        access: &ControlAccess,
        with_granted: bool,
        kept: Kept,
    ) -> Result<EndedBy, CommandError> {
        let control = match (self.store.control_key(&identity, access).await, access) {
            (Ok(key), _) => Some(ControlKey::new(key)),
            (Err(CommandError::Access(cause)), ControlAccess::Kept) => {
                let may_drop = self.devices(identity).await?.into_iter().any(|known| {
                    known.device == device && (known.is_here || known.granted_by == self.own_device(&identity))
                });
                if !may_drop {
                    return Err(cause.into());
                }
                None
            }
            (Err(cause), _) => return Err(cause),
        };
        self.store.end_device(identity, device, control, with_granted, kept).await
    }

    fn own_device(&self, identity: &Did) -> Option<DeviceId> {
        self.store.locals().into_iter().find(|local| local.did == *identity).map(|local| local.device)
    }
}
