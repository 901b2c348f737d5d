//! The owner's acts on the identity log, and what guardians do: through the handle.

use xom_protocol::Did;
use xom_protocol::identity::Guardians;
use xom_protocol::phrase::Phrase;
use zeroize::Zeroizing;

use super::Handle;
use crate::error::{CommandError, StartError, StoreError};
use crate::keys::{ControlAccess, ControlKey, Keeping};
use crate::model::Missing;
use crate::recovery::{GuardianAct, GuardiansView, RecoveryView, RequestView};
use crate::store::folder;
use crate::store::ownership::OwnerAct;

impl Handle {
    /// New control keys, by the words. The control key that is kept here follows: unsealed where it was,
    /// sealed with `passphrase` where it was sealed; otherwise it is kept in the words alone. Answers how.
    pub async fn rotate(
        &self,
        identity: Did,
        phrase: Phrase,
        passphrase: Option<Zeroizing<String>>,
    ) -> Result<Keeping, CommandError> {
        self.rotate_with(identity, phrase, None, passphrase).await
    }

    /// Other guardians, by a rotation; `need` of them can recover the identity. None ends guarding.
    pub async fn set_guardians(
        &self,
        identity: Did,
        guardians: Vec<Did>,
        need: u64,
        phrase: Phrase,
        passphrase: Option<Zeroizing<String>>,
    ) -> Result<Keeping, CommandError> {
        let guardians = match guardians.as_slice() {
            [] => None,
            guardians => {
                if guardians.contains(&identity) {
                    return Err(CommandError::Refused("nobody guards himself"));
                }
                let salt = folder::entropy().map_err(|e: StartError| StoreError::Storage(e.to_string()))?;
                let made = Guardians::of(*salt, guardians, need);
                Some(made.map_err(|e| CommandError::Recovery(e.into()))?)
            }
        };
        self.rotate_with(identity, phrase, Some(guardians), passphrase).await
    }

    async fn rotate_with(
        &self,
        identity: Did,
        phrase: Phrase,
        guardians: Option<Option<Guardians>>,
        passphrase: Option<Zeroizing<String>>,
    ) -> Result<Keeping, CommandError> {
        self.store.own(identity, OwnerAct::Rotate { phrase: phrase.clone(), guardians }).await?;
        // The words give the new key, whatever the folder holds of the old one.
        let key = self.control_key(identity, ControlAccess::Words(phrase)).await?;
        let access = passphrase.map_or(ControlAccess::Kept, ControlAccess::Passphrase);
        self.store.replace_control_key(identity, key, access).await
    }

    /// The guardians of a local identity, as far as this node knows who they are.
    pub async fn guardians(&self, identity: Did) -> Result<Option<GuardiansView>, StoreError> {
        let store = self.store.clone();
        let look = move || store.snapshot()?.guardians(&identity);
        tokio::task::spawn_blocking(look).await.unwrap_or(Err(StoreError::Stopping))
    }

    /// Locks a local identity: what devices grant, drop or say of addresses stops counting.
    pub async fn lock(&self, identity: Did) -> Result<(), CommandError> {
        self.store.own(identity, OwnerAct::Lock).await
    }

    /// Ends the identity: nobody can sign for it any more. What was said up to now stays as it is.
    pub async fn retire(&self, identity: Did, access: ControlAccess) -> Result<(), CommandError> {
        let key = self.control_key(identity, access).await?;
        self.store.own(identity, OwnerAct::Retire(key)).await
    }

    /// Lifts all locks.
    pub async fn unlock_identity(&self, identity: Did, access: ControlAccess) -> Result<(), CommandError> {
        let key = self.control_key(identity, access).await?;
        self.store.own(identity, OwnerAct::Unlock(key)).await
    }

    /// The recovery of a local identity by guardians, where one goes on or has finished.
    pub async fn recovery(&self, identity: Did) -> Result<Option<RecoveryView>, StoreError> {
        let store = self.store.clone();
        let look = move || store.snapshot()?.recovery(&identity);
        tokio::task::spawn_blocking(look).await.unwrap_or(Err(StoreError::Stopping))
    }

    /// What of a local identity is named somewhere and nobody who was reached had.
    pub async fn missing(&self, identity: Did) -> Result<Missing, StoreError> {
        let store = self.store.clone();
        let look = move || store.snapshot()?.missing(&identity);
        tokio::task::spawn_blocking(look).await.unwrap_or(Err(StoreError::Stopping))
    }

    /// Asks the guardians, as a device of the identity, to wait once more.
    pub async fn postpone_recovery(&self, identity: Did) -> Result<(), CommandError> {
        self.store.own(identity, OwnerAct::Postpone).await
    }

    /// Stops a recovery that goes on.
    pub async fn cancel_recovery(&self, identity: Did, access: ControlAccess) -> Result<(), CommandError> {
        let key: ControlKey = self.control_key(identity, access).await?;
        self.store.own(identity, OwnerAct::Cancel(key)).await
    }

    /// The recoveries that guardians who live here were asked for.
    pub async fn recovery_requests(&self) -> Result<Vec<RequestView>, StoreError> {
        let store = self.store.clone();
        let look = move || store.snapshot()?.recovery_requests();
        tokio::task::spawn_blocking(look).await.unwrap_or(Err(StoreError::Stopping))
    }

    /// A guardian who lives here approves the request with this code: its start, or after the delay its
    /// finish (`REC-5`).
    pub async fn approve_recovery(
        &self,
        guardian: Did,
        code: String,
        access: ControlAccess,
    ) -> Result<GuardianAct, CommandError> {
        let key = self.control_key(guardian, access).await?;
        self.store.approve_recovery(guardian, code, key).await
    }

    /// A guardian who lives here refuses the request with this code.
    pub async fn refuse_recovery(&self, guardian: Did, code: String) -> Result<GuardianAct, CommandError> {
        self.store.refuse_recovery(guardian, code).await
    }
}
