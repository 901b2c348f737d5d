//! The W3C DID document of an identity (DID Core 1.0, Multikey), for anything that resolves DIDs.

use cid::multibase::{self, Base};
use serde::{Deserialize, Serialize};

use super::state::IdentityState;
use crate::ids::{DeviceId, Did};

/// The multicodec prefix of an ed25519 public key.
const ED25519_MULTICODEC: [u8; 2] = [0xed, 0x01];

/// A DID document (`ID-13`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DidDocument {
    /// The vocabularies.
    #[serde(rename = "@context")]
    pub context: Vec<String>,
    /// The DID.
    pub id: String,
    /// Control keys, then live devices.
    pub verification_method: Vec<VerificationMethod>,
    /// Live devices: what can log in.
    pub authentication: Vec<String>,
    /// Live devices: what can sign entries.
    pub assertion_method: Vec<String>,
    /// Control keys: what can change the identity.
    pub capability_invocation: Vec<String>,
    /// Where live devices can be reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service: Vec<Service>,
}

/// What a resolver says about a DID document (`ID-13`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentMetadata {
    /// True once the identity is retired.
    pub deactivated: bool,
    /// The id of the newest operation of the identity log.
    pub version_id: String,
}

/// A key of a DID document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VerificationMethod {
    /// The DID, `#` and the key.
    pub id: String,
    /// `Multikey`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The DID.
    pub controller: String,
    /// The key: base58btc of the multicodec prefix and the 32 bytes.
    pub public_key_multibase: String,
}

/// A device's addresses in a DID document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// The DID, `#sync-` and the device's key.
    pub id: String,
    /// `XomNode`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The addresses.
    pub service_endpoint: ServiceEndpoint,
}

/// Where a node listens; a map, because multiaddresses are not URIs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceEndpoint {
    /// Multiaddresses.
    pub multiaddrs: Vec<String>,
}

impl IdentityState {
    /// The DID document of this state (`ID-13`).
    pub fn document(&self) -> DidDocument {
        let in_force = self.control.keys.iter().filter(|_| self.retired.is_none());
        let control: Vec<String> = in_force.map(multikey).collect();
        let devices: Vec<String> = self.live_devices().map(|(id, _)| multikey(id)).collect();
        let ids = |keys: &[String]| keys.iter().map(|key| format!("{}#{key}", self.did)).collect::<Vec<_>>();
        let methods = control.iter().chain(devices.iter().filter(|device| !control.contains(device)));
        let reachable = self.live_devices().filter(|(_, device)| !device.services.is_empty());
        DidDocument {
            context: vec![
                "https://www.w3.org/ns/did/v1".to_owned(),
                "https://w3id.org/security/multikey/v1".to_owned(),
            ],
            id: self.did.to_string(),
            verification_method: methods.map(|key| VerificationMethod::of(&self.did, key)).collect(),
            authentication: ids(&devices),
            assertion_method: ids(&devices),
            capability_invocation: ids(&control),
            service: reachable.map(|(id, device)| Service::of(&self.did, id, &device.services)).collect(),
        }
    }
}

impl IdentityState {
    /// What a resolver says about the document (`ID-13`).
    pub fn document_metadata(&self) -> DocumentMetadata {
        DocumentMetadata { deactivated: self.retired.is_some(), version_id: self.head.to_string() }
    }
}

impl VerificationMethod {
    fn of(did: &Did, key: &str) -> Self {
        Self {
            id: format!("{did}#{key}"),
            kind: "Multikey".to_owned(),
            controller: did.to_string(),
            public_key_multibase: key.to_owned(),
        }
    }
}

impl Service {
    fn of(did: &Did, device: &DeviceId, addresses: &[String]) -> Self {
        Self {
            id: format!("{did}#sync-{}", multikey(device)),
            kind: "XomNode".to_owned(),
            service_endpoint: ServiceEndpoint { multiaddrs: addresses.to_vec() },
        }
    }
}

/// The Multikey form of an ed25519 key.
fn multikey(key: &DeviceId) -> String {
    multibase::encode(Base::Base58Btc, [ED25519_MULTICODEC.as_slice(), &key.0].concat())
}
