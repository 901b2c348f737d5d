//! Keys and signatures: ed25519, strict verification only, and a domain before every signed byte.

#[cfg(test)]
mod third_party;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::ids::DeviceId;
use crate::network::Network;
use crate::rule::Rule;

/// What kind of object a signature is over. A signature of one kind is never valid for another (`ENC-10`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Domain {
    /// A genesis payload or an operation payload of an identity log.
    Identity,
    /// A device statement.
    Statement,
    /// An entry header.
    Entry,
    /// A control key's order to purge an erased body at once.
    Purge,
    /// An invite.
    Invite,
    /// The derivation of a log id; nothing is signed under it.
    LogId,
    /// The commitment to a body; nothing is signed under it.
    Body,
    /// A guardian's approval of a recovery.
    Recovery,
    /// A peer's proof, on one connection, that it holds a device key.
    Handshake,
    /// An offer to pair; also the digests of a pairing.
    Pair,
    /// A holder's answer to an erasure.
    Receipt,
    /// A question to a keeper.
    KeepQuestion,
    /// What a holder says that it holds.
    Holding,
    /// The key of an identity in the table of who is where; nothing is signed under it.
    Find,
    /// The derivation of a topic; nothing is signed under it.
    Topic,
    /// By which an announcement is known again; nothing is signed under it.
    Announcement,
}

impl Domain {
    fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Statement => "statement",
            Self::Entry => "entry",
            Self::Purge => "purge",
            Self::Invite => "invite",
            Self::LogId => "log-id",
            Self::Body => "body",
            Self::Recovery => "recovery",
            Self::Handshake => "handshake",
            Self::Pair => "pair",
            Self::Receipt => "receipt",
            Self::KeepQuestion => "keep-question",
            Self::Holding => "holding",
            Self::Find => "find",
            Self::Topic => "topic",
            Self::Announcement => "announcement",
        }
    }

    /// The prefix: `xom/1/<kind>/<network>` and a zero byte (`ENC-10`).
    pub fn prefix(self, network: Network) -> Vec<u8> {
        format!("xom/1/{}/{}\0", self.name(), network).into_bytes()
    }
}

/// A key or signature that can't be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not a point, not canonically encoded, or of small order (`ENC-11`).
    #[error("public key is not a usable ed25519 key")]
    PublicKey,
    /// Strict verification failed (`ENC-12`).
    #[error("signature is not valid")]
    Signature,
    /// A seed of zeros: the entropy source is broken (`ENC-13`).
    #[error("secret key is all zero; the entropy source is broken")]
    ZeroSeed,
}

impl KeyError {
    /// The rule that is broken.
    pub fn rule(&self) -> Rule {
        Rule(match self {
            Self::PublicKey => "ENC-11",
            Self::Signature => "ENC-12",
            Self::ZeroSeed => "ENC-13",
        })
    }
}

/// A public key that has been checked: a canonical point that is not of small order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// Checks 32 bytes (`ENC-11`).
    pub fn from_bytes(bytes: &[u8; 32]) -> Result<Self, KeyError> {
        let key = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::PublicKey)?;
        let canonical = key.to_edwards().compress().as_bytes() == bytes;
        if canonical && !key.is_weak() { Ok(Self(key)) } else { Err(KeyError::PublicKey) }
    }

    /// The 32 bytes.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// The id of the device that holds this key.
    pub fn device_id(&self) -> DeviceId {
        DeviceId(self.to_bytes())
    }

    /// Checks a signature over `domain` and `bytes`, strictly (`ENC-12`).
    pub fn verify(
        &self,
        domain: Domain,
        network: Network,
        bytes: &[u8],
        signature: &Signature,
    ) -> Result<(), KeyError> {
        let mut message = domain.prefix(network);
        message.extend_from_slice(bytes);
        self.check(&message, signature)
    }

    /// The one place where a signature is judged.
    fn check(&self, message: &[u8], signature: &Signature) -> Result<(), KeyError> {
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        self.0.verify_strict(message, &signature).map_err(|_| KeyError::Signature)
    }
}

impl PartialOrd for PublicKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PublicKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.as_bytes().cmp(other.0.as_bytes())
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(self.0.as_bytes())
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let bytes = serde_bytes::ByteArray::<32>::deserialize(from)?;
        Self::from_bytes(&bytes).map_err(de::Error::custom)
    }
}

/// An ed25519 signature as it came; holding one proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        serde_bytes::ByteArray::<64>::deserialize(from).map(|bytes| Self(bytes.into_array()))
    }
}

/// A secret key. Zeroized when dropped; its `Debug` shows nothing.
///
/// It stays at one place in memory: a key that is moved about would leave a copy wherever it was.
#[derive(Clone)]
pub struct SecretKey(Box<SigningKey>);

impl SecretKey {
    /// Makes a key from 32 bytes of entropy; refuses zeros (`ENC-13`).
    pub fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyError> {
        if seed == &[0; 32] {
            return Err(KeyError::ZeroSeed);
        }
        Ok(Self(Box::new(SigningKey::from_bytes(seed))))
    }

    /// The seed, for sealing and storing.
    pub fn seed(&self) -> zeroize::Zeroizing<[u8; 32]> {
        zeroize::Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }

    /// Signs `bytes` under `domain`.
    pub fn sign(&self, domain: Domain, network: Network, bytes: &[u8]) -> Signature {
        let mut message = domain.prefix(network);
        message.extend_from_slice(bytes);
        Signature(self.0.sign(&message).to_bytes())
    }
}

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_holds_for_its_domain_and_network_only() {
        let alice = SecretKey::from_seed(&[1; 32]).expect("seed");
        let signature = alice.sign(Domain::Entry, Network::MAIN, b"x");
        let check = |domain, network, bytes: &[u8]| alice.public().verify(domain, network, bytes, &signature);
        let other = "test".parse().expect("name");
        assert_eq!(check(Domain::Entry, Network::MAIN, b"x"), Ok(()));
        assert_eq!(check(Domain::Statement, Network::MAIN, b"x"), Err(KeyError::Signature));
        assert_eq!(check(Domain::Entry, other, b"x"), Err(KeyError::Signature));
        assert_eq!(check(Domain::Entry, Network::MAIN, b"y"), Err(KeyError::Signature));
    }

    #[test]
    fn weak_and_non_canonical_keys_are_refused() {
        let mut identity = [0; 32];
        identity[0] = 1;
        let mut non_canonical = [0xff; 32];
        non_canonical[0] = 0xee;
        non_canonical[31] = 0x7f;
        for bad in [[0; 32], identity, non_canonical] {
            assert_eq!(PublicKey::from_bytes(&bad), Err(KeyError::PublicKey), "{bad:02x?}");
        }
        assert_eq!(SecretKey::from_seed(&[0; 32]).map(|_| ()), Err(KeyError::ZeroSeed));
    }
}
