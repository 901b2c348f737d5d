//! Pairing over `/xom/pair/1`: the task that answers for an offer of this node, and the way of a new
//! machine to another node's offer. What may be said is the machines' business, in `protocol`.

mod granting;
mod joining;

pub(crate) use granting::{Ask, Granting};
pub(crate) use joining::join;
pub use joining::{JoinError, Joined};

use libp2p::StreamProtocol;

/// The protocol of pairing streams (`PAIR-2`).
pub(super) const PAIR_PROTOCOL: StreamProtocol = StreamProtocol::new("/xom/pair/1");
