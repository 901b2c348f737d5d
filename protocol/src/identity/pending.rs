//! Objects that wait for what they stand on: bounded, and no part of the set until it comes.

use std::collections::BTreeMap;

use super::record::Inserted;
use super::{IdentityError, SignedObject};
use crate::ids::{DeviceId, Digest};
use crate::limits::{IDENTITY_PENDING_BYTES_MAX, IDENTITY_PENDING_MAX};

/// Waiting objects, by the hash of the whole object: signatures that can't be checked yet must not
/// keep out another copy with good ones.
#[derive(Debug, Clone, Default)]
pub(super) struct Pending {
    waiting: BTreeMap<Digest, (WaitsFor, SignedObject)>,
    bytes: usize,
}

/// What an object waits for.
#[derive(Debug, Clone, Copy)]
pub(super) enum WaitsFor {
    /// The predecessor of an operation.
    Operation(Digest),
    /// A grant that joins the device of a statement, or an operation that brings it.
    Device(DeviceId),
}

impl Pending {
    /// Keeps an object, unless as many wait as may (`ID-12`).
    pub(super) fn keep(&mut self, object: SignedObject, waits_for: WaitsFor) -> Result<Inserted, IdentityError> {
        let encoded = object.encode();
        let key = Digest::of(&[&encoded]);
        if self.waiting.contains_key(&key) {
            return Ok(Inserted::Pending);
        }
        let bytes = self.bytes + encoded.len();
        if self.waiting.len() == IDENTITY_PENDING_MAX || bytes > IDENTITY_PENDING_BYTES_MAX {
            return Err(IdentityError::Full("as many objects that wait as it may"));
        }
        self.bytes = bytes;
        self.waiting.insert(key, (waits_for, object));
        Ok(Inserted::Pending)
    }

    /// Takes out the objects that wait no more.
    pub(super) fn take_ready(&mut self, is_there: impl Fn(&WaitsFor) -> bool) -> Vec<SignedObject> {
        let ready = self.waiting.extract_if(.., |_, (waits_for, _)| is_there(waits_for));
        let ready: Vec<SignedObject> = ready.map(|(_, (_, object))| object).collect();
        self.bytes -= ready.iter().map(|object| object.encode().len()).sum::<usize>();
        ready
    }
}
