//! Whole nodes in one process: the store, the views and the network together, over real sockets or memory.

mod harness;
mod mallory;
mod network;
mod recovery;
mod siblings;
mod stand;
