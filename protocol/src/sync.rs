//! The sync conversation `/xom/sync/1` as a pure machine: time and bytes come in, effects go out.
//!
//! It checks form, order, bounds and flow; signatures and chains are checked by the node
//! ([`crate::log::verify_run`]) before it stores and answers. It never reads a clock or a store.

mod input;
mod output;

pub use input::{Aimed, Frontier, IdentitySummary, Input, LocalDevice, LogSummary, Outcome, Resume, SessionConfig};
pub use output::{Batch, CloseReason, Output, RequestId, Ticket};
