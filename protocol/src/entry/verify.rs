//! From a signed entry to a verified one.

use super::{Header, HeaderError, SaltedBody, SignedEntry, commitment, size_class};
use crate::ids::{Digest, EntryId};
use crate::keys::{Domain, KeyError, PublicKey, Signature};
use crate::network::Network;
use crate::rule::Rule;

/// An entry that can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The header (`LOG-2` to `LOG-8`).
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The signature is missing where the entry stands alone (`LOG-9`).
    #[error("entry {seq} stands alone without a signature")]
    Unsigned {
        /// The place in the log.
        seq: u64,
    },
    /// The signature is wrong (`ENC-12`).
    #[error("entry {seq}: {source}")]
    Signature {
        /// The place in the log.
        seq: u64,
        /// What is wrong.
        source: KeyError,
    },
    /// The body does not hash to the commitment, or its size is not of the size class (`LOG-6`): a
    /// transport error, the header stands.
    #[error("entry {seq}: body does not match what the header commits to")]
    BodyMismatch {
        /// The place in the log.
        seq: u64,
    },
}

impl EntryError {
    /// The rule that the entry breaks.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Header(e) => e.rule(),
            Self::Unsigned { .. } => Rule("LOG-9"),
            Self::Signature { source, .. } => source.rule(),
            Self::BodyMismatch { .. } => Rule("LOG-6"),
        }
    }
}

/// An entry whose signature coverage, header and body commitment have been checked.
///
/// Only the functions of `xom-protocol` that verify make one, so holding it is the proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEntry {
    id: EntryId,
    header: Header,
    header_bytes: Vec<u8>,
    signature: Option<Signature>,
    body: Option<SaltedBody>,
}

impl VerifiedEntry {
    /// Only for code that has just done the checks.
    pub(crate) fn new(
        header: Header,
        header_bytes: Vec<u8>,
        signature: Option<Signature>,
        body: Option<SaltedBody>,
    ) -> Self {
        let id = EntryId(Header::hash(&header_bytes).0);
        Self { id, header, header_bytes, signature, body }
    }

    /// The id.
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// The header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The header's bytes as they came.
    pub fn header_bytes(&self) -> &[u8] {
        &self.header_bytes
    }

    /// The verified signature, where one travels.
    pub fn signature(&self) -> Option<&Signature> {
        self.signature.as_ref()
    }

    /// The body, where it is held.
    pub fn body(&self) -> Option<&SaltedBody> {
        self.body.as_ref()
    }

    /// What the next header of the log links to.
    pub fn hash(&self) -> Digest {
        Digest(self.id.0)
    }

    /// The entry without its body, as it is after a purge.
    pub fn without_body(mut self) -> Self {
        self.body = None;
        self
    }

    /// The entry as it travels.
    pub fn to_signed(&self) -> SignedEntry {
        SignedEntry { header: self.header_bytes.clone(), signature: self.signature, body: self.body.clone() }
    }
}

/// Verifies one entry by its own signature, under the device's key.
///
/// Says nothing of its place in a chain: that is [`crate::log::verify_run`]'s.
pub fn verify_signed(network: Network, key: &PublicKey, entry: SignedEntry) -> Result<VerifiedEntry, EntryError> {
    let header = Header::decode(&entry.header)?;
    let seq = header.seq;
    let signature = entry.signature.ok_or(EntryError::Unsigned { seq })?;
    let own_key = key.device_id() == header.device;
    let verified = key.verify(Domain::Entry, network, &entry.header, &signature);
    verified
        .and(if own_key { Ok(()) } else { Err(KeyError::Signature) })
        .map_err(|source| EntryError::Signature { seq, source })?;
    if let Some(body) = &entry.body {
        verify_body(network, &header, body)?;
    }
    Ok(VerifiedEntry::new(header, entry.header, Some(signature), entry.body))
}

/// Checks a body against its header (`LOG-6`).
pub fn verify_body(network: Network, header: &Header, body: &SaltedBody) -> Result<(), EntryError> {
    let right_class = size_class(body.bytes.len()) == Some(header.size_class);
    if right_class && commitment(network, &body.salt, &body.bytes) == header.commitment {
        Ok(())
    } else {
        Err(EntryError::BodyMismatch { seq: header.seq })
    }
}
