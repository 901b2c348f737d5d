//! What counts: objects of identities, and what follows from them for entries that are held. An ended
//! device voids entries, a raised head restores them, an anchor settles a fork.

use std::sync::Arc;

use redb::ReadableTable;
use xom_protocol::body::Body;
use xom_protocol::entry::Header;
use xom_protocol::identity::{DeviceStatus, IdentityRecord, IdentityState, Inserted, SignedObject};
use xom_protocol::limits::FORK_BRANCH_HEADERS_MAX;
use xom_protocol::{Did, Digest, Rule};

use super::batch::Batch;
use super::tables::{ArrivalRow, IdentityRow, LogRow, PlaceKey};
use super::{IdentityInserted, Notice};
use crate::error::StoreError;

/// What became of a log's standing.
enum Standing {
    /// Entries from here on are void; the fork, if there was one, is settled as told.
    VoidFrom(u64, Settled),
    /// Another branch counts: everything from here on goes.
    Cut(u64),
}

/// Whether a fork still waits for a verdict.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    Yes,
    No,
}

impl Batch<'_> {
    /// Adds objects to what is known of `did`, and brings all its logs up to date (`ID-7` to `ID-10`).
    pub(super) fn insert_identity(&mut self, did: Did, objects: &[Vec<u8>]) -> Result<IdentityInserted, StoreError> {
        let mut inserted = IdentityInserted::default();
        let mut decoded = Vec::with_capacity(objects.len());
        for object in objects {
            match SignedObject::decode(object) {
                Ok(object) => decoded.push(object),
                Err(e) => inserted.refused.push(e.rule()),
            }
        }
        let held = self.identity(&did)?;
        let mut record = match &held {
            Some(record) => IdentityRecord::clone(record),
            None => {
                let Some(at) = decoded.iter().position(|object| object.id().0 == did.0) else {
                    if !decoded.is_empty() {
                        inserted.refused.push(Rule("ID-3"));
                    }
                    return Ok(inserted);
                };
                match IdentityRecord::from_genesis(self.shared.network, decoded.swap_remove(at)) {
                    Ok(record) => {
                        inserted.new += 1;
                        record
                    }
                    Err(e) => {
                        inserted.refused.push(e.rule());
                        return Ok(inserted);
                    }
                }
            }
        };
        for taken in record.insert_all(decoded) {
            match taken {
                Ok(Inserted::New) => inserted.new += 1,
                Ok(Inserted::Known | Inserted::Pending) => {}
                Err(e) => inserted.refused.push(e.rule()),
            }
        }
        let changed = held.as_ref().is_none_or(|held| held.digest() != record.digest());
        if let Some(held) = held.as_ref().filter(|_| changed) {
            self.answer_locks(held, &mut record)?;
        }
        let record = Arc::new(record);
        if changed {
            self.put_identity(&record)?;
            self.note_recovery_starts(&record)?;
            let stood_so = held.is_some_and(|held| same_standing(held.state(), record.state()));
            self.after.identities.insert(did, Arc::clone(&record));
            self.after.notices.push(Notice::Identity(did));
            if !stood_so {
                self.restand(record.state())?;
            }
        } else {
            // What waits for its predecessor waits in memory only.
            self.after.identities.insert(did, record);
        }
        Ok(inserted)
    }

    fn put_identity(&mut self, record: &IdentityRecord) -> Result<(), StoreError> {
        let number = self.identity_number(&record.did())?;
        let row = self.identities.get(number)?.map(|row| row.value());
        let row = row.ok_or_else(|| StoreError::Damaged(format!("identity {number} is numbered but not there")))?;
        let objects = record.objects();
        let count = u32::try_from(objects.len()).map_err(|_| StoreError::Storage("too many objects".into()))?;
        for (index, object) in (0..).zip(&objects) {
            self.identity_objects.insert((number, index), object.encode().as_slice())?;
        }
        for index in count..row.objects {
            self.identity_objects.remove((number, index))?;
        }
        let changed = self.arrive(ArrivalRow::Identity(number))?;
        self.identities.insert(number, IdentityRow { changed, objects: count, ..row })?;
        Ok(())
    }

    /// Brings every log of an identity in line with its state.
    fn restand(&mut self, state: &IdentityState) -> Result<(), StoreError> {
        let number = self.identity_number(&state.did)?;
        let logs = self.logs_of.range((number, 0)..=(number, u32::MAX))?;
        let logs: Vec<u32> = logs.map(|row| row.map(|row| row.0.value().1)).collect::<Result<_, _>>()?;
        for log in logs {
            let row = self.log_row(log)?;
            match self.standing(log, &row, state)? {
                Standing::Cut(seq) => self.cut(log, seq)?,
                Standing::VoidFrom(void_from, settled) => self.set_standing(log, row, void_from, settled)?,
            }
        }
        Ok(())
    }

    /// What of a held log counts (`ID-7`, `ID-8`, `LOG-13`).
    fn standing(&self, log: u32, row: &LogRow, state: &IdentityState) -> Result<Standing, StoreError> {
        let fork = self.forks.range((log, 0)..=(log, u64::MAX))?.next().transpose()?.map(|row| row.0.value().1);
        let mut void_from = LogRow::NONE;
        let mut head = None;
        match state.devices.get(&row.device).map(|device| &device.status) {
            Some(DeviceStatus::Live) => {}
            Some(DeviceStatus::Ended { accepted }) => {
                head = accepted.get(&row.log);
                void_from = head.map_or(0, |head| head.height);
            }
            None => void_from = 0,
        }
        let head = head.or_else(|| state.anchors.get(&row.log).filter(|head| fork.is_some_and(|at| head.height > at)));
        let Some(head) = head else { return Ok(Standing::VoidFrom(void_from, Settled::No)) };
        let ours = match head.height.checked_sub(1) {
            Some(seq) => self.hash_at((log, seq))?,
            None => return Ok(Standing::VoidFrom(0, Settled::Yes)),
        };
        match (ours, fork) {
            (Some(ours), _) if ours == head.head => Ok(Standing::VoidFrom(head.height, Settled::Yes)),
            (Some(_), Some(fork)) => Ok(Standing::Cut(fork)),
            // The branches part somewhere below: nothing shows where, so only the start is sure.
            (Some(_), None) => Ok(Standing::Cut(0)),
            (None, Some(fork)) if self.other_hash_at((log, head.height - 1))? == Some(head.head) => {
                Ok(Standing::Cut(fork))
            }
            (None, _) => Ok(Standing::VoidFrom(head.height, Settled::No)),
        }
    }

    fn set_standing(&mut self, log: u32, row: LogRow, void_from: u64, settled: Settled) -> Result<(), StoreError> {
        let disputed_from = if settled == Settled::Yes { LogRow::NONE } else { row.disputed_from };
        if (row.void_from, row.disputed_from) == (void_from, disputed_from) {
            return Ok(());
        }
        let changed = self.arrive(ArrivalRow::Log(log))?;
        self.logs.insert(log, LogRow { void_from, disputed_from, changed, ..row })?;
        self.tell_log_changed(&row)?;
        if row.disputed_from != disputed_from {
            self.recount(log, row.disputed_from)?;
        }
        let (from, to) = (void_from.min(row.void_from), void_from.max(row.void_from));
        for place in self.places(log, from)? {
            if place.1 < to {
                self.set_void(place, void_from < row.void_from)?;
            }
        }
        Ok(())
    }

    /// True for what counts, but stands on a branch that is disputed: it is kept and served, and counts
    /// nothing until the fork is settled (`LOG-13`). At home one's own word holds all the same.
    pub(super) fn is_discounted(&self, place: PlaceKey, author: &Did, body: &Body) -> Result<bool, StoreError> {
        Ok(counts(body) && !self.own.contains_key(author) && self.log_row(place.0)?.disputed_from <= place.1)
    }

    /// Takes what is discounted from `seq` on out of the views, and what is not any more into them.
    pub(super) fn recount(&mut self, log: u32, seq: u64) -> Result<(), StoreError> {
        for place in self.places(log, seq)? {
            let Some(held) = self.held(place)?.filter(|held| held.row().is_live()) else { continue };
            let Some(body) = self.body_of(place, &held)?.filter(counts) else { continue };
            let entry = held.for_views(place, Some(&body));
            if self.is_discounted(place, &held.header.author, &body)? {
                self.views.retract(&entry)?;
            } else {
                self.views.apply(&entry)?;
            }
        }
        Ok(())
    }

    /// Takes the branch that lost out of the log, from the fork up; its headers stay as proof.
    fn cut(&mut self, log: u32, seq: u64) -> Result<(), StoreError> {
        let row = self.log_row(log)?;
        for (kept, place) in self.places(log, seq)?.into_iter().enumerate() {
            let Some(held) = self.held(place)? else { continue };
            self.after.reload_own |= self.own.contains_key(&held.header.author);
            self.forget_entry(place, &held)?;
            if kept < FORK_BRANCH_HEADERS_MAX {
                self.put_fork_header(place, held.row().signature, held.row().header)?;
            }
        }
        let before = match seq.checked_sub(1) {
            Some(last) => self.held((log, last))?,
            None => None,
        };
        let head = before.as_ref().map_or(Digest([0; 32]), |before| before.hash());
        let time_ms = before.map_or(0, |before| before.header.time_ms);
        let changed = self.arrive(ArrivalRow::Log(log))?;
        let height = row.height.min(seq);
        let (disputed_from, void_from) = (LogRow::NONE, LogRow::NONE);
        self.logs.insert(log, LogRow { height, head, time_ms, changed, disputed_from, void_from, loose: 0, ..row })?;
        self.tell_log_changed(&row)?;
        Ok(())
    }

    /// Tells that a log changed otherwise than by growing.
    pub(super) fn tell_log_changed(&mut self, row: &LogRow) -> Result<(), StoreError> {
        let author = self.identities.get(row.author)?.map(|author| author.value().did);
        self.after.notices.extend(author.map(Notice::LogChanged));
        Ok(())
    }

    /// The places of a log that are held, from `from` up, loose ones included.
    fn places(&self, log: u32, from: u64) -> Result<Vec<PlaceKey>, StoreError> {
        let range = self.entries.range((log, from)..=(log, u64::MAX))?;
        range.map(|row| Ok(row?.0.value())).collect()
    }

    fn hash_at(&self, place: PlaceKey) -> Result<Option<Digest>, StoreError> {
        Ok(self.held(place)?.map(|held| held.hash()))
    }

    /// The hash of the header kept of the other branch.
    fn other_hash_at(&self, place: PlaceKey) -> Result<Option<Digest>, StoreError> {
        let kept = self.forks.get(place)?;
        let hash = |bytes: &[u8]| {
            let (signed, rest) = bytes.split_first()?;
            let header = rest.get(64 * usize::from(*signed)..)?;
            Some(Header::hash(header))
        };
        Ok(kept.and_then(|kept| hash(kept.value())))
    }
}

/// True for what is counted or listed for others, and not shown as a text of its own.
fn counts(body: &Body) -> bool {
    match body {
        Body::Reaction(_) | Body::Repost(_) | Body::Vote(_) | Body::PollClose(_) => true,
        Body::Follow(_) | Body::Unfollow(_) => true,
        Body::Post(_) | Body::Edit(_) | Body::Erase(_) | Body::Profile(_) | Body::Block(_) => false,
        Body::Checkpoint(_) | Body::LogOpen(_) => false,
    }
}

/// True where two states let the same entries count.
fn same_standing(old: &IdentityState, new: &IdentityState) -> bool {
    let statuses = |state: &IdentityState| -> Vec<_> {
        state.devices.iter().map(|(id, device)| (*id, device.status.clone())).collect()
    };
    old.anchors == new.anchors && statuses(old) == statuses(new)
}
