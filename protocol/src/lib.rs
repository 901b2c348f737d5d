//! The rules of xom: identity, entries, logs and sync, as pure functions over bytes.
//!
//! Time, randomness and bytes come in as arguments; effects go out as values. This crate never
//! reads a clock, a file or a socket, and knows no runtime, no database and no network library.

pub mod blob;
pub mod body;
pub mod encoding;
pub mod entry;
pub mod feed;
pub mod find;
pub mod gossip;
pub mod identity;
pub mod ids;
pub mod invite;
pub mod keep;
pub mod keys;
pub mod limits;
pub mod log;
pub mod network;
pub mod pair;
pub mod phrase;
pub mod receipt;
pub mod recover;
pub mod relay;
pub mod rule;
pub mod sync;

pub use ids::{AlgorithmId, BlobId, DeviceId, Did, Digest, EntryId, LogId};
pub use network::Network;
pub use rule::Rule;
