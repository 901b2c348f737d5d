//! Tests of the HTTP server as a whole, on a real node without peers.

mod house;
mod page;
