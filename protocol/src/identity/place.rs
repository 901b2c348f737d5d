//! Places of an identity log: where an operation can stand, and the keys that hold there.

use super::keys::{Guardians, KeyList, NextKeys};
use super::payload::{Link, Operation, Payload};
use crate::ids::{Did, Digest};
use crate::network::Network;

/// A place after an operation or the genesis, with the keys of its epoch.
///
/// The head is the usual one. An earlier one serves to undo: a rotation there voids what control keys
/// did behind it, and an operation of control keys beside a recovery cancels it (`ID-9`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The network.
    pub network: Network,
    /// The identity.
    pub did: Did,
    /// The operation, or the genesis, after which the place is.
    pub prev: Digest,
    /// The number of an operation here.
    pub seq: u64,
    /// How many rotations and recoveries there were: the index of the control key that derives from a phrase.
    pub epoch: u32,
    /// The control keys that hold here.
    pub control: KeyList,
    /// The commitment to the keys that sign a rotation here.
    pub next: NextKeys,
    /// The guardians who can recover here.
    pub guardians: Option<Guardians>,
}

impl Place {
    /// The link of an operation that stands here (`ID-5`).
    pub fn link(&self) -> Link {
        Link { did: self.did, seq: self.seq, prev: self.prev }
    }

    /// The payload of an operation that stands here.
    pub fn operation(&self, operation: Operation) -> Payload {
        Payload::Operation(self.link(), operation)
    }
}
