//! The beginning: versions, networks, nonces, and proofs that a peer holds a device key.
//!
//! A proof says that a key is held, and nothing of what an identity makes of that key.

use super::input::SessionConfig;
use super::message::{Claim, Hello, SaltedId};
use super::refusal::Refusal;
use crate::encoding;
use crate::ids::{DeviceId, Did, Digest, LogId};
use crate::keys::{Domain, KeyError, PublicKey};
use crate::limits::SALTED_ID_BYTES;
use crate::log::Position;
use crate::network::Network;

/// The highest version of the conversation that this code speaks (`SYN-2`).
pub const SYNC_VERSION: u64 = 2;

/// From this version on sets are compared by spans (`SYN-24`).
pub(super) const SPANS_VERSION: u64 = 2;

/// What both sides agree on once each has the other's hello.
#[derive(Debug, Clone)]
pub(super) struct Agreement {
    pub(super) version: u64,
    pub(super) salter: Salter,
    pub(super) their_nonce: [u8; 32],
    /// Ours is the lower nonce: we begin where sets are compared by spans (`SYN-24`).
    pub(super) begins: bool,
    pub(super) their_epoch: u64,
    /// Our counter that they acknowledged; none asks us for a full offer.
    pub(super) since: Option<u64>,
}

/// Our first message.
pub(super) fn hello(config: &SessionConfig, resume: Option<(u64, u64)>) -> Hello {
    let network = config.network.as_str().to_owned();
    Hello { version: SYNC_VERSION, network, nonce: config.nonce, epoch: config.epoch, resume }
}

/// Judges their first message (`SYN-2`, `SYN-3`, `SYN-6`).
pub(super) fn agree(config: &SessionConfig, counter: u64, theirs: &Hello) -> Result<Agreement, Refusal> {
    Refusal::unless(theirs.version >= 1, "SYN-2", "a version below 1")?;
    Refusal::unless(theirs.network == config.network.as_str(), "SYN-3", "another network")?;
    Refusal::unless(theirs.nonce != config.nonce, "SYN-3", "our own nonce")?;
    let acknowledged = theirs.resume.filter(|(epoch, acked)| *epoch == config.epoch && *acked <= counter);
    Ok(Agreement {
        version: theirs.version.min(SYNC_VERSION),
        salter: Salter::new(config.nonce, theirs.nonce),
        their_nonce: theirs.nonce,
        begins: config.nonce < theirs.nonce,
        their_epoch: theirs.epoch,
        since: acknowledged.map(|(_, acked)| acked),
    })
}

/// What a proof is bound to: one session on one connection, in one direction (`SYN-4`).
#[derive(Debug, Clone)]
pub struct ProofContext<'a> {
    /// The network.
    pub network: Network,
    /// The agreed version.
    pub version: u64,
    /// The nonce of the side that proves.
    pub prover_nonce: [u8; 32],
    /// The nonce of the side that checks.
    pub checker_nonce: [u8; 32],
    /// The peer id of the side that proves.
    pub prover_peer_id: &'a [u8],
    /// The peer id of the side that checks.
    pub checker_peer_id: &'a [u8],
}

impl ProofContext<'_> {
    /// The bytes that are signed under [`Domain::Handshake`].
    pub fn signed_bytes(&self, did: &Did, device: &DeviceId) -> Vec<u8> {
        let bytes = serde_bytes::Bytes::new;
        encoding::encode(&(
            self.version,
            bytes(&self.prover_nonce),
            bytes(&self.checker_nonce),
            bytes(self.prover_peer_id),
            bytes(self.checker_peer_id),
            did,
            device,
        ))
    }
}

/// Checks that the prover holds the device's key (`SYN-4`).
pub fn verify(context: &ProofContext<'_>, claim: &Claim) -> Result<(), KeyError> {
    let key = PublicKey::from_bytes(&claim.device.0)?;
    let signed = context.signed_bytes(&claim.did, &claim.device);
    key.verify(Domain::Handshake, context.network, &signed, &claim.signature)
}

/// Our proofs, once we know their nonce (`SYN-4`).
pub(super) fn prove(config: &SessionConfig, agreement: &Agreement) -> Vec<Claim> {
    let context = ProofContext {
        network: config.network,
        version: agreement.version,
        prover_nonce: config.nonce,
        checker_nonce: agreement.their_nonce,
        prover_peer_id: &config.our_peer_id,
        checker_peer_id: &config.their_peer_id,
    };
    let claim = |device: &super::LocalDevice| {
        let (did, id) = (device.did, device.key.public().device_id());
        let signed = context.signed_bytes(&did, &id);
        Claim { did, device: id, signature: device.key.sign(Domain::Handshake, config.network, &signed) }
    };
    config.devices.iter().map(claim).collect()
}

/// Checks their proofs (`SYN-4`).
pub(super) fn check_proofs(config: &SessionConfig, agreement: &Agreement, claims: &[Claim]) -> Result<(), Refusal> {
    let context = ProofContext {
        network: config.network,
        version: agreement.version,
        prover_nonce: agreement.their_nonce,
        checker_nonce: config.nonce,
        prover_peer_id: &config.their_peer_id,
        checker_peer_id: &config.our_peer_id,
    };
    let refused = |e: KeyError| Refusal::grave("SYN-4", e.to_string());
    claims.iter().try_for_each(|claim| verify(&context, claim).map_err(refused))
}

/// Salts ids for one session (`SYN-5`).
#[derive(Debug, Clone, Copy)]
pub struct Salter {
    lower: [u8; 32],
    higher: [u8; 32],
}

impl Salter {
    /// From the nonces of both sides, in either order.
    pub fn new(ours: [u8; 32], theirs: [u8; 32]) -> Self {
        Self { lower: ours.min(theirs), higher: ours.max(theirs) }
    }

    /// The salted id of a log.
    pub fn log(&self, log: &LogId) -> SaltedId {
        self.salt(&log.0)
    }

    /// The salted id of an identity.
    pub fn identity(&self, network: Network, did: &Did) -> SaltedId {
        self.salt(&identity_id(network, did))
    }

    /// Where a side stands in a log, salted (`SYN-25`).
    pub fn log_stand(&self, log: &LogId, position: &Position) -> [u8; 8] {
        let head = position.head.as_ref().map_or(&[][..], |head| &head.0);
        self.stand(&log.0, &position.height.to_be_bytes(), head)
    }

    /// What a side holds of an identity, salted (`SYN-25`).
    pub fn identity_stand(&self, network: Network, did: &Did, digest: Option<&Digest>) -> [u8; 8] {
        let held = digest.map_or(&[][..], |digest| &digest.0);
        self.stand(&identity_id(network, did), &[u8::from(digest.is_some())], held)
    }

    fn stand(&self, id: &[u8; 32], first: &[u8], then: &[u8]) -> [u8; 8] {
        let digest = Digest::of(&[&self.lower, &self.higher, id, first, then]);
        let mut stand = [0; 8];
        stand.copy_from_slice(&digest.0[..8]);
        stand
    }

    fn salt(&self, id: &[u8; 32]) -> SaltedId {
        let digest = Digest::of(&[&self.lower, &self.higher, id]);
        let mut salted = [0; SALTED_ID_BYTES];
        salted.copy_from_slice(&digest.0[..SALTED_ID_BYTES]);
        salted
    }
}

/// The id of an identity, beside those of logs (`SYN-5`).
fn identity_id(network: Network, did: &Did) -> [u8; 32] {
    Digest::of(&[&Domain::LogId.prefix(network), &did.0, b"identity"]).0
}
