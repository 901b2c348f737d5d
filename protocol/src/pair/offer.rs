//! Offers to pair: where the granting node is, a secret that only the text holds, and when it ends.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;
use zeroize::Zeroizing;

use crate::ids::{DeviceId, Did};
use crate::invite::{self, InviteError};
use crate::keys::{Domain, PublicKey, SecretKey, Signature};
use crate::limits::PAIR_OFFER_BYTES_MAX;
use crate::network::Network;
use crate::rule::Rule;

/// What every offer begins with.
const SCHEME: &str = "xom-pair:";

/// Text that is no offer of this network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Longer than an offer may be (`PAIR-1`).
    #[error("an offer has at most {PAIR_OFFER_BYTES_MAX} bytes, this has {bytes}")]
    TooLong {
        /// The length.
        bytes: usize,
    },
    /// Not in the one spelling that an offer has (`PAIR-1`).
    #[error("this is not a whole offer: {0}")]
    Form(&'static str),
    /// An address, the key or the signature is wrong (`PAIR-1`, `ENC-11`, `ENC-12`).
    #[error("offer was changed or is of another network: {0}")]
    Part(#[from] InviteError),
}

impl OfferError {
    /// The rule that the text breaks.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Part(InviteError::Key(e)) => e.rule(),
            Self::TooLong { .. } | Self::Form(_) | Self::Part(_) => Rule("PAIR-1"),
        }
    }
}

/// The secret of an offer: 16 random bytes. Zeroized when dropped; its `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct OfferSecret(Zeroizing<[u8; 16]>);

impl OfferSecret {
    /// From random bytes.
    pub fn new(bytes: [u8; 16]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Debug for OfferSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OfferSecret(hidden)")
    }
}

/// An offer whose form and signature have been checked (`PAIR-1`).
///
/// Its `Display` is the text itself, secret included: for the owner's eyes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    did: Did,
    addresses: Vec<String>,
    expires_ms: u64,
    secret: OfferSecret,
    device: PublicKey,
    signature: Signature,
}

impl Offer {
    /// Makes an offer, signed by the device that will grant.
    pub fn sign(
        network: Network,
        did: Did,
        addresses: Vec<String>,
        expires_ms: u64,
        secret: OfferSecret,
        device: &SecretKey,
    ) -> Result<Self, OfferError> {
        let text = unsigned(&did, &addresses, expires_ms, &secret, &device.public());
        let signature = device.sign(Domain::Pair, network, text.as_bytes());
        let offer = Self { did, addresses, expires_ms, secret, device: device.public(), signature };
        invite::check_addresses(&offer.addresses)?;
        let bytes = offer.text().len();
        if bytes > PAIR_OFFER_BYTES_MAX { Err(OfferError::TooLong { bytes }) } else { Ok(offer) }
    }

    /// Reads an offer and checks its signature.
    pub fn parse(network: Network, text: &str) -> Result<Self, OfferError> {
        if text.len() > PAIR_OFFER_BYTES_MAX {
            return Err(OfferError::TooLong { bytes: text.len() });
        }
        let rest = text.strip_prefix(SCHEME).ok_or(OfferError::Form("it does not begin with xom-pair:"))?;
        let (did, query) = rest.split_once('?').ok_or(OfferError::Form("it ends after the DID"))?;
        let did = did.parse().map_err(|_| OfferError::Form("the DID is not one"))?;
        let offer = Self::parse_query(did, query)?;
        invite::check_addresses(&offer.addresses)?;
        if *offer.text() != text {
            return Err(OfferError::Form("it is not spelled as a node spells it"));
        }
        let message = unsigned(&offer.did, &offer.addresses, offer.expires_ms, &offer.secret, &offer.device);
        let checked = offer.device.verify(Domain::Pair, network, message.as_bytes(), &offer.signature);
        checked.map_err(InviteError::Key)?;
        Ok(offer)
    }

    /// The identity that the new device is to join.
    pub fn did(&self) -> Did {
        self.did
    }

    /// Multiaddresses of the granting node, as text.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// When it ends, milliseconds since 1970 by the granting node's clock.
    pub fn expires_ms(&self) -> u64 {
        self.expires_ms
    }

    /// The secret.
    pub fn secret(&self) -> &OfferSecret {
        &self.secret
    }

    /// The device that grants.
    pub fn device(&self) -> DeviceId {
        self.device.device_id()
    }

    /// The whole text.
    pub fn text(&self) -> Zeroizing<String> {
        let unsigned = unsigned(&self.did, &self.addresses, self.expires_ms, &self.secret, &self.device);
        Zeroizing::new(format!("{}&s={}", *unsigned, BASE64URL_NOPAD.encode(&self.signature.0)))
    }

    /// Addresses, then end, secret, device, signature; nothing else.
    fn parse_query(did: Did, query: &str) -> Result<Self, OfferError> {
        let mut parts = query.split('&').peekable();
        let mut addresses = Vec::new();
        while let Some(address) = parts.peek().and_then(|part| part.strip_prefix("a=")) {
            addresses.push(invite::percent_decoded(address).ok_or(InviteError::Addresses)?);
            parts.next();
        }
        let form = OfferError::Form;
        let expires = parts.next().and_then(|part| part.strip_prefix("t="));
        let expires_ms = expires.and_then(|text| text.parse().ok()).ok_or(form("its end is missing"))?;
        let secret = invite::fixed_bytes(parts.next(), "k=").ok_or(form("the secret is missing or cut off"))?;
        let device = invite::fixed_bytes(parts.next(), "d=").ok_or(form("the device is missing or cut off"))?;
        let signature = invite::fixed_bytes(parts.next(), "s=").ok_or(form("the signature is missing or cut off"))?;
        if parts.next().is_some() {
            return Err(form("something follows the signature"));
        }
        let device = PublicKey::from_bytes(&device).map_err(InviteError::Key)?;
        let secret = OfferSecret::new(secret);
        Ok(Self { did, addresses, expires_ms, secret, device, signature: Signature(signature) })
    }
}

/// The text before `&s=`, which is what is signed.
fn unsigned(
    did: &Did,
    addresses: &[String],
    expires_ms: u64,
    secret: &OfferSecret,
    device: &PublicKey,
) -> Zeroizing<String> {
    let addresses: String =
        addresses.iter().map(|address| format!("a={}&", invite::percent_encoded(address))).collect();
    let secret = Zeroizing::new(BASE64URL_NOPAD.encode(secret.bytes()));
    let device = BASE64URL_NOPAD.encode(&device.to_bytes());
    Zeroizing::new(format!("{SCHEME}{did}?{addresses}t={expires_ms}&k={}&d={device}", *secret))
}
