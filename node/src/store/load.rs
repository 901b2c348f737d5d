//! Reading the own logs at a start: everything that is kept in memory of local identities is made
//! from their entries.
//!
//! What can't be read ends no start: it is told, the rest is read and served, and nothing is signed that would
//! depend on it (R-STO-5, R-FRK-4).

use std::collections::BTreeMap;
use std::sync::Arc;

use xom_protocol::Digest;
use xom_protocol::body::{Body, LogHead};
use xom_protocol::entry::{Kind, SignedEntry};
use xom_protocol::identity::{DeviceStatus, IdentityRecord};
use xom_protocol::keys::{PublicKey, Signature};
use xom_protocol::limits::SIGNATURE_INTERVAL;
use xom_protocol::log::{Position, verify_run_to};

use super::batch::{HeldEntry, load_identity};
use super::compose::salted;
use super::own::Own;
use super::snapshot::Snapshot;
use super::tables::{self, LogRow, PlaceKey, flags};
use super::writer::Writer;
use crate::error::StoreError;

/// Entries verified at a time.
const CHUNK: usize = 1_024;

/// What is read of one local identity.
struct Loading<'a> {
    own: &'a mut Own,
    /// Entries whose bodies are hidden: what they wrote leaves once all erases are known.
    hidden: Vec<(HeldEntry, Body)>,
    /// Bodies that can't be opened.
    damaged: Vec<PlaceKey>,
}

impl Writer {
    /// Makes the state of all local identities anew. Answers which bodies can't be opened.
    pub(super) fn load_own(&mut self) -> Result<Vec<PlaceKey>, StoreError> {
        self.shared.forget_identities();
        let (mut loaded, mut damaged) = (BTreeMap::new(), Vec::new());
        for (row, key) in self.shared.local_keys() {
            let snapshot = Snapshot::open(Arc::clone(&self.shared))?;
            let mut own = Own::new(self.shared.network, row, key);
            damaged.extend(snapshot.load_own(&mut own)?);
            loaded.insert(own.row.did, own);
        }
        self.own = loaded;
        Ok(damaged)
    }
}

impl Snapshot {
    /// Reads all logs of a local identity.
    fn load_own(&self, own: &mut Own) -> Result<Vec<PlaceKey>, StoreError> {
        let Some(number) = self.identity_number(&own.row.did)? else { return Ok(Vec::new()) };
        let objects = self.table(tables::IDENTITY_OBJECTS)?;
        let Some(record) = load_identity(&self.shared, &objects, number)? else { return Ok(Vec::new()) };
        let logs = self.table(tables::LOGS_OF)?;
        let mut heads = Vec::new();
        let mut loading = Loading { own, hidden: Vec::new(), damaged: Vec::new() };
        for row in logs.range((number, 0)..=(number, u32::MAX))? {
            let log = row?.0.value().1;
            let Some(row) = self.log(log)? else { continue };
            self.load_log(log, &row, &record, &mut loading)?;
            if row.height > 0 {
                heads.push(LogHead { log: row.log, height: row.height, head: row.head });
            }
        }
        let Loading { own, hidden, damaged } = loading;
        for (held, body) in hidden {
            own.erased(&held.header, held.id, Some(&body), held.row().local_id);
        }
        own.settle(&heads);
        Ok(damaged)
    }

    /// Reads one log. The chain is verified again, so that nothing is signed on top of damage.
    fn load_log(
        &self,
        log: u32,
        row: &LogRow,
        record: &IdentityRecord,
        loading: &mut Loading<'_>,
    ) -> Result<(), StoreError> {
        let Some(key) = record.state().devices.get(&row.device).map(|device| device.key) else { return Ok(()) };
        let named = self.named_end(log, row, record)?;
        let mut position = Position::EMPTY;
        let mut chunk = Vec::with_capacity(CHUNK);
        for item in self.entries.range((log, 0)..(log, row.height))? {
            let held = match HeldEntry::read(item?.1.value().to_vec()) {
                Ok(held) => held,
                Err(StoreError::Damaged(cause)) => {
                    tracing::error!(log = %row.log, cause, "an entry of an own log is damaged");
                    break;
                }
                Err(e) => return Err(e),
            };
            let ends_chunk = held.row().is(flags::SIGNED) && chunk.len() + 1 >= CHUNK;
            chunk.push(held);
            if ends_chunk {
                position = self.load_chunk(log, position, (&key, named), std::mem::take(&mut chunk), loading)?;
            }
        }
        position = self.load_chunk(log, position, (&key, named), chunk, loading)?;
        if position.height != row.height {
            let (whole, of) = (position.height, row.height);
            loading.own.doubts(format!("log {} can be read up to entry {whole} of {of} only", row.log));
        }
        Ok(())
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
        loading: &mut Loading<'_>,
    ) -> Result<Position, StoreError> {
        let Loading { own, hidden, damaged } = loading;
        let last = chunk.len().saturating_sub(1);
        let mut entries = Vec::with_capacity(chunk.len());
        for (index, held) in chunk.iter().enumerate() {
            let (row, seq) = (held.row(), held.header.seq);
            let checked = index == last || seq.is_multiple_of(SIGNATURE_INTERVAL);
            let body = match self.body_bytes((log, seq), &row) {
                Ok(body) => body,
                Err(StoreError::Damaged(cause)) => {
                    tracing::error!(entry = %held.id, cause, "a body of an own log is damaged");
                    damaged.push((log, seq));
                    if says_more_than_itself(&held.header.kind) {
                        own.doubts(format!("entry {} can't be read", held.id));
                    }
                    None
                }
                Err(e) => return Err(e),
            };
            entries.push(SignedEntry {
                header: row.header.to_vec(),
                signature: row.signature.copied().map(Signature).filter(|_| checked),
                body: salted(body),
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

/// True for entries whose bodies decide what the next ones say: of registers, erases and openings. Whoever can't read
/// them signs no checkpoint that holds (`LOG-8`), and takes a revision twice (`LOG-10`).
fn says_more_than_itself(kind: &Kind) -> bool {
    !matches!(kind, Kind::Post | Kind::Checkpoint | Kind::Other(_))
}
