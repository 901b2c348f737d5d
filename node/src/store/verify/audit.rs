//! What is concluded once all logs of an identity have been read: whether its checkpoints say what its
//! entries say, and whether the views count as many statuses as there are.
//!
//! Nothing is concluded for want of a body or of a sibling log.

use std::collections::{BTreeMap, BTreeSet};

use redb::ReadableTableMetadata;
use xom_protocol::body::{Body, Checkpoint};
use xom_protocol::entry::{Kind, SaltedBody, VerifiedEntry};
use xom_protocol::log::{LiveSet, MerkleMap, audit_checkpoint};
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
    is_local: bool,
    live: LiveSet,
    checkpoints: Vec<(VerifiedEntry, Checkpoint)>,
    /// Entries that may write a register or take something back, whose bodies are not held.
    unread: BTreeMap<EntryId, (LogId, u64)>,
    /// Something that is held could not be read: nothing can be counted.
    misses_some: bool,
    posts: u64,
    /// What is reposted: each counts once, however often it is said (`LOG-10`).
    reposted: BTreeSet<EntryId>,
}

impl Audit {
    /// Of `author` nothing has been read yet.
    pub(super) fn new(author: Did, is_local: bool) -> Self {
        Self {
            author,
            is_local,
            live: LiveSet::new(author),
            checkpoints: Vec::new(),
            unread: BTreeMap::new(),
            misses_some: false,
            posts: 0,
            reposted: BTreeSet::new(),
        }
    }

    /// Takes in an entry of a chain that was verified.
    pub(super) fn chained(&mut self, entry: VerifiedEntry, row: &LogRow) {
        let header = entry.header();
        self.live.insert(&entry);
        match entry.body() {
            None if is_read(&header.kind) => drop(self.unread.insert(entry.id(), (header.log, header.seq))),
            Some(body) if header.kind == Kind::Checkpoint && header.seq < row.void_from => {
                if let Ok(Body::Checkpoint(checkpoint)) = Body::decode(&header.kind, &body.bytes) {
                    self.checkpoints.push((entry, checkpoint));
                }
            }
            _ => {}
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
        let is_disputed = !self.is_local && row.disputed_from <= held.header.seq;
        match Body::decode(&held.header.kind, &body.bytes) {
            Ok(Body::Post(_)) => self.posts += 1,
            Ok(Body::Repost(repost)) if !is_disputed => drop(self.reposted.insert(repost.target.entry)),
            _ => {}
        }
    }

    /// Checks every checkpoint (`LOG-8`, `LOG-14`) and the counted statuses. Answers how many there are,
    /// where that can be told.
    pub(super) fn finish(self, snapshot: &Snapshot, report: &mut VerifyReport) -> Result<Option<u64>, StoreError> {
        for (entry, checkpoint) in &self.checkpoints {
            let mut map = self.map(snapshot, entry, checkpoint)?;
            if let Err(fault) = audit_checkpoint(entry, checkpoint, map.as_mut()) {
                report.faults.push(format!("log {}: {fault} ({}, LOG-14)", entry.header().log, fault.rule()));
            }
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
        Ok(Some(statuses))
    }

    /// What a checkpoint commits to; none if something that it needs is not held (`LOG-8`).
    fn map(
        &self,
        snapshot: &Snapshot,
        entry: &VerifiedEntry,
        checkpoint: &Checkpoint,
    ) -> Result<Option<MerkleMap>, StoreError> {
        for head in &checkpoint.logs {
            let held = head.height.checked_sub(1).map(|seq| snapshot.hash_at(&head.log, seq)).transpose()?.flatten();
            let unread = self.unread.values().any(|(log, seq)| *log == head.log && *seq < head.height);
            if held != Some(head.head) || unread {
                return Ok(None);
            }
        }
        let header = entry.header();
        let items = self.live.checkpoint_items(header.log, header.seq, &checkpoint.logs);
        if items.iter().any(|(_, id)| self.unread.contains_key(id)) {
            return Ok(None);
        }
        let mut map = MerkleMap::new();
        for (key, value) in items {
            map.insert(key, value);
        }
        Ok(Some(map))
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
    !matches!(kind, Kind::Post | Kind::Checkpoint | Kind::LogOpen | Kind::Other(_))
}
