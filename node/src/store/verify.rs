//! Checking everything that is stored, without trusting that it was checked before.

mod audit;

use redb::ReadableTable;
use xom_protocol::entry::{SaltedBody, SignedEntry, verify_body, verify_signed};
use xom_protocol::identity::IdentityRecord;
use xom_protocol::keys::Signature;
use xom_protocol::log::{Position, verify_run_to};
use xom_protocol::{BlobId, Did, Digest};

use self::audit::Audit;
use super::Store;
use super::append::position_of;
use super::batch::{HeldEntry, load_identity};
use super::snapshot::Snapshot;
use super::tables::{self, BlobState, IdentityRow, LogRow, flags};
use crate::error::StoreError;
use crate::model::{LogView, VerifyReport};

/// Entries verified at a time.
const CHUNK: usize = 1_024;

impl Store {
    /// Checks everything stored: objects, chains, signatures, commitments, heads, checkpoints, blobs, and
    /// that the views count as many statuses as there are.
    pub(crate) async fn verify(&self) -> Result<VerifyReport, StoreError> {
        let store = self.clone();
        let checked = tokio::task::spawn_blocking(move || store.snapshot()?.verify()).await;
        checked.unwrap_or(Err(StoreError::Stopping))
    }
}

impl Snapshot {
    /// Checks everything in this state. Blocking, for as long as it takes.
    pub(super) fn verify(&self) -> Result<VerifyReport, StoreError> {
        let mut report = VerifyReport::default();
        let mut statuses = Some(0);
        for row in self.table(tables::IDENTITIES)?.iter()? {
            let (number, row) = row?;
            let row = row.value();
            let mut audit = Audit::new(row.did);
            let faults = report.faults.len();
            self.verify_identity(number.value(), &row, &mut audit, &mut report)?;
            if report.faults.len() > faults {
                audit.misses_some();
            }
            statuses = statuses.zip(audit.finish(self, &mut report)?).map(|(sum, more)| sum + more);
        }
        if let Some(statuses) = statuses {
            self.verify_status_count(statuses, &mut report)?;
        }
        self.verify_blobs(&mut report)?;
        report.logs.sort_unstable_by_key(|view| (view.did, view.log));
        report.void_checkpoints.sort_unstable();
        Ok(report)
    }

    fn verify_identity(
        &self,
        number: u32,
        row: &IdentityRow,
        audit: &mut Audit,
        report: &mut VerifyReport,
    ) -> Result<(), StoreError> {
        let objects = self.table(tables::IDENTITY_OBJECTS)?;
        let record = match load_identity(&self.shared, &objects, number) {
            Ok(record) => record,
            Err(e) => {
                report.faults.push(format!("{}: {e}", row.did));
                return Ok(());
            }
        };
        let logs = self.table(tables::LOGS_OF)?;
        for log in logs.range((number, 0)..=(number, u32::MAX))? {
            let log = log?.0.value().1;
            let Some(log_row) = self.log(log)? else {
                report.faults.push(format!("{}: log number {log} is not there", row.did));
                continue;
            };
            match &record {
                Some(record) => self.verify_log(log, &log_row, record, audit, report)?,
                None if log_row.height == 0 => {}
                None => report.faults.push(format!("{}: log {} without an identity (LOG-7)", row.did, log_row.log)),
            }
            if log_row.height > 0 {
                report.logs.push(view(&log_row, row.did));
            }
        }
        Ok(())
    }

    fn verify_log(
        &self,
        log: u32,
        row: &LogRow,
        record: &IdentityRecord,
        audit: &mut Audit,
        report: &mut VerifyReport,
    ) -> Result<(), StoreError> {
        let named = self.named_end(log, row, record)?;
        let mut position = Position::EMPTY;
        let mut chunk = Vec::with_capacity(CHUNK);
        for item in self.entries.range((log, 0)..=(log, u64::MAX))? {
            let (place, bytes) = item?;
            let seq = place.value().1;
            let held = match HeldEntry::read(bytes.value().to_vec()) {
                Ok(held) => held,
                Err(e) => {
                    report.faults.push(format!("log {} at {seq}: {e} (LOG-2)", row.log));
                    return Ok(());
                }
            };
            self.verify_index(log, seq, &held, report)?;
            let entry = self.signed(log, &held, report);
            audit.stored(&held, entry.body.as_ref(), row);
            if held.row().is(flags::LOOSE) {
                self.verify_loose(&held, entry, record, report);
                continue;
            }
            let ends_chunk = held.row().is(flags::SIGNED) && chunk.len() + 1 >= CHUNK;
            chunk.push(entry);
            if ends_chunk {
                let read = std::mem::take(&mut chunk);
                position = self.verify_chunk(row, (record, named), position, read, audit, report);
            }
        }
        position = self.verify_chunk(row, (record, named), position, chunk, audit, report);
        if position != position_of(row) {
            let (found, held) = (position.height, row.height);
            report.faults.push(format!("log {} is whole up to {found}, its row says {held} (LOG-4)", row.log));
        }
        Ok(())
    }

    /// The entry can be found by its id, and a status by its local id.
    fn verify_index(&self, log: u32, seq: u64, held: &HeldEntry, report: &mut VerifyReport) -> Result<(), StoreError> {
        let local_id = held.row().local_id;
        let found = self.place_of_entry(&held.id)? == Some((log, seq));
        let named = local_id == 0 || self.place_of_status(local_id)? == Some((log, seq));
        if !found || !named {
            report.faults.push(format!("entry {} can't be found by its ids", held.id));
        }
        Ok(())
    }

    fn verify_chunk(
        &self,
        row: &LogRow,
        (record, named): (&IdentityRecord, Option<Digest>),
        from: Position,
        chunk: Vec<SignedEntry>,
        audit: &mut Audit,
        report: &mut VerifyReport,
    ) -> Position {
        let Some(device) = record.state().devices.get(&row.device) else {
            if !chunk.is_empty() && row.void_from > 0 {
                report.faults.push(format!("log {} is of no device of its identity (LOG-7)", row.log));
            }
            let read = from.height + chunk.len() as u64;
            return if read == row.height { position_of(row) } else { Position { height: read, head: None } };
        };
        let network = self.shared.network;
        let run = verify_run_to(network, &device.key, record.did(), row.log, from, chunk, named);
        report.entries += run.accepted.len() as u64;
        report.bodies += run.accepted.iter().filter(|entry| entry.body().is_some()).count() as u64;
        for seq in &run.body_mismatches {
            report.faults.push(format!("log {} at {seq}: body does not match (LOG-6)", row.log));
        }
        if let Some(refusal) = &run.refused {
            report.faults.push(format!("log {}: {refusal} ({})", row.log, refusal.rule()));
        }
        let position = run.position(from);
        run.accepted.into_iter().for_each(|entry| audit.chained(entry, row));
        position
    }

    fn verify_loose(&self, held: &HeldEntry, entry: SignedEntry, record: &IdentityRecord, report: &mut VerifyReport) {
        let Some(device) = record.state().devices.get(&held.header.device) else { return };
        let (network, has_body) = (self.shared.network, entry.body.is_some());
        let checked = match &entry.signature {
            Some(_) => verify_signed(network, &device.key, entry).map(drop),
            // It came in a chain that is no longer kept (`KEEP-3`); that it is found by its id shows its header whole.
            None => entry.body.map_or(Ok(()), |body| verify_body(network, &held.header, &body)),
        };
        match checked {
            Ok(()) => {
                report.entries += 1;
                report.bodies += u64::from(has_body);
            }
            Err(e) => report.faults.push(format!("entry {}: {e} ({})", held.id, e.rule())),
        }
    }

    /// The entry with every signature and body that is kept; a body that can't be read is a fault.
    fn signed(&self, log: u32, held: &HeldEntry, report: &mut VerifyReport) -> SignedEntry {
        let row = held.row();
        let body = self.body_bytes((log, held.header.seq), &row).unwrap_or_else(|e| {
            report.faults.push(format!("entry {}: {e}", held.id));
            None
        });
        SignedEntry {
            header: row.header.to_vec(),
            signature: row.signature.copied().map(Signature),
            body: body.map(|(salt, bytes)| SaltedBody { salt, bytes }),
        }
    }

    fn verify_blobs(&self, report: &mut VerifyReport) -> Result<(), StoreError> {
        for row in self.table(tables::BLOBS)?.iter()? {
            let (blob, row) = row?;
            if row.value().state != BlobState::Held {
                continue;
            }
            let blob = BlobId(*blob.value());
            match self.shared.open_blob_file(&blob) {
                Ok(Some(_)) => {}
                Ok(None) => report.faults.push(format!("blob {blob} is missing (BLOB-1)")),
                Err(e) => report.faults.push(format!("{e} (BLOB-1)")),
            }
        }
        Ok(())
    }
}

fn view(row: &LogRow, did: Did) -> LogView {
    LogView {
        did,
        device: row.device,
        log: row.log,
        height: row.height,
        head: position_of(row).head,
        disputed: row.disputed_from != LogRow::NONE,
        void_from: row.first_void(),
    }
}
