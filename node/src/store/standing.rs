//! What counts: objects of identities, and what follows from them for entries that are held. An ended
//! device voids entries, a raised head restores them, an anchor settles a fork.

use std::sync::Arc;

use xom_protocol::body::Body;
use xom_protocol::identity::{IdentityRecord, IdentityState, Inserted, SignedObject};
use xom_protocol::{Did, Digest, Rule};

use super::batch::Batch;
use super::tables::{ArrivalRow, IdentityRow, LogRow, PlaceKey, flags};
use super::verdict::Standing;
use super::{IdentityInserted, Notice};
use crate::error::StoreError;

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
            let same_keys = held.as_ref().is_none_or(|held| held.state().control == record.state().control);
            let stood_so = held.is_some_and(|held| same_standing(held.state(), record.state()));
            self.after.identities.insert(did, Arc::clone(&record));
            self.after.notices.push(Notice::Identity(did));
            if !stood_so {
                self.restand(record.state())?;
            }
            if !same_keys {
                self.judge_orders(record.state())?;
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
            let id = object.id();
            if self.identity_seen.get((number, &id.0))?.is_none() {
                self.identity_seen.insert((number, &id.0), self.now_ms)?;
            }
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
        for log in self.logs_of_identity(number)? {
            // Another operation may name the branch that had lost.
            self.reject_branch(log, None)?;
            self.stand(log, state)?;
        }
        Ok(())
    }

    /// Brings the forked logs of an identity in line: a fork, a checkpoint or a branch is new.
    pub(super) fn stand_forked(&mut self, author: u32) -> Result<(), StoreError> {
        let Some(did) = self.identities.get(author)?.map(|row| row.value().did) else { return Ok(()) };
        let mut forked = Vec::new();
        for log in self.logs_of_identity(author)? {
            if self.fork_proofs.get(log)?.is_some() {
                forked.push(log);
            }
        }
        if forked.is_empty() {
            return Ok(());
        }
        let Some(record) = self.identity(&did)? else { return Ok(()) };
        for log in forked {
            self.stand(log, record.state())?;
        }
        Ok(())
    }

    pub(super) fn logs_of_identity(&self, author: u32) -> Result<Vec<u32>, StoreError> {
        let logs = self.logs_of.range((author, 0)..=(author, u32::MAX))?;
        Ok(logs.map(|row| row.map(|row| row.0.value().1)).collect::<Result<_, _>>()?)
    }

    /// Brings one log in line with all that says what of it counts.
    pub(super) fn stand(&mut self, log: u32, state: &IdentityState) -> Result<(), StoreError> {
        let row = self.log_row(log)?;
        match self.standing(log, &row, state)? {
            Standing::Cut(seq) => self.give_way(log, seq, state),
            Standing::Stands { void_from, disputed_from, sought } => {
                self.seek_head(log, row.log, sought)?;
                self.change_standing(row, log, void_from, disputed_from)
            }
        }
    }

    /// Takes the branch that is held out of the log for another one.
    fn give_way(&mut self, log: u32, seq: u64, state: &IdentityState) -> Result<(), StoreError> {
        let lost = self.hash_at((log, seq))?;
        let row = self.log_row(log)?;
        let anchors = self.anchors(&row, state)?;
        self.note_held(log, &row, &anchors)?;
        self.cut(log, seq)?;
        self.reject_branch(log, lost)?;
        let row = self.log_row(log)?;
        match self.standing(log, &row, state)? {
            Standing::Cut(_) => Ok(()),
            Standing::Stands { void_from, disputed_from, sought } => {
                self.seek_head(log, row.log, sought)?;
                self.change_standing(row, log, void_from, disputed_from)
            }
        }
    }

    /// Moves the places from which a log is void and disputed. What changes its standing leaves the views as it
    /// stood and enters them as it stands now; erases leave last of all and enter last of all, so that
    /// what they hide is met in both.
    fn change_standing(&mut self, row: LogRow, log: u32, void_from: u64, disputed_from: u64) -> Result<(), StoreError> {
        let new = LogRow { void_from, disputed_from, ..row };
        let ranges = [(row.void_from, void_from), (row.disputed_from, disputed_from)];
        let Some(from) = ranges.iter().filter(|(old, new)| old != new).map(|(old, new)| *old.min(new)).min() else {
            return Ok(());
        };
        let is_affected = |place: &PlaceKey| ranges.iter().any(|(old, new)| (place.1 >= *old) != (place.1 >= *new));
        let places: Vec<PlaceKey> = self.places(log, from)?.into_iter().filter(is_affected).collect();
        for place in places.iter().rev() {
            let Some(held) = self.held(*place)? else { continue };
            self.after.reload_own |= self.own.contains_key(&held.header.author);
            if held.row().is_live() {
                self.leave_views(*place, &held)?;
            }
        }
        let changed = self.arrive(ArrivalRow::Log(log))?;
        self.logs.insert(log, LogRow { changed, ..new })?;
        for place in places {
            let (set, clear) = if place.1 >= void_from { (flags::VOID, 0) } else { (0, flags::VOID) };
            self.set_flags(place, set, clear)?;
            self.restore(place)?;
        }
        self.tell_log_changed(&row)
    }

    /// True for what counts, but stands on a branch that is disputed.
    pub(super) fn is_disputed(&self, place: PlaceKey) -> Result<bool, StoreError> {
        Ok(self.log_row(place.0)?.disputed_from <= place.1)
    }

    /// Takes a branch that lost out of the log, from where it parts.
    pub(super) fn cut(&mut self, log: u32, seq: u64) -> Result<(), StoreError> {
        let row = self.log_row(log)?;
        self.shared.audits().forget(log);
        for place in self.places(log, seq)?.into_iter().rev() {
            let Some(held) = self.held(place)? else { continue };
            self.after.reload_own |= self.own.contains_key(&held.header.author);
            self.checkpoint_faults.remove(place)?;
            self.forget_entry(place, &held)?;
        }
        let before = match seq.checked_sub(1) {
            Some(last) => self.held((log, last))?,
            None => None,
        };
        let head = before.as_ref().map_or(Digest([0; 32]), |before| before.hash());
        let time_ms = before.map_or(0, |before| before.header.time_ms);
        let changed = self.arrive(ArrivalRow::Log(log))?;
        let height = row.height.min(seq);
        // What stays below goes on standing as it does, until it is judged anew.
        let below = |from: u64| if from < seq { from } else { LogRow::NONE };
        let (disputed_from, void_from) = (below(row.disputed_from), below(row.void_from));
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

    pub(super) fn hash_at(&self, place: PlaceKey) -> Result<Option<Digest>, StoreError> {
        Ok(self.held(place)?.map(|held| held.hash()))
    }
}

/// True for what is shown while it is disputed; everything else has no effect until its fork is settled
/// (`LOG-13`).
pub(super) fn is_shown_disputed(body: &Body) -> bool {
    matches!(body, Body::Post(_))
}

/// True where two states let the same entries count.
fn same_standing(old: &IdentityState, new: &IdentityState) -> bool {
    let statuses = |state: &IdentityState| -> Vec<_> {
        state.devices.iter().map(|(id, device)| (*id, device.status.clone())).collect()
    };
    old.anchors == new.anchors && statuses(old) == statuses(new)
}
