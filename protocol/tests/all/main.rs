//! All tests of the protocol that use it from outside, in one binary.

mod blob_vectors;
mod bodies;
mod cast;
mod decoding;
mod encoding_vectors;
mod find_vectors;
mod identity;
mod log_vectors;
mod logs;
mod pairing;
mod pairing_vectors;
mod receipts;
mod recover_vectors;
mod signatures;
mod support;
mod sync_bodies;
mod sync_home;
mod sync_mallory;
mod sync_receipts;
mod sync_seeds;
mod sync_session;
mod sync_stranger;
mod sync_vectors;
mod sync_victim;
mod sync_world;
mod vectors;
