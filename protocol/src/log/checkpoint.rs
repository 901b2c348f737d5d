//! Checkpoints: what a device says, at every 256th entry, of its log and of its siblings (`LOG-8`).

use std::cmp::Reverse;

use super::merkle::MerkleMap;
use crate::body::{Checkpoint, LogHead};
use crate::entry::{Header, VerifiedEntry};
use crate::ids::{Digest, EntryId, LogId};
use crate::log::Position;
use crate::rule::Rule;

/// What a checkpoint says of the identity, besides the content of its own log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// The hash of the newest operation of the identity log.
    pub identity: Digest,
    /// The digest of the identity's statements (`ID-11`).
    pub statements: Digest,
    /// Every public log of the identity that the device knows.
    pub logs: Vec<LogHead>,
}

/// A checkpoint that is void; the entry stays in the chain (`LOG-8`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("checkpoint {entry} is void: {what}")]
pub struct CheckpointFault {
    /// The checkpoint.
    pub entry: EntryId,
    /// What is wrong.
    pub what: Fault,
}

/// What is wrong with a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The height is not its own sequence number.
    #[error("height {height} is not its place")]
    Height {
        /// What it says.
        height: u64,
    },
    /// The predecessor is not the one that the header links to.
    #[error("predecessor is not that of the header")]
    Prev,
    /// It names its own log among the siblings.
    #[error("names its own log as a sibling")]
    OwnLog,
    /// The root is not that of the live entries.
    #[error("root {claimed}, but the entries give {computed}")]
    Root {
        /// What it says.
        claimed: Digest,
        /// What follows from the log.
        computed: Digest,
    },
}

impl CheckpointFault {
    /// The rule that the checkpoint breaks.
    pub fn rule(&self) -> Rule {
        Rule("LOG-8")
    }
}

/// Builds the checkpoint that stands at `position` of `log` (`LOG-8`), given the map of
/// [`super::LiveSet::checkpoint_items`]. The position must not be empty.
pub fn build_checkpoint(
    log: LogId,
    position: Position,
    map: &mut MerkleMap,
    surroundings: Surroundings,
) -> Option<Checkpoint> {
    let Surroundings { identity, statements, mut logs } = surroundings;
    logs.retain(|head| head.log != log);
    logs.sort_by_key(|head| (head.log, Reverse(head.height)));
    logs.dedup_by_key(|head| head.log);
    Some(Checkpoint { root: map.root(), height: position.height, prev: position.head?, identity, statements, logs })
}

/// Checks what a checkpoint says of its own log (`LOG-8`). `map` holds what the auditor found live,
/// counting erasures that became void since; without it, for want of bodies or of siblings, the root
/// goes unchecked.
pub fn audit_checkpoint(
    entry: &VerifiedEntry,
    checkpoint: &Checkpoint,
    map: Option<&mut MerkleMap>,
) -> Result<(), CheckpointFault> {
    let header = entry.header();
    let fault = |what| CheckpointFault { entry: entry.id(), what };
    check_place(header, checkpoint).map_err(fault)?;
    let computed = map.map_or(checkpoint.root, MerkleMap::root);
    if computed == checkpoint.root {
        return Ok(());
    }
    Err(fault(Fault::Root { claimed: checkpoint.root, computed }))
}

fn check_place(header: &Header, checkpoint: &Checkpoint) -> Result<(), Fault> {
    if checkpoint.height != header.seq {
        return Err(Fault::Height { height: checkpoint.height });
    }
    if Some(checkpoint.prev) != header.prev {
        return Err(Fault::Prev);
    }
    if checkpoint.logs.iter().any(|head| head.log == header.log) {
        return Err(Fault::OwnLog);
    }
    Ok(())
}
