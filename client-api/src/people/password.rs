//! Passwords of people: of each only a salted Argon2id hash is kept.

use argon2::{Algorithm, Argon2, Params, Version};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use super::limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, PASSWORD_KIB, PASSWORD_PASSES};

/// Bytes of a salt.
const SALT_BYTES: usize = 16;
/// Bytes of a hash.
const HASH_BYTES: usize = 32;
/// Random bytes of a password that the node makes.
const MADE_BYTES: usize = 15;

/// A password that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too short.
    #[error("is too short (minimum is {PASSWORD_CHARS_MIN} characters)")]
    TooShort,
    /// Too long.
    #[error("is too long (maximum is {PASSWORD_BYTES_MAX} bytes)")]
    TooLong,
    /// The system has no entropy.
    #[error("can't be kept: no entropy from the system: {0}")]
    Entropy(String),
    /// This machine has not the memory.
    #[error("can't be kept: not enough memory")]
    NoMemory,
}

/// What is kept of a password; it can't be turned back.
#[derive(Clone, Serialize, Deserialize)]
pub struct Password {
    salt: [u8; SALT_BYTES],
    hash: [u8; HASH_BYTES],
    kib: u32,
    passes: u32,
}

impl Password {
    /// Takes a new password. Blocking: some 20 ms of work.
    pub fn new(text: &str) -> Result<Self, PasswordError> {
        let text = normal(text);
        if text.chars().count() < PASSWORD_CHARS_MIN {
            return Err(PasswordError::TooShort);
        }
        if text.len() > PASSWORD_BYTES_MAX {
            return Err(PasswordError::TooLong);
        }
        let mut salt = [0; SALT_BYTES];
        getrandom::fill(&mut salt).map_err(|cause| PasswordError::Entropy(cause.to_string()))?;
        let (kib, passes) = (PASSWORD_KIB, PASSWORD_PASSES);
        let hash = hash(&text, &salt, kib, passes).ok_or(PasswordError::NoMemory)?;
        Ok(Self { salt, hash, kib, passes })
    }

    /// Makes a password that nobody can guess.
    pub fn make() -> Result<Zeroizing<String>, PasswordError> {
        let mut seed = Zeroizing::new([0; MADE_BYTES]);
        getrandom::fill(seed.as_mut()).map_err(|cause| PasswordError::Entropy(cause.to_string()))?;
        Ok(Zeroizing::new(data_encoding::BASE32_NOPAD.encode(seed.as_ref()).to_lowercase()))
    }

    /// True if `text` is the password. Blocking, and takes the same time whatever differs.
    pub fn is(&self, text: &str) -> bool {
        let fits = text.len() <= PASSWORD_BYTES_MAX;
        let text = if fits { normal(text) } else { Zeroizing::default() };
        let found = hash(&text, &self.salt, self.kib, self.passes);
        fits && found.is_some_and(|found| found.iter().zip(&self.hash).fold(0, |all, (a, b)| all | (a ^ b)) == 0)
    }

    /// As much work as a guess, for names that nobody has: the time of an answer tells nothing of who is here.
    pub fn reckon_in_vain(text: &str) {
        let text = if text.len() <= PASSWORD_BYTES_MAX { normal(text) } else { Zeroizing::default() };
        std::hint::black_box(hash(&text, &[0; SALT_BYTES], PASSWORD_KIB, PASSWORD_PASSES));
    }
}

/// One text, however a keyboard composes its marks.
fn normal(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.nfc().collect())
}

fn hash(text: &str, salt: &[u8], kib: u32, passes: u32) -> Option<[u8; HASH_BYTES]> {
    let params = Params::new(kib.min(PASSWORD_KIB * 16), passes.min(PASSWORD_PASSES * 16), 1, Some(HASH_BYTES)).ok()?;
    let mut hash = [0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(text.as_bytes(), salt, &mut hash)
        .ok()?;
    Some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_however_its_marks_are_composed_and_nothing_else_is() {
        let kept = Password::new("m\u{1ead}t kh\u{1ea9}u d\u{e0}i").unwrap();
        assert!(kept.is("m\u{1ead}t kh\u{1ea9}u d\u{e0}i"));
        assert!(kept.is("ma\u{323}\u{302}t kha\u{302}\u{309}u da\u{300}i"));
        assert!(!kept.is("mat khau dai"));
        assert!(!kept.is(""));
    }

    #[test]
    fn a_password_has_its_bounds() {
        assert_eq!(Password::new("1234567").err(), Some(PasswordError::TooShort));
        assert_eq!(Password::new(&"x".repeat(1_025)).err(), Some(PasswordError::TooLong));
        assert!(Password::new("12345678").is_ok());
        assert!(!Password::new("12345678").unwrap().is(&"x".repeat(1 << 20)));
    }

    #[test]
    fn r_api_10_what_is_kept_of_a_password_does_not_hold_it_and_differs_each_time() {
        let kept = |text| serde_json::to_string(&Password::new(text).unwrap()).unwrap();
        assert_ne!(kept("correct horse"), kept("correct horse"));
        assert!(!kept("correct horse").contains("horse"));
        assert!(Password::make().unwrap().len() >= 24);
    }
}
