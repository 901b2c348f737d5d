//! Receipts (`RCP-1` to `RCP-6`): what this node owes to authors, what it carries for others, what holders
//! have answered to its own identities, and whom it knows to hold copies.

mod answers;
mod notes;
mod outbox;
mod owed;
mod report;
mod rows;

pub(crate) use answers::{NewReceipt, Receipted};
pub(crate) use outbox::{Parcel, Recipient, Role};
pub(crate) use rows::Holding;
