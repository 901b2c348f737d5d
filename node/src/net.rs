//! The network: peers, sync and blobs over libp2p.
//!
//! It must never write to the store except through the writer's commands, and never serve what the
//! store has not verified.

mod address;
mod backoff;
mod frame;
mod listen;
mod peers;
mod swarm;
