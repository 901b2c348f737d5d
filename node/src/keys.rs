//! Keys of the identities that live here: what opens them, and how they lie in the data folder.
//!
//! Nothing here shows a secret in `Debug`, in an error or in a log line, and no client of the node
//! gets one in its hands: what is signed with a key is always made by the node itself (R-SIG-16).

pub(crate) mod access;
pub(crate) mod change;
mod confirm;
pub(crate) mod folder;
mod keyring;
pub(crate) mod seal;
mod wipe;

pub use access::{AccessError, ControlAccess, ControlKey};
pub use confirm::{Confirmation, Keep, Questions};
pub use keyring::Keyring;
pub use seal::PassphraseError;
pub(crate) use wipe::wipe_stack;

/// How a key lies in the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keeping {
    /// Readable by whoever can read the file, mode 0600.
    Unsealed,
    /// Sealed with a passphrase.
    Sealed,
    /// Not there.
    Absent,
}

/// How the 24 words lie in the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PhraseState {
    /// They lie there until the owner confirms them.
    Unconfirmed,
    /// The same, and the owner wants to do it later.
    Postponed,
    /// They are not there: confirmed, or never made here.
    Absent,
}

/// How the keys of a local identity lie in the data folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyState {
    /// The control key.
    pub control: Keeping,
    /// The device key.
    pub device: Keeping,
    /// The node can sign with the device key: it is unsealed, or was opened since the start.
    pub device_open: bool,
    /// The words.
    pub phrase: PhraseState,
}

impl Keeping {
    /// The word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unsealed => "unsealed",
            Self::Sealed => "sealed",
            Self::Absent => "absent",
        }
    }
}

impl PhraseState {
    /// The word for programs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unconfirmed => "unconfirmed",
            Self::Postponed => "postponed",
            Self::Absent => "absent",
        }
    }
}

impl KeyState {
    /// Of an identity that was restored: none of its keys is here.
    pub(crate) const NONE: Self =
        Self { control: Keeping::Absent, device: Keeping::Absent, device_open: false, phrase: PhraseState::Absent };

    /// True for an identity that was restored and waits for a device key: it is only read (`ARC-17`).
    pub fn is_waiting(&self) -> bool {
        self.device == Keeping::Absent && !self.device_open
    }

    /// What the owner of `name` has to be told until it is mended; `folder` is the folder of keys.
    pub(crate) fn warnings(&self, name: &str, folder: &str) -> Vec<String> {
        let mut warnings = Vec::new();
        if self.phrase != PhraseState::Absent {
            warnings.push(format!(
                "the 24 words of {name} are not confirmed and lie unsealed in {folder}: write them down on paper and \
                 confirm them with `xom phrase confirm` or on the page"
            ));
        } else if self.control == Keeping::Unsealed {
            warnings.push(format!(
                "the control key of {name} lies unsealed in {folder}: seal it with `xom passphrase set`, and keep this \
                 folder private until then"
            ));
        }
        if self.is_waiting() {
            warnings.push(format!("{name} is only read: {}", AccessError::NoDevice));
        } else if !self.device_open {
            warnings.push(format!(
                "the device key of {name} is sealed: nothing is posted until it is opened with `xom unlock` or on the page"
            ));
        }
        warnings
    }
}
