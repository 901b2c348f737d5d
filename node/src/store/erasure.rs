//! Erasing and purging (`LOG-12`): an erase hides at once; the body goes when it is due, first out of
//! the database, with an intent, then out of the file of salts.

use xom_protocol::BlobId;
use xom_protocol::EntryId;
use xom_protocol::body::{Attachment, Body, Erase};
use xom_protocol::entry::Header;
use xom_protocol::identity::{IdentityState, purge};
use xom_protocol::log::{check_erase, is_erasable, purge_at_ms};

use super::batch::{Batch, HeldEntry};
use super::standing::is_shown_disputed;
use super::tables::{BlobRow, BlobState, EntryRow, ErasureRow, PlaceKey, flags};
use super::{Notice, own};
use crate::error::StoreError;
use crate::views::NewEntry;

/// Bodies purged in one transaction by the timer.
const PURGES_A_BATCH: usize = 4_096;

impl Batch<'_> {
    /// Takes note of an erase and hides what it takes back, if that is held.
    pub(super) fn take_erase(
        &mut self,
        place: PlaceKey,
        header: &Header,
        seen_ms: u64,
        erase: &Erase,
    ) -> Result<(), StoreError> {
        if check_erase(&header.author, erase, None).is_err() {
            return Ok(());
        }
        let author = self.identity_number(&header.author)?;
        let ordered = match &erase.purge {
            Some(order) => {
                let record = self.identity(&header.author)?;
                record.is_some_and(|record| purge::check(record.state(), &erase.target.entry, order).is_ok())
            }
            None => false,
        };
        let erasure = ErasureRow { seen_ms, author, ordered };
        self.erasures.insert((&erase.target.entry.0, place.0, place.1), erasure)?;
        let target = self.entry_ids.get(&erase.target.entry.0)?.map(|target| target.value());
        match target {
            Some(target) => self.hide(target, place, erasure),
            None => Ok(()),
        }
    }

    /// Hides an entry; purges its body at once where that was ordered.
    fn hide(&mut self, place: PlaceKey, eraser: PlaceKey, erasure: ErasureRow) -> Result<(), StoreError> {
        let Some(held) = self.held(place)? else { return Ok(()) };
        if self.log_row(place.0)?.author != erasure.author || !is_erasable(&held.header.kind) {
            return Ok(());
        }
        let was_live = held.row().is_live();
        if was_live {
            self.leave_views(place, &held)?;
            self.move_aims(place, &held, eraser)?;
        }
        self.set_flags(place, flags::HIDDEN, 0)?;
        self.bodies_lacked.remove(place)?;
        if was_live && self.own.contains_key(&held.header.author) {
            self.note_copies(&held.header.author, place, held.id)?;
        }
        if was_live && held.row().is(flags::BODY) && !erasure.ordered {
            let erase = self.held(eraser)?.map_or(held.id, |erase| erase.id);
            self.owe_hidden(&held.header.author, held.id, erase)?;
        }
        let Some(held) = self.held(place)? else { return Ok(()) };
        if erasure.ordered {
            return self.purge_body(place, &held, true);
        }
        if held.row().is(flags::BODY) {
            self.purges_due.insert((purge_at_ms(erasure.seen_ms, false), place.0, place.1), ())?;
        }
        Ok(())
    }

    /// Judges the purge orders of an identity again, once it has other control keys: an order may come before
    /// the operation that makes its keys current (`LOG-12`). What was purged stays so.
    pub(super) fn judge_orders(&mut self, state: &IdentityState) -> Result<(), StoreError> {
        let author = self.identity_number(&state.did)?;
        let mut waiting = Vec::new();
        for row in self.erasures.iter()? {
            let (key, erasure) = row?;
            let (target, log, seq) = key.value();
            let erasure = erasure.value();
            if erasure.author == author && !erasure.ordered {
                waiting.push((*target, (log, seq), erasure));
            }
        }
        for (target, place, erasure) in waiting {
            let Some(held) = self.held(place)? else { continue };
            let Some(Body::Erase(Erase { purge: Some(order), .. })) = self.read_body(place, &held)?.0 else { continue };
            if purge::check(state, &EntryId(target), &order).is_err() {
                continue;
            }
            let erasure = ErasureRow { ordered: true, ..erasure };
            self.erasures.insert((&target, place.0, place.1), erasure)?;
            if let Some(at) = self.place_of(&EntryId(target))? {
                self.hide(at, place, erasure)?;
            }
        }
        Ok(())
    }

    /// Undoes an erase that does not count any more: what it hid and nothing else hides is live again.
    fn undo_erase(&mut self, place: PlaceKey, erase: &Erase) -> Result<(), StoreError> {
        let target = erase.target.entry;
        let undone = self.erasures.remove((&target.0, place.0, place.1))?.map(|row| row.value());
        let (Some(undone), Some(at)) = (undone, self.place_of(&target)?) else { return Ok(()) };
        let Some(held) = self.held(at)?.filter(|held| held.row().is(flags::HIDDEN)) else { return Ok(()) };
        if self.log_row(at.0)?.author != undone.author {
            return Ok(());
        }
        self.purges_due.remove((purge_at_ms(undone.seen_ms, undone.ordered), at.0, at.1))?;
        let others = self.erasures_of(&target, undone.author)?;
        if others.is_empty() {
            self.set_flags(at, 0, flags::HIDDEN)?;
            return self.restore(at);
        }
        for other in others.iter().filter(|_| held.row().is(flags::BODY)) {
            self.purges_due.insert((purge_at_ms(other.seen_ms, other.ordered), at.0, at.1), ())?;
        }
        Ok(())
    }

    /// What erases an entry of this author.
    fn erasures_of(&self, target: &EntryId, author: u32) -> Result<Vec<ErasureRow>, StoreError> {
        let mut found = Vec::new();
        for erasure in self.erasures.range((&target.0, 0, 0)..=(&target.0, u32::MAX, u64::MAX))? {
            let erasure = erasure?.1.value();
            if erasure.author == author {
                found.push(erasure);
            }
        }
        Ok(found)
    }

    /// Takes an entry that counts again back into the views.
    pub(super) fn restore(&mut self, place: PlaceKey) -> Result<(), StoreError> {
        let Some(held) = self.held(place)?.filter(|held| held.row().is_live()) else { return Ok(()) };
        self.after.reload_own |= self.own.contains_key(&held.header.author);
        self.note_lacking_of(place, &held)?;
        let (body, _) = self.read_body(place, &held)?;
        self.enter_views(place, &held, body.as_ref())
    }

    /// Takes a live entry out of the views and of what the store itself derives.
    pub(super) fn leave_views(&mut self, place: PlaceKey, held: &HeldEntry) -> Result<(), StoreError> {
        let (body, _) = self.read_body(place, held)?;
        let disputed = self.is_disputed(place)?;
        let has_effect = !disputed || body.as_ref().is_some_and(is_shown_disputed);
        if has_effect {
            self.views.retract(&NewEntry { disputed, ..held.for_views(place, body.as_ref()) })?;
        }
        if let Some(own) = self.own.get_mut(&held.header.author) {
            own.erased(&held.header, held.id, body.as_ref(), held.row().local_id);
            self.after.wants_changed |= matches!(body, Some(Body::Follow(_) | Body::Unfollow(_)));
        }
        self.wait_to_withdraw(place, held)?;
        match body.as_ref().filter(|_| has_effect) {
            Some(Body::Erase(erase)) => self.undo_erase(place, erase),
            Some(Body::LogOpen(opening)) => self.close_log(place, &held.header, opening),
            Some(Body::Admit(admit)) => self.undo_admission(place, held.row().counter, admit),
            _ => Ok(()),
        }
    }

    /// Drops a body for good. Its salt is zeroed after the commit, by the intent written here.
    pub(super) fn purge_body(&mut self, place: PlaceKey, held: &HeldEntry, ordered: bool) -> Result<(), StoreError> {
        let row = held.row();
        if row.is(flags::PURGED) && !row.is(flags::BODY) {
            return Ok(());
        }
        if row.is(flags::BODY) {
            let (body, _) = self.read_body(place, held)?;
            self.release_blobs(place, body.as_ref(), ordered)?;
            self.owe_purged(place, held.id, row.slot, body.as_ref())?;
            let bytes = self.bodies.remove(place)?.map_or(0, |body| body.value().len() as u64);
            self.discharge(place.0, bytes);
            self.drop_slot(row.slot)?;
        }
        let purged = EntryRow { flags: (row.flags | flags::PURGED) & !flags::BODY, slot: 0, ..row };
        self.put_row(place, &purged)
    }

    /// Has a salt zeroed after the commit.
    pub(super) fn drop_slot(&mut self, slot: u64) -> Result<(), StoreError> {
        self.purge_intents.insert(slot, ())?;
        self.after.zero.push(slot);
        Ok(())
    }

    /// Purges what is due by now. True if more is due.
    pub(super) fn purge_due(&mut self) -> Result<bool, StoreError> {
        let range = self.purges_due.range(..=(self.now_ms, u32::MAX, u64::MAX))?;
        let due: Vec<_> =
            range.take(PURGES_A_BATCH).map(|row| row.map(|row| row.0.value())).collect::<Result<_, _>>()?;
        for (ms, log, seq) in &due {
            self.purges_due.remove((*ms, *log, *seq))?;
            // An erase that was undone in the meantime has left its date behind.
            if let Some(held) = self.held((*log, *seq))?.filter(|held| held.row().is(flags::HIDDEN)) {
                self.purge_body((*log, *seq), &held, false)?;
            }
        }
        Ok(due.len() == PURGES_A_BATCH)
    }

    /// The decoded body of an entry; none if it is not held or opaque.
    pub(super) fn body_of(&self, place: PlaceKey, held: &HeldEntry) -> Result<Option<Body>, StoreError> {
        let bytes = self.body_bytes(place, &held.row())?;
        Ok(bytes.and_then(|(_, bytes)| Body::decode(&held.header.kind, &bytes).ok()))
    }

    /// The decoded body, and whether one is held at all. One that is damaged is not: it stands in the way of nothing
    /// else (R-STO-5).
    pub(super) fn read_body(&self, place: PlaceKey, held: &HeldEntry) -> Result<(Option<Body>, bool), StoreError> {
        match self.body_of(place, held) {
            Ok(body) => Ok((body, held.row().is(flags::BODY))),
            Err(StoreError::Damaged(cause)) => {
                tracing::error!(cause, "a body is damaged and counts as one that is not held");
                Ok((None, false))
            }
            Err(e) => Err(e),
        }
    }

    /// Remembers which blobs a live entry names, and wants those that are not held.
    pub(super) fn refer_blobs(&mut self, place: PlaceKey, body: &Body) -> Result<(), StoreError> {
        for attachment in attachments(body) {
            let blob = attachment.blob;
            let named = self.names(place.0, &blob)?;
            self.blob_references.insert((&blob.0, place.0, place.1), ())?;
            let state = self.blobs.get(&blob.0)?.map(|row| row.value());
            if let Some(row) = state.filter(|row| !named && row.state == BlobState::Held) {
                self.charge(place.0, row.bytes);
            }
            match state.map(|row| row.state) {
                Some(BlobState::Wanted | BlobState::Held | BlobState::Refused | BlobState::DroppingForGood) => {}
                Some(BlobState::Dropping) if self.after.drop_blobs.contains(&blob) => {
                    self.after.drop_blobs.retain(|dropped| *dropped != blob);
                    let bytes = state.map_or(0, |row| row.bytes);
                    self.charge(place.0, bytes);
                    self.blobs.insert(&blob.0, BlobRow { bytes, state: BlobState::Held })?;
                }
                Some(BlobState::Dropping | BlobState::Evicted) | None => {
                    self.blobs.insert(&blob.0, BlobRow { bytes: attachment.bytes, state: BlobState::Wanted })?;
                    self.after.notices.push(Notice::BlobWanted(blob));
                }
            }
        }
        Ok(())
    }

    /// What a device has hidden that was here first may come back: with the body come the blobs that it names, until it
    /// is purged (`PAIR-7`).
    pub(super) fn refer_hidden(
        &mut self,
        place: PlaceKey,
        row: &EntryRow<'_>,
        header: &Header,
        body: Option<&Body>,
    ) -> Result<(), StoreError> {
        match body.filter(|_| row.is_hidden_body() && self.own.contains_key(&header.author)) {
            Some(body) => self.refer_blobs(place, body),
            None => Ok(()),
        }
    }

    /// Lets go of the blobs of a purged body; those that nothing else names are deleted.
    fn release_blobs(&mut self, place: PlaceKey, body: Option<&Body>, ordered: bool) -> Result<(), StoreError> {
        for attachment in body.into_iter().flat_map(attachments) {
            let blob = attachment.blob;
            let named = self.blob_references.remove((&blob.0, place.0, place.1))?.is_some();
            let row = self.blobs.get(&blob.0)?.map(|row| row.value()).filter(|row| row.state == BlobState::Held);
            if let Some(row) = row.filter(|_| named)
                && !self.names(place.0, &blob)?
            {
                self.discharge(place.0, row.bytes);
            }
            self.drop_unused(&blob, ordered)?;
        }
        Ok(())
    }

    /// Drops a blob that no body names and no upload waits with.
    pub(super) fn drop_unused(&mut self, blob: &BlobId, for_good: bool) -> Result<(), StoreError> {
        let named = self.blob_references.range((&blob.0, 0, 0)..=(&blob.0, u32::MAX, u64::MAX))?.next().is_some();
        if named || self.is_uploaded(blob)? { Ok(()) } else { self.drop_blob(blob, for_good) }
    }

    /// Has the file of a blob deleted after the commit.
    pub(super) fn drop_blob(&mut self, blob: &BlobId, for_good: bool) -> Result<(), StoreError> {
        let Some(row) = self.blobs.get(&blob.0)?.map(|row| row.value()) else { return Ok(()) };
        match row.state {
            BlobState::Wanted | BlobState::Evicted if !self.shared.has_files_of(blob)? => {
                self.blobs.remove(&blob.0)?;
                if for_good {
                    self.blobs.insert(&blob.0, BlobRow { bytes: 0, state: BlobState::Refused })?;
                }
                self.after.drop_partials.push(*blob);
            }
            // Of a lost one a damaged file may be here, and of one that made room a small picture.
            BlobState::Held
            | BlobState::Wanted
            | BlobState::Evicted
            | BlobState::Dropping
            | BlobState::DroppingForGood => {
                let state = if for_good { BlobState::DroppingForGood } else { BlobState::Dropping };
                self.blobs.insert(&blob.0, BlobRow { state, ..row })?;
                self.after.drop_blobs.push(*blob);
            }
            BlobState::Refused => {}
        }
        Ok(())
    }

    /// Finds an own entry again by those at whom it is aimed.
    pub(super) fn index_aimed(&mut self, entry: &NewEntry<'_>) -> Result<(), StoreError> {
        let author = entry.header.author;
        let place = (entry.place.log, entry.place.seq);
        let Some(body) = entry.body else { return Ok(()) };
        let is_own = self.own.contains_key(&author);
        if !is_own && !self.held(place)?.is_some_and(|held| held.row().is(flags::LOOSE)) {
            return Ok(());
        }
        if let Body::Profile(_) = body {
            let author = self.identity_number(&author)?;
            self.own_profiles.insert((author, entry.arrival.counter), place)?;
        }
        let mut aims = own::aims(body, &author);
        if let Body::Edit(edit) = body {
            let post = self.body_of_entry(&edit.target.entry)?;
            aims = post.map(|post| own::aims(&post, &author)).unwrap_or_default();
        }
        for did in aims {
            let is_local = self.own.contains_key(&did);
            if is_own || is_local {
                let number = self.identity_number(&did)?;
                self.aimed.insert((number, entry.arrival.counter), place)?;
            }
            if !is_own && is_local {
                self.after.notices.push(Notice::Aimed(did));
            }
        }
        Ok(())
    }

    /// Where an entry that was aimed at others is erased, the erase is aimed at them in its stead.
    fn move_aims(&mut self, place: PlaceKey, held: &HeldEntry, eraser: PlaceKey) -> Result<(), StoreError> {
        let author = self.identity_number(&held.header.author)?;
        self.own_profiles.remove((author, held.row().counter))?;
        let counter = self.held(eraser)?.map(|eraser| eraser.row().counter);
        let (Some(body), Some(counter)) = (self.read_body(place, held)?.0, counter) else { return Ok(()) };
        for did in own::aims(&body, &held.header.author) {
            let number = self.identity_number(&did)?;
            if self.aimed.remove((number, held.row().counter))?.is_none() {
                continue;
            }
            self.aimed.insert((number, counter), eraser)?;
            if self.own.contains_key(&did) {
                self.after.notices.push(Notice::Aimed(did));
            }
        }
        Ok(())
    }

    fn body_of_entry(&self, id: &EntryId) -> Result<Option<Body>, StoreError> {
        let Some(place) = self.place_of(id)? else { return Ok(None) };
        let held = self.held(place)?;
        Ok(held.map(|held| self.read_body(place, &held)).transpose()?.and_then(|(body, _)| body))
    }

    /// Where an entry stands, by its id.
    pub(super) fn place_of(&self, id: &EntryId) -> Result<Option<PlaceKey>, StoreError> {
        Ok(self.entry_ids.get(&id.0)?.map(|place| place.value()))
    }
}

/// The blobs that a body names.
pub(crate) fn attachments(body: &Body) -> Vec<&Attachment> {
    match body {
        Body::Post(post) => post.attachments.iter().collect(),
        Body::Edit(edit) => edit.post.attachments.iter().collect(),
        Body::Profile(profile) => [&profile.avatar, &profile.header].into_iter().flatten().flatten().collect(),
        _ => Vec::new(),
    }
}
