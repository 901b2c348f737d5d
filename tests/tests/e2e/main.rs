//! End to end: real processes, real sockets, loopback only.

mod erase;
mod follow;
mod import;
mod kill;
mod media;
mod retry;
