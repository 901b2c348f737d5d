//! Opening the control key of a local identity. What it signs is made elsewhere in the node.

use std::sync::Arc;

use xom_protocol::Did;
use xom_protocol::identity::IdentityRecord;
use xom_protocol::keys::SecretKey;

use super::batch::load_identity;
use super::snapshot::Snapshot;
use super::{Store, identities, tables};
use crate::error::{CommandError, StoreError};
use crate::keys::access::{from_words, is_current};
use crate::keys::{AccessError, ControlAccess};

impl Store {
    /// Opens the current control key of a local identity with what its owner gives.
    ///
    /// Slow where a passphrase is given; nothing is changed, whatever it answers.
    pub(crate) async fn control_key(&self, did: &Did, access: &ControlAccess) -> Result<SecretKey, CommandError> {
        let (store, did, access) = (self.clone(), *did, access.clone());
        let opened = tokio::task::spawn_blocking(move || store.open_control_key(&did, &access));
        opened.await.unwrap_or(Err(StoreError::Stopping.into()))
    }

    fn open_control_key(&self, did: &Did, access: &ControlAccess) -> Result<SecretKey, CommandError> {
        let local = self.locals().into_iter().find(|local| local.did == *did);
        let local = local.ok_or(CommandError::NotLocal(*did))?;
        let record = self.snapshot()?.record(did)?.ok_or(CommandError::NotLocal(*did))?;
        let key = match access {
            ControlAccess::Words(phrase) => return Ok(from_words(record.state(), phrase)?),
            ControlAccess::Passphrase(_) => return Err(AccessError::NotSealed.into()),
            ControlAccess::Kept => identities::control_key(self.folder(), &local.username)?,
        };
        let key = key.ok_or(AccessError::WordsNeeded)?;
        if is_current(record.state(), &key) { Ok(key) } else { Err(AccessError::Replaced.into()) }
    }
}

impl Snapshot {
    /// What is known of an identity's keys and devices; none if no genesis is held.
    pub(crate) fn record(&self, did: &Did) -> Result<Option<Arc<IdentityRecord>>, StoreError> {
        let Some(number) = self.identity_number(did)? else { return Ok(None) };
        load_identity(&self.shared, &self.table(tables::IDENTITY_OBJECTS)?, number)
    }
}
