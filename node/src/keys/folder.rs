//! The folder of keys of one local identity: which files lie in it, and what is in them (`REST-1`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use data_encoding::HEXLOWER;
use xom_protocol::keys::SecretKey;
use xom_protocol::phrase::Phrase;
use zeroize::Zeroizing;

use super::access::AccessError;
use super::change::{Change, FILES};
use super::seal::{Cost, Fresh, KeyKind, SealError, Sealed};
use super::{Keeping, KeyState, PhraseState};
use crate::store::folder::{entropy, read_secret, read_text};

/// The recovery phrase, 24 words.
pub(crate) const PHRASE: &str = "phrase";
/// The current control key, 64 hexadecimal digits.
pub(crate) const CONTROL_KEY: &str = "control.key";
/// The same, sealed.
pub(crate) const CONTROL_SEALED: &str = "control.sealed";
/// The device key, 64 hexadecimal digits.
pub(crate) const DEVICE_KEY: &str = "device.key";
/// The same, sealed.
pub(crate) const DEVICE_SEALED: &str = "device.sealed";
/// An empty file: the owner wants to confirm the words later.
pub(crate) const POSTPONED: &str = "postponed";

/// The folder of keys of one identity.
#[derive(Debug, Clone)]
pub(crate) struct KeyFolder(PathBuf);

/// A key in the folder.
#[derive(Debug)]
pub(crate) enum Found {
    /// Not there.
    Nothing,
    /// Readable by whoever can read the file.
    Plain(SecretKey),
    /// Sealed with a passphrase.
    Sealed(Sealed),
}

impl KeyFolder {
    /// The folder at a path.
    pub(crate) fn at(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A key as it lies there. Where both forms are there, the sealed one counts.
    pub(crate) fn find(&self, kind: KeyKind) -> Result<Found, AccessError> {
        let (plain, sealed) = names(kind);
        let damaged = |file| move |_: io::Error| AccessError::Damaged { file };
        if let Some(text) = read_text(&self.0.join(sealed)).map_err(damaged(sealed))? {
            let found = Sealed::parse(&text).ok().filter(|found| found.kind == kind);
            return Ok(Found::Sealed(found.ok_or(AccessError::Damaged { file: sealed })?));
        }
        let key = read_key(&self.0.join(plain)).map_err(damaged(plain))?;
        Ok(key.map_or(Found::Nothing, Found::Plain))
    }

    /// The words, while they lie there.
    pub(crate) fn phrase(&self) -> Result<Option<Phrase>, AccessError> {
        let damaged = AccessError::Damaged { file: PHRASE };
        let line = read_secret(&self.0.join(PHRASE)).map_err(|_| damaged.clone())?;
        line.map(|line| Phrase::parse(&line).map_err(|_| damaged)).transpose()
    }

    /// How everything lies there.
    pub(crate) fn state(&self, device_open: bool) -> KeyState {
        let is = |name: &str| self.0.join(name).exists();
        let keeping = |kind| match names(kind) {
            (_, sealed) if is(sealed) => Keeping::Sealed,
            (plain, _) if is(plain) => Keeping::Unsealed,
            _ => Keeping::Absent,
        };
        let phrase = match (is(PHRASE), is(POSTPONED)) {
            (true, true) => PhraseState::Postponed,
            (true, false) => PhraseState::Unconfirmed,
            (false, _) => PhraseState::Absent,
        };
        KeyState { control: keeping(KeyKind::Control), device: keeping(KeyKind::Device), device_open, phrase }
    }

    /// Takes away what others may do with the files (R-SUP-3). True if it had to.
    pub(crate) fn tighten(&self) -> io::Result<bool> {
        let mut tightened = false;
        #[cfg(unix)]
        for name in FILES {
            use std::os::unix::fs::PermissionsExt;
            let path = self.0.join(name);
            if fs::metadata(&path).is_ok_and(|found| found.permissions().mode() & 0o077 != 0) {
                fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
                tightened = true;
            }
        }
        Ok(tightened)
    }
}

impl Change {
    /// Leaves the key there unsealed.
    pub(crate) fn unseal(self, kind: KeyKind, key: &SecretKey) -> Self {
        let (plain, sealed) = names(kind);
        self.put(plain, line_of(key)).erase(sealed)
    }

    /// Leaves the key there sealed. Slow.
    pub(crate) fn seal(
        self,
        kind: KeyKind,
        key: &SecretKey,
        passphrase: &str,
        cost: Cost,
    ) -> Result<Self, AccessError> {
        let (plain, sealed) = names(kind);
        let seed = entropy().map_err(|_| AccessError::NoEntropy)?;
        let other = entropy().map_err(|_| AccessError::NoEntropy)?;
        let mut fresh = Fresh { salt: [0; 16], nonce: [0; 24] };
        fresh.salt.copy_from_slice(&seed[..16]);
        fresh.nonce.copy_from_slice(&other[..24]);
        let text = Sealed::seal(kind, key, passphrase, cost, fresh).map_err(|e| access(e, sealed))?.text();
        Ok(self.put(sealed, Zeroizing::new(text.into_bytes())).erase(plain))
    }

    /// Leaves the key not there at all.
    pub(crate) fn drop_key(self, kind: KeyKind) -> Self {
        let (plain, sealed) = names(kind);
        self.erase(plain).erase(sealed)
    }
}

/// Opens a sealed key. Slow.
pub(crate) fn open(sealed: &Sealed, passphrase: &str) -> Result<SecretKey, AccessError> {
    sealed.open(passphrase).map_err(|error| access(error, names(sealed.kind).1))
}

/// One line with a key.
pub(crate) fn line_of(key: &SecretKey) -> Zeroizing<Vec<u8>> {
    let mut line = Zeroizing::new(Vec::with_capacity(65));
    line.resize(64, 0);
    HEXLOWER.encode_mut(key.seed().as_slice(), &mut line);
    line.push(b'\n');
    line
}

fn access(error: SealError, file: &'static str) -> AccessError {
    match error {
        SealError::Damaged => AccessError::Damaged { file },
        SealError::WrongPassphrase => AccessError::WrongPassphrase,
        SealError::NoMemory => AccessError::NoMemory,
    }
}

fn names(kind: KeyKind) -> (&'static str, &'static str) {
    match kind {
        KeyKind::Control => (CONTROL_KEY, CONTROL_SEALED),
        KeyKind::Device => (DEVICE_KEY, DEVICE_SEALED),
    }
}

fn read_key(path: &Path) -> io::Result<Option<SecretKey>> {
    let Some(line) = read_secret(path)? else { return Ok(None) };
    let invalid = || io::Error::new(io::ErrorKind::InvalidData, "expected 64 hexadecimal digits");
    let mut seed = Zeroizing::new([0; 32]);
    if line.len() != 64 || HEXLOWER.decode_mut(line.as_bytes(), &mut *seed).is_err() {
        return Err(invalid());
    }
    SecretKey::from_seed(&seed).map(Some).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}
