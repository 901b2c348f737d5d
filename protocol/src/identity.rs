//! Identities: a genesis, a log of operations by control keys, next keys and guardians, and free-standing
//! statements of devices.
//!
//! Everything here is a pure function of a set of signed objects. No clock judges anything, and the
//! order in which the objects arrive never shows.

mod approval;
pub mod compose;
mod devices;
mod document;
mod draft;
mod error;
mod evaluation;
pub mod grants;
mod history;
mod keys;
mod locks;
mod object;
mod operations;
mod path;
mod payload;
mod pending;
mod place;
pub mod purge;
mod record;
mod renewal;
mod signers;
mod state;
mod statements;
mod wire;

pub use approval::{Approval, RecoveryRequest, RecoveryStep};
pub use document::{DidDocument, DocumentMetadata, Service, ServiceEndpoint, VerificationMethod};
pub use draft::Draft;
pub use error::IdentityError;
pub use history::HistoryItem;
pub use keys::{Guardians, KeyList, NextKeys};
pub use object::SignedObject;
pub(crate) use payload::is_address;
pub use payload::{DeviceEnd, Genesis, Link, Operation, Origin, Payload, Statement};
pub use place::Place;
pub use record::{IdentityRecord, Inserted};
pub use renewal::Renewal;
pub use state::{Device, DeviceStatus, Duplicity, IdentityState, NotAdmitted, Priority, Recovery};
