//! Invites: a DID, addresses where it may be found, and a device's signature, in one short text that
//! fits a link and a QR code.

use std::fmt;

use data_encoding::BASE64URL_NOPAD;

use crate::identity::is_address;
use crate::ids::{DeviceId, Did};
use crate::keys::{Domain, KeyError, PublicKey, SecretKey, Signature};
use crate::limits::{INVITE_ADDRESSES_MAX, INVITE_BYTES_MAX};
use crate::network::Network;
use crate::rule::Rule;

/// What every invite begins with.
const SCHEME: &str = "xom:";

/// Text that is not an invite of this network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InviteError {
    /// Longer than an invite may be (`ID-14`).
    #[error("an invite has at most {INVITE_BYTES_MAX} bytes, this has {bytes}")]
    TooLong {
        /// The length.
        bytes: usize,
    },
    /// Not in the one spelling that an invite has (`ID-14`).
    #[error("this is not a whole invite: {0}")]
    Form(&'static str),
    /// Too many addresses, or one that is empty, too long or not printable ASCII (`ID-14`).
    #[error("an invite has at most {INVITE_ADDRESSES_MAX} addresses of printable ASCII")]
    Addresses,
    /// The device's key or signature (`ENC-11`, `ENC-12`).
    #[error("invite was changed or is of another network: {0}")]
    Key(#[from] KeyError),
}

impl InviteError {
    /// The rule that the text breaks.
    pub fn rule(&self) -> Rule {
        match self {
            Self::TooLong { .. } | Self::Form(_) | Self::Addresses => Rule("ID-14"),
            Self::Key(e) => e.rule(),
        }
    }
}

/// An invite whose form and signature have been checked (`ID-14`).
///
/// That the device belongs to the identity can only be checked once the identity is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invite {
    did: Did,
    addresses: Vec<String>,
    device: PublicKey,
    signature: Signature,
}

impl Invite {
    /// Makes an invite, signed by a device of the identity.
    pub fn sign(network: Network, did: Did, addresses: Vec<String>, device: &SecretKey) -> Result<Self, InviteError> {
        let text = unsigned(&did, &addresses, &device.public());
        let signature = device.sign(Domain::Invite, network, text.as_bytes());
        let invite = Self { did, addresses, device: device.public(), signature };
        invite.check()?;
        Ok(invite)
    }

    /// Reads an invite and checks its signature.
    pub fn parse(network: Network, text: &str) -> Result<Self, InviteError> {
        if text.len() > INVITE_BYTES_MAX {
            return Err(InviteError::TooLong { bytes: text.len() });
        }
        let rest = text.strip_prefix(SCHEME).ok_or(InviteError::Form("it does not begin with xom:"))?;
        let (did, query) = rest.split_once('?').ok_or(InviteError::Form("it ends after the DID"))?;
        let did = did.parse().map_err(|_| InviteError::Form("the DID is not one"))?;
        let (addresses, device, signature) = parse_query(query)?;
        let invite = Self { did, addresses, device, signature };
        invite.check()?;
        if invite.to_string() != text {
            return Err(InviteError::Form("it is not spelled as a node spells it"));
        }
        let message = unsigned(&invite.did, &invite.addresses, &invite.device);
        invite.device.verify(Domain::Invite, network, message.as_bytes(), &invite.signature)?;
        Ok(invite)
    }

    /// Whom it invites to.
    pub fn did(&self) -> Did {
        self.did
    }

    /// Multiaddresses as text; this crate does not read them.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// The device that signed it.
    pub fn device(&self) -> DeviceId {
        self.device.device_id()
    }

    fn check(&self) -> Result<(), InviteError> {
        check_addresses(&self.addresses)?;
        let bytes = self.to_string().len();
        if bytes > INVITE_BYTES_MAX { Err(InviteError::TooLong { bytes }) } else { Ok(()) }
    }
}

impl fmt::Display for Invite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unsigned = unsigned(&self.did, &self.addresses, &self.device);
        write!(f, "{unsigned}&s={}", BASE64URL_NOPAD.encode(&self.signature.0))
    }
}

/// Checks how many addresses there are, and each of them.
pub(crate) fn check_addresses(addresses: &[String]) -> Result<(), InviteError> {
    let fits = addresses.len() <= INVITE_ADDRESSES_MAX;
    if fits && addresses.iter().all(|address| is_address(address)) { Ok(()) } else { Err(InviteError::Addresses) }
}

/// The text before `&s=`, which is what is signed.
fn unsigned(did: &Did, addresses: &[String], device: &PublicKey) -> String {
    let addresses: String = addresses.iter().map(|address| format!("a={}&", percent_encoded(address))).collect();
    format!("{SCHEME}{did}?{addresses}d={}", BASE64URL_NOPAD.encode(&device.to_bytes()))
}

/// Addresses, then the device, then the signature; nothing else.
fn parse_query(query: &str) -> Result<(Vec<String>, PublicKey, Signature), InviteError> {
    let mut parts = query.split('&').peekable();
    let mut addresses = Vec::new();
    while let Some(address) = parts.peek().and_then(|part| part.strip_prefix("a=")) {
        addresses.push(percent_decoded(address).ok_or(InviteError::Addresses)?);
        parts.next();
    }
    let device = fixed_bytes(parts.next(), "d=").ok_or(InviteError::Form("the device is missing or cut off"))?;
    let signature = fixed_bytes(parts.next(), "s=").ok_or(InviteError::Form("the signature is missing or cut off"))?;
    match parts.next() {
        Some(_) => Err(InviteError::Form("something follows the signature")),
        None => Ok((addresses, PublicKey::from_bytes(&device)?, Signature(signature))),
    }
}

pub(crate) fn fixed_bytes<const N: usize>(part: Option<&str>, name: &str) -> Option<[u8; N]> {
    let encoded = part?.strip_prefix(name)?;
    BASE64URL_NOPAD.decode(encoded.as_bytes()).ok()?.try_into().ok()
}

pub(crate) fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/:".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
        encoded
    })
}

pub(crate) fn percent_decoded(text: &str) -> Option<String> {
    let (mut decoded, mut bytes) = (Vec::new(), text.bytes());
    while let Some(byte) = bytes.next() {
        let value = match byte {
            b'%' => hex_digit(bytes.next()?)? << 4 | hex_digit(bytes.next()?)?,
            other => other,
        };
        decoded.push(value);
    }
    String::from_utf8(decoded).ok()
}

fn hex_digit(digit: u8) -> Option<u8> {
    u8::try_from(char::from(digit).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phrase::Phrase;

    const LAN: &str = "/ip4/192.168.1.7/udp/7767/quic-v1";

    fn alice() -> (Did, SecretKey) {
        let phrase = Phrase::from_entropy(&[7; 32]).expect("entropy");
        (Did(phrase.genesis(Network::MAIN).id().0), phrase.device_key())
    }

    fn invite(addresses: &[&str]) -> Result<Invite, InviteError> {
        let (did, device) = alice();
        Invite::sign(Network::MAIN, did, addresses.iter().map(|text| (*text).to_owned()).collect(), &device)
    }

    fn check(text: &str, want: &str) {
        let got = Invite::parse(Network::MAIN, text).expect_err(text);
        assert_eq!(got.rule().0, want, "{text}: {got}");
    }

    #[test]
    fn an_invite_reads_back_and_is_short() {
        let strange = "/dns/xn--xm-gia.example/tcp/7767/x?&=%#é".replace('é', "~");
        for addresses in [vec![], vec![LAN], vec![LAN, strange.as_str(), "/ip6/::1/tcp/1"]] {
            let invite = invite(&addresses).expect("good");
            assert_eq!(Invite::parse(Network::MAIN, &invite.to_string()), Ok(invite.clone()));
            assert_eq!(invite.addresses(), addresses);
            assert_eq!((invite.did(), invite.device()), (alice().0, alice().1.public().device_id()));
        }
        assert!(invite(&[LAN]).expect("good").to_string().len() < 250);
    }

    #[test]
    fn a_changed_invite_is_refused() {
        let text = invite(&[LAN]).expect("good").to_string();
        check(&text.replace("192.168.1.7", "192.168.1.8"), "ENC-12");
        check(&text.replace("quic", "%71uic"), "ID-14");
        check(&text.replace("xom:did:xom:", "xom:DID:xom:"), "ID-14");
        check(&text.replace("&d=", "&x=1&d="), "ID-14");
        check(&format!("{text}&x=1"), "ID-14");
        check(&format!("{text}="), "ID-14");
        check(&text[..text.len() - 1], "ID-14");
        check(&text.replace("xom:", "mox:"), "ID-14");
        check(text.split("&s=").next().unwrap_or_default(), "ID-14");
        check("xom:did:xom:", "ID-14");
        check("xom:did:xom:a?a=%", "ID-14");
        check(&"x".repeat(INVITE_BYTES_MAX + 1), "ID-14");
    }

    #[test]
    fn an_invite_is_of_one_network() {
        let text = invite(&[LAN]).expect("good").to_string();
        let other = Invite::parse("test".parse().expect("name"), &text).map(|_| ());
        assert_eq!(other, Err(InviteError::Key(KeyError::Signature)));
    }

    #[test]
    fn an_invite_holds_few_short_addresses() {
        assert_eq!(invite(&[LAN; INVITE_ADDRESSES_MAX]).map(|_| ()), Ok(()));
        assert_eq!(invite(&[LAN; INVITE_ADDRESSES_MAX + 1]).map(|_| ()), Err(InviteError::Addresses));
        assert_eq!(invite(&["/dns/é"]).map(|_| ()), Err(InviteError::Addresses));
        assert_eq!(invite(&[""]).map(|_| ()), Err(InviteError::Addresses));
        let long = "/".repeat(250);
        let too_long = invite(&[long.as_str(); 4]).map(|_| ());
        assert!(matches!(too_long, Err(InviteError::TooLong { .. })), "{too_long:?}");
    }
}
