//! Pairing: a device of an identity admits a new one, whose owner compares six digits on both screens.
//!
//! Two pure machines, [`Granter`] and [`Joiner`], at the ends of one authenticated stream. They sign
//! nothing that belongs to the identity: the grant is made by whoever holds the key, when told to.

mod digits;
mod granter;
mod joiner;
pub mod message;
mod offer;

pub use digits::{Digits, Transcript};
pub use granter::{Granter, GranterEnd, GranterInput, GranterOutput, StreamId};
pub use joiner::{Joiner, JoinerConfig, JoinerEnd, JoinerInput, JoinerOutput};
pub use message::{Message, Refused};
pub use offer::{Offer, OfferError, OfferSecret};
