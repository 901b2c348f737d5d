//! The door of a thread: which replies the author admits, and which he takes back (`ADM-2` to `ADM-4`).
//!
//! Replies wait in a table until the own log may be written; what is not admitted stays with the author.

use redb::ReadableTable;
use xom_protocol::body::{Admit, Body, Post};
use xom_protocol::entry::{Kind, Reference};
use xom_protocol::limits::{ADMIT_ENTRIES_MAX, ADMITTED_BODY_BYTES, ADMITTED_OBJECTS_BYTES};
use xom_protocol::log::Subject;
use xom_protocol::{Did, EntryId};

use super::admitted::{ADMISSIONS_MAX, is_in_thread};
use super::batch::{Batch, HeldEntry};
use super::tables::{self, PlaceKey, flags};
use super::{Notice, Store};
use crate::admission::{DOOR_KEY, Door};
use crate::error::{CommandError, StoreError};
use crate::views::NewEntry;

/// Replies that are judged in one transaction.
const JUDGED_A_BATCH: usize = 64;
/// The time for which admissions are counted, milliseconds (`ADM-3`).
const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
/// Entries of one who is followed that are admitted in a day (`ADM-3`).
const FOLLOWED_A_DAY: u64 = 128;
/// The same of one whom somebody followed has introduced (`ADM-3`).
const INTRODUCED_A_DAY: u64 = 32;
/// The same of a stranger (`ADM-3`).
const STRANGER_A_DAY: u64 = 8;
/// The same of all strangers together (`ADM-3`).
const STRANGERS_A_DAY: u64 = 128;
/// The same of all together (`ADM-3`).
const ALL_A_DAY: u64 = 1_024;
/// In place of an author's number: all strangers, and all authors.
const STRANGERS: u32 = u32::MAX;
const ALL: u32 = u32::MAX - 1;

/// How near somebody is to the author of a thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Nearness {
    Stranger,
    Introduced,
    Followed,
}

/// What becomes of an entry that waits.
enum Verdict {
    /// It is admitted, with these entries.
    Admit(Vec<Reference>),
    /// These admissions are taken back.
    Withdraw(Vec<Reference>),
    /// Nothing.
    Leave,
}

impl Store {
    /// Judges what waits at the doors of local identities. True if more waits and can be judged now.
    pub(crate) async fn admit_due(&self) -> Result<bool, StoreError> {
        let store = self.clone();
        let look = move || Ok(store.snapshot()?.table(tables::ADMISSIONS_DUE)?.iter()?.next().is_some());
        if !tokio::task::spawn_blocking(look).await.unwrap_or(Err(StoreError::Stopping))? {
            return Ok(false);
        }
        self.signing_allowed().await?;
        self.write(|batch| batch.admit_due()).await
    }
}

impl Batch<'_> {
    /// An entry of somebody else enters: if it belongs to a thread of an identity that lives here, it waits at the door.
    pub(super) fn wait_at_door(&mut self, entry: &NewEntry<'_>, body: &Body) -> Result<(), StoreError> {
        if self.is_turned_away || self.own.contains_key(&entry.header.author) {
            return Ok(());
        }
        let place = (entry.place.log, entry.place.seq);
        match body {
            Body::Post(post) if post.reply.is_some() => {
                let roots: Vec<Did> = self.own.keys().filter(|did| is_in_thread(post, did)).copied().collect();
                for root in roots {
                    let number = self.identity_number(&root)?;
                    self.wait(number, entry.arrival.counter, place)?;
                }
                Ok(())
            }
            Body::Edit(edit) => self.wait_where_admitted(&edit.target.entry, entry.arrival.counter, place),
            _ => Ok(()),
        }
    }

    /// An entry leaves: where it was admitted, the admission is to be taken back.
    pub(super) fn wait_to_withdraw(&mut self, place: PlaceKey, held: &HeldEntry) -> Result<(), StoreError> {
        if !matches!(held.header.kind, Kind::Post | Kind::Edit) || self.own.contains_key(&held.header.author) {
            return Ok(());
        }
        self.wait_where_admitted(&held.id, held.row().counter, place)
    }

    fn wait_where_admitted(&mut self, entry: &EntryId, counter: u64, place: PlaceKey) -> Result<(), StoreError> {
        for at in self.admissions_of(entry)? {
            let author = self.log_row(at.0)?.author;
            let did = self.identities.get(author)?.map(|row| row.value().did);
            if did.is_some_and(|did| self.own.contains_key(&did)) {
                self.wait(author, counter, place)?;
            }
        }
        Ok(())
    }

    fn wait(&mut self, root: u32, counter: u64, place: PlaceKey) -> Result<(), StoreError> {
        self.admissions_due.insert((root, counter), place)?;
        if !self.after.notices.iter().any(|notice| matches!(notice, Notice::AtDoor)) {
            self.after.notices.push(Notice::AtDoor);
        }
        Ok(())
    }

    fn admit_due(&mut self) -> Result<bool, StoreError> {
        let (mut judged, mut from) = (0, (0, 0));
        while judged < JUDGED_A_BATCH {
            let Some(row) = self.admissions_due.range(from..)?.next().transpose()? else { return Ok(false) };
            let ((root, counter), place) = (row.0.value(), row.1.value());
            drop(row);
            let did = self.identities.get(root)?.map(|row| row.value().did);
            if let Some(did) = did.filter(|did| self.own.contains_key(did)) {
                match self.judge_and_say(&did, root, place) {
                    Ok(()) => {}
                    Err(CommandError::Store(e)) => return Err(e),
                    Err(cause) => {
                        // Sealed keys, or a log that goes on elsewhere: it waits, and others do not wait for it.
                        tracing::debug!(%did, %cause, "a reply waits to be admitted");
                        from = (root.saturating_add(1), 0);
                        continue;
                    }
                }
            }
            self.admissions_due.remove((root, counter))?;
            from = (root, counter);
            judged += 1;
        }
        Ok(true)
    }

    fn judge_and_say(&mut self, did: &Did, root: u32, place: PlaceKey) -> Result<(), CommandError> {
        match self.judge(did, root, place)? {
            Verdict::Admit(entries) => self.say(did, &Body::Admit(Admit { entries })).map(drop),
            Verdict::Withdraw(admissions) => self.withdraw(did, admissions),
            Verdict::Leave => Ok(()),
        }
    }

    fn withdraw(&mut self, did: &Did, admissions: Vec<Reference>) -> Result<(), CommandError> {
        for admission in admissions {
            self.erase(did, admission, None)?;
        }
        Ok(())
    }

    /// Takes back what was admitted of somebody who is blocked now (`ADM-4`).
    pub(super) fn withdraw_all_of(&mut self, did: &Did, subject: &Did) -> Result<(), CommandError> {
        let root = self.identity_number(did)?;
        let rows = self.admissions.range((root, 0)..=(root, u64::MAX))?;
        let places: Vec<PlaceKey> = rows
            .rev()
            .take(ADMISSIONS_MAX)
            .map(|row| row.map(|row| row.1.value()).map_err(StoreError::from))
            .collect::<Result<_, _>>()?;
        let mut found = Vec::new();
        for place in places {
            let admit = self.admission_at(place)?;
            if admit.is_some_and(|admit| admit.entries.iter().any(|named| named.author == *subject)) {
                found.extend(self.held(place)?.map(|held| held.header.reference(held.id)));
            }
        }
        self.withdraw(did, found)
    }

    fn judge(&mut self, did: &Did, root: u32, place: PlaceKey) -> Result<Verdict, StoreError> {
        let Some(held) = self.held(place)? else { return Ok(Verdict::Leave) };
        if !held.row().is_live() {
            return self.admissions_by(root, &held.id).map(Verdict::Withdraw);
        }
        let author = held.header.author;
        let is_blocked = self.standing_value(did, "block", Subject::Identity(author)).is_some();
        let is_whole = held.row().is(flags::SIGNED) && self.fits(place, &author)?;
        if is_blocked || !is_whole || self.is_admitted_by(root, &held.id)? {
            return Ok(Verdict::Leave);
        }
        let mut entries = vec![held.header.reference(held.id)];
        match self.read_body(place, &held)?.0 {
            Some(Body::Post(post)) if self.answers_thread(did, root, &post)? => {}
            Some(Body::Edit(edit)) if self.is_admitted_by(root, &edit.target.entry)? => entries.push(edit.target),
            _ => return Ok(Verdict::Leave),
        }
        if !self.spend(did, root, &author)? {
            return Ok(Verdict::Leave);
        }
        for profile in self.views.profile_places(&author)? {
            let place = (profile.log, profile.seq);
            let Some(held) = self.held(place)?.filter(|held| held.row().is(flags::SIGNED)) else { continue };
            if entries.len() < ADMIT_ENTRIES_MAX && self.fits(place, &author)? {
                entries.push(held.header.reference(held.id));
            }
        }
        Ok(Verdict::Admit(entries))
    }

    /// The live admissions by which an identity lets an entry in.
    fn admissions_by(&self, root: u32, entry: &EntryId) -> Result<Vec<Reference>, StoreError> {
        let mut found = Vec::new();
        for place in self.admissions_of(entry)? {
            if self.log_row(place.0)?.author == root {
                found.extend(self.held(place)?.map(|held| held.header.reference(held.id)));
            }
        }
        Ok(found)
    }

    /// True where what a post answers is there, and is of the thread: the author's own, or admitted before.
    fn answers_thread(&self, did: &Did, root: u32, post: &Post) -> Result<bool, StoreError> {
        let is_import = post.published.is_some() || post.imported_from.is_some();
        let Some(parent) = post.reply.filter(|_| !is_import && is_in_thread(post, did)) else { return Ok(false) };
        let Some(place) = self.place_of(&parent.entry)? else { return Ok(false) };
        let Some(held) = self.held(place)?.filter(|held| held.row().is_live()) else { return Ok(false) };
        Ok(held.header.author == *did || self.is_admitted_by(root, &parent.entry)?)
    }

    /// True where an entry and the identity that it is of are small enough to travel alone (`ADM-6`).
    fn fits(&self, place: PlaceKey, author: &Did) -> Result<bool, StoreError> {
        let body = self.bodies.get(place)?.map_or(usize::MAX, |body| body.value().len());
        let Some(number) = self.identity_numbers.get(&author.0)?.map(|number| number.value()) else {
            return Ok(false);
        };
        let mut objects = 0;
        for row in self.identity_objects.range((number, 0)..=(number, u32::MAX))? {
            objects += row?.1.value().len() as u64;
        }
        Ok(body <= ADMITTED_BODY_BYTES && objects <= ADMITTED_OBJECTS_BYTES)
    }

    /// How near an author is: followed, followed by somebody who is, or neither (`ADM-2`).
    fn nearness(&mut self, did: &Did, author: &Did) -> Result<Nearness, StoreError> {
        if self.own.get(did).is_some_and(|own| own.is_following(author)) {
            return Ok(Nearness::Followed);
        }
        Ok(if self.views.is_introduced(did, author)? { Nearness::Introduced } else { Nearness::Stranger })
    }

    /// Counts an admission; false where the door is shut for the author, or he or all have had their share (`ADM-2`,
    /// `ADM-3`).
    fn spend(&mut self, did: &Did, root: u32, author: &Did) -> Result<bool, StoreError> {
        let nearness = self.nearness(did, author)?;
        let door = Door::of(self.setting(root, DOOR_KEY)?.as_ref().map(|setting| setting.value.as_slice()));
        let is_open = match door {
            Door::Open => true,
            Door::Introduced => nearness >= Nearness::Introduced,
            Door::Followed => nearness >= Nearness::Followed,
            Door::Closed => false,
        };
        if !is_open {
            return Ok(false);
        }
        let number = self.identity_number(author)?;
        let mut shares = vec![(ALL, ALL_A_DAY)];
        shares.push(match nearness {
            Nearness::Followed => (number, FOLLOWED_A_DAY),
            Nearness::Introduced => (number, INTRODUCED_A_DAY),
            Nearness::Stranger => (number, STRANGER_A_DAY),
        });
        if nearness == Nearness::Stranger {
            shares.push((STRANGERS, STRANGERS_A_DAY));
        }
        let day = self.now_ms / DAY_MS;
        self.forget_days_before(root, day)?;
        for (who, most) in &shares {
            if self.admission_counts.get((root, *who))?.is_some_and(|count| count.value().1 >= *most) {
                return Ok(false);
            }
        }
        for (who, _) in shares {
            let count = self.admission_counts.get((root, who))?.map_or(0, |count| count.value().1);
            self.admission_counts.insert((root, who), (day, count + 1))?;
        }
        Ok(true)
    }

    /// What was counted on another day counts no more.
    fn forget_days_before(&mut self, root: u32, day: u64) -> Result<(), StoreError> {
        let is_of_today = |count: (u64, u64)| count.0 == day;
        if self.admission_counts.get((root, ALL))?.is_none_or(|count| is_of_today(count.value())) {
            return Ok(());
        }
        let counted: Vec<(u32, u32)> = self
            .admission_counts
            .range((root, 0)..=(root, u32::MAX))?
            .map(|row| row.map(|row| row.0.value()))
            .collect::<Result<_, _>>()?;
        for key in counted {
            self.admission_counts.remove(key)?;
        }
        Ok(())
    }
}
