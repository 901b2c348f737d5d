//! The identities that are kept: terms, their end, and what is dropped then (`KEEP-1` to `KEEP-4`).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redb::ReadableTable;
use serde::{Deserialize, Serialize};
use xom_protocol::body::Body;
use xom_protocol::limits::SIGNATURE_INTERVAL;
use xom_protocol::{Did, Digest, EntryId, encoding};

use super::batch::{Batch, HeldEntry};
use super::snapshot::Snapshot;
use super::tables::{self, ArrivalRow, LogRow, PlaceKey, flags};
use super::writer::Writer;
use super::{Store, own};
use crate::error::{CommandError, StoreError};
use crate::keep::{KeepView, KeptLog, Terms};

/// Identities that one node keeps at most (`KEEP-1`).
const KEEPS_MAX: usize = 4_096;
/// Entries that are dropped in one commit.
const DROPPED_A_BATCH: u64 = 256;
/// Longest row, bytes.
const ROW_BYTES_MAX: usize = 256;

/// A keep as it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeepRow {
    /// Bytes.
    pub quota_bytes: u64,
    /// Since when, milliseconds since 1970.
    pub since_ms: u64,
    /// Until when.
    pub until_ms: u64,
    /// Stated in the table of who is where.
    pub told: bool,
    /// The author has asked for it.
    pub asked: bool,
    /// Over; what was held is being dropped.
    pub ended: bool,
}

impl KeepRow {
    fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        encoding::decode(bytes, ROW_BYTES_MAX).map_err(|e| StoreError::Damaged(format!("a keep: {e}")))
    }

    fn holds(&self, now_ms: u64) -> bool {
        !self.ended && self.until_ms > now_ms
    }
}

/// What is kept in memory of the keeps.
#[derive(Debug, Clone, Default)]
pub(super) struct Kept {
    /// Those that hold.
    pub(super) holding: Arc<BTreeMap<Did, KeepRow>>,
    /// There are some that have ended, and whose data is still here.
    pub(super) has_ended: bool,
}

impl Writer {
    /// Sets what is wanted from peers: by those who live here, and for the keeps that hold.
    pub(super) fn set_wants(&self) {
        let rows = Snapshot::open(Arc::clone(&self.shared)).and_then(|snapshot| snapshot.keep_rows());
        match rows {
            Ok(rows) => {
                let has_ended = rows.values().any(|row| row.ended);
                let now_ms = self.shared.now_ms();
                let holding = rows.into_iter().filter(|(_, row)| row.holds(now_ms)).collect();
                self.shared.set_kept(Kept { holding: Arc::new(holding), has_ended });
            }
            Err(cause) => tracing::error!(%cause, "could not read who is kept; nothing changes"),
        }
        self.shared.set_wants(&self.own);
    }
}

impl Store {
    /// Keeps an identity from now on, or on other terms than before (`KEEP-1`).
    pub(crate) async fn keep(&self, did: Did, terms: Terms, told: bool, asked: bool) -> Result<(), CommandError> {
        self.write(move |batch| batch.keep(&did, terms, told, asked)).await?
    }

    /// Ends a keep (`KEEP-3`). False where there is none.
    pub(crate) async fn end_keep(&self, did: Did) -> Result<bool, StoreError> {
        self.write(move |batch| batch.end_keep(&did)).await
    }

    /// Ends keeps whose time is over, and drops what was held for those that ended.
    pub(crate) async fn expire_keeps(&self) -> Result<(), StoreError> {
        if self.shared.keeps().is_empty() && !self.shared.has_ended_keeps() {
            return Ok(());
        }
        self.write(|batch| batch.expire_keeps()).await?;
        while self.write(|batch| batch.drop_ended()).await? {}
        Ok(())
    }

    /// The keeps that hold now.
    pub(crate) fn keeps(&self) -> Arc<BTreeMap<Did, KeepRow>> {
        self.shared.keeps()
    }
}

impl Snapshot {
    /// All keeps, also those that have ended and whose data is still being dropped.
    pub(super) fn keep_rows(&self) -> Result<BTreeMap<Did, KeepRow>, StoreError> {
        let mut rows = BTreeMap::new();
        for item in self.table(tables::KEEPS)?.iter()? {
            let (did, row) = item?;
            rows.insert(Did(*did.value()), KeepRow::read(row.value())?);
        }
        Ok(rows)
    }

    /// What the owner sees of the keeps that hold, by DID.
    pub(crate) fn keep_views(&self) -> Result<Vec<KeepView>, StoreError> {
        let now_ms = self.shared.now_ms();
        let mut views = Vec::new();
        for (did, row) in self.keep_rows()?.into_iter().filter(|(_, row)| row.holds(now_ms)) {
            let mut logs = Vec::new();
            for held in self.heads_of(&did)?.into_iter().filter(|held| held.position.height > 0) {
                let bytes = self.log_bytes(&held.log)?;
                logs.push(KeptLog { log: held.log, height: held.position.height, bytes });
            }
            views.push(KeepView {
                did,
                quota_bytes: row.quota_bytes,
                bytes: self.author_bytes(&did)?,
                since_ms: row.since_ms,
                until_ms: row.until_ms,
                told: row.told,
                logs,
            });
        }
        Ok(views)
    }
}

impl Batch<'_> {
    /// What keeps that others have asked for may take together, without that of one author, bytes.
    pub(super) fn promised_to_others(&self, author: &Did) -> Result<u64, StoreError> {
        let asked = self.all_keeps()?.into_iter().filter(|(did, row)| row.asked && !row.ended && did != author);
        Ok(asked.map(|(_, row)| row.quota_bytes).fold(0, u64::saturating_add))
    }

    pub(super) fn keep(
        &mut self,
        did: &Did,
        terms: Terms,
        told: bool,
        asked: bool,
    ) -> Result<Result<(), CommandError>, StoreError> {
        if self.own.contains_key(did) {
            return Ok(Err(CommandError::Refused("this identity lives here: everything of it is on this node anyway")));
        }
        let before = self.keep_row(did)?;
        if before.is_none() && self.keeps.iter()?.count() >= KEEPS_MAX {
            return Ok(Err(CommandError::Refused("this node keeps as many identities as a node can keep")));
        }
        let since_ms = before.filter(|row| !row.ended).map_or(self.now_ms, |row| row.since_ms);
        let until_ms = self.now_ms.saturating_add(terms.for_ms);
        self.put_keep(did, KeepRow { quota_bytes: terms.quota_bytes, since_ms, until_ms, told, asked, ended: false })?;
        self.after.wants_changed = true;
        Ok(Ok(()))
    }

    pub(super) fn end_keep(&mut self, did: &Did) -> Result<bool, StoreError> {
        let Some(row) = self.keep_row(did)?.filter(|row| !row.ended) else { return Ok(false) };
        self.put_keep(did, KeepRow { ended: true, ..row })?;
        self.after.wants_changed = true;
        Ok(true)
    }

    fn expire_keeps(&mut self) -> Result<(), StoreError> {
        let over: Vec<Did> = self
            .all_keeps()?
            .into_iter()
            .filter(|(_, row)| !row.ended && !row.holds(self.now_ms))
            .map(|(did, _)| did)
            .collect();
        for did in over {
            self.end_keep(&did)?;
        }
        Ok(())
    }

    /// Drops a part of what was held for keeps that have ended. True if there is more.
    pub(super) fn drop_ended(&mut self) -> Result<bool, StoreError> {
        let ended = self.all_keeps()?.into_iter().find(|(_, row)| row.ended);
        let Some((did, _)) = ended else { return Ok(false) };
        let is_followed = self.own.values().any(|own| own.following().contains(&did));
        // Who is being brought back may have no other copy.
        let is_own = self.own.contains_key(&did) || self.shared.shares().unlimited.contains(&did);
        if is_followed || is_own || !self.drop_some_of(&did)? {
            self.keeps.remove(&did.0)?;
            self.after.wants_changed = true;
        }
        Ok(true)
    }

    /// Drops a part of what is held of an identity. False where nothing was left.
    fn drop_some_of(&mut self, did: &Did) -> Result<bool, StoreError> {
        let Some(author) = self.identity_numbers.get(&did.0)?.map(|number| number.value()) else { return Ok(false) };
        for log in self.logs_of_identity(author)? {
            let row = self.log_row(log)?;
            if row.height > 0 {
                self.drop_end_of(log, &row)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Drops the end of a log; what is aimed at somebody who lives here stays without its chain.
    fn drop_end_of(&mut self, log: u32, row: &LogRow) -> Result<(), StoreError> {
        self.shared.audits().forget(log);
        // What is left ends at a signature (`LOG-9`), also where a crash or a new follow comes between.
        let height = row.height.saturating_sub(DROPPED_A_BATCH);
        let height = height - height.saturating_sub(1) % SIGNATURE_INTERVAL;
        let mut loose = row.loose;
        let range = self.entries.range((log, height)..(log, row.height))?;
        let places: Vec<PlaceKey> = range.map(|item| item.map(|item| item.0.value())).collect::<Result<_, _>>()?;
        for place in places.into_iter().rev() {
            let Some(held) = self.held(place)? else { continue };
            if self.is_for_locals(place, &held)? {
                self.set_flags(place, flags::LOOSE, 0)?;
                loose += 1;
                continue;
            }
            self.purge_erased(place, &held)?;
            self.checkpoint_faults.remove(place)?;
            self.forget_entry(place, &held)?;
        }
        let below = match height.checked_sub(1) {
            Some(last) => self.held((log, last))?,
            None => None,
        };
        let head = below.as_ref().map_or(Digest([0; 32]), HeldEntry::hash);
        let time_ms = below.map_or(0, |below| below.header.time_ms);
        let changed = self.arrive(ArrivalRow::Log(log))?;
        let lower = |from: u64| if from >= height { LogRow::NONE } else { from };
        let (disputed_from, void_from) = (lower(row.disputed_from), lower(row.void_from));
        let new = LogRow { height, head, time_ms, changed, disputed_from, void_from, loose, ..*row };
        self.logs.insert(log, new)?;
        self.tell_log_changed(row)
    }

    /// True for an entry that is aimed at an identity that lives here, and for what changes or takes back such a one.
    pub(super) fn is_for_locals(&self, place: PlaceKey, held: &HeldEntry) -> Result<bool, StoreError> {
        let author = &held.header.author;
        let mut body = self.read_body(place, held)?.0;
        // An erase of an edit of a post.
        for _ in 0..=2 {
            let target = match &body {
                Some(Body::Edit(edit)) => edit.target.entry,
                Some(Body::Erase(erase)) => erase.target.entry,
                Some(body) => return Ok(own::aims(body, author).iter().any(|did| self.own.contains_key(did))),
                None => return Ok(false),
            };
            let Some((at, target)) = self.target_of(author, &target)? else { return Ok(false) };
            body = self.read_body(at, &target)?.0;
        }
        Ok(false)
    }

    /// What an erase has hidden goes for good before the erase does: it must not count again (`LOG-12`).
    fn purge_erased(&mut self, place: PlaceKey, held: &HeldEntry) -> Result<(), StoreError> {
        let (Some(Body::Erase(erase)), _) = self.read_body(place, held)? else { return Ok(()) };
        let target = self.target_of(&held.header.author, &erase.target.entry)?;
        match target.filter(|(_, target)| target.row().is(flags::HIDDEN)) {
            Some((at, target)) => self.purge_body(at, &target, false),
            None => Ok(()),
        }
    }

    /// Another entry of the same author, if it is held.
    fn target_of(&self, author: &Did, entry: &EntryId) -> Result<Option<(PlaceKey, HeldEntry)>, StoreError> {
        let Some(at) = self.place_of(entry)? else { return Ok(None) };
        Ok(self.held(at)?.filter(|target| target.header.author == *author).map(|target| (at, target)))
    }

    pub(super) fn keep_row(&self, did: &Did) -> Result<Option<KeepRow>, StoreError> {
        self.keeps.get(&did.0)?.map(|row| KeepRow::read(row.value())).transpose()
    }

    fn put_keep(&mut self, did: &Did, row: KeepRow) -> Result<(), StoreError> {
        self.keeps.insert(&did.0, encoding::encode(&row).as_slice())?;
        Ok(())
    }

    fn all_keeps(&self) -> Result<Vec<(Did, KeepRow)>, StoreError> {
        let mut all = Vec::new();
        for item in self.keeps.iter()? {
            let (did, row) = item?;
            all.push((Did(*did.value()), KeepRow::read(row.value())?));
        }
        Ok(all)
    }
}

/// The identities of which a node states in the table that it has them, as far as the store knows them (`KEEP-4`).
pub(crate) fn told(keeps: &BTreeMap<Did, KeepRow>) -> BTreeSet<Did> {
    keeps.iter().filter(|(_, row)| row.told).map(|(did, _)| *did).collect()
}
