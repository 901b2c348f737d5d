//! Logs: hash chains of entries, one for each device and purpose.
//!
//! What belongs to a log is judged by headers, chain and signatures alone: by no clock, and by no
//! body.

mod compose;
mod id;
mod register;
mod run;

pub use compose::{ComposeError, Composer};
pub use id::{ROOT_PURPOSE, log_id, root_log_id};
pub use register::{Rank, RegisterKey, Subject, next_rev, register_keys, rev};
pub use run::{Position, Run, RunError, RunRefusal, verify_run};
