//! Logs: hash chains of entries, one for each device and purpose.
//!
//! What belongs to a log is judged by headers, chain and signatures alone: by no clock, and by no
//! body.

mod ancestry;
mod audit;
mod checkpoint;
mod compose;
mod erase;
mod fault;
mod fork;
mod id;
mod live;
mod merkle;
mod register;
mod run;

pub use ancestry::{AncestryError, verify_ancestry};
pub use audit::LogAudit;
pub use checkpoint::{CheckpointFault, Fault, Surroundings, audit_checkpoint, build_checkpoint};
pub use compose::{ComposeError, Composer};
pub use erase::{EraseError, check_erase, is_erasable, purge_at_ms};
pub use fault::{FaultProof, FaultProofError, Faulty};
pub use fork::{
    Anchor, AnchorStrength, Branch, BranchHashes, Fork, ForkError, ForkPoint, ForkProof, Verdict, detect, resolve,
};
pub use id::{ROOT_PURPOSE, log_id, opened_logs, root_log_id};
pub use live::LiveSet;
pub use merkle::{EMPTY_ROOT, MerkleMap, MerkleProof, ProofError};
pub use register::{Rank, RegisterKey, Subject, next_rev, register_keys, rev};
pub use run::{Position, Run, RunError, RunRefusal, verify_fragment, verify_run, verify_run_to};
