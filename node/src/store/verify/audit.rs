//! What is concluded once all logs of an identity have been read: whether its checkpoints say what its
//! entries say, and whether the views count as many statuses as there are.
//!
//! Nothing is concluded for want of a body or of a sibling log.

use std::collections::{BTreeMap, BTreeSet};

use redb::ReadableTableMetadata;
use xom_protocol::body::{Body, Checkpoint};
use xom_protocol::entry::{Kind, SaltedBody, VerifiedEntry};
use xom_protocol::log::{LiveSet, LogAudit};
use xom_protocol::{Did, EntryId, LogId};

use super::super::batch::HeldEntry;
use super::super::snapshot::Snapshot;
use super::super::tables::{LogRow, flags};
use crate::error::StoreError;
use crate::model::VerifyReport;
use crate::views::{find_account, tables};

/// The entries of one identity, as far as its checkpoints and views follow from them.
pub(super) struct Audit {
    author: Did,
    live: LiveSet,
    logs: BTreeMap<LogId, ReadLog>,
    /// Something that is held could not be read: nothing can be counted.
    misses_some: bool,
    posts: u64,
    /// Posts that are shown as disputed, and not counted.
    disputed_posts: u64,
    /// What is reposted: each counts once, however often it is said (`LOG-10`).
    reposted: BTreeSet<EntryId>,
}

impl Audit {
    /// Of `author` nothing has been read yet.
    pub(super) fn new(author: Did) -> Self {
        Self {
            author,
            live: LiveSet::new(author),
            logs: BTreeMap::new(),
            misses_some: false,
            posts: 0,
            disputed_posts: 0,
            reposted: BTreeSet::new(),
        }
    }

    /// Takes in an entry of a chain that was verified.
    pub(super) fn chained(&mut self, entry: VerifiedEntry, row: &LogRow) {
        let header = entry.header();
        self.live.insert(&entry);
        let log = self.logs.entry(header.log).or_default();
        let (seq, id) = (header.seq, entry.id());
        let is_unread = entry.body().is_none() && is_read(&header.kind);
        log.entries.push((id, is_unread));
        if is_unread {
            log.unread_from = log.unread_from.min(seq);
        }
        if header.kind == Kind::Erase {
            log.erases.push((seq, id));
        }
        let body = entry.body().filter(|_| header.kind == Kind::Checkpoint && seq < row.void_from);
        let decoded = body.and_then(|body| Body::decode(&header.kind, &body.bytes).ok());
        if let Some(Body::Checkpoint(checkpoint)) = decoded {
            log.checkpoints.insert(seq, (entry, checkpoint));
        }
    }

    /// Notes that not all that is held could be read.
    pub(super) fn misses_some(&mut self) {
        self.misses_some = true;
    }

    /// Takes in an entry that is held, for what the views should show of it.
    pub(super) fn stored(&mut self, held: &HeldEntry, body: Option<&SaltedBody>, row: &LogRow) {
        // A body may have been purged since the snapshot was taken.
        self.misses_some |= body.is_none() && held.row().is(flags::BODY);
        let Some(body) = body.filter(|_| held.row().is_live()) else { return };
        let is_disputed = row.disputed_from <= held.header.seq;
        match Body::decode(&held.header.kind, &body.bytes) {
            Ok(Body::Post(_)) if is_disputed => self.disputed_posts += 1,
            Ok(Body::Post(_)) => self.posts += 1,
            Ok(Body::Repost(repost)) if !is_disputed => drop(self.reposted.insert(repost.target.entry)),
            _ => {}
        }
    }

    /// Checks every checkpoint (`LOG-8`, `LOG-14`) and the counted statuses. Answers how many there are,
    /// where that can be told.
    pub(super) fn finish(self, snapshot: &Snapshot, report: &mut VerifyReport) -> Result<Option<u64>, StoreError> {
        for (log, read) in &self.logs {
            self.audit(snapshot, *log, read, report)?;
        }
        if self.misses_some {
            return Ok(None);
        }
        let statuses = self.posts + self.reposted.len() as u64;
        let (_, account) = find_account(&snapshot.table(tables::ACCOUNTS)?, &self.author)?;
        let counted = account.map_or(0, |account| account.statuses);
        if counted != statuses {
            let did = self.author;
            report.faults.push(format!("{did}: {statuses} posts and reposts, the views count {counted}"));
        }
        Ok(Some(statuses + self.disputed_posts))
    }

    /// Checks the checkpoints of one log, in one walk over its entries.
    fn audit(
        &self,
        snapshot: &Snapshot,
        log: LogId,
        read: &ReadLog,
        report: &mut VerifyReport,
    ) -> Result<(), StoreError> {
        if read.checkpoints.is_empty() {
            return Ok(());
        }
        let mut audit = LogAudit::new(self.author, log);
        for (seq, (id, is_unread)) in (0..).zip(&read.entries) {
            if let Some((entry, checkpoint)) = read.checkpoints.get(&seq) {
                let is_complete = self.count_erases(snapshot, &mut audit, checkpoint)?;
                match audit.check(entry, checkpoint, is_complete) {
                    Ok(()) => {}
                    Err(_) if snapshot.is_void_checkpoint(&log, seq)? => report.void_checkpoints.push((log, seq)),
                    Err(fault) => report.faults.push(format!("log {log}: {fault} ({}, LOG-14)", fault.rule())),
                }
            }
            audit.read_from(&self.live, seq, *id, *is_unread);
        }
        Ok(())
    }

    /// Counts the erases of siblings up to where a checkpoint names them; false if something of them is not
    /// held (`LOG-8`).
    fn count_erases(
        &self,
        snapshot: &Snapshot,
        audit: &mut LogAudit,
        checkpoint: &Checkpoint,
    ) -> Result<bool, StoreError> {
        for head in &checkpoint.logs {
            let held = head.height.checked_sub(1).map(|seq| snapshot.hash_at(&head.log, seq)).transpose()?.flatten();
            let unread_from = self.logs.get(&head.log).map_or(u64::MAX, |log| log.unread_from);
            if held != Some(head.head) || unread_from < head.height || audit.uncounted(head).is_none() {
                return Ok(false);
            }
        }
        for head in &checkpoint.logs {
            let (Some(from), Some(log)) = (audit.uncounted(head), self.logs.get(&head.log)) else { continue };
            let first = log.erases.partition_point(|(seq, _)| *seq < from);
            let due = log.erases[first..].iter().take_while(|(seq, _)| *seq < head.height);
            due.for_each(|(_, id)| audit.count_erase_from(&self.live, id));
            audit.counted(head);
        }
        Ok(true)
    }
}

/// One log, as it was read.
struct ReadLog {
    /// In order, and whether the body is wanting and may decide something.
    entries: Vec<(EntryId, bool)>,
    /// The first place of such a body.
    unread_from: u64,
    /// The erases with their places.
    erases: Vec<(u64, EntryId)>,
    /// The checkpoints by place.
    checkpoints: BTreeMap<u64, (VerifiedEntry, Checkpoint)>,
}

impl Default for ReadLog {
    fn default() -> Self {
        Self { entries: Vec::new(), unread_from: u64::MAX, erases: Vec::new(), checkpoints: BTreeMap::new() }
    }
}

impl Snapshot {
    /// Checks that the view of statuses holds as many as all identities have together.
    pub(super) fn verify_status_count(&self, statuses: u64, report: &mut VerifyReport) -> Result<(), StoreError> {
        let shown = self.table(tables::STATUSES)?.len()?;
        if shown != statuses {
            report.faults.push(format!("{statuses} posts and reposts, the view of statuses holds {shown}"));
        }
        Ok(())
    }
}

/// True for kinds whose bodies decide what is live.
fn is_read(kind: &Kind) -> bool {
    !matches!(kind, Kind::Post | Kind::Checkpoint | Kind::LogOpen | Kind::Admit | Kind::Algorithm | Kind::Other(_))
}
