//! Fork proofs: what shows anyone that a device signed two entries for one place.

use serde::{Deserialize, Serialize};

use super::{BranchHashes, ForkPoint};
use crate::encoding::{self, EncodingError};
use crate::entry::{Header, HeaderError, VerifiedEntry};
use crate::ids::{DeviceId, Did, Digest};
use crate::keys::{Domain, KeyError, PublicKey, Signature};
use crate::limits::{FORK_BRANCH_HEADERS_MAX, FORK_BRANCHES_MAX, FORK_PROOF_BYTES_MAX};
use crate::network::Network;
use crate::rule::Rule;

/// A proof as it travels: two branches, the one whose first header has the lower hash first (`LOG-13`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ForkProof {
    branches: Vec<Vec<SignedHeader>>,
}

/// A header of a branch, with its signature where one is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct SignedHeader(#[serde(with = "serde_bytes")] Vec<u8>, Option<Signature>);

/// A fork that has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fork {
    /// The identity.
    pub author: Did,
    /// The device that signed twice.
    pub device: DeviceId,
    /// Where.
    pub point: ForkPoint,
    /// The two branches.
    pub branches: [Branch; FORK_BRANCHES_MAX],
}

/// One branch of a fork, from the fork up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Branch {
    /// The place of its first header.
    pub seq: u64,
    /// The hashes of its headers.
    pub hashes: Vec<Digest>,
}

impl BranchHashes for Branch {
    fn hash_at(&self, seq: u64) -> Option<Digest> {
        let index = usize::try_from(seq.checked_sub(self.seq)?).ok()?;
        self.hashes.get(index).copied()
    }
}

/// A proof that proves no fork.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ForkError {
    /// Not canonical, or not two lists of headers (`ENC-1` to `ENC-8`).
    #[error("fork proof: {0}")]
    Encoding(#[from] EncodingError),
    /// A header (`LOG-2` to `LOG-8`).
    #[error("fork proof: {0}")]
    Header(#[from] HeaderError),
    /// A branch without headers, or with more than 256, or not two branches (`LOG-13`).
    #[error("fork proof: two branches of 1 to {FORK_BRANCH_HEADERS_MAX} headers are needed")]
    Size,
    /// A branch is no chain of one device and log (`LOG-13`).
    #[error("fork proof: branch is broken at entry {seq}")]
    Chain {
        /// Where.
        seq: u64,
    },
    /// The branches do not part at one place, are the same, or stand in the wrong order (`LOG-13`).
    #[error("fork proof: branches do not part at one place")]
    NotAFork,
    /// A branch does not end in a signature (`LOG-13`).
    #[error("fork proof: branch has no signature at its end")]
    Unsigned,
    /// A signature or the device's key (`ENC-11`, `ENC-12`).
    #[error("fork proof: {0}")]
    Key(#[from] KeyError),
}

impl ForkError {
    /// The rule that the proof breaks.
    pub fn rule(&self) -> Rule {
        match self {
            Self::Encoding(e) => e.rule(),
            Self::Header(e) => e.rule(),
            Self::Key(e) => e.rule(),
            Self::Size | Self::Chain { .. } | Self::NotAFork | Self::Unsigned => Rule("LOG-13"),
        }
    }
}

impl ForkProof {
    /// Makes the proof of a fork out of two stretches of verified entries that begin at the same place.
    /// None where they do not part, or where a branch has no signature within 256 entries.
    pub fn new(left: &[VerifiedEntry], right: &[VerifiedEntry]) -> Option<Self> {
        let parts = left.iter().zip(right).position(|(left, right)| super::detect(left, right).is_some())?;
        let signed = |entry: &VerifiedEntry| (entry.header_bytes().to_vec(), entry.signature().copied());
        let (left, right): (Vec<_>, Vec<_>) =
            (left[parts..].iter().map(signed).collect(), right[parts..].iter().map(signed).collect());
        Self::of_branches(&left, &right)
    }

    /// The same from headers that were verified before, with the signatures that are kept; both begin where the
    /// branches part.
    pub fn of_branches(left: &[(Vec<u8>, Option<Signature>)], right: &[(Vec<u8>, Option<Signature>)]) -> Option<Self> {
        let mut branches = vec![branch_of(left)?, branch_of(right)?];
        let first = |branch: &[SignedHeader]| Header::decode(&branch[0].0).ok();
        let (left, right) = (first(&branches[0])?, first(&branches[1])?);
        let same_place = left.log == right.log && left.seq == right.seq && left.prev == right.prev;
        branches.sort_by_key(|branch| Header::hash(&branch[0].0));
        (same_place && branches[0][0].0 != branches[1][0].0).then_some(Self { branches })
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        encoding::encode(self)
    }

    /// Reads a proof; [`ForkProof::verify`] is still to be called.
    pub fn decode(bytes: &[u8]) -> Result<Self, EncodingError> {
        encoding::decode(bytes, FORK_PROOF_BYTES_MAX)
    }

    /// Checks everything that the proof claims (`LOG-13`), but not that the identity admits the device.
    pub fn verify(&self, network: Network) -> Result<Fork, ForkError> {
        let [left, right] = self.branches.as_slice() else { return Err(ForkError::Size) };
        let (first, left) = check_branch(network, left)?;
        let (second, right) = check_branch(network, right)?;
        let same_log = first.author == second.author && first.device == second.device && first.log == second.log;
        let same_place = first.seq == second.seq && first.prev == second.prev;
        if !same_log || !same_place || left.hashes[0] >= right.hashes[0] {
            return Err(ForkError::NotAFork);
        }
        let point = ForkPoint { log: first.log, seq: first.seq, prev: first.prev };
        Ok(Fork { author: first.author, device: first.device, point, branches: [left, right] })
    }
}

impl Fork {
    /// True where this proof is to be kept instead of `other`, of the same log: it parts further below.
    /// Of forks at one place the one seen first is kept, so that a log never costs more than one proof.
    pub fn replaces(&self, other: &Self) -> bool {
        self.point.log == other.point.log && self.point.seq < other.point.seq
    }
}

/// The headers up to the first signature.
fn branch_of(headers: &[(Vec<u8>, Option<Signature>)]) -> Option<Vec<SignedHeader>> {
    let end = headers.iter().take(FORK_BRANCH_HEADERS_MAX).position(|(_, signature)| signature.is_some())?;
    Some(headers[..=end].iter().map(|(header, signature)| SignedHeader(header.clone(), *signature)).collect())
}

/// Checks one chain and its signatures; gives its first header.
fn check_branch(network: Network, headers: &[SignedHeader]) -> Result<(Header, Branch), ForkError> {
    let Some(SignedHeader(first, _)) = headers.first().filter(|_| headers.len() <= FORK_BRANCH_HEADERS_MAX) else {
        return Err(ForkError::Size);
    };
    let first = Header::decode(first)?;
    let key = PublicKey::from_bytes(&first.device.0)?;
    let mut hashes: Vec<Digest> = Vec::with_capacity(headers.len());
    for (seq, SignedHeader(bytes, signature)) in (first.seq..).zip(headers) {
        let header = Header::decode(bytes)?;
        let same_log = header.author == first.author && header.device == first.device && header.log == first.log;
        let linked = hashes.last().is_none_or(|last| header.prev == Some(*last));
        if !same_log || !linked || header.seq != seq {
            return Err(ForkError::Chain { seq });
        }
        if let Some(signature) = signature {
            key.verify(Domain::Entry, network, bytes, signature)?;
        }
        hashes.push(Header::hash(bytes));
    }
    if headers.last().is_none_or(|last| last.1.is_none()) {
        return Err(ForkError::Unsigned);
    }
    Ok((first.clone(), Branch { seq: first.seq, hashes }))
}
