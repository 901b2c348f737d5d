//! The keys of one local identity in its owner's hands, whether a node runs or not.

use xom_protocol::Did;
use zeroize::Zeroizing;

use super::{Confirmation, ControlAccess, KeyState, Questions};
use crate::error::CommandError;
use crate::store::Store;

/// How the keys of a local identity lie in the folder, and what becomes of them.
#[derive(Clone, Debug)]
pub struct Keyring {
    store: Store,
    identity: Did,
}

impl Keyring {
    pub(crate) fn new(store: Store, identity: Did) -> Self {
        Self { store, identity }
    }

    /// How they lie there now. Blocking, but for microseconds.
    pub fn state(&self) -> Result<KeyState, CommandError> {
        self.store.key_state(&self.identity)
    }

    /// The 24 words, and which of them are asked for; only until they are confirmed.
    pub async fn words(&self) -> Result<(Zeroizing<String>, Questions), CommandError> {
        self.store.words(self.identity).await
    }

    /// Takes the words that were asked for: then the phrase is erased from the folder.
    pub async fn confirm(&self, confirmation: Confirmation) -> Result<(), CommandError> {
        self.store.confirm_words(self.identity, confirmation).await
    }

    /// Leaves the confirmation for later.
    pub async fn postpone(&self) -> Result<(), CommandError> {
        self.store.postpone_words(self.identity).await
    }

    /// Seals with a new passphrase what `access` opens, or unseals it where there is no new one.
    ///
    /// The device key is sealed where it is sealed already, or where `device` says so.
    pub async fn set_passphrase(
        &self,
        access: ControlAccess,
        passphrase: Option<Zeroizing<String>>,
        device: Option<bool>,
    ) -> Result<(), CommandError> {
        self.store.set_passphrase(self.identity, access, passphrase, device).await
    }

    /// Opens the sealed device key for as long as the node runs. True if it was closed.
    pub async fn unlock(&self, passphrase: Zeroizing<String>) -> Result<bool, CommandError> {
        self.store.unlock(self.identity, passphrase).await
    }
}
