//! Relaying: who can't be reached keeps a reservation at somebody who can, and is reached through it (`RCH-3` to `RCH-7`).
//!
//! The wire is circuit relay v2 as libp2p has it; what is kept for whom, and how much of it, is decided here. A relay
//! sees only what the two who talk through it have encrypted for each other.

mod choice;
mod circuits;
mod ledger;
mod messages;
mod reservation;
mod serve;

use libp2p::StreamProtocol;

pub(super) use self::choice::{Candidate, Choice};
pub(super) use self::circuits::{Circuits, Inbound, Reaching};
pub(super) use self::ledger::{Class, Guest};
pub(super) use self::reservation::{Asked, Reservations};
pub(super) use self::serve::Serving;

/// The protocol in which a relay is asked (`RCH-4`).
pub(super) const HOP_PROTOCOL: StreamProtocol = StreamProtocol::new("/libp2p/circuit/relay/0.2.0/hop");
/// The protocol in which a relay tells of somebody who wants to talk (`RCH-4`).
pub(super) const STOP_PROTOCOL: StreamProtocol = StreamProtocol::new("/libp2p/circuit/relay/0.2.0/stop");
