//! How much of the disk each author takes, and how much he may (`KEEP-2`, R-STO-12).
//!
//! What is held is counted as it comes and goes, by log. Identities that live here are counted and never limited.

use std::collections::{BTreeMap, BTreeSet};

use xom_protocol::entry::VerifiedEntry;
use xom_protocol::{BlobId, Did, LogId};

use super::batch::{Batch, HeldEntry};
use super::snapshot::Snapshot;
use super::tables::{self, BlobState};
use super::writer::Writer;
use super::{Notice, Store};
use crate::error::StoreError;
use crate::keep::AUTHOR_QUOTA_BYTES;

/// What an entry takes in tables and views besides its header and body, bytes (`KEEP-2`).
const ENTRY_BYTES: u64 = 512;
/// In place of a log's number: all logs of the author together.
const ALL: u32 = u32::MAX;
/// Authors of whom is remembered that something of theirs did not fit.
const FULL_MAX: usize = 4_096;

/// Who may take how much.
#[derive(Debug, Clone)]
pub(super) struct Shares {
    /// Of an author who is followed, bytes.
    pub(super) usual: u64,
    /// Those who live here, or are being brought back to here.
    pub(super) unlimited: BTreeSet<Did>,
    /// The quotas of those who are kept, and whether they are followed too.
    pub(super) kept: BTreeMap<Did, (u64, bool)>,
    /// Authors of whom something did not fit, with what it would have taken.
    pub(super) full: BTreeMap<Did, TooMuch>,
}

/// What did not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct TooMuch {
    /// Entries, bytes; 0 where only a blob did not fit.
    pub(super) entries: u64,
}

impl Default for Shares {
    fn default() -> Self {
        let (unlimited, kept, full) = (BTreeSet::new(), BTreeMap::new(), BTreeMap::new());
        Self { usual: AUTHOR_QUOTA_BYTES, unlimited, kept, full }
    }
}

impl Shares {
    /// The share of an author; none for those who have no limit.
    pub(super) fn of(&self, did: &Did) -> Option<u64> {
        if self.unlimited.contains(did) {
            return None;
        }
        Some(match self.kept.get(did) {
            Some((quota, false)) => *quota,
            Some((quota, true)) => self.usual.max(*quota),
            None => self.usual,
        })
    }

    /// Notes that something of an author did not fit. True if that is news.
    fn note_full(&mut self, did: Did, entries: u64) -> bool {
        if self.full.len() >= FULL_MAX && !self.full.contains_key(&did) {
            self.full.pop_first();
        }
        let too_much = self.full.entry(did).or_default();
        let news = entries > 0 && too_much.entries == 0;
        if news {
            too_much.entries = entries;
        }
        news
    }
}

impl Store {
    /// Sets the share of authors who are followed.
    pub(crate) fn set_author_quota(&self, bytes: u64) {
        self.shared.shares().usual = bytes;
    }

    /// The authors of whom no entries are taken, since they would go beyond the share.
    pub(crate) fn full(&self) -> BTreeSet<Did> {
        let shares = self.shared.shares();
        shares.full.iter().filter(|(_, too_much)| too_much.entries > 0).map(|(did, _)| *did).collect()
    }

    /// Takes up authors again for whom there is room by now.
    pub(crate) async fn look_for_room(&self) -> Result<(), StoreError> {
        let full: Vec<(Did, TooMuch)> =
            self.shared.shares().full.iter().map(|(did, too_much)| (*did, *too_much)).collect();
        if full.is_empty() {
            return Ok(());
        }
        let store = self.clone();
        let look = move || {
            let snapshot = store.snapshot()?;
            for (did, TooMuch { entries }) in full {
                let bytes = snapshot.author_bytes(&did)?;
                let mut shares = store.shared.shares();
                if shares.of(&did).is_none_or(|share| bytes.saturating_add(entries.max(1)) <= share) {
                    shares.full.remove(&did);
                    drop(shares);
                    store.shared.tell(Notice::LogChanged(did));
                }
            }
            Ok(())
        };
        tokio::task::spawn_blocking(look).await.unwrap_or(Err(StoreError::Stopping))
    }
}

impl Writer {
    /// Shares may have grown: whoever had too much is tried again.
    pub(super) fn look_for_shares(&self) {
        let full = std::mem::take(&mut self.shared.shares().full);
        full.into_keys().for_each(|did| self.shared.tell(Notice::LogChanged(did)));
    }
}

impl Snapshot {
    /// What an author takes here, bytes.
    pub(crate) fn author_bytes(&self, did: &Did) -> Result<u64, StoreError> {
        let Some(number) = self.identity_number(did)? else { return Ok(0) };
        Ok(self.table(tables::BYTES_HELD)?.get((number, ALL))?.map_or(0, |bytes| bytes.value()))
    }

    /// What a log takes here, bytes.
    pub(crate) fn log_bytes(&self, log: &LogId) -> Result<u64, StoreError> {
        let Some(number) = self.log_number(log)? else { return Ok(0) };
        let Some(row) = self.log(number)? else { return Ok(0) };
        Ok(self.table(tables::BYTES_HELD)?.get((row.author, number))?.map_or(0, |bytes| bytes.value()))
    }

    /// True where a blob of this size may be fetched for an author: blobs leave a quarter of the share to texts.
    pub(crate) fn has_room_for_blob(&self, did: &Did, bytes: u64) -> Result<bool, StoreError> {
        let Some(share) = self.shared.shares().of(did) else { return Ok(true) };
        let fits = self.author_bytes(did)?.saturating_add(bytes) <= share / 4 * 3;
        if !fits {
            self.shared.shares().note_full(*did, 0);
        }
        Ok(fits)
    }

    /// What the owner should know of shares that are used up.
    pub(crate) fn share_warnings(&self) -> Result<Vec<String>, StoreError> {
        let full = self.shared.shares().full.clone();
        let mut warnings = Vec::new();
        for (did, too_much) in full {
            let (bytes, share) = (self.author_bytes(&did)?, self.shared.shares().of(&did).unwrap_or(u64::MAX));
            let what =
                if too_much.entries > 0 { "nothing more of theirs is taken" } else { "their pictures stay away" };
            warnings.push(format!(
                "{did} has used up the room on this disk that you give to one author ({} of {} MB): {what}, all others \
                 go on; give them more with `xom keep {did} --quota 5GB`, or end it with `xom unfollow`",
                bytes / 1_000_000,
                share / 1_000_000
            ));
        }
        Ok(warnings)
    }
}

impl Batch<'_> {
    /// A log holds more.
    pub(super) fn charge(&mut self, log: u32, bytes: u64) {
        *self.charges.entry(log).or_default() += i64::try_from(bytes).unwrap_or(i64::MAX);
    }

    /// A log holds less.
    pub(super) fn discharge(&mut self, log: u32, bytes: u64) {
        *self.charges.entry(log).or_default() -= i64::try_from(bytes).unwrap_or(i64::MAX);
    }

    /// An entry comes to a log without its body.
    pub(super) fn charge_header(&mut self, log: u32, header: &[u8]) {
        self.charge(log, header_bytes(header));
    }

    /// An entry leaves a log; its body has left before.
    pub(super) fn discharge_header(&mut self, log: u32, held: &HeldEntry) {
        self.discharge(log, header_bytes(held.row().header));
    }

    /// A blob is held from now on, or is not any more: counts for each log that names it.
    pub(super) fn charge_blob(&mut self, blob: &BlobId, bytes: u64, held: bool) -> Result<(), StoreError> {
        for log in self.logs_naming(blob)? {
            if held { self.charge(log, bytes) } else { self.discharge(log, bytes) }
        }
        Ok(())
    }

    /// True where somebody who names a blob that has come has room for it by now: others came meanwhile. Where nobody
    /// has, that is noted.
    pub(super) fn has_room_for_blob(&mut self, blob: &BlobId, bytes: u64) -> Result<bool, StoreError> {
        let mut authors = BTreeSet::new();
        for item in self.blob_references.range((&blob.0, 0, 0)..=(&blob.0, u32::MAX, u64::MAX))? {
            authors.insert(self.log_row(item?.0.value().1)?.author);
        }
        for number in &authors {
            let Some(did) = self.identities.get(*number)?.map(|row| row.value().did) else { continue };
            let share = self.shared.shares().of(&did).filter(|_| !self.own.contains_key(&did));
            let Some(share) = share else { return Ok(true) };
            if self.bytes_of(*number)?.saturating_add(bytes) <= share / 4 * 3 {
                return Ok(true);
            }
            self.shared.shares().note_full(did, 0);
        }
        Ok(authors.is_empty())
    }

    /// True where a log names a blob.
    pub(super) fn names(&self, log: u32, blob: &BlobId) -> Result<bool, StoreError> {
        Ok(self.blob_references.range((&blob.0, log, 0)..=(&blob.0, log, u64::MAX))?.next().is_some())
    }

    /// True where so much more of an author may be held; where not, that is noted.
    pub(super) fn has_room(&mut self, author: &Did, bytes: u64) -> Result<bool, StoreError> {
        if self.own.contains_key(author) {
            return Ok(true);
        }
        let Some(share) = self.shared.shares().of(author) else { return Ok(true) };
        let number = self.identity_number(author)?;
        if self.bytes_of(number)?.saturating_add(bytes) <= share {
            return Ok(true);
        }
        if self.shared.shares().note_full(*author, bytes) {
            tracing::warn!(%author, share, "the share of an author is used up");
            self.after.notices.push(Notice::LogChanged(*author));
        }
        Ok(false)
    }

    /// What an author takes, with what this transaction has added and taken away.
    fn bytes_of(&self, author: u32) -> Result<u64, StoreError> {
        let mut bytes = self.bytes_held.get((author, ALL))?.map_or(0, |bytes| bytes.value());
        for (log, change) in &self.charges {
            if self.log_row(*log)?.author == author {
                bytes = bytes.saturating_add_signed(*change);
            }
        }
        Ok(bytes)
    }

    /// Writes what was counted.
    pub(super) fn write_charges(&mut self) -> Result<(), StoreError> {
        for (log, change) in std::mem::take(&mut self.charges) {
            let author = self.log_row(log)?.author;
            for key in [(author, log), (author, ALL)] {
                let before = self.bytes_held.get(key)?.map_or(0, |bytes| bytes.value());
                match before.saturating_add_signed(change) {
                    0 => drop(self.bytes_held.remove(key)?),
                    bytes => drop(self.bytes_held.insert(key, bytes)?),
                }
            }
        }
        Ok(())
    }

    /// Counts all that is held, where nothing was counted yet: the folder is of an older version, or was restored.
    pub(super) fn count_held(&mut self) -> Result<(), StoreError> {
        if self.bytes_held.iter()?.next().is_some() {
            return Ok(());
        }
        let mut held: BTreeMap<u32, u64> = BTreeMap::new();
        for item in self.entries.iter()? {
            let (place, row) = item?;
            let entry = HeldEntry::read(row.value().to_vec())?;
            *held.entry(place.value().0).or_default() += header_bytes(entry.row().header);
        }
        for item in self.bodies.iter()? {
            let (place, body) = item?;
            *held.entry(place.value().0).or_default() += body.value().len() as u64;
        }
        let mut counted = BTreeSet::new();
        for item in self.blob_references.iter()? {
            let key = item?.0;
            let (blob, log, _) = key.value();
            let row = self.blobs.get(blob)?.map(|row| row.value()).filter(|row| row.state == BlobState::Held);
            if let Some(row) = row.filter(|_| counted.insert((*blob, log))) {
                *held.entry(log).or_default() += row.bytes;
            }
        }
        held.into_iter().for_each(|(log, bytes)| self.charge(log, bytes));
        Ok(())
    }
}

/// What a run would take, bytes.
pub(super) fn run_bytes<'a>(entries: impl IntoIterator<Item = &'a VerifiedEntry>) -> u64 {
    let bytes = |entry: &VerifiedEntry| {
        header_bytes(entry.header_bytes()) + entry.body().map_or(0, |body| body.bytes.len() as u64)
    };
    entries.into_iter().map(bytes).sum()
}

fn header_bytes(header: &[u8]) -> u64 {
    ENTRY_BYTES + header.len() as u64
}
