//! Own logs that somebody else holds further than this folder does: the folder is an old copy, or a second
//! one writes with the same device key. Then nothing is signed with that key any more, so that no place
//! is signed twice (`LOG-17`, R-FRK-2, R-FRK-3, R-FRK-5).

use xom_protocol::{Did, Digest, LogId};

use super::Store;
use super::batch::Batch;
use super::snapshot::Snapshot;
use super::tables::{self, LocalRow, LogRow};
use crate::error::{CommandError, StoreError};

/// Whether commands are carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signing {
    /// Not yet: peers are asked for the own heads.
    Held,
    /// They are.
    Allowed,
    /// Not any more: the node stops.
    Ended,
}

impl Batch<'_> {
    /// True for a log that a device of this node writes.
    pub(super) fn writes(&self, log: &LogId) -> bool {
        self.own.values().any(|own| own.row.log == *log) || self.shared.locals().iter().any(|local| local.log == *log)
    }

    /// Notes that an own log goes on elsewhere: this header was signed with its key, and not here.
    pub(super) fn stop_signing(&mut self, row: &LogRow, seq: u64, shown: Digest) -> Result<(), StoreError> {
        if self.stopped_logs.get(&row.log.0)?.is_some() {
            return Ok(());
        }
        self.stopped_logs.insert(&row.log.0, (seq, shown.0))?;
        tracing::error!(log = %row.log, held = row.height, shown = seq, "this folder is behind its own log");
        self.tell_log_changed(row)
    }

    /// Refuses where nothing may be signed in this log any more.
    pub(super) fn check_signing(&self, log: &LogId) -> Result<(), CommandError> {
        let stopped = self.stopped_logs.get(&log.0)?;
        if stopped.is_some() { Err(CommandError::Behind) } else { Ok(()) }
    }
}

impl Snapshot {
    /// True where the device key of a local identity signs nothing any more (`LOG-17`).
    pub(crate) fn is_stopped(&self, log: &LogId) -> Result<bool, StoreError> {
        Ok(self.table(tables::STOPPED_LOGS)?.get(&log.0)?.is_some())
    }
}

impl Snapshot {
    /// True where a local identity has a device key that signs nothing any more: its device has ended, or its
    /// folder is behind.
    pub(crate) fn signs_nothing(&self, local: &LocalRow) -> Result<bool, StoreError> {
        let record = self.record(&local.did)?;
        let live = record.is_some_and(|record| record.state().live_device(&local.device).is_some());
        Ok(!live || self.is_stopped(&local.log)?)
    }
}

impl Store {
    /// True where this identity lives here and can sign nothing.
    pub(crate) fn lives_here_in_vain(&self, did: &Did) -> Result<bool, StoreError> {
        let local = self.locals().into_iter().find(|local| local.did == *did);
        local.map_or(Ok(false), |local| self.snapshot()?.signs_nothing(&local))
    }

    /// From now on commands wait, until [`Store::allow_signing`]: peers are asked for the own heads first.
    pub(crate) fn hold_signing(&self) {
        self.shared.signing.send_replace(Signing::Held);
    }

    /// Commands are carried out again.
    pub(crate) fn allow_signing(&self) {
        let held =
            |now: &mut Signing| *now == Signing::Held && std::mem::replace(now, Signing::Allowed) == Signing::Held;
        self.shared.signing.send_if_modified(held);
    }

    /// Waits until commands may be carried out; fails if the node stops before.
    pub(super) async fn signing_allowed(&self) -> Result<(), StoreError> {
        let mut signing = self.shared.signing.subscribe();
        match signing.wait_for(|now| *now != Signing::Held).await.as_deref() {
            Ok(Signing::Allowed) => Ok(()),
            Ok(Signing::Held | Signing::Ended) | Err(_) => Err(StoreError::Stopping),
        }
    }

    /// Commands that wait fail: the node stops.
    pub(super) fn end_signing(&self) {
        self.shared.signing.send_replace(Signing::Ended);
    }

    /// The local identities whose device key signs nothing any more, since the folder is behind its own log.
    pub(crate) fn stopped(&self) -> Result<Vec<Did>, StoreError> {
        let snapshot = self.snapshot()?;
        let mut stopped = Vec::new();
        for local in self.locals() {
            if snapshot.is_stopped(&local.log)? {
                stopped.push(local.did);
            }
        }
        Ok(stopped)
    }
}
