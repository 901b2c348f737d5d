//! Gossip: the topics that this node has joined, and gossipsub held to this node's rules (chapter 15).
//!
//! It must never pass on what was not checked, and never take a head for more than a reason to ask.

mod behaviour;
mod joined;
mod meter;
mod places;

pub(super) use behaviour::{Metered, behaviour};
pub(super) use joined::{Joined, Known, Verdict};
