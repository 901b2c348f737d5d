//! Ladders: the way from a named head, which is not held, down to what is (`LOG-19`).
//!
//! Every rung is proved by the head that was named, so nobody can make a log give way by a false one. Of a log
//! a few thousand rungs are kept at most, whatever peers show.

use std::collections::BTreeMap;

use redb::ReadableTable;
use serde::{Deserialize, Serialize};
use xom_protocol::body::LogHead;
use xom_protocol::limits::RUNGS_MAX;
use xom_protocol::{Digest, LogId, encoding};

use super::batch::Batch;
use super::snapshot::Snapshot;
use super::tables::{self, LogRow};
use super::{Notice, Store};
use crate::error::StoreError;

/// The longest encoding of a ladder.
const LADDER_BYTES_MAX: usize = RUNGS_MAX * 64 + 256;

/// The way down from a named head, as far as it is known; kept as DAG-CBOR.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ladder {
    /// Height and hash of the named head.
    named: (u64, Digest),
    /// Place and hash of headers on the way, ascending; none stands below what is known to lead to the head.
    rungs: Vec<(u64, Digest)>,
    /// What is held below this height leads to the named head; none until the way down has met what is held.
    sure: Option<u64>,
    /// The way down from the lowest rung is sought.
    open: bool,
}

/// A header of the way down that came: its place and hash.
pub(crate) type Step = (u64, Digest);

impl Ladder {
    fn new(head: &LogHead) -> Self {
        let top = (head.height.saturating_sub(1), head.head);
        Self { named: (head.height, head.head), rungs: vec![top], sure: None, open: true }
    }

    fn is_for(&self, head: &LogHead) -> bool {
        self.named == (head.height, head.head)
    }

    /// What is to be asked for.
    fn sought(&self) -> Option<Step> {
        self.rungs.first().copied().filter(|_| self.open)
    }

    /// Adds the lowest header that is known.
    fn descend(&mut self, to: Step) {
        if self.rungs.len() >= RUNGS_MAX {
            // The lowest is where the way goes on, the highest is the named head.
            let last = self.rungs.len() - 1;
            let mut index = 0;
            self.rungs.retain(|_| {
                index += 1;
                index - 1 == last || (index - 1).is_multiple_of(2)
            });
        }
        self.rungs.insert(0, to);
    }

    /// Everything that is held below `at` leads to the named head, and `next` is what stands there.
    fn meet(&mut self, at: u64, next: Option<Digest>) {
        self.rungs.retain(|(seq, _)| *seq >= at);
        let is_there = self.rungs.first().is_some_and(|(seq, _)| *seq == at);
        if let Some(hash) = next.filter(|_| !is_there) {
            self.rungs.insert(0, (at, hash));
        }
        (self.sure, self.open) = (Some(at), false);
    }
}

impl Store {
    /// Takes headers that lead down from a rung, ascending, each proved by the one above it (`LOG-19`).
    pub(crate) async fn take_ancestors(&self, log: LogId, rung: Step, steps: Vec<Step>) -> Result<(), StoreError> {
        self.write(move |batch| batch.take_ancestors(&log, rung, &steps)).await
    }
}

impl Batch<'_> {
    /// Seeks the way down from this head from now on, or none.
    pub(super) fn seek_head(&mut self, log: u32, id: LogId, head: Option<LogHead>) -> Result<(), StoreError> {
        let held = self.ladder(log)?;
        match (&held, head) {
            (None, None) => return Ok(()),
            (Some(ladder), Some(head)) if ladder.is_for(&head) => return Ok(()),
            (_, Some(head)) => self.put_ladder(log, &Ladder::new(&head))?,
            (Some(_), None) => drop(self.ladders.remove(log)?),
        }
        self.after.notices.push(Notice::Sought(id));
        Ok(())
    }

    /// True where what is held of a log, to its end or up to the next rung, leads to this head.
    pub(super) fn leads_to(&self, log: u32, head: &LogHead) -> Result<bool, StoreError> {
        Ok(self.ladder(log)?.is_some_and(|ladder| ladder.is_for(head) && ladder.sure.is_some()))
    }

    /// The hashes that must stand at certain heights of a log, by height.
    pub(super) fn rungs(&self, log: u32, row: &LogRow) -> Result<BTreeMap<u64, Digest>, StoreError> {
        // Where a head is sought the log is disputed, or ends there.
        if row.disputed_from == LogRow::NONE && row.void_from == LogRow::NONE {
            return Ok(BTreeMap::new());
        }
        let met = self.ladder(log)?.filter(|ladder| ladder.sure.is_some());
        let rungs = met.map(|ladder| ladder.rungs).unwrap_or_default();
        Ok(rungs.into_iter().map(|(seq, hash)| (seq + 1, hash)).collect())
    }

    /// The log has grown: rungs that it has passed prove what is below them.
    pub(super) fn climb(&mut self, log: u32) -> Result<(), StoreError> {
        let Some(mut ladder) = self.ladder(log)?.filter(|ladder| ladder.sure.is_some()) else { return Ok(()) };
        let height = self.log_row(log)?.height;
        let Some((passed, _)) = ladder.rungs.iter().rev().find(|(seq, _)| *seq < height).copied() else {
            return Ok(());
        };
        ladder.rungs.retain(|(seq, _)| *seq > passed);
        ladder.sure = ladder.sure.max(Some(passed + 1));
        let was_open = std::mem::replace(&mut ladder.open, false);
        self.put_ladder(log, &ladder)?;
        if was_open {
            let id = self.log_row(log)?.log;
            self.after.notices.push(Notice::Sought(id));
        }
        Ok(())
    }

    /// Somebody shows another header at `seq` than what is held, or another than a rung: what is held there may be
    /// no way to the named head. True where a head is on its way and nothing is sure there.
    pub(super) fn doubt(&mut self, log: u32, seq: u64) -> Result<bool, StoreError> {
        let Some(mut ladder) = self.ladder(log)? else { return Ok(false) };
        let row = self.log_row(log)?;
        let Some(sure) = ladder.sure.filter(|sure| seq >= *sure) else { return Ok(false) };
        if !ladder.open && row.height > sure {
            ladder.open = true;
            self.put_ladder(log, &ladder)?;
            self.after.notices.push(Notice::Sought(row.log));
        }
        Ok(true)
    }

    /// Goes down by these headers: to where they meet what is held, or to the next rung.
    fn take_ancestors(&mut self, id: &LogId, rung: Step, steps: &[Step]) -> Result<(), StoreError> {
        let Some(log) = self.log_numbers.get(&id.0)?.map(|number| number.value()) else { return Ok(()) };
        let asked = self.ladder(log)?.filter(|ladder| ladder.sought() == Some(rung));
        let (Some(mut ladder), Some(lowest)) = (asked, steps.first().copied()) else { return Ok(()) };
        let height = self.log_row(log)?.height;
        let mut above = None;
        for (seq, hash) in steps.iter().rev().copied() {
            if seq < height && self.hash_at((log, seq))? == Some(hash) {
                return self.meet(log, ladder, seq + 1, above);
            }
            above = Some(hash);
        }
        if lowest.0 == 0 {
            return self.meet(log, ladder, 0, above);
        }
        if lowest.0 < rung.0 {
            ladder.descend(lowest);
            self.put_ladder(log, &ladder)?;
        }
        self.after.notices.push(Notice::Sought(*id));
        Ok(())
    }

    /// What is held from `at` on is not the way to the named head and goes; what is below is.
    fn meet(&mut self, log: u32, mut ladder: Ladder, at: u64, next: Option<Digest>) -> Result<(), StoreError> {
        ladder.meet(at, next);
        self.put_ladder(log, &ladder)?;
        let row = self.log_row(log)?;
        if row.height > at {
            let lost = if self.fork_place(log)? == Some(at) { self.hash_at((log, at))? } else { None };
            self.cut(log, at)?;
            if lost.is_some() {
                self.reject_branch(log, lost)?;
            }
        } else {
            // Whoever was not asked any more for the sake of the fork is asked again.
            self.tell_log_changed(&row)?;
        }
        let record = self.identity_of(&row)?;
        if let Some(record) = record {
            self.stand(log, record.state())?;
        }
        self.after.notices.push(Notice::Sought(row.log));
        Ok(())
    }

    /// Judges forks again whose named head is not held and for which no way down is kept: in a folder of a version
    /// before this one, or from a backup.
    pub(super) fn seek_named_heads(&mut self) -> Result<(), StoreError> {
        let mut waiting = Vec::new();
        for fork in self.fork_proofs.iter()? {
            let log = fork?.0.value();
            let row = self.log_row(log)?;
            let ends_above = row.void_from != LogRow::NONE && row.height < row.void_from;
            if (ends_above || row.disputed_from != LogRow::NONE) && self.ladders.get(log)?.is_none() {
                waiting.push((log, row));
            }
        }
        for (log, row) in waiting {
            if let Some(record) = self.identity_of(&row)? {
                self.stand(log, record.state())?;
            }
        }
        Ok(())
    }

    fn ladder(&self, log: u32) -> Result<Option<Ladder>, StoreError> {
        self.ladders.get(log)?.map(|ladder| read(ladder.value())).transpose()
    }

    fn put_ladder(&mut self, log: u32, ladder: &Ladder) -> Result<(), StoreError> {
        self.ladders.insert(log, encoding::encode(ladder).as_slice())?;
        Ok(())
    }
}

impl Snapshot {
    /// Place and hash of the header whose ancestors are to be asked for.
    pub(crate) fn sought(&self, log: &LogId) -> Result<Option<Step>, StoreError> {
        let Some(number) = self.log_number(log)? else { return Ok(None) };
        let ladder = self.table(tables::LADDERS)?.get(number)?.map(|ladder| read(ladder.value())).transpose()?;
        Ok(ladder.and_then(|ladder| ladder.sought()))
    }

    /// The logs of which a named head is on its way.
    pub(crate) fn sought_logs(&self) -> Result<Vec<LogId>, StoreError> {
        let mut logs = Vec::new();
        for ladder in self.table(tables::LADDERS)?.iter()? {
            logs.extend(self.log(ladder?.0.value())?.map(|row| row.log));
        }
        Ok(logs)
    }

    /// The headers of consecutive entries of a log; none where one of them is not held (`SYN-23`).
    pub(crate) fn headers(&self, log: &LogId, from: u64, to: u64) -> Result<Vec<Vec<u8>>, StoreError> {
        let Some(number) = self.log_number(log)? else { return Ok(Vec::new()) };
        let Some(row) = self.log(number)?.filter(|row| to <= row.height) else { return Ok(Vec::new()) };
        let mut headers = Vec::new();
        for seq in from..to.min(row.height) {
            let Some(header) = self.with_entry((number, seq), |row| row.header.to_vec())? else {
                return Ok(Vec::new());
            };
            headers.push(header);
        }
        Ok(headers)
    }
}

fn read(bytes: &[u8]) -> Result<Ladder, StoreError> {
    encoding::decode(bytes, LADDER_BYTES_MAX).map_err(|e| StoreError::Damaged(format!("way to a named head: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_19_of_a_way_of_millions_of_entries_4096_rungs_are_kept_from_the_named_head_to_the_lowest() {
        let hash = |seq: u64| Digest::of(&[&seq.to_be_bytes()]);
        let top = 10_000_000;
        let mut ladder = Ladder::new(&LogHead { log: LogId([1; 32]), height: top + 1, head: hash(top) });
        for number in 1..=9_000 {
            ladder.descend((top - number * 1_023, hash(top - number * 1_023)));
        }
        assert!(ladder.rungs.len() <= RUNGS_MAX);
        assert_eq!(ladder.rungs.last(), Some(&(top, hash(top))));
        assert_eq!(ladder.sought(), Some((top - 9_000 * 1_023, hash(top - 9_000 * 1_023))));
        assert!(ladder.rungs.is_sorted());
        assert!(ladder.rungs.windows(2).all(|pair| pair[1].0 - pair[0].0 <= 8 * 1_023), "no gap is wide");
        assert!(encoding::encode(&ladder).len() <= LADDER_BYTES_MAX);
        let (sought, bytes) = (ladder.sought(), encoding::encode(&ladder));
        assert_eq!(read(&bytes).map(|ladder| ladder.sought()).ok(), Some(sought));
    }
}
