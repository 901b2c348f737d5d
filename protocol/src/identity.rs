//! Identities: a genesis, a log of operations by control keys, and free-standing statements of devices.
//!
//! Everything here is a pure function of a set of signed objects. No clock judges anything, and the
//! order in which the objects arrive never shows.

pub mod compose;
mod devices;
mod document;
mod error;
pub mod grants;
mod keys;
mod object;
mod operations;
mod payload;
mod pending;
pub mod purge;
mod record;
mod state;
mod statements;

pub use document::{DidDocument, Service, ServiceEndpoint, VerificationMethod};
pub use error::IdentityError;
pub use keys::{Guardians, KeyList, NextKeys};
pub use object::SignedObject;
pub(crate) use payload::is_address;
pub use payload::{DeviceEnd, Genesis, Link, Operation, Origin, Payload, Statement};
pub use record::{IdentityRecord, Inserted};
pub use state::{Device, DeviceStatus, Duplicity, IdentityState, NotAdmitted, Priority};
