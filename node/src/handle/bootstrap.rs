//! The nodes that this one begins with: those of the settings, and those on the owner's own list (`FIND-7`).

use libp2p::Multiaddr;

use super::Handle;
use crate::error::{CommandError, StoreError};
use crate::net::bootstrap::{BOOTSTRAP_MAX, FAMILY, read};

/// A node to begin with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BootstrapAddress {
    /// Where it is.
    pub address: Multiaddr,
    /// The settings name it; else the list does.
    pub from_settings: bool,
}

impl Handle {
    /// All nodes to begin with, those of the settings first.
    pub async fn bootstrap(&self) -> Result<Vec<BootstrapAddress>, StoreError> {
        let store = self.store.clone();
        let read = move || store.snapshot()?.bootstrap();
        let listed = tokio::task::spawn_blocking(read).await.unwrap_or(Err(StoreError::Stopping))?;
        let named = &self.config.bootstrap;
        let of = |from_settings| move |address: Multiaddr| BootstrapAddress { address, from_settings };
        let listed = listed.into_iter().filter(|address| !named.contains(address)).map(of(false));
        Ok(named.iter().cloned().map(of(true)).chain(listed).collect())
    }

    /// Puts an address on the list, durably, and dials it at once. False where it stood there before.
    pub async fn add_bootstrap(&self, address: &str) -> Result<bool, CommandError> {
        let address = read(address, self.net.swarm_key().is_some()).map_err(CommandError::Refused)?;
        if self.config.bootstrap.contains(&address) {
            return Ok(false);
        }
        let key = address.to_string().into_bytes();
        let put = self.store.records(move |records| {
            if records.get(FAMILY, &key)?.is_some() {
                return Ok(Some(false));
            }
            if records.range(FAMILY, b"", BOOTSTRAP_MAX)?.len() >= BOOTSTRAP_MAX {
                return Ok(None);
            }
            records.put(FAMILY, &key, b"")?;
            Ok(Some(true))
        });
        let is_new = put.await?.ok_or(CommandError::Refused("the list has 64 addresses; take one off it first"))?;
        self.net.name(vec![address]).await?;
        Ok(is_new)
    }

    /// Takes an address off the list: it is not dialled any more for being named. A connection that stands goes on.
    /// False where it did not stand there.
    pub async fn remove_bootstrap(&self, address: &str) -> Result<bool, CommandError> {
        let address = read(address, false).map_err(CommandError::Refused)?;
        if self.config.bootstrap.contains(&address) {
            return Err(CommandError::Refused(
                "the settings name it: take it out of --bootstrap, XOM_BOOTSTRAP or the settings file",
            ));
        }
        let key = address.to_string().into_bytes();
        let removed = self.store.records(move |records| Ok(records.remove(FAMILY, &key)?.is_some())).await?;
        self.net.unname(address).await?;
        Ok(removed)
    }
}
