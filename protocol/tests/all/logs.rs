//! What the spec promises of logs: runs, composing, live state, checkpoints, forks.

mod checkpoints;
mod composing;
mod forks;
mod live;
mod runs;
