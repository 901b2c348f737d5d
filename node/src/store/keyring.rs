//! What becomes of the keys of a local identity: the words are confirmed, keys are sealed and opened.
//! Each change of the folder of keys is one that is made as a whole or not at all (`REST-4`).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use xom_protocol::Did;
use xom_protocol::identity::IdentityState;
use xom_protocol::keys::SecretKey;
use xom_protocol::phrase::Phrase;
use zeroize::Zeroizing;

use super::control::control_key;
use super::folder::entropy;
use super::{Notice, Store, identities};
use crate::error::{CommandError, StoreError};
use crate::keys::access::is_current;
use crate::keys::change::{self, Change};
use crate::keys::folder::{Found, KeyFolder, PHRASE, POSTPONED, open};
use crate::keys::seal::{Cost, KeyKind, check_passphrase};
use crate::keys::{AccessError, Confirmation, ControlAccess, ControlKey, Keep, Keeping, KeyState, Questions};

/// What is kept in memory beside the opened keys.
#[derive(Default)]
pub(super) struct KeyDesk {
    /// Held by whoever works on a folder of keys.
    alone: Mutex<()>,
    /// Which words are asked for, until they are answered.
    questions: Mutex<BTreeMap<Did, Questions>>,
}

impl KeyDesk {
    /// Waits until nobody else works on a folder of keys.
    pub(super) fn hold(&self) -> MutexGuard<'_, ()> {
        self.alone.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The places that are asked for; others once an answer was wrong.
    fn questions(&self, did: Did) -> Result<Questions, AccessError> {
        let mut all = self.questions.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(asked) = all.get(&did) {
            return Ok(*asked);
        }
        let asked = Questions::from_entropy(&*entropy().map_err(|_| AccessError::NoEntropy)?);
        all.insert(did, asked);
        Ok(asked)
    }

    fn forget_questions(&self, did: &Did) {
        self.questions.lock().unwrap_or_else(PoisonError::into_inner).remove(did);
    }
}

impl Store {
    /// How the keys of a local identity lie in the folder.
    pub(crate) fn key_state(&self, did: &Did) -> Result<KeyState, CommandError> {
        let local = match self.local(did) {
            Err(CommandError::Access(AccessError::NoDevice)) => return Ok(KeyState::NONE),
            local => local?,
        };
        let open = self.device_key(did).is_some();
        Ok(identities::keys_of(self.folder(), &local.username).state(open))
    }

    /// The words, and which of them are asked for, until they are confirmed.
    pub(crate) async fn words(&self, did: Did) -> Result<(Zeroizing<String>, Questions), CommandError> {
        let words = self.with_keys(did, |keys, _| Ok(keys.phrase()?.ok_or(AccessError::NoWords)?.words())).await?;
        Ok((words, self.shared.key_desk.questions(did)?))
    }

    /// Leaves the confirmation for later; the reminder stays.
    pub(crate) async fn postpone_words(&self, did: Did) -> Result<(), CommandError> {
        self.change_keys(did, |keys, _| {
            keys.phrase()?.ok_or(AccessError::NoWords)?;
            Ok(Change::default().put(POSTPONED, Zeroizing::default()))
        })
        .await
    }

    /// Takes the owner's three words: then the phrase goes, and the control key is kept as the owner chose.
    pub(crate) async fn confirm_words(&self, did: Did, confirmation: Confirmation) -> Result<(), CommandError> {
        let asked = self.shared.key_desk.questions(did)?;
        let (cost, device) = (self.shared.cost(), self.device_key(&did));
        let confirmed = self.change_keys(did, move |keys, state| {
            let phrase = keys.phrase()?.ok_or(AccessError::NoWords)?;
            if !asked.are_answered_by(&phrase, &confirmation.words) {
                return Err(AccessError::WrongWords);
            }
            let change = Change::default().erase(PHRASE).erase(POSTPONED);
            let found = keys.find(KeyKind::Control)?;
            match (confirmation.keep, found) {
                (Keep::InWords, Found::Sealed(_)) => Ok(change),
                (Keep::InWords, _) => Ok(change.drop_key(KeyKind::Control)),
                (Keep::Unsealed, found) => match found {
                    Found::Plain(key) if is_current(state, &key) => Ok(change),
                    _ => Ok(change.unseal(KeyKind::Control, &control_key(keys, state, &ControlAccess::Words(phrase))?)),
                },
                (Keep::Sealed { passphrase, device: too }, _) => {
                    let control = control_key(keys, state, &ControlAccess::Words(phrase))?;
                    let sealing = Sealing { passphrase: &passphrase, cost };
                    let change = sealing.seal(change, keys, KeyKind::Control, &control)?;
                    match device.filter(|_| too) {
                        Some(device) => sealing.seal(change, keys, KeyKind::Device, &device),
                        None if too => Err(AccessError::DeviceSealed),
                        None => Ok(change),
                    }
                }
            }
        });
        let confirmed = confirmed.await;
        if !matches!(confirmed, Err(CommandError::Access(AccessError::Passphrase(_)))) {
            self.shared.key_desk.forget_questions(&did);
        }
        confirmed
    }

    /// Seals with a new passphrase what `access` opens: the control key where it is kept, and the device key
    /// where it is sealed already or `device` says so. Without a new passphrase both are left unsealed.
    pub(crate) async fn set_passphrase(
        &self,
        did: Did,
        access: ControlAccess,
        passphrase: Option<Zeroizing<String>>,
        device: Option<bool>,
    ) -> Result<(), CommandError> {
        let (cost, opened) = (self.shared.cost(), self.device_key(&did));
        self.change_keys(did, move |keys, state| {
            let control = match (keys.find(KeyKind::Control)?, &access) {
                // A device that never had the control key has its device key to seal.
                (Found::Nothing, ControlAccess::Kept | ControlAccess::Passphrase(_)) if keys.phrase()?.is_none() => {
                    None
                }
                _ => Some(control_key(keys, state, &access)?),
            };
            let was_sealed = keys.state(true).device == Keeping::Sealed;
            let device_key = device_key(keys, &access, opened, control.is_some())?;
            let mut change = Change::default();
            let Some(passphrase) = passphrase else {
                if let Some(control) = &control {
                    change = change.unseal(KeyKind::Control, control);
                }
                return Ok(change.unseal(KeyKind::Device, &device_key));
            };
            let sealing = Sealing { passphrase: &passphrase, cost };
            if let Some(control) = &control {
                change = sealing.seal(change, keys, KeyKind::Control, control)?;
            }
            match device.unwrap_or(was_sealed || control.is_none()) {
                true => sealing.seal(change, keys, KeyKind::Device, &device_key),
                false => Ok(change.unseal(KeyKind::Device, &device_key)),
            }
        })
        .await
    }

    /// Opens the sealed device key for as long as the node runs. True if it was closed.
    pub(crate) async fn unlock(&self, did: Did, passphrase: Zeroizing<String>) -> Result<bool, CommandError> {
        if self.local(&did).is_ok() && self.device_key(&did).is_some() {
            return Ok(false);
        }
        let opened = self.with_keys(did, move |keys, _| match keys.find(KeyKind::Device)? {
            Found::Sealed(sealed) => open(&sealed, &passphrase),
            Found::Plain(key) => Ok(key),
            Found::Nothing => Err(AccessError::NotSealed),
        });
        let key = opened.await?;
        self.shared.open_device(&did, &key);
        self.write(move |batch| {
            if let Some(own) = batch.own.get_mut(&did) {
                own.key = Some(key.clone());
            }
            Ok(())
        })
        .await?;
        // Peers have been greeted without it.
        self.shared.tell(Notice::Locals);
        Ok(true)
    }

    /// Puts the control key that a rotation brought in the place of the one before: sealed again where that was
    /// sealed and `access` holds its passphrase, unsealed where it was so, and else not at all. Answers how.
    pub(crate) async fn replace_control_key(
        &self,
        did: Did,
        key: ControlKey,
        access: ControlAccess,
    ) -> Result<Keeping, CommandError> {
        let cost = self.shared.cost();
        self.change_keys(did, move |keys, _| {
            let (change, key) = (Change::default(), key.secret());
            let opens = |passphrase: &str| match keys.find(KeyKind::Control) {
                Ok(Found::Sealed(sealed)) => open(&sealed, passphrase).is_ok(),
                _ => false,
            };
            match (keys.state(true).control, &access) {
                (Keeping::Unsealed, _) => Ok(change.unseal(KeyKind::Control, key)),
                (Keeping::Sealed, ControlAccess::Passphrase(passphrase)) if opens(passphrase) => {
                    Sealing { passphrase, cost }.seal(change, keys, KeyKind::Control, key)
                }
                (Keeping::Sealed | Keeping::Absent, _) => Ok(change.drop_key(KeyKind::Control)),
            }
        })
        .await?;
        Ok(self.key_state(&did)?.control)
    }

    /// Puts the words that a recovery made where the owner confirms them, with the control key that they give.
    pub(crate) async fn keep_words(&self, did: Did, phrase: Phrase) -> Result<(), CommandError> {
        self.change_keys(did, move |keys, state| {
            let control = control_key(keys, state, &ControlAccess::Words(phrase.clone()))?;
            let words = Zeroizing::new(phrase.words().as_bytes().to_vec());
            Ok(Change::default().put(PHRASE, words).erase(POSTPONED).unseal(KeyKind::Control, &control))
        })
        .await
    }

    async fn change_keys<F>(&self, did: Did, plan: F) -> Result<(), CommandError>
    where
        F: FnOnce(&KeyFolder, &IdentityState) -> Result<Change, AccessError> + Send + 'static,
    {
        let made = self.with_keys(did, move |keys, state| {
            let finished = change::finish(keys.path());
            // Only the disk can fail here; its cause is no refusal.
            Ok(match finished {
                Ok(()) => plan(keys, state)?.carry_out(keys.path()),
                failed => failed,
            })
        });
        made.await?.map_err(|cause| StoreError::from(cause).into())
    }
}

/// A new passphrase and what a guess at it is to cost.
struct Sealing<'a> {
    passphrase: &'a str,
    cost: Cost,
}

impl Sealing<'_> {
    /// Seals a key, never more cheaply than it is sealed now.
    fn seal(&self, change: Change, keys: &KeyFolder, kind: KeyKind, key: &SecretKey) -> Result<Change, AccessError> {
        check_passphrase(self.passphrase)?;
        let cost = match keys.find(kind) {
            Ok(Found::Sealed(sealed)) => self.cost.max(sealed.cost),
            _ => self.cost,
        };
        change.seal(kind, key, self.passphrase, cost)
    }
}

/// The device key, for sealing it anew. Where it lies sealed, the old passphrase has to be right even if the
/// key is open in memory, unless the control key has shown already who asks.
fn device_key(
    keys: &KeyFolder,
    access: &ControlAccess,
    opened: Option<SecretKey>,
    is_owner: bool,
) -> Result<SecretKey, AccessError> {
    match (keys.find(KeyKind::Device)?, access, opened) {
        (Found::Plain(key), _, _) => Ok(key),
        (Found::Sealed(_), _, Some(key)) if is_owner => Ok(key),
        (Found::Sealed(sealed), ControlAccess::Passphrase(passphrase), _) => open(&sealed, passphrase),
        (Found::Sealed(_), _, _) => Err(AccessError::DeviceSealed),
        (Found::Nothing, _, _) => Err(AccessError::NotSealed),
    }
}
