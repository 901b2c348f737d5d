//! A secret key sealed with a passphrase: what the file holds (`REST-2`), and how it is opened (`REST-3`).
//!
//! Pure: passphrase, salt and nonce come in. A file that is damaged is told apart from a wrong passphrase
//! by its checksum, before anything slow is done.

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};
use unicode_normalization::UnicodeNormalization;
use xom_protocol::DeviceId;
use xom_protocol::keys::SecretKey;
use zeroize::Zeroizing;

/// What a sealed file begins with.
const MAGIC: &str = "xom/1/sealed";
/// Bytes of a salt.
const SALT_BYTES: usize = 16;
/// Bytes of a nonce of XChaCha20.
const NONCE_BYTES: usize = 24;
/// Fewest characters of a passphrase (`REST-3`).
pub(crate) const PASSPHRASE_CHARS_MIN: usize = 8;
/// Most bytes of a passphrase (`REST-3`).
const PASSPHRASE_BYTES_MAX: usize = 1_024;

/// How much work one guess of a passphrase is: the parameters of Argon2id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cost {
    /// Memory, KiB.
    memory_kib: u32,
    /// Passes over the memory.
    passes: u32,
    /// Lanes.
    lanes: u32,
}

impl Cost {
    /// What files are sealed with: about a quarter of a second, and memory that a small machine has.
    pub(crate) const USUAL: Self = Self { memory_kib: 64 << 10, passes: 3, lanes: 1 };
    /// The most that a file may ask for, so that a damaged or planted one can't use all memory up.
    const MAX: Self = Self { memory_kib: 1 << 20, passes: 64, lanes: 16 };

    /// A cost that makes tests fast. Whoever seals a real key takes [`Cost::USUAL`].
    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        Self { memory_kib: 64, passes: 1, lanes: 1 }
    }

    /// The greater of each parameter.
    pub(crate) fn max(self, other: Self) -> Self {
        Self {
            memory_kib: self.memory_kib.max(other.memory_kib),
            passes: self.passes.max(other.passes),
            lanes: self.lanes.max(other.lanes),
        }
    }

    fn params(self) -> Option<Params> {
        let fits =
            self.memory_kib <= Self::MAX.memory_kib && self.passes <= Self::MAX.passes && self.lanes <= Self::MAX.lanes;
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok().filter(|_| fits)
    }
}

/// Which key a file holds. A file of one kind does not open as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeyKind {
    /// The control key.
    Control,
    /// The device key.
    Device,
}

impl KeyKind {
    fn name(self) -> &'static str {
        match self {
            Self::Control => "control-key",
            Self::Device => "device-key",
        }
    }
}

/// A passphrase that can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// Too short.
    #[error("a passphrase has at least {PASSPHRASE_CHARS_MIN} characters")]
    TooShort,
    /// Too long.
    #[error("a passphrase has at most {PASSPHRASE_BYTES_MAX} bytes")]
    TooLong,
}

/// A sealed file that does not open.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    /// The file is not what was written.
    #[error("the sealed file is damaged")]
    Damaged,
    /// The passphrase is not the one that it was sealed with.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// This machine has not the memory that the file asks for.
    #[error("not enough memory to open the sealed file")]
    NoMemory,
}

/// A sealed key as its file says it; nothing in it is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sealed {
    /// Which key.
    pub(crate) kind: KeyKind,
    /// Its public half.
    pub(crate) public: DeviceId,
    /// What a guess costs.
    pub(crate) cost: Cost,
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_BYTES],
    ciphertext: Vec<u8>,
}

/// The random bytes of one sealing. Never used twice.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fresh {
    pub(crate) salt: [u8; SALT_BYTES],
    pub(crate) nonce: [u8; NONCE_BYTES],
}

impl Sealed {
    /// Seals a key.
    pub(crate) fn seal(
        kind: KeyKind,
        key: &SecretKey,
        passphrase: &str,
        cost: Cost,
        fresh: Fresh,
    ) -> Result<Self, SealError> {
        let public = key.public().device_id();
        let mut sealed = Self { kind, public, cost, salt: fresh.salt, nonce: fresh.nonce, ciphertext: Vec::new() };
        let header = sealed.header();
        let seed = key.seed();
        let payload = Payload { msg: seed.as_slice(), aad: header.as_bytes() };
        let cipher = sealed.cipher(passphrase)?;
        sealed.ciphertext = cipher.encrypt(&XNonce::from(fresh.nonce), payload).map_err(|_| SealError::Damaged)?;
        Ok(sealed)
    }

    /// Opens it. Slow, also where the passphrase is wrong.
    pub(crate) fn open(&self, passphrase: &str) -> Result<SecretKey, SealError> {
        let header = self.header();
        let payload = Payload { msg: &self.ciphertext, aad: header.as_bytes() };
        let cipher = self.cipher(passphrase)?;
        let opened = cipher.decrypt(&XNonce::from(self.nonce), payload).map_err(|_| SealError::WrongPassphrase)?;
        let opened = Zeroizing::new(opened);
        let seed = Zeroizing::new(<[u8; 32]>::try_from(opened.as_slice()).map_err(|_| SealError::Damaged)?);
        let key = SecretKey::from_seed(&seed).map_err(|_| SealError::Damaged)?;
        if key.public().device_id() == self.public { Ok(key) } else { Err(SealError::Damaged) }
    }

    /// The file's text (`REST-2`).
    pub(crate) fn text(&self) -> String {
        let body = format!("{}{}\n", self.header(), HEXLOWER.encode(&self.ciphertext));
        let checksum = HEXLOWER.encode(&Sha256::digest(body.as_bytes()));
        format!("{body}sha256 {checksum}\n")
    }

    /// Reads a file's text, in no other spelling than [`Sealed::text`] writes.
    pub(crate) fn parse(text: &str) -> Result<Self, SealError> {
        let sealed = Self::read(text).ok_or(SealError::Damaged)?;
        if sealed.text() == text { Ok(sealed) } else { Err(SealError::Damaged) }
    }

    fn read(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut first = lines.next()?.strip_prefix(MAGIC)?.strip_prefix(' ')?.split(' ');
        let kind = [KeyKind::Control, KeyKind::Device].into_iter();
        let name = first.next()?;
        let kind = kind.clone().find(|kind| kind.name() == name)?;
        let public = DeviceId(bytes(first.next()?)?);
        let mut second = lines.next()?.strip_prefix("argon2id ")?.split(' ');
        let mut number = || second.next()?.parse().ok();
        let cost = Cost { memory_kib: number()?, passes: number()?, lanes: number()? };
        let salt = bytes(second.next()?)?;
        let nonce = bytes(lines.next()?.strip_prefix("xchacha20-poly1305 ")?)?;
        let ciphertext = HEXLOWER.decode(lines.next()?.as_bytes()).ok()?;
        cost.params()?;
        Some(Self { kind, public, cost, salt, nonce, ciphertext })
    }

    /// The lines that are associated data: changed by a byte, nothing opens.
    fn header(&self) -> String {
        let Cost { memory_kib, passes, lanes } = self.cost;
        format!(
            "{MAGIC} {} {}\nargon2id {memory_kib} {passes} {lanes} {}\nxchacha20-poly1305 {}\n",
            self.kind.name(),
            HEXLOWER.encode(&self.public.0),
            HEXLOWER.encode(&self.salt),
            HEXLOWER.encode(&self.nonce),
        )
    }

    fn cipher(&self, passphrase: &str) -> Result<XChaCha20Poly1305, SealError> {
        let params = self.cost.params().ok_or(SealError::Damaged)?;
        let passphrase = normal(passphrase);
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.as_bytes(), &self.salt, &mut *key)
            .map_err(|_| SealError::NoMemory)?;
        Ok(XChaCha20Poly1305::new((&*key).into()))
    }
}

/// Refuses a passphrase that is too short or too long to be set.
pub(crate) fn check_passphrase(passphrase: &str) -> Result<(), PassphraseError> {
    let passphrase = normal(passphrase);
    if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
        return Err(PassphraseError::TooShort);
    }
    if passphrase.len() > PASSPHRASE_BYTES_MAX { Err(PassphraseError::TooLong) } else { Ok(()) }
}

/// The same passphrase whatever keyboard it was typed on: NFKC, without white space around it (`REST-3`).
fn normal(passphrase: &str) -> Zeroizing<String> {
    // Room from the start, so that no copy stays behind where it grew.
    let mut normal = Zeroizing::new(String::with_capacity(4 * passphrase.len()));
    normal.extend(passphrase.trim().nfkc());
    normal
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests;
