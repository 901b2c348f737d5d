//! Registers: all live values are kept, so that erasing the one that stands brings back the one
//! before it (`LOG-10`). A change of the standing value is told to the view that shows it.

use std::collections::BTreeSet;

use redb::ReadableTable;
use xom_protocol::body::Body;
use xom_protocol::log::{RegisterKey, Subject, register_keys, rev};
use xom_protocol::{Did, Digest, EntryId};

use super::row::{PROFILE_FIELDS, RegisterRow, Shown};
use super::{NewEntry, Place, Views};
use crate::error::StoreError;

/// The value of a register that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Its revision.
    pub rev: u64,
    /// The entry that wrote it.
    pub entry: EntryId,
    /// What is kept of it.
    pub row: RegisterRow,
}

/// The value that stands in a table of registers.
pub(crate) fn standing(
    registers: &impl ReadableTable<super::tables::RegisterRowKey, &'static [u8]>,
    register: &Digest,
) -> Result<Option<Standing>, StoreError> {
    let all = (&register.0, 0, &[0; 32])..=(&register.0, u64::MAX, &[0xff; 32]);
    let Some(last) = registers.range(all)?.next_back() else { return Ok(None) };
    let (key, value) = last?;
    let (_, rev, entry) = key.value();
    Ok(Some(Standing { rev, entry: EntryId(*entry), row: RegisterRow::read(value.value())? }))
}

/// A register whose standing value changed.
pub(super) struct Change {
    pub(super) key: RegisterKey,
    pub(super) author: u64,
    pub(super) old: Option<Standing>,
    pub(super) new: Option<Standing>,
}

impl Views<'_> {
    pub(super) fn standing(&self, register: &Digest) -> Result<Option<Standing>, StoreError> {
        standing(self.registers.open()?, register)
    }

    /// Where the entries stand whose profile fields an identity shows, each once.
    pub(crate) fn profile_places(&self, did: &Did) -> Result<BTreeSet<Place>, StoreError> {
        let mut places = BTreeSet::new();
        for field in PROFILE_FIELDS {
            let key = RegisterKey { kind: "profile", subject: Subject::Field(field) };
            places.extend(self.standing(&key.digest(did))?.map(|standing| standing.row.place));
        }
        Ok(places)
    }

    pub(super) fn write_registers(&mut self, entry: &NewEntry<'_>, body: &Body) -> Result<(), StoreError> {
        let Some(rev) = rev(body) else { return Ok(()) };
        let row = register_row(entry, body).write();
        let author = self.account_of(&entry.header.author)?;
        self.seen_at(author, entry.shown_ms())?;
        for key in register_keys(body) {
            self.change(entry, key, author, |views, digest| {
                views.registers.insert((&digest.0, rev, &entry.id.0), row.as_slice()).map(|_| ())
            })?;
        }
        Ok(())
    }

    pub(super) fn clear_registers(&mut self, entry: &NewEntry<'_>, body: &Body) -> Result<(), StoreError> {
        let Some(rev) = rev(body) else { return Ok(()) };
        let author = self.account_of(&entry.header.author)?;
        for key in register_keys(body) {
            self.change(entry, key, author, |views, digest| {
                views.registers.remove((&digest.0, rev, &entry.id.0)).map(|_| ())
            })?;
        }
        Ok(())
    }

    /// Does `write` and, if another value stands then, tells the view.
    fn change(
        &mut self,
        entry: &NewEntry<'_>,
        key: RegisterKey,
        author: u64,
        write: impl FnOnce(&mut Self, &Digest) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let digest = key.digest(&entry.header.author);
        let old = self.standing(&digest)?;
        write(self, &digest)?;
        let new = self.standing(&digest)?;
        if old == new {
            return Ok(());
        }
        self.changed(&Change { key, author, old, new })
    }

    fn changed(&mut self, change: &Change) -> Result<(), StoreError> {
        match (change.key.kind, change.key.subject) {
            ("profile", Subject::Field(field)) => {
                self.set_profile(change.author, field, change.new.as_ref().map(|value| value.row.place))
            }
            ("follow", Subject::Identity(subject)) => self.follow_changed(change, &subject),
            ("block", Subject::Identity(subject)) => self.block_changed(change, &subject),
            ("reaction", Subject::Entry(target)) => self.reaction_changed(change, &target),
            ("repost", Subject::Entry(target)) => self.repost_changed(change, &target),
            ("vote", Subject::Entry(poll)) => self.vote_changed(change, &poll),
            ("edit", Subject::Entry(target)) => self.edit_changed(change, &target),
            _ => Ok(()),
        }
    }
}

/// What is kept of a value, besides where it is.
fn register_row(entry: &NewEntry<'_>, body: &Body) -> RegisterRow {
    let number = match body {
        Body::Follow(_) => 1,
        Body::Repost(_) => entry.arrival.local_id,
        Body::Vote(vote) => vote.choices.iter().fold(0, |bits, choice| bits | 1 << choice),
        _ => 0,
    };
    let shown = match body {
        Body::Edit(edit) => super::status::shown(&edit.post),
        _ => Shown::default(),
    };
    RegisterRow {
        place: entry.place,
        counter: entry.arrival.counter,
        arrival_ms: entry.arrival.ms,
        time_ms: entry.shown_ms(),
        number,
        shown,
    }
}
