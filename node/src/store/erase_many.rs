//! Erasing entries by their id, and ending the identity afterwards.

use xom_protocol::body::LogHead;
use xom_protocol::identity::{DeviceEnd, IdentityRecord, SignedObject, compose};
use xom_protocol::log::is_erasable;
use xom_protocol::{Did, EntryId};

use super::batch::Batch;
use super::compose::{Answer, UNCHANGED, done};
use crate::error::CommandError;
use crate::keys::ControlKey;
use crate::recovery::RecoveryError;

impl Batch<'_> {
    /// Takes one own entry back, of whatever kind; nothing, if it is erased or void already.
    pub(super) fn erase_own(&mut self, did: &Did, entry: &EntryId, now: Option<&ControlKey>) -> Answer {
        let place = self.place_of(entry)?.ok_or(CommandError::StatusNotFound)?;
        let held = self.held(place)?.ok_or(CommandError::StatusNotFound)?;
        if held.header.author != *did {
            return Err(CommandError::NotYours);
        }
        if !is_erasable(&held.header.kind) {
            return Err(CommandError::Refused("entries of this kind can't be erased"));
        }
        if !held.row().is_live() {
            return Ok(UNCHANGED);
        }
        let said = self.erase(did, held.header.reference(held.id), now)?;
        Ok(done(&said, None))
    }

    /// The operation that ends an identity: what its devices have said up to now, the erasures before all,
    /// counts on (`ID-21`).
    pub(super) fn retirement(
        &mut self,
        record: &IdentityRecord,
        key: &ControlKey,
    ) -> Result<SignedObject, CommandError> {
        let number = self.identity_number(&record.did())?;
        let mut ends = Vec::new();
        for (device, _) in record.state().live_devices() {
            let mut heads = Vec::new();
            for log in self.logs_of_identity(number)? {
                let row = self.log_row(log)?;
                if row.device == *device && row.height > 0 {
                    heads.push(LogHead { log: row.log, height: row.height, head: row.head });
                }
            }
            heads.sort_unstable();
            let stands = record.statements_of(device).into_iter().map(|(id, _)| id).collect();
            ends.push(DeviceEnd { device: *device, heads, stands });
        }
        let retired = compose::retire(&record.state().place(), None, ends, &[key.secret()]);
        retired.map_err(|e| RecoveryError::Identity(e).into())
    }
}
