//! All tests of the protocol that use it from outside, in one binary.

mod bodies;
mod cast;
mod decoding;
mod encoding_vectors;
mod identity;
mod log_vectors;
mod logs;
mod support;
mod sync_home;
mod sync_session;
mod sync_world;
