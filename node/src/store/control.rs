//! Opening the keys of a local identity. What they sign is made elsewhere in the node.

use std::sync::Arc;

use xom_protocol::Did;
use xom_protocol::identity::{IdentityRecord, IdentityState};
use xom_protocol::keys::SecretKey;

use super::batch::load_identity;
use super::folder::Folder;
use super::restore::restored;
use super::snapshot::Snapshot;
use super::tables::LocalRow;
use super::{Store, identities, tables};
use crate::error::{CommandError, StoreError};
use crate::keys::access::{from_words, is_current};
use crate::keys::folder::{Found, KeyFolder, open};
use crate::keys::seal::KeyKind;
use crate::keys::{AccessError, ControlAccess, wipe_stack};

impl Store {
    /// Opens the current control key of a local identity with what its owner gives.
    ///
    /// Slow where a passphrase is given; nothing is changed, whatever it answers.
    pub(crate) async fn control_key(&self, did: &Did, access: &ControlAccess) -> Result<SecretKey, CommandError> {
        let (did, access) = (*did, access.clone());
        self.with_keys(did, move |keys, state| control_key(keys, state, &access)).await
    }

    /// The device key of a local identity, to sign with.
    pub(crate) fn signing_key(&self, did: &Did) -> Result<SecretKey, CommandError> {
        self.local(did)?;
        Ok(self.device_key(did).ok_or(AccessError::DeviceSealed)?)
    }

    /// Works on a folder of keys, off the async threads, one at a time: guesses at a passphrase queue up.
    pub(super) async fn with_keys<T, F>(&self, did: Did, work: F) -> Result<T, CommandError>
    where
        T: Send + 'static,
        F: FnOnce(&KeyFolder, &IdentityState) -> Result<T, AccessError> + Send + 'static,
    {
        let store = self.clone();
        let work = move || {
            let local = store.local(&did)?;
            let record = store.snapshot()?.record(&did)?.ok_or(CommandError::NotLocal(did))?;
            let _alone = store.shared.key_desk.hold();
            let keys = identities::keys_of(store.folder(), &local.username);
            let done = work(&keys, record.state());
            wipe_stack();
            Ok(done?)
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(StoreError::Stopping.into()))
    }

    pub(super) fn local(&self, did: &Did) -> Result<LocalRow, CommandError> {
        let local = self.locals().into_iter().find(|local| local.did == *did);
        local.ok_or_else(|| not_local(self.folder(), did))
    }
}

/// Why nothing is signed for an identity that does not live here: it may have been restored.
pub(super) fn not_local(folder: &Folder, did: &Did) -> CommandError {
    match restored(folder).iter().any(|waiting| waiting.did == *did) {
        true => AccessError::NoDevice.into(),
        false => CommandError::NotLocal(*did),
    }
}

/// The current control key, opened with what the owner gives.
pub(super) fn control_key(
    keys: &KeyFolder,
    state: &IdentityState,
    access: &ControlAccess,
) -> Result<SecretKey, AccessError> {
    let found = match access {
        ControlAccess::Words(phrase) => return from_words(state, phrase),
        ControlAccess::Kept | ControlAccess::Passphrase(_) => keys.find(KeyKind::Control)?,
    };
    let current = |key: SecretKey| if is_current(state, &key) { Ok(key) } else { Err(AccessError::Replaced) };
    match (found, access) {
        (Found::Plain(key), ControlAccess::Kept) => current(key),
        (Found::Plain(_), _) => Err(AccessError::NotSealed),
        (Found::Nothing, ControlAccess::Kept) => match keys.phrase()? {
            // They lie there until they are confirmed, and give every key.
            Some(phrase) => from_words(state, &phrase),
            None => Err(AccessError::WordsNeeded),
        },
        (Found::Nothing, _) => Err(AccessError::WordsNeeded),
        // A replaced key is not worth a passphrase.
        (Found::Sealed(sealed), _) if !state.control.keys.contains(&sealed.public) => Err(AccessError::Replaced),
        (Found::Sealed(sealed), ControlAccess::Passphrase(passphrase)) => open(&sealed, passphrase),
        (Found::Sealed(_), _) => Err(AccessError::Sealed),
    }
}

impl Snapshot {
    /// What is known of an identity's keys and devices; none if no genesis is held.
    pub(crate) fn record(&self, did: &Did) -> Result<Option<Arc<IdentityRecord>>, StoreError> {
        let Some(number) = self.identity_number(did)? else { return Ok(None) };
        load_identity(&self.shared, &self.table(tables::IDENTITY_OBJECTS)?, number)
    }
}
