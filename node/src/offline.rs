//! A data folder without a network: for commands that need no running node. Holds the folder's lock,
//! so that a node that runs is noticed, and none starts in between.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use xom_protocol::Did;

use crate::archive::Page;
use crate::backup::{BackupError, Name, Written};
use crate::config::NodeConfig;
use crate::error::{CommandError, StartError, StoreError};
use crate::keys::{AccessError, ControlAccess, Keyring};
use crate::model::VerifyReport;
use crate::store::folder::Folder;
use crate::store::{self, Store};

/// An open data folder that no node runs on. Holds the folder's lock.
#[derive(Clone, Debug)]
pub struct Offline {
    store: Store,
}

impl Offline {
    /// Opens the folder, makes what is missing: the folder itself and the first identity.
    pub fn init(config: &NodeConfig) -> Result<Self, StartError> {
        Ok(Self { store: store::open(config)? })
    }

    /// Opens a folder that is there already.
    ///
    /// Fails with [`StartError::Locked`] where a node runs on it.
    pub fn open(config: &NodeConfig) -> Result<Self, StartError> {
        Ok(Self { store: store::open_existing(&config.data_dir, config.network)? })
    }

    /// True if a process has the folder at `data_dir`: what its files say of a running node may hold.
    pub fn is_in_use(data_dir: &Path) -> bool {
        Folder::is_locked(data_dir)
    }

    /// The identities that live here and their user names, oldest first.
    pub fn identities(&self) -> Vec<(Did, String)> {
        self.store.locals().into_iter().map(|local| (local.did, local.username)).collect()
    }

    /// The keys of a local identity: how they lie in the folder, and what becomes of them.
    pub fn keyring(&self, identity: Did) -> Keyring {
        Keyring::new(self.store.clone(), identity)
    }

    /// Lets backups be sealed for an identity: with its words once, without them where they were here before.
    pub async fn prepare_backup(&self, identity: Did, access: ControlAccess) -> Result<(), CommandError> {
        match access {
            ControlAccess::Words(phrase) => self.store.keep_backup_key(identity, phrase).await,
            ControlAccess::Passphrase(_) | ControlAccess::Kept if self.store.has_backup_key(&identity)? => Ok(()),
            ControlAccess::Passphrase(_) | ControlAccess::Kept => Err(AccessError::BackupKey.into()),
        }
    }

    /// Writes a sealed backup of the whole node, without the files in `known`; see [`crate::backup`].
    pub async fn backup(
        &self,
        identity: Did,
        known: BTreeSet<Name>,
        to: impl Write + Send + 'static,
    ) -> Result<Written, BackupError> {
        self.store.backup(identity, known, to).await
    }

    /// Checks everything stored.
    pub async fn verify(&self) -> Result<VerifyReport, StoreError> {
        self.store.verify().await
    }

    /// Drops all views and makes them again. Answers how many entries were applied.
    pub async fn rebuild_views(&self) -> Result<u64, StoreError> {
        self.store.rebuild_views().await
    }

    /// Purges what is due, and gives the space of purged and replaced data back.
    pub async fn compact(&self) -> Result<(), StoreError> {
        self.store.purge_due().await?;
        self.store.compact().await
    }

    /// Writes the archive of one identity; see [`crate::archive`]. Answers its length, bytes.
    pub async fn export(
        &self,
        identity: Did,
        page: Arc<dyn Page>,
        to: impl Write + Send + 'static,
    ) -> Result<u64, CommandError> {
        self.store.export(identity, page, to).await
    }

    /// Closes the folder; what was answered is durable.
    pub async fn close(self) {
        self.store.stop().await;
    }
}
