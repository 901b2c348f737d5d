//! What should be there of an identity and is not: heights that its checkpoints and its control keys
//! name, and that nobody who was reached could give; pictures that its posts name.

use std::collections::{BTreeMap, BTreeSet};

use xom_protocol::body::{Body, LogHead};
use xom_protocol::identity::{DeviceStatus, IdentityState};
use xom_protocol::limits::CHECKPOINT_INTERVAL;
use xom_protocol::{DeviceId, Did, LogId};

use super::snapshot::Snapshot;
use super::tables::LogRow;
use crate::error::StoreError;
use crate::model::{Missing, MissingLog};

/// The greatest height that something names, by log.
type Named = BTreeMap<LogId, u64>;

impl Snapshot {
    /// What of an identity is named somewhere and not held.
    pub(crate) fn missing(&self, did: &Did) -> Result<Missing, StoreError> {
        let Some(record) = self.record(did)? else { return Ok(Missing::default()) };
        let state = record.state();
        let held = self.heads_of(did)?;
        let mut named = Named::new();
        for log in &held {
            if let Some(number) = self.log_number(&log.log)? {
                self.named_by_checkpoints(number, &mut named)?;
            }
        }
        raise(&mut named, state.anchors.values());
        let devices: BTreeMap<LogId, DeviceId> = held.iter().map(|log| (log.log, log.device)).collect();
        let roots = state.devices.keys().map(|device| (state.root_log(device), *device));
        let devices: BTreeMap<LogId, DeviceId> = roots.chain(devices).collect();
        accept(&mut named, state, &devices);
        let height = |log: &LogId| held.iter().find(|held| held.log == *log).map_or(0, |held| held.position.height);
        let logs = named.into_iter().filter(|(log, named)| height(log) < *named);
        let logs =
            logs.map(|(log, named)| MissingLog { device: devices.get(&log).copied(), log, held: height(&log), named });
        Ok(Missing { logs: logs.collect(), blobs: self.blobs_missing(did)? })
    }

    /// Raises `named` by what the checkpoints of one log say of its siblings (`LOG-8`).
    fn named_by_checkpoints(&self, log: u32, named: &mut Named) -> Result<(), StoreError> {
        let height = self.log(log)?.map_or(0, |row: LogRow| row.height.min(row.void_from));
        let mut seq = CHECKPOINT_INTERVAL;
        while seq < height {
            if let Some((_, Body::Checkpoint(checkpoint))) = self.body((log, seq))? {
                raise(named, &checkpoint.logs);
            }
            seq += CHECKPOINT_INTERVAL;
        }
        Ok(())
    }

    fn blobs_missing(&self, did: &Did) -> Result<u64, StoreError> {
        let mut missing = 0;
        for blob in self.blobs_wanted()? {
            let named = self.blob_named_by(&blob)?;
            missing += u64::from(named.iter().any(|(_, author, _)| author == did));
        }
        Ok(missing)
    }
}

fn raise<'a>(named: &mut Named, heads: impl IntoIterator<Item = &'a LogHead>) {
    for head in heads {
        let height = named.entry(head.log).or_default();
        *height = head.height.max(*height);
    }
}

/// Of an ended device what is accepted is missing where it is not held, and nothing above it (`ID-7`).
fn accept(named: &mut Named, state: &IdentityState, devices: &BTreeMap<LogId, DeviceId>) {
    for (id, device) in &state.devices {
        let DeviceStatus::Ended { accepted } = &device.status else { continue };
        let of_it: BTreeSet<LogId> = devices.iter().filter(|(_, device)| *device == id).map(|(log, _)| *log).collect();
        named.retain(|log, _| !of_it.contains(log));
        raise(named, accepted.values());
    }
}
