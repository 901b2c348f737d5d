//! Auditing the checkpoints of one log as it grows: what they commit to is kept up to date entry by entry, so
//! that a log is audited in time linear in its length (`LOG-8`).

use std::collections::{BTreeMap, BTreeSet};

use super::checkpoint::{CheckpointFault, audit_checkpoint};
use super::live::LiveSet;
use super::merkle::MerkleMap;
use crate::body::{Body, Checkpoint, LogHead};
use crate::entry::{Header, Kind, VerifiedEntry};
use crate::ids::{Did, Digest, EntryId, LogId};

/// What the next checkpoint of a log commits to.
#[derive(Debug, Clone)]
pub struct LogAudit {
    log: LogId,
    height: u64,
    /// Entries of this log, and the erases of siblings that count.
    live: LiveSet,
    map: MerkleMap,
    /// Live entries whose body is not held and may say what the root depends on.
    unread: BTreeSet<EntryId>,
    /// Up to where the erases of each sibling were counted.
    counted: BTreeMap<LogId, u64>,
}

impl LogAudit {
    /// Nothing of the log was read yet.
    pub fn new(author: Did, log: LogId) -> Self {
        let (live, map) = (LiveSet::new(author), MerkleMap::new());
        Self { log, height: 0, live, map, unread: BTreeSet::new(), counted: BTreeMap::new() }
    }

    /// How many entries were read.
    pub fn height(&self) -> u64 {
        self.height
    }

    /// True for kinds whose bodies decide what is live, or under which key an entry stands; of others
    /// [`LogAudit::read`] needs none.
    pub fn needs_body(kind: &Kind) -> bool {
        !matches!(kind, Kind::Post | Kind::Checkpoint | Kind::LogOpen | Kind::Admit | Kind::Algorithm | Kind::Other(_))
    }

    /// Reads the next entry of the log, with its body where that is held and no opaque one.
    pub fn read(&mut self, header: &Header, id: EntryId, body: Option<&Body>, is_held: bool) {
        self.live.insert_read(header, id, body, is_held);
        self.has_read(header.seq, id, !is_held && Self::needs_body(&header.kind));
    }

    /// The same for an entry that another set knows; `is_unread` if its body is not held and may decide something.
    pub fn read_from(&mut self, known: &LiveSet, seq: u64, id: EntryId, is_unread: bool) {
        self.live.insert_from(known, &id);
        self.has_read(seq, id, is_unread);
    }

    fn has_read(&mut self, seq: u64, id: EntryId, is_unread: bool) {
        self.height = seq + 1;
        if is_unread {
            self.unread.insert(id);
        }
        self.refresh(&id);
        self.refresh_target(&id);
    }

    /// From where the erases of a sibling are still to be counted with [`LogAudit::count_erase`], up to the
    /// height that a checkpoint names; none where they were counted further: the root can't be told then.
    pub fn uncounted(&self, sibling: &LogHead) -> Option<u64> {
        let counted = self.counted.get(&sibling.log).copied().unwrap_or(0);
        (counted <= sibling.height).then_some(counted)
    }

    /// Counts an erase in a sibling log.
    pub fn count_erase(&mut self, header: &Header, id: EntryId, body: &Body) {
        self.live.insert_read(header, id, Some(body), true);
        self.refresh_target(&id);
    }

    /// The same for an erase that another set knows.
    pub fn count_erase_from(&mut self, known: &LiveSet, id: &EntryId) {
        self.live.insert_from(known, id);
        self.refresh_target(id);
    }

    /// The erases of a sibling were counted up to this height.
    pub fn counted(&mut self, sibling: &LogHead) {
        self.counted.insert(sibling.log, sibling.height);
    }

    /// Checks the checkpoint that stands at the height that was read. `is_complete` tells that all erases were
    /// counted that it names; without them, or for want of a body, the root goes unchecked.
    pub fn check(
        &mut self,
        entry: &VerifiedEntry,
        checkpoint: &Checkpoint,
        is_complete: bool,
    ) -> Result<(), CheckpointFault> {
        let can_tell = is_complete && self.unread.is_empty() && self.height == entry.header().seq;
        audit_checkpoint(entry, checkpoint, can_tell.then_some(&mut self.map))
    }

    /// True where the root can be told, once all named erases were counted.
    pub fn is_whole(&self) -> bool {
        self.unread.is_empty()
    }

    fn refresh_target(&mut self, erase: &EntryId) {
        if let Some(target) = self.live.target_of(erase) {
            self.refresh(&target);
        }
    }

    /// Brings the map up to date for one entry of this log.
    fn refresh(&mut self, id: &EntryId) {
        if self.live.log_of(id) != Some(self.log) {
            return;
        }
        let is_live = self.live.is_live(id);
        if !is_live {
            self.unread.remove(id);
        }
        let registers = self.live.registers_of(id);
        if registers.is_empty() {
            match is_live {
                true => self.map.insert(Digest(id.0), *id),
                false => self.map.remove(&Digest(id.0)),
            };
        }
        for register in registers {
            let key = register.digest(self.live.author());
            match self.live.value(&register) {
                Some(value) => self.map.insert(key, value),
                None => self.map.remove(&key),
            };
        }
    }
}
