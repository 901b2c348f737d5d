//! Reading the own logs at a start: everything that is kept in memory of local identities is made
//! from their entries.

use std::collections::BTreeMap;
use std::sync::Arc;

use xom_protocol::Digest;
use xom_protocol::body::{Body, LogHead};
use xom_protocol::entry::SignedEntry;
use xom_protocol::identity::{DeviceStatus, IdentityRecord};
use xom_protocol::keys::{PublicKey, Signature};
use xom_protocol::limits::SIGNATURE_INTERVAL;
use xom_protocol::log::{Position, verify_run_to};

use super::batch::{HeldEntry, load_identity};
use super::compose::salted;
use super::own::Own;
use super::snapshot::Snapshot;
use super::tables::{self, LogRow, flags};
use super::writer::Writer;
use crate::error::StoreError;

/// Entries verified at a time.
const CHUNK: usize = 1_024;

impl Writer {
    /// Makes the state of all local identities anew.
    pub(super) fn load_own(&mut self) -> Result<(), StoreError> {
        self.shared.forget_identities();
        let mut loaded = BTreeMap::new();
        for (row, key) in self.shared.local_keys() {
            let snapshot = Snapshot::open(Arc::clone(&self.shared))?;
            let mut own = Own::new(self.shared.network, row, key);
            snapshot.load_own(&mut own)?;
            loaded.insert(own.row.did, own);
        }
        self.own = loaded;
        Ok(())
    }
}

impl Snapshot {
    /// Reads all logs of a local identity.
    fn load_own(&self, own: &mut Own) -> Result<(), StoreError> {
        let Some(number) = self.identity_number(&own.row.did)? else { return Ok(()) };
        let objects = self.table(tables::IDENTITY_OBJECTS)?;
        let Some(record) = load_identity(&self.shared, &objects, number)? else { return Ok(()) };
        let logs = self.table(tables::LOGS_OF)?;
        let mut heads = Vec::new();
        let mut hidden = Vec::new();
        for row in logs.range((number, 0)..=(number, u32::MAX))? {
            let log = row?.0.value().1;
            let Some(row) = self.log(log)? else { continue };
            self.load_log(log, &row, &record, own, &mut hidden)?;
            if row.height > 0 {
                heads.push(LogHead { log: row.log, height: row.height, head: row.head });
            }
        }
        for (held, body) in hidden {
            own.erased(&held.header, held.id, Some(&body), held.row().local_id);
        }
        own.settle(&heads);
        Ok(())
    }

    /// Reads one log. The chain is verified again, so that nothing is signed on top of damage.
    fn load_log(
        &self,
        log: u32,
        row: &LogRow,
        record: &IdentityRecord,
        own: &mut Own,
        hidden: &mut Vec<(HeldEntry, Body)>,
    ) -> Result<(), StoreError> {
        let Some(key) = record.state().devices.get(&row.device).map(|device| device.key) else { return Ok(()) };
        let named = self.named_end(log, row, record)?;
        let mut position = Position::EMPTY;
        let mut chunk = Vec::with_capacity(CHUNK);
        for item in self.entries.range((log, 0)..(log, row.height))? {
            let held = HeldEntry::read(item?.1.value().to_vec())?;
            let ends_chunk = held.row().is(flags::SIGNED) && chunk.len() + 1 >= CHUNK;
            chunk.push(held);
            if ends_chunk {
                position = self.load_chunk(log, position, (&key, named), std::mem::take(&mut chunk), own, hidden)?;
            }
        }
        position = self.load_chunk(log, position, (&key, named), chunk, own, hidden)?;
        if position.height == row.height {
            return Ok(());
        }
        Err(StoreError::Damaged(format!("own log {} is whole up to {} of {}", row.log, position.height, row.height)))
    }

    /// The head at which a log ends that is held up to a head which control keys or checkpoints name: the signature
    /// that covered it when it came may lie above it, and was not kept then (`ID-7`, `LOG-13`).
    pub(super) fn named_end(
        &self,
        log: u32,
        row: &LogRow,
        record: &IdentityRecord,
    ) -> Result<Option<Digest>, StoreError> {
        let state = record.state();
        let accepted = match state.devices.get(&row.device).map(|device| &device.status) {
            Some(DeviceStatus::Ended { accepted }) => accepted.get(&row.log),
            Some(DeviceStatus::Live) | None => None,
        };
        let named = accepted.or_else(|| state.anchors.get(&row.log));
        if named.is_some_and(|head| (head.height, head.head) == (row.height, row.head)) {
            return Ok(Some(row.head));
        }
        let is_settled = row.void_from <= row.height && self.table(tables::FORK_PROOFS)?.get(log)?.is_some();
        Ok(is_settled.then_some(row.head))
    }

    fn load_chunk(
        &self,
        log: u32,
        from: Position,
        (key, named): (&PublicKey, Option<Digest>),
        chunk: Vec<HeldEntry>,
        own: &mut Own,
        hidden: &mut Vec<(HeldEntry, Body)>,
    ) -> Result<Position, StoreError> {
        let last = chunk.len().saturating_sub(1);
        let mut entries = Vec::with_capacity(chunk.len());
        for (index, held) in chunk.iter().enumerate() {
            let (row, seq) = (held.row(), held.header.seq);
            let checked = index == last || seq.is_multiple_of(SIGNATURE_INTERVAL);
            entries.push(SignedEntry {
                header: row.header.to_vec(),
                signature: row.signature.copied().map(Signature).filter(|_| checked),
                body: salted(self.body_bytes((log, seq), &row)?),
            });
        }
        let id = own.row.log;
        let log_id = chunk.first().map_or(id, |held| held.header.log);
        let run = verify_run_to(self.shared.network, key, own.row.did, log_id, from, entries, named);
        let position = run.position(from);
        for (held, entry) in chunk.into_iter().zip(&run.accepted) {
            let row = held.row();
            let body = entry.body().and_then(|body| Body::decode(&held.header.kind, &body.bytes).ok());
            if row.is(flags::VOID) {
                own.sees_void(entry);
            } else {
                own.sees(entry, body.as_ref(), row.local_id);
                if let Some(body) = body.filter(|_| row.is(flags::HIDDEN)) {
                    hidden.push((held, body));
                }
            }
        }
        Ok(position)
    }
}
