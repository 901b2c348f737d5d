//! Adopting an identity that exists elsewhere: it gets a local row and a folder of keys that holds a new
//! device key and nothing else. Neither phrase nor control key comes with it.
//!
//! The order is that of `identities.rs`: keys under a name that is not final, the database, the name.

use std::sync::Arc;

use tokio::sync::oneshot;
use xom_protocol::body::is_username;
use xom_protocol::identity::{IdentityRecord, SignedObject};
use xom_protocol::keys::SecretKey;
use xom_protocol::log::root_log_id;
use xom_protocol::{Did, Network};

use super::snapshot::Snapshot;
use super::tables::LocalRow;
use super::writer::{Job, Writer};
use super::{Notice, Store, identities};
use crate::error::{AdoptError, StoreError};

/// An identity that is to live here too.
pub(super) struct Adoption {
    username: String,
    pub(super) did: Did,
    pub(super) objects: Vec<Vec<u8>>,
    pub(super) device: SecretKey,
    /// The identity may live here already, under a key that signs nothing any more.
    again: bool,
}

impl Store {
    /// Gives an identity that exists elsewhere a place on this node, under a device key that `objects`
    /// admit. Durable when it answers; where it fails, nothing has changed.
    pub(crate) async fn adopt(
        &self,
        username: &str,
        did: Did,
        objects: Vec<Vec<u8>>,
        device: SecretKey,
    ) -> Result<LocalRow, AdoptError> {
        let adoption = Adoption { username: username.to_owned(), did, objects, device, again: false };
        self.send_adoption(adoption).await
    }

    /// The same for an identity that may live here already, under a device key that ended or whose folder is
    /// behind: then that key is replaced, and the user name stays.
    pub(crate) async fn adopt_again(
        &self,
        username: &str,
        did: Did,
        objects: Vec<Vec<u8>>,
        device: SecretKey,
    ) -> Result<LocalRow, AdoptError> {
        let adoption = Adoption { username: username.to_owned(), did, objects, device, again: true };
        self.send_adoption(adoption).await
    }

    async fn send_adoption(&self, adoption: Adoption) -> Result<LocalRow, AdoptError> {
        let (reply, answer) = oneshot::channel();
        self.send(Job::Adopt(Box::new(adoption), reply)).await?;
        answer.await.map_err(|_| StoreError::Stopping)?
    }
}

impl Writer {
    /// Carries an adoption out.
    pub(super) fn adopt(&mut self, adoption: Adoption) -> Result<LocalRow, AdoptError> {
        let old = self.shared.locals().iter().position(|row| row.did == adoption.did);
        if let Some(at) = old.filter(|_| adoption.again) {
            let snapshot = Snapshot::open(Arc::clone(&self.shared))?;
            let in_vain = self.shared.locals().get(at).is_some_and(|row| snapshot.signs_nothing(row).unwrap_or(false));
            return if in_vain { self.rekey(adoption, at) } else { Err(AdoptError::IdentityTaken(adoption.did)) };
        }
        let row = self.check_adoption(&adoption)?;
        let Adoption { did, objects, device, .. } = adoption;
        let number = u32::try_from(self.shared.locals().len()).map_err(|_| AdoptError::UsernameTaken)?;
        identities::make_adopted(&self.shared.folder, &device)?;
        let stored = row.clone();
        // Where this fails the keys stay: only the next start knows whether the commit is on the disk.
        let known = self.do_now(move |batch| {
            let known = batch.identity_numbers.get(&did.0)?.is_some();
            batch.insert_identity(did, &objects)?;
            batch.locals.insert(number, xom_protocol::encoding::encode(&stored).as_slice())?;
            Ok(known)
        })?;
        identities::finish(&self.shared.folder, &row)?;
        super::restore::forget_restored(&self.shared.folder, &did);
        self.shared.add_local(row.clone(), Some(device));
        self.load_own()?;
        if known {
            // What was held of it before becomes its own home, notifications and likes.
            self.rebuild_views()?;
        }
        self.set_wants();
        self.shared.tell(Notice::Wants);
        self.shared.tell(Notice::Locals);
        Ok(row)
    }

    /// What the local row is to be; refuses what is here already and what the objects do not say.
    fn check_adoption(&self, adoption: &Adoption) -> Result<LocalRow, AdoptError> {
        let Adoption { username, did, objects, device, .. } = adoption;
        if !is_username(username) {
            return Err(AdoptError::Username);
        }
        let locals = self.shared.locals();
        if locals.iter().any(|row| row.username == *username) || self.shared.folder.identity(username).exists() {
            return Err(AdoptError::UsernameTaken);
        }
        if locals.iter().any(|row| row.did == *did) {
            return Err(AdoptError::IdentityTaken(*did));
        }
        check_device(self.shared.network, did, username, objects, device)
    }
}

/// The local row of an identity whose objects admit this device.
pub(super) fn check_device(
    network: Network,
    did: &Did,
    username: &str,
    objects: &[Vec<u8>],
    device: &SecretKey,
) -> Result<LocalRow, AdoptError> {
    let objects: Result<Vec<SignedObject>, _> = objects.iter().map(|bytes| SignedObject::decode(bytes)).collect();
    let record = IdentityRecord::from_objects(network, objects?)?;
    let id = device.public().device_id();
    if record.did() != *did || record.state().live_device(&id).is_none() {
        return Err(AdoptError::NotADevice(id));
    }
    Ok(LocalRow { did: *did, username: username.to_owned(), device: id, log: root_log_id(network, did, &id) })
}
