//! What the owner gives so that something is signed by the control key, and why that can fail.

use std::fmt;

use xom_protocol::identity::IdentityState;
use xom_protocol::keys::SecretKey;
use xom_protocol::phrase::Phrase;
use zeroize::Zeroizing;

use super::seal::PassphraseError;

/// What opens the control key of a local identity.
#[derive(Clone)]
pub enum ControlAccess {
    /// Nothing: the key lies unsealed in the data folder.
    Kept,
    /// The passphrase that it is sealed with.
    Passphrase(Zeroizing<String>),
    /// The 24 words, which give the key anywhere.
    Words(Phrase),
}

impl fmt::Debug for ControlAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kept => "Kept",
            Self::Passphrase(_) => "Passphrase(hidden)",
            Self::Words(_) => "Words(hidden)",
        })
    }
}

/// The opened control key of an identity, for commands that need its signature. Whoever holds it can
/// pass it to the node and nothing else.
#[derive(Clone)]
pub struct ControlKey(SecretKey);

impl ControlKey {
    /// Wraps a key that was checked to be the current one.
    pub(crate) fn new(key: SecretKey) -> Self {
        Self(key)
    }

    /// The key, for the node's own signing.
    pub(crate) fn secret(&self) -> &SecretKey {
        &self.0
    }
}

impl fmt::Debug for ControlKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ControlKey(hidden)")
    }
}

impl PartialEq for ControlKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.public() == other.0.public()
    }
}

impl Eq for ControlKey {}

/// A key could not be opened. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// The control key lies sealed.
    #[error("the control key is sealed; give its passphrase, or the 24 words")]
    Sealed,
    /// The control key is kept nowhere but in the words.
    #[error("the control key is not kept on this node; give the 24 words")]
    WordsNeeded,
    /// Backups can't be sealed yet: the words were never here (`ARC-11`).
    #[error("this node can't seal backups for this identity yet; give the 24 words once")]
    BackupKey,
    /// The passphrase is not the one that the key was sealed with.
    #[error("wrong passphrase; nothing was changed, try again")]
    WrongPassphrase,
    /// The new passphrase can't be used.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// The device key lies sealed: nothing can be signed.
    #[error("the device key is sealed; open it with `xom unlock`, on the page or with --passphrase-file")]
    DeviceSealed,
    /// The identity was restored and has no device key here yet (`ARC-17`).
    #[error(
        "this identity was restored and has no device key here yet: stop the node, and run `xom recover` with the 24 \
         words, or `xom join` beside a device that still works"
    )]
    NoDevice,
    /// The words that were asked for are others.
    #[error("these are not the words that were asked for; look at the paper again")]
    WrongWords,
    /// There are no words to be shown or confirmed.
    #[error("the 24 words are not on this node: they are confirmed already, or were made elsewhere")]
    NoWords,
    /// The system gives no entropy.
    #[error("no entropy from the system")]
    NoEntropy,
    /// Not enough memory to open what is sealed.
    #[error("not enough memory to open the sealed key")]
    NoMemory,
    /// A passphrase was given, and nothing is sealed.
    #[error("the key is not sealed on this node; leave the passphrase out, or give the 24 words")]
    NotSealed,
    /// The words are another identity's.
    #[error("these words are of another identity")]
    OtherWords,
    /// A rotation or a recovery has replaced the key.
    #[error("this control key was replaced; give the newest words")]
    Replaced,
    /// A file of keys can't be read.
    #[error("the file {file} in the folder of keys is damaged; the 24 words make it anew")]
    Damaged {
        /// The name of the file.
        file: &'static str,
    },
}

impl AccessError {
    /// A short name for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Sealed => "control-key-sealed",
            Self::WordsNeeded | Self::BackupKey => "words-needed",
            Self::WrongPassphrase => "wrong-passphrase",
            Self::Passphrase(_) => "passphrase-refused",
            Self::DeviceSealed => "device-key-sealed",
            Self::NoDevice => "no-device-key",
            Self::WrongWords => "wrong-words",
            Self::NoWords => "no-words",
            Self::NoEntropy => "no-entropy",
            Self::NoMemory => "no-memory",
            Self::NotSealed => "not-sealed",
            Self::OtherWords => "other-words",
            Self::Replaced => "key-replaced",
            Self::Damaged { .. } => "key-damaged",
        }
    }
}

/// The current control key that derives from a phrase (`ID-15`).
pub(crate) fn from_words(state: &IdentityState, phrase: &Phrase) -> Result<SecretKey, AccessError> {
    let key = phrase.control_key(state.epoch);
    if is_current(state, &key) {
        return Ok(key);
    }
    let first = phrase.genesis(state.network).id();
    Err(if first.0 == state.did.0 { AccessError::Replaced } else { AccessError::OtherWords })
}

/// True if the key is one of the current control keys.
pub(crate) fn is_current(state: &IdentityState, key: &SecretKey) -> bool {
    state.control.keys.contains(&key.public().device_id())
}
