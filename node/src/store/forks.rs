//! Forks that are kept (`LOG-13`): of each log the proof that parts lowest, and which branch lost. A branch
//! that lost never comes back while what decided against it stands.

use std::sync::Arc;

use redb::{ReadableTable, TableHandle, WriteTransaction};
use serde::{Deserialize, Serialize};
use xom_protocol::entry::{Header, VerifiedEntry};
use xom_protocol::identity::IdentityRecord;
use xom_protocol::keys::Signature;
use xom_protocol::limits::{FORK_BRANCH_HEADERS_MAX, FORK_PROOF_BYTES_MAX};
use xom_protocol::log::{Anchor, Branch, BranchHashes, Fork, ForkProof};
use xom_protocol::{Digest, LogId, Rule, encoding};

use super::append::{position_of, refused};
use super::audits::ProofTaken;
use super::batch::{Batch, HeldEntry};
use super::snapshot::Snapshot;
use super::tables::{self, LogRow};
use super::{Appended, Notice};
use crate::error::StoreError;

/// Heads of one fork that are noted: as many as a control key and the devices of an identity may name.
const NAMED_MAX: usize = 64;

/// A header with its signature, where one is kept.
pub(super) type SignedHeader = (Vec<u8>, Option<Signature>);

/// What is kept of a fork, as DAG-CBOR.
#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(with = "serde_bytes")]
    proof: Vec<u8>,
    /// Where the branches part, as the proof says too.
    seq: u64,
    /// The first header of the branch that was held here and lost.
    rejected: Option<Digest>,
    /// Heads that anchors name, above what the proof shows: height, hash, and the first header of its branch.
    named: Vec<(u64, Digest, Digest)>,
}

/// A fork that is kept, checked again.
pub(super) struct KeptFork {
    /// Where the branches part, and how far each is shown.
    pub(super) fork: Fork,
    /// The first header of the branch that was held here and lost.
    pub(super) rejected: Option<Digest>,
    named: Vec<(u64, Digest, Digest)>,
}

/// A branch of a fork that is kept, with the heads that anchors name on it.
pub(super) struct ShownBranch<'a> {
    branch: &'a Branch,
    named: &'a [(u64, Digest, Digest)],
}

impl KeptFork {
    /// Both branches, as far as they were shown.
    pub(super) fn branches(&self) -> [ShownBranch<'_>; 2] {
        self.fork.branches.each_ref().map(|branch| ShownBranch { branch, named: &self.named })
    }
}

impl BranchHashes for ShownBranch<'_> {
    fn hash_at(&self, seq: u64) -> Option<Digest> {
        let first = self.branch.hashes.first();
        let named = || self.named.iter().find(|(height, _, of)| *height == seq + 1 && Some(of) == first);
        self.branch.hash_at(seq).or_else(|| named().map(|(_, head, _)| *head))
    }
}

impl Batch<'_> {
    /// The fork of a log, if it has one.
    pub(super) fn kept_fork(&self, log: u32) -> Result<Option<KeptFork>, StoreError> {
        let Some(kept) = self.fork_proofs.get(log)?.map(|kept| read(kept.value())).transpose()? else {
            return Ok(None);
        };
        let proof = ForkProof::decode(&kept.proof).map_err(|e| damaged(&e))?;
        let fork = proof.verify(self.shared.network).map_err(|e| damaged(&e))?;
        Ok(Some(KeptFork { fork, rejected: kept.rejected, named: kept.named }))
    }

    /// Keeps the proof of a fork that a branch makes with what is held: the branch seen first goes on, disputed
    /// until an anchor decides.
    pub(super) fn keep_fork(&mut self, log: u32, branch: &[SignedHeader]) -> Result<Appended, StoreError> {
        let row = self.log_row(log)?;
        let Some(first) = branch.first().and_then(|(header, _)| Header::decode(header).ok()) else {
            return Ok(Appended::Stored { position: position_of(&row), new: 0 });
        };
        let seq = first.seq;
        if seq >= row.void_from {
            return Ok(refused(Rule("LOG-13")));
        }
        // Of several forks the lowest decides what stands, so only its proof is kept (R-FRK-7).
        if let Some(parts) = self.fork_place(log)?.filter(|parts| *parts <= seq) {
            if parts == seq && self.note_named(log, &row, branch)? {
                self.stand_forked(row.author)?;
            }
            let is_doubted = self.doubt(log, seq)?;
            let is_lost = self.log_row(log)?.disputed_from == LogRow::NONE && !is_doubted;
            return Ok(if is_lost { refused(Rule("LOG-13")) } else { Appended::Forked { seq } });
        }
        let ours = self.branch_held(log, seq)?;
        let Some(proof) = ForkProof::of_branches(&ours, branch) else {
            // They part further below, where nobody has shown it yet.
            return Ok(Appended::Gap { position: position_of(&row) });
        };
        self.put_fork(log, &proof, seq)?;
        self.note_named(log, &row, branch)?;
        self.stand_forked(row.author)?;
        Ok(Appended::Forked { seq })
    }

    /// Where a log forks.
    pub(super) fn fork_place(&self, log: u32) -> Result<Option<u64>, StoreError> {
        Ok(self.fork_proofs.get(log)?.map(|kept| read(kept.value())).transpose()?.map(|kept| kept.seq))
    }

    /// Takes a proof that somebody passed on; new is one that parts lower than what was known.
    pub(super) fn insert_fork(&mut self, proof: &ForkProof) -> Result<ProofTaken, StoreError> {
        let Ok(fork) = proof.verify(self.shared.network) else { return Ok(ProofTaken::False) };
        let Some(record) = self.identity(&fork.author)? else { return Ok(ProofTaken::Unknown) };
        if !self.owns_log(record.state(), &fork.point.log, &fork.device)? {
            return Ok(ProofTaken::Unknown);
        }
        let (log, row) = self.log(&fork.point.log, &fork.author, &fork.device)?;
        let known = self.kept_fork(log)?.is_some_and(|kept| kept.fork.point.seq <= fork.point.seq);
        if known || fork.point.seq >= row.void_from {
            return Ok(ProofTaken::Known);
        }
        self.put_fork(log, proof, fork.point.seq)?;
        if self.writes(&row.log) {
            self.stop_where_unknown(log, &row, &fork)?;
        }
        self.stand_forked(row.author)?;
        Ok(ProofTaken::New)
    }

    /// A fork of an own log shows that its key signs elsewhere, whatever branch is held here.
    fn stop_where_unknown(&mut self, log: u32, row: &LogRow, fork: &Fork) -> Result<(), StoreError> {
        for branch in &fork.branches {
            let first = branch.hashes.first().copied().unwrap_or(Digest([0; 32]));
            if self.hash_at((log, fork.point.seq))? != Some(first) {
                return self.stop_signing(row, fork.point.seq, first);
            }
        }
        Ok(())
    }

    /// Notes which heads that anchors name stand on a branch that was shown from the fork up: its proof ends at
    /// its first signature, and it may be gone when an anchor is weighed. True if that is news.
    fn note_named(&mut self, log: u32, row: &LogRow, branch: &[SignedHeader]) -> Result<bool, StoreError> {
        let Some(record) = self.identity_of(row)? else { return Ok(false) };
        let anchors = self.anchors(row, record.state())?;
        if anchors.is_empty() {
            return Ok(false);
        }
        let Some(kept) = self.kept_fork(log)? else { return Ok(false) };
        let Some(first) = branch.first().map(|(header, _)| Header::hash(header)) else { return Ok(false) };
        let mut named = kept.named.clone();
        for anchor in anchors {
            let index = anchor.head.height.checked_sub(kept.fork.point.seq + 1).and_then(|at| usize::try_from(at).ok());
            let shown = index.and_then(|index| branch.get(index)).map(|(header, _)| Header::hash(header));
            let note = (anchor.head.height, anchor.head.head, first);
            if shown == Some(anchor.head.head) && !named.contains(&note) && named.len() < NAMED_MAX {
                named.push(note);
            }
        }
        self.put_named(log, named)
    }

    /// The same for the branch that is held, before it gives way.
    pub(super) fn note_held(&mut self, log: u32, row: &LogRow, anchors: &[Anchor]) -> Result<(), StoreError> {
        let Some(kept) = self.kept_fork(log)? else { return Ok(()) };
        let Some(first) = self.hash_at((log, kept.fork.point.seq))? else { return Ok(()) };
        let mut named = kept.named;
        for head in anchors.iter().map(|anchor| anchor.head).filter(|head| head.log == row.log && head.height > 0) {
            let is_held = self.hash_at((log, head.height - 1))? == Some(head.head);
            let note = (head.height, head.head, first);
            if is_held && head.height > kept.fork.point.seq && !named.contains(&note) && named.len() < NAMED_MAX {
                named.push(note);
            }
        }
        self.put_named(log, named).map(|_| ())
    }

    fn put_named(&mut self, log: u32, named: Vec<(u64, Digest, Digest)>) -> Result<bool, StoreError> {
        let kept = self.fork_proofs.get(log)?.map(|kept| read(kept.value())).transpose()?;
        let Some(kept) = kept.filter(|kept| kept.named != named) else { return Ok(false) };
        self.fork_proofs.insert(log, encoding::encode(&Kept { named, ..kept }).as_slice())?;
        Ok(true)
    }

    /// What is known of the author of a log.
    pub(super) fn identity_of(&mut self, row: &LogRow) -> Result<Option<Arc<IdentityRecord>>, StoreError> {
        let did = self.identities.get(row.author)?.map(|author| author.value().did);
        did.map_or(Ok(None), |did| self.identity(&did))
    }

    /// Keeps a proof; no branch of it has lost yet.
    fn put_fork(&mut self, log: u32, proof: &ForkProof, seq: u64) -> Result<(), StoreError> {
        let kept = Kept { proof: proof.encode(), seq, rejected: None, named: Vec::new() };
        self.fork_proofs.insert(log, encoding::encode(&kept).as_slice())?;
        let id = self.log_row(log)?.log;
        self.after.notices.push(Notice::Proven(id));
        Ok(())
    }

    /// Notes which branch lost; none lets every branch come again.
    pub(super) fn reject_branch(&mut self, log: u32, rejected: Option<Digest>) -> Result<(), StoreError> {
        let kept = self.fork_proofs.get(log)?.map(|kept| read(kept.value())).transpose()?;
        if let Some(kept) = kept.filter(|kept| kept.rejected != rejected) {
            let kept = Kept { rejected, ..kept };
            self.fork_proofs.insert(log, encoding::encode(&kept).as_slice())?;
        }
        Ok(())
    }

    /// The headers that are held from a place on, up to the first signature.
    fn branch_held(&self, log: u32, from: u64) -> Result<Vec<SignedHeader>, StoreError> {
        let mut branch = Vec::new();
        for row in self.entries.range((log, from)..=(log, u64::MAX))?.take(FORK_BRANCH_HEADERS_MAX) {
            let held = HeldEntry::read(row?.1.value().to_vec())?;
            let signature = held.row().signature.copied().map(Signature);
            branch.push((held.row().header.to_vec(), signature));
            if signature.is_some() {
                break;
            }
        }
        Ok(branch)
    }

    /// Brings forks into the form of today that a version before this one kept: only the headers of the branch
    /// that was not taken.
    pub(super) fn migrate_forks(&mut self, txn: &WriteTransaction) -> Result<(), StoreError> {
        let is_there = txn.list_tables()?.any(|table| table.name() == tables::FORKS_V1.name());
        if !is_there {
            return Ok(());
        }
        let mut branches: std::collections::BTreeMap<u32, Vec<SignedHeader>> = std::collections::BTreeMap::new();
        {
            let old = txn.open_table(tables::FORKS_V1)?;
            for row in old.iter()? {
                let (place, bytes) = row?;
                branches.entry(place.value().0).or_default().extend(old_header(bytes.value()));
            }
        }
        txn.delete_table(tables::FORKS_V1)?;
        for (log, branch) in branches {
            self.keep_fork(log, &branch)?;
        }
        Ok(())
    }
}

impl Snapshot {
    /// The proof that is kept of a fork of this log.
    pub(crate) fn fork_proof(&self, log: &LogId) -> Result<Option<Vec<u8>>, StoreError> {
        let Some(number) = self.log_number(log)? else { return Ok(None) };
        let kept = self.table(tables::FORK_PROOFS)?;
        let kept = kept.get(number)?.map(|kept| read(kept.value())).transpose()?;
        Ok(kept.map(|kept| kept.proof))
    }
}

/// The headers of a branch of verified entries.
pub(super) fn headers_of<'a>(entries: impl IntoIterator<Item = &'a VerifiedEntry>) -> Vec<SignedHeader> {
    entries.into_iter().map(|entry| (entry.header_bytes().to_vec(), entry.signature().copied())).collect()
}

fn read(bytes: &[u8]) -> Result<Kept, StoreError> {
    encoding::decode(bytes, FORK_PROOF_BYTES_MAX + 256 * NAMED_MAX).map_err(|e| damaged(&e))
}

fn damaged(cause: &dyn std::fmt::Display) -> StoreError {
    StoreError::Damaged(format!("fork proof: {cause}"))
}

/// A row of the old table: whether a signature follows, the signature, the header.
fn old_header(bytes: &[u8]) -> Option<SignedHeader> {
    let (signed, rest) = bytes.split_first()?;
    if *signed == 0 {
        return Some((rest.to_vec(), None));
    }
    let (signature, header) = rest.split_first_chunk::<64>()?;
    Some((header.to_vec(), Some(Signature(*signature))))
}
