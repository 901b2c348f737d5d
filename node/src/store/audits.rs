//! Auditing checkpoints as they come (`LOG-8`): one that says what its log does not is void, anchors nothing, and
//! is proof against its device that is passed on (`LOG-18`).
//!
//! What the next checkpoint of a log commits to is kept in memory between checkpoints, for as many logs as
//! there is room; of others it is made anew from the entries, and no more often than their growth pays for. So
//! auditing costs time linear in the length of a log, whoever writes it.

use std::collections::{BTreeMap, BTreeSet};

use redb::ReadableTable;
use xom_protocol::body::{Body, Checkpoint, LogHead};
use xom_protocol::entry::Kind;
use xom_protocol::keys::Signature;
use xom_protocol::log::{CheckpointFault, FaultProof, LogAudit};
use xom_protocol::{Did, LogId};

use super::Notice;
use super::batch::{Batch, HeldEntry};
use super::snapshot::Snapshot;
use super::tables::{self, LogRow, PlaceKey, flags};
use crate::error::StoreError;

/// Entries of all logs whose state is kept: about 40 MB.
const KEPT_ENTRIES_MAX: u64 = 150_000;
/// A log up to this height may be read anew at each of its checkpoints.
const SHORT_LOG: u64 = 4_096;
/// A longer log is read anew once it has grown by this part of its height.
const GROWTH_PART: u64 = 8;
/// Entries of siblings that are read for one checkpoint: as many as this, and four times the log's own height.
const SIBLINGS_FREE: u64 = 16_384;
/// Checkpoints that wait for a sibling; of more only a reading of the whole log tells.
const WAITING_MAX: usize = 4_096;

/// The states that are kept. Only the writer works with them.
#[derive(Default)]
pub(super) struct Audits {
    logs: BTreeMap<u32, Kept>,
    /// Heights at which logs were last read from their beginning.
    read_at: BTreeMap<u32, u64>,
    /// Logs with a checkpoint that was left unchecked until a sibling is held up to a height.
    waiting: BTreeMap<(LogId, u64), BTreeSet<u32>>,
    clock: u64,
}

struct Kept {
    audit: LogAudit,
    used: u64,
}

impl Audits {
    /// Forgets a log: what was read of it has changed.
    pub(super) fn forget(&mut self, log: u32) {
        self.logs.remove(&log);
    }

    /// Logs whose checkpoints can be told now that this sibling is held up to a height; they are read anew.
    fn released(&mut self, sibling: LogId, height: u64) -> BTreeSet<u32> {
        let due: Vec<(LogId, u64)> =
            self.waiting.range((sibling, 0)..=(sibling, height)).map(|(key, _)| *key).collect();
        let logs: BTreeSet<u32> = due.iter().filter_map(|key| self.waiting.remove(key)).flatten().collect();
        logs.iter().for_each(|log| self.forget(*log));
        logs
    }

    fn wait_for(&mut self, log: u32, sibling: &LogHead) {
        if self.waiting.len() < WAITING_MAX {
            self.waiting.entry((sibling.log, sibling.height)).or_default().insert(log);
        }
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.logs.clear();
    }

    /// The state of a log, or a fresh one where its growth pays for reading all of it.
    fn take(&mut self, log: u32, row: &LogRow, author: Did) -> Option<LogAudit> {
        if let Some(kept) = self.logs.remove(&log) {
            return Some(kept.audit);
        }
        let read_at = self.read_at.get(&log).copied().unwrap_or(0);
        let pays = row.height <= SHORT_LOG || row.height.saturating_sub(read_at) >= row.height / GROWTH_PART;
        if !pays {
            return None;
        }
        self.read_at.insert(log, row.height);
        Some(LogAudit::new(author, row.log))
    }

    fn keep(&mut self, log: u32, audit: LogAudit) {
        self.clock += 1;
        self.logs.insert(log, Kept { audit, used: self.clock });
        while self.logs.values().map(|kept| kept.audit.height()).sum::<u64>() > KEPT_ENTRIES_MAX {
            let oldest = self.logs.iter().min_by_key(|(_, kept)| kept.used).map(|(log, _)| *log);
            let Some(oldest) = oldest else { break };
            self.logs.remove(&oldest);
        }
    }
}

/// What became of a proof that was passed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProofTaken {
    /// Kept.
    New,
    /// Nothing new, or of no concern here.
    Known,
    /// What it claims is not so.
    False,
    /// It can't be told here.
    Unknown,
}

impl Batch<'_> {
    /// Audits all checkpoints of a log that were not looked at yet. True if one of them was found void.
    pub(super) fn audit(&mut self, log: u32) -> Result<bool, StoreError> {
        let row = self.log_row(log)?;
        let Some(author) = self.identities.get(row.author)?.map(|author| author.value().did) else { return Ok(false) };
        let Some(mut audit) = self.shared.audits().take(log, &row, author) else { return Ok(false) };
        let mut found = false;
        for seq in audit.height()..row.height {
            let place = (log, seq);
            let Some(held) = self.held(place)? else { break };
            let kind = &held.header.kind;
            let (body, is_held) = match LogAudit::needs_body(kind) || *kind == Kind::Checkpoint {
                true => self.read_body(place, &held)?,
                false => (None, true),
            };
            if let Some(Body::Checkpoint(checkpoint)) = &body {
                found |= self.audit_one(&mut audit, place, &held, checkpoint)?;
            }
            audit.read(&held.header, held.id, body.as_ref(), is_held);
        }
        self.shared.audits().keep(log, audit);
        Ok(found)
    }

    /// Audits what had to wait for this log. True if a checkpoint was found void.
    pub(super) fn audit_waiting(&mut self, row: &LogRow) -> Result<bool, StoreError> {
        let mut found = false;
        let released = self.shared.audits().released(row.log, row.height);
        for log in released {
            found |= self.audit(log)?;
        }
        Ok(found)
    }

    /// Checks one checkpoint; true if it is void and was not known to be.
    fn audit_one(
        &mut self,
        audit: &mut LogAudit,
        place: PlaceKey,
        held: &HeldEntry,
        checkpoint: &Checkpoint,
    ) -> Result<bool, StoreError> {
        if self.checkpoint_faults.get(place)?.is_some() {
            return Ok(false);
        }
        let missing = self.count_erases(audit, checkpoint)?;
        if let Some(head) = missing.flatten() {
            self.shared.audits().wait_for(place.0, &head);
        }
        let is_complete = missing.is_none();
        let Some(proof) = self.fault_proof(place, held)? else { return Ok(false) };
        let Ok(faulty) = proof.verify(self.shared.network) else { return Ok(false) };
        let Err(fault) = audit.check(&faulty.entry, checkpoint, is_complete) else { return Ok(false) };
        self.put_fault(place, &proof, &fault)?;
        Ok(true)
    }

    /// Counts the erases of siblings up to where the checkpoint names them. Something where that can't be done:
    /// the head that must be held first, or nothing that will ever come or that is too much.
    fn count_erases(
        &self,
        audit: &mut LogAudit,
        checkpoint: &Checkpoint,
    ) -> Result<Option<Option<LogHead>>, StoreError> {
        let mut left = SIBLINGS_FREE + 4 * audit.height();
        let mut due: Vec<(u32, &LogHead, u64)> = Vec::new();
        for head in &checkpoint.logs {
            let Some(from) = audit.uncounted(head) else { return Ok(Some(None)) };
            let Some(number) = self.log_numbers.get(&head.log.0)?.map(|number| number.value()) else {
                return Ok(Some(Some(*head)));
            };
            let named = head.height.checked_sub(1).map(|seq| self.hash_at((number, seq))).transpose()?.flatten();
            if named != Some(head.head) {
                return Ok(Some(named.is_none().then_some(*head)));
            }
            let Some(rest) = left.checked_sub(head.height - from) else { return Ok(Some(None)) };
            left = rest;
            due.push((number, head, from));
        }
        let mut erases = Vec::new();
        for (number, head, from) in &due {
            for row in self.entries.range((*number, *from)..(*number, head.height))? {
                let (place, bytes) = row?;
                let held = HeldEntry::read(bytes.value().to_vec())?;
                if held.row().is(flags::LOOSE) {
                    return Ok(Some(Some(**head)));
                }
                if held.header.kind != Kind::Erase {
                    continue;
                }
                let (body, is_held) = self.read_body(place.value(), &held)?;
                if !is_held {
                    return Ok(Some(None));
                }
                erases.extend(body.map(|body| (held.header, held.id, body)));
            }
        }
        erases.iter().for_each(|(header, id, body)| audit.count_erase(header, *id, body));
        due.iter().for_each(|(_, head, _)| audit.counted(head));
        Ok(None)
    }

    /// A checkpoint as it is passed on.
    fn fault_proof(&self, place: PlaceKey, held: &HeldEntry) -> Result<Option<FaultProof>, StoreError> {
        let row = held.row();
        let body = self.body_bytes(place, &row)?;
        let parts = row.signature.copied().zip(body);
        Ok(parts.map(|(signature, (salt, bytes))| {
            FaultProof::from_parts(row.header.to_vec(), Signature(signature), salt, bytes)
        }))
    }

    fn put_fault(&mut self, place: PlaceKey, proof: &FaultProof, fault: &CheckpointFault) -> Result<(), StoreError> {
        let row = self.log_row(place.0)?;
        tracing::warn!(log = %row.log, seq = place.1, %fault, rule = %fault.rule(), "a checkpoint is void");
        self.checkpoint_faults.insert(place, proof.encode().as_slice())?;
        self.after.notices.push(Notice::Proven(row.log));
        Ok(())
    }

    /// Takes a fault proof that somebody passed on: what it shows alone is believed, a root is audited here.
    pub(super) fn insert_fault(&mut self, proof: &FaultProof) -> Result<ProofTaken, StoreError> {
        let Ok(faulty) = proof.verify(self.shared.network) else { return Ok(ProofTaken::False) };
        let header = faulty.entry.header();
        let Some(record) = self.identity(&header.author)? else { return Ok(ProofTaken::Unknown) };
        if !self.owns_log(record.state(), &header.log, &header.device)? {
            return Ok(ProofTaken::Unknown);
        }
        let (log, row) = self.log(&header.log, &header.author, &header.device)?;
        let place = (log, header.seq);
        if self.checkpoint_faults.get(place)?.is_some() {
            return Ok(ProofTaken::Known);
        }
        let is_held = self.hash_at(place)? == Some(faulty.entry.hash());
        if !is_held && self.writes(&row.log) {
            // Whatever the checkpoint says: the own key has signed it, and not here (`LOG-17`).
            self.stop_signing(&row, header.seq, faulty.entry.hash())?;
        }
        if let Some(fault) = faulty.fault.as_ref().filter(|_| is_held || row.height <= header.seq) {
            self.put_fault(place, proof, fault)?;
            self.stand_forked(row.author)?;
            return Ok(ProofTaken::New);
        }
        if !is_held || faulty.fault.is_some() {
            return Ok(ProofTaken::Unknown);
        }
        // What was left unchecked may be told by now.
        self.shared.audits().forget(log);
        if self.audit(log)? {
            self.stand_forked(row.author)?;
        }
        Ok(if self.checkpoint_faults.get(place)?.is_some() { ProofTaken::New } else { ProofTaken::Unknown })
    }
}

impl Snapshot {
    /// The proofs that are kept against checkpoints of a log, the oldest first.
    pub(crate) fn fault_proofs(&self, log: &LogId, proofs_max: usize) -> Result<Vec<Vec<u8>>, StoreError> {
        let Some(number) = self.log_number(log)? else { return Ok(Vec::new()) };
        let faults = self.table(tables::CHECKPOINT_FAULTS)?;
        let range = faults.range((number, 0)..=(number, u64::MAX))?.take(proofs_max);
        range.map(|row| Ok(row?.1.value().to_vec())).collect()
    }

    /// True for a checkpoint that was found to say what its log does not (`LOG-8`).
    pub(super) fn is_void_checkpoint(&self, log: &LogId, seq: u64) -> Result<bool, StoreError> {
        let Some(number) = self.log_number(log)? else { return Ok(false) };
        Ok(self.table(tables::CHECKPOINT_FAULTS)?.get((number, seq))?.is_some())
    }

    /// The logs of which a proof is kept.
    pub(crate) fn proven_logs(&self) -> Result<Vec<LogId>, StoreError> {
        let mut numbers = BTreeSet::new();
        for row in self.table(tables::FORK_PROOFS)?.iter()? {
            numbers.insert(row?.0.value());
        }
        for row in self.table(tables::CHECKPOINT_FAULTS)?.iter()? {
            numbers.insert(row?.0.value().0);
        }
        let mut logs = Vec::with_capacity(numbers.len());
        for number in numbers {
            logs.extend(self.log(number)?.map(|row| row.log));
        }
        Ok(logs)
    }
}
