//! The key by which push services know the node: VAPID (RFC 8292). Of this node alone, in a file of the data folder.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use crate::run::replace_private;

/// Its file in the data folder, mode 0600. Without it apps must subscribe anew; it opens nothing else.
const FILE: &str = "push.key";
/// How long a proof is good; push services take no more than a day.
const PROOF_SECS: u64 = 12 * 60 * 60;

/// A key that can't be read, made or used.
#[derive(Debug, thiserror::Error)]
pub enum VapidError {
    /// The file can't be read or written.
    #[error("{FILE}: {0}")]
    File(#[from] io::Error),
    /// The file holds something else.
    #[error("{FILE} holds no key; delete it to get a new one, and let your apps subscribe anew")]
    Form,
    /// A key can't be made or used.
    #[error("the system can make no key")]
    Make,
}

/// The key. Its `Debug` form never shows it.
#[derive(Clone)]
pub struct VapidKey {
    pair: Arc<EcdsaKeyPair>,
    public: String,
}

impl VapidKey {
    /// Reads the key of a data folder, or makes one.
    pub fn load_or_create(data_dir: &Path) -> Result<Self, VapidError> {
        let path = data_dir.join(FILE);
        match fs::read(&path).map(Zeroizing::new) {
            Ok(bytes) => Self::of(&bytes),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                let made = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new());
                let made = made.map_err(|_| VapidError::Make)?;
                replace_private(&path, made.as_ref())?;
                Self::of(made.as_ref())
            }
            Err(cause) => Err(cause.into()),
        }
    }

    fn of(pkcs8: &[u8]) -> Result<Self, VapidError> {
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8).map_err(|_| VapidError::Form)?;
        let public = BASE64URL_NOPAD.encode(pair.public_key().as_ref());
        Ok(Self { pair: Arc::new(pair), public })
    }

    /// The public half, as apps want it.
    pub fn public_text(&self) -> &str {
        &self.public
    }

    /// The value of `Authorization` for a push service, and until when a complaint finds whom.
    pub(super) fn authorization(&self, origin: &str, contact: Option<&str>, now_ms: u64) -> Result<String, VapidError> {
        let mut claims = Map::new();
        claims.insert("aud".to_owned(), json!(origin));
        claims.insert("exp".to_owned(), json!(now_ms / 1_000 + PROOF_SECS));
        claims.extend(contact.map(|contact| ("sub".to_owned(), json!(contact))));
        let head = json!({ "typ": "JWT", "alg": "ES256" }).to_string();
        let claims = Value::Object(claims).to_string();
        let said = [head, claims].map(|part| BASE64URL_NOPAD.encode(part.as_bytes())).join(".");
        let proof = self.pair.sign(&SystemRandom::new(), said.as_bytes()).map_err(|_| VapidError::Make)?;
        Ok(format!("vapid t={said}.{}, k={}", BASE64URL_NOPAD.encode(proof.as_ref()), self.public))
    }
}

impl fmt::Debug for VapidKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VapidKey").field("public", &self.public).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_key_is_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let first = VapidKey::load_or_create(folder.path()).unwrap();
        let second = VapidKey::load_or_create(folder.path()).unwrap();
        assert_eq!(first.public_text(), second.public_text());
        assert_eq!(BASE64URL_NOPAD.decode(first.public_text().as_bytes()).unwrap().len(), 65);
        let mode = fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{first:?}").contains("pair"));
        fs::write(folder.path().join(FILE), "no key").unwrap();
        assert!(matches!(VapidKey::load_or_create(folder.path()), Err(VapidError::Form)));
    }

    #[test]
    fn a_proof_is_signed_for_one_push_service_and_ends_within_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let key = VapidKey::load_or_create(folder.path()).unwrap();
        let value = key.authorization("https://push.example", Some("https://xom.example"), 1_000_000).unwrap();
        let (token, public) = value.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        let (said, proof) = token.rsplit_once('.').unwrap();
        let decode = |text: &str| BASE64URL_NOPAD.decode(text.as_bytes()).unwrap();
        let point = decode(public);
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &point).verify(said.as_bytes(), &decode(proof)).unwrap();
        let claims: Value = serde_json::from_slice(&decode(said.split_once('.').unwrap().1)).unwrap();
        assert_eq!(claims, json!({"aud": "https://push.example", "exp": 44_200, "sub": "https://xom.example"}));
    }
}
