//! What authors admit to their threads (`ADM-1`): which entries of others are named by live admissions, which of them
//! are lacked, and what goes when an admission goes.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use xom_protocol::body::{Admit, Body, Post};
use xom_protocol::entry::{Header, VerifiedEntry};
use xom_protocol::limits::{ADMITTED_BODY_BYTES, ADMITTED_OBJECTS_BYTES};
use xom_protocol::sync::Aimed;
use xom_protocol::{Did, EntryId, LogId};

use super::batch::Batch;
use super::snapshot::Snapshot;
use super::tables::{self, PlaceKey, flags};
use super::{Notice, Store};
use crate::error::StoreError;

/// Admissions of one author by which entries of others are held; of more, the oldest let go (`ADM-5`).
pub(super) const ADMISSIONS_MAX: usize = 1_024;
/// So many admissions come before the number is looked at again.
const ADMISSIONS_LOOK: u64 = 32;
/// Admissions of one log of which is told that something is lacked, the newest (`ADM-6`).
const LACKED_MAX: usize = 1_024;
/// What is lacked of one log: the places of admissions, and entries that they name.
pub(crate) type LackedOf = (LogId, Vec<(u64, EntryId)>);

/// Entries of a log that are looked at for something besides its author's profile.
const LOOSE_LOOKED_MAX: usize = 64;

impl Store {
    /// Keeps entries of one author that `root` has admitted, with the objects that came with them, in one commit; what
    /// no live admission of his names is left out. Answers how many were new.
    pub(crate) async fn insert_admitted(
        &self,
        root: Did,
        author: Did,
        objects: Vec<Vec<u8>>,
        entries: Vec<VerifiedEntry>,
    ) -> Result<u64, StoreError> {
        let mut entries: Vec<_> = entries.into_iter().map(Arc::new).collect();
        // An edit is judged by what it edits.
        entries.sort_by_key(|entry| entry.header().kind != xom_protocol::entry::Kind::Post);
        self.write(move |batch| {
            let mut new = 0;
            for entry in &entries {
                if !batch.is_admitted(&root, entry)? {
                    continue;
                }
                batch.insert_identity(author, &objects)?;
                new += u64::from(batch.insert_loose(entry, true)?);
                batch.look_for_lacked(&entry.id())?;
            }
            Ok(new)
        })
        .await
    }
}

impl Batch<'_> {
    /// Takes note of a live admission.
    pub(super) fn take_admission(
        &mut self,
        place: PlaceKey,
        header: &Header,
        counter: u64,
        admit: &Admit,
    ) -> Result<(), StoreError> {
        let author = self.log_row(place.0)?.author;
        self.admissions.insert((author, counter), place)?;
        let mut lacks = false;
        for named in admit.entries.iter().filter(|named| named.author != header.author) {
            self.admitted.insert((&named.entry.0, place.0, place.1), ())?;
            lacks |= self.place_of(&named.entry)?.is_none();
        }
        if lacks {
            self.admitted_lacked.insert(place, ())?;
            self.after.notices.push(Notice::Admitted(header.author));
        }
        let is_own = self.own.contains_key(&header.author);
        if !is_own && counter.is_multiple_of(ADMISSIONS_LOOK) {
            self.let_oldest_go(author)?;
        }
        Ok(())
    }

    /// An admission does not count any more: what nothing else admits goes (`ADM-5`).
    pub(super) fn undo_admission(&mut self, place: PlaceKey, counter: u64, admit: &Admit) -> Result<(), StoreError> {
        let author = self.log_row(place.0)?.author;
        self.admissions.remove((author, counter))?;
        self.admitted_lacked.remove(place)?;
        for named in &admit.entries {
            if self.admitted.remove((&named.entry.0, place.0, place.1))?.is_some() {
                self.let_go(&named.entry)?;
            }
        }
        Ok(())
    }

    fn let_oldest_go(&mut self, author: u32) -> Result<(), StoreError> {
        let all = self.admissions.range((author, 0)..=(author, u64::MAX))?;
        let all: Vec<(u64, PlaceKey)> =
            all.map(|row| row.map(|(key, place)| (key.value().1, place.value()))).collect::<Result<_, _>>()?;
        for (counter, place) in &all[..all.len().saturating_sub(ADMISSIONS_MAX)] {
            if let Some(admit) = self.admission_at(*place)? {
                self.undo_admission(*place, *counter, &admit)?;
            }
        }
        Ok(())
    }

    /// The admission at a place, if one can be read there.
    pub(super) fn admission_at(&self, place: PlaceKey) -> Result<Option<Admit>, StoreError> {
        let Some(held) = self.held(place)? else { return Ok(None) };
        match self.read_body(place, &held)?.0 {
            Some(Body::Admit(admit)) => Ok(Some(admit)),
            _ => Ok(None),
        }
    }

    /// The places of the live admissions that name an entry.
    pub(super) fn admissions_of(&self, entry: &EntryId) -> Result<Vec<PlaceKey>, StoreError> {
        let rows = self.admitted.range((&entry.0, 0, 0)..=(&entry.0, u32::MAX, u64::MAX))?;
        rows.map(|row| row.map(|row| (row.0.value().1, row.0.value().2)).map_err(Into::into)).collect()
    }

    /// True where a live admission of this identity names an entry.
    pub(super) fn is_admitted_by(&self, author: u32, entry: &EntryId) -> Result<bool, StoreError> {
        for place in self.admissions_of(entry)? {
            if self.log_row(place.0)?.author == author {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// True for an entry that `root` has admitted and that belongs to a thread of his (`ADM-6`).
    fn is_admitted(&mut self, root: &Did, entry: &VerifiedEntry) -> Result<bool, StoreError> {
        let number = self.identity_number(root)?;
        let author = &entry.header().author;
        if self.own.contains_key(author) || !self.is_admitted_by(number, &entry.id())? {
            return Ok(false);
        }
        let body = entry.body().and_then(|body| Body::decode(&entry.header().kind, &body.bytes).ok());
        match body {
            Some(Body::Post(post)) => Ok(is_in_thread(&post, root)),
            Some(Body::Edit(edit)) => {
                let target = self.place_of(&edit.target.entry)?.map(|place| self.held(place)).transpose()?.flatten();
                Ok(target.is_some_and(|target| target.header.author == *author)
                    && self.is_admitted_by(number, &edit.target.entry)?)
            }
            Some(Body::Profile(_)) => Ok(true),
            _ => Ok(false),
        }
    }

    /// An entry that was admitted has come: an admission of which all is held lacks nothing.
    fn look_for_lacked(&mut self, entry: &EntryId) -> Result<(), StoreError> {
        for place in self.admissions_of(entry)? {
            let Some(admit) = self.admission_at(place)? else { continue };
            let mut is_whole = true;
            for named in &admit.entries {
                is_whole &= self.place_of(&named.entry)?.is_some();
            }
            if is_whole {
                self.admitted_lacked.remove(place)?;
            }
        }
        Ok(())
    }

    /// Drops an entry that was held only because it was admitted.
    fn let_go(&mut self, entry: &EntryId) -> Result<(), StoreError> {
        if !self.admissions_of(entry)?.is_empty() {
            return Ok(());
        }
        let Some(place) = self.place_of(entry)? else { return Ok(()) };
        let Some(held) = self.held(place)?.filter(|held| held.row().is(flags::LOOSE)) else { return Ok(()) };
        if self.own.contains_key(&held.header.author) || self.is_for_locals(place, &held)? {
            return Ok(());
        }
        let is_profile = held.header.kind == xom_protocol::entry::Kind::Profile;
        if is_profile && self.has_more_than_profile(place.0)? {
            return Ok(());
        }
        self.forget_entry(place, &held)?;
        let row = self.log_row(place.0)?;
        self.logs.insert(place.0, tables::LogRow { loose: row.loose.saturating_sub(1), ..row })?;
        Ok(())
    }

    fn has_more_than_profile(&self, log: u32) -> Result<bool, StoreError> {
        for row in self.entries.range((log, 0)..=(log, u64::MAX))?.take(LOOSE_LOOKED_MAX) {
            let held = super::batch::HeldEntry::read(row?.1.value().to_vec())?;
            if held.header.kind != xom_protocol::entry::Kind::Profile {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Snapshot {
    /// What an identity has admitted and is not held: by log, with the places of the admissions.
    pub(crate) fn admitted_lacked(&self, did: &Did) -> Result<Vec<LackedOf>, StoreError> {
        let table = self.table(tables::ADMITTED_LACKED)?;
        let wants = self.shared.wants();
        let mut lacked = Vec::new();
        for held in self.heads_of(did)? {
            let Some(log) = self.log_number(&held.log)? else { continue };
            let mut entries = Vec::new();
            for row in table.range((log, 0)..=(log, u64::MAX))?.rev().take(LACKED_MAX) {
                let place = row?.0.value();
                let Some(body) = self.opened(place)? else { continue };
                let Body::Admit(admit) = body.as_ref() else { continue };
                for named in &admit.entries {
                    // Of whom is followed the whole log comes.
                    if !wants.contains(&named.author) && self.place_of_entry(&named.entry)?.is_none() {
                        entries.push((place.1, named.entry));
                    }
                }
            }
            if !entries.is_empty() {
                lacked.push((held.log, entries));
            }
        }
        Ok(lacked)
    }

    /// The identities of whose admissions something is lacked.
    pub(crate) fn admitting_identities(&self) -> Result<Vec<Did>, StoreError> {
        self.authors_in(tables::ADMITTED_LACKED)
    }

    /// Of these entries those that live admissions in a log name and that can be served, by author (`ADM-6`).
    pub(crate) fn singles(&self, log: &LogId, entries: &[EntryId]) -> Result<Vec<Aimed>, StoreError> {
        let Some(log) = self.log_number(log)? else { return Ok(Vec::new()) };
        let table = self.table(tables::ADMITTED)?;
        let mut by_author: BTreeMap<Did, Aimed> = BTreeMap::new();
        for entry in entries {
            let is_admitted = table.range((&entry.0, log, 0)..=(&entry.0, log, u64::MAX))?.next().is_some();
            let place = self.place_of_entry(entry)?.filter(|_| is_admitted);
            let Some(held) = place.map(|place| self.single(place)).transpose()?.flatten() else { continue };
            let Ok(header) = Header::decode(&held.header) else { continue };
            let item = match by_author.entry(header.author) {
                Entry::Occupied(known) => known.into_mut(),
                Entry::Vacant(new) => {
                    let objects = self.identity_objects(&header.author)?;
                    let bytes: u64 = objects.iter().map(|object| object.len() as u64).sum();
                    if bytes > ADMITTED_OBJECTS_BYTES {
                        continue;
                    }
                    new.insert(Aimed { objects, entries: Vec::new() })
                }
            };
            item.entries.push(held);
        }
        Ok(by_author.into_values().collect())
    }

    /// A live entry with its own signature and a body within the bounds.
    fn single(&self, place: PlaceKey) -> Result<Option<xom_protocol::entry::SignedEntry>, StoreError> {
        let served = self.served(place, false)?;
        let fits = |bytes: usize| bytes <= ADMITTED_BODY_BYTES;
        Ok(served.filter(|entry| {
            entry.signature.is_some() && entry.body.as_ref().is_some_and(|body| fits(body.bytes.len()))
        }))
    }
}

/// True for a post that answers something in a thread of `root`, or something of his.
pub(super) fn is_in_thread(post: &Post, root: &Did) -> bool {
    post.reply.is_some() && [post.reply, post.root].into_iter().flatten().any(|named| named.author == *root)
}
