//! What both sides of a pairing hash: the tag that shows the secret, the commitment, the six digits.

use std::fmt;

use serde_bytes::Bytes;

use super::offer::OfferSecret;
use crate::encoding;
use crate::ids::{DeviceId, Did, Digest};
use crate::keys::Domain;
use crate::network::Network;

/// Six digits that both screens show (`PAIR-4`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Digits(u32);

impl fmt::Display for Digits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:06}", self.0)
    }
}

/// What a pairing is about: the identity, both ends of the connection, the secret of the offer.
#[derive(Debug, Clone)]
pub struct Transcript {
    /// The network.
    pub network: Network,
    /// The identity.
    pub did: Did,
    /// The device that grants.
    pub granter: DeviceId,
    /// The secret of the offer.
    pub secret: OfferSecret,
    /// The peer id of the new device's node, as the connection beneath has authenticated it.
    pub joiner_peer: Vec<u8>,
    /// The peer id of the granting device's node.
    pub granter_peer: Vec<u8>,
}

impl Transcript {
    /// Shows that the new side knows the secret (`PAIR-3`).
    pub fn tag(&self) -> Digest {
        self.digest(&("tag", &self.did, &self.granter, self.secret(), self.joiner(), self.granting()))
    }

    /// What the new side is bound to before it hears the other's nonce (`PAIR-3`).
    pub fn commitment(&self, nonce: &[u8; 32], device: &DeviceId) -> Digest {
        self.digest(&("commitment", Bytes::new(nonce), device))
    }

    /// The digits of both nonces (`PAIR-4`).
    pub fn digits(&self, joiner_nonce: &[u8; 32], granter_nonce: &[u8; 32], device: &DeviceId) -> Digits {
        let digest = self.digest(&(
            "digits",
            &self.did,
            &self.granter,
            self.secret(),
            self.joiner(),
            self.granting(),
            Bytes::new(joiner_nonce),
            Bytes::new(granter_nonce),
            device,
        ));
        let mut first = [0; 8];
        first.copy_from_slice(&digest.0[..8]);
        let digits = u64::from_be_bytes(first) % 1_000_000;
        Digits(u32::try_from(digits).expect("below a million"))
    }

    fn digest<T: serde::Serialize>(&self, parts: &T) -> Digest {
        Digest::of(&[&Domain::Pair.prefix(self.network), &encoding::encode(parts)])
    }

    fn secret(&self) -> &Bytes {
        Bytes::new(self.secret.bytes())
    }

    fn joiner(&self) -> &Bytes {
        Bytes::new(&self.joiner_peer)
    }

    fn granting(&self) -> &Bytes {
        Bytes::new(&self.granter_peer)
    }
}
