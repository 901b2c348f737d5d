//! The sync conversation `/xom/sync/1` as a pure machine: time and bytes come in, effects go out.
//!
//! It checks form, order, bounds and flow; signatures and chains are checked by the node
//! ([`crate::log::verify_run`]) before it stores and answers. It never reads a clock or a store.

mod aimed;
mod ancestry;
mod applying;
mod bodies;
mod clock;
mod comparison;
mod fork;
mod frame;
mod handshake;
mod input;
pub mod message;
mod output;
mod own;
mod proofs;
mod push;
mod ranges;
mod receipts;
mod refusal;
mod serving;
mod session;
mod set;
mod settings;
mod singles;
mod spans;

pub use frame::{FrameError, frame_body_len, frame_prefix};
pub use handshake::{ProofContext, SYNC_VERSION, Salter, verify};
pub use input::{
    Aimed, Frontier, IdentitySummary, Input, LocalDevice, LogSummary, Outcome, Proof, Resume, SessionConfig,
};
pub use output::{Batch, CloseReason, Output, RequestId, Ticket};
pub use session::Session;
pub use settings::Setting;
pub use spans::{Span, print};
