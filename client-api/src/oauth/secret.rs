//! Secrets that are handed out once: made here, kept as hashes.

use data_encoding::BASE64URL_NOPAD;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::registry::RegistryError;

/// Random bytes of a secret.
const SECRET_BYTES: usize = 32;
/// Random bytes of a public id.
const ID_BYTES: usize = 16;

/// A new secret with what it begins with, so that scanners for leaked secrets know it.
pub(super) fn make(prefix: &str) -> Result<Zeroizing<String>, RegistryError> {
    let mut seed = Zeroizing::new([0; SECRET_BYTES]);
    getrandom::fill(seed.as_mut()).map_err(|cause| RegistryError::Entropy(cause.to_string()))?;
    Ok(Zeroizing::new(format!("{prefix}{}", BASE64URL_NOPAD.encode(seed.as_ref()))))
}

/// A new public id.
pub(super) fn make_id() -> Result<String, RegistryError> {
    let mut seed = [0; ID_BYTES];
    getrandom::fill(&mut seed).map_err(|cause| RegistryError::Entropy(cause.to_string()))?;
    Ok(BASE64URL_NOPAD.encode(&seed))
}

/// What is kept of a secret.
pub(super) fn hash(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

/// Compares hashes in the same time whatever differs.
pub(super) fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b)) == 0
}
