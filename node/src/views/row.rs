//! The records of view tables, as bytes: fixed little-endian members, then counted lists.

use xom_protocol::{Did, EntryId};

use super::Place;
use crate::error::StoreError;

/// A hash of something that must not stand in a table in the clear.
pub(crate) type Hash16 = [u8; 16];

/// Flags of a status.
pub(crate) mod flags {
    /// A repost.
    pub(crate) const REPOST: u8 = 1;
    /// Has media.
    pub(crate) const MEDIA: u8 = 1 << 1;
    /// Answers a post of another author.
    pub(crate) const REPLY: u8 = 1 << 2;
    /// Not in public and tag timelines.
    pub(crate) const UNLISTED: u8 = 1 << 3;
    /// Imported: in nobody's home.
    pub(crate) const IMPORTED: u8 = 1 << 4;
    /// By an identity of this node.
    pub(crate) const LOCAL: u8 = 1 << 5;
}

/// What the views keep of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountRow {
    /// Who.
    pub did: Did,
    /// The earliest time shown of anything of theirs, milliseconds since 1970.
    pub first_ms: u64,
    /// Live posts and reposts.
    pub statuses: u64,
    /// Known followers.
    pub followers: u64,
    /// Known follows.
    pub following: u64,
    /// Where the standing value of each profile field is, in the order of [`PROFILE_FIELDS`].
    pub profile: [Option<Place>; PROFILE_FIELDS.len()],
}

/// The profile fields, as registers name them.
pub(crate) const PROFILE_FIELDS: [&str; 8] = ["username", "name", "bio", "avatar", "header", "fields", "locked", "bot"];

/// What the views keep of a post or repost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StatusRow {
    /// Where the entry is.
    pub place: Place,
    /// Its id.
    pub entry: EntryId,
    /// Who wrote it.
    pub author: u64,
    /// The time shown, milliseconds since 1970.
    pub time_ms: u64,
    /// See [`flags`].
    pub flags: u8,
    /// What it answers or reposts: the entry, and for an answer the account that the reference names, else 0.
    pub target: Option<(EntryId, u64)>,
    /// Where the newest edit is, and when it was made.
    pub edit: Option<(Place, u64)>,
    /// Of the first version: what an erased edit falls back to.
    pub first: Shown,
    /// Of the newest version.
    pub shown: Shown,
}

/// What tables hold because of one version of a post.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    /// [`flags::MEDIA`] and [`flags::UNLISTED`] of this version.
    pub flags: u8,
    /// Hashes of its tags.
    pub tags: Vec<Hash16>,
}

/// One value of a register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RegisterRow {
    /// Where the entry is.
    pub place: Place,
    /// Its arrival counter.
    pub counter: u64,
    /// When it arrived, milliseconds since 1970.
    pub arrival_ms: u64,
    /// The time shown.
    pub time_ms: u64,
    /// A repost's status; a follow's 1 or an unfollow's 0; a vote's choices as bits.
    pub number: u64,
    /// An edit's.
    pub shown: Shown,
}

/// Writes members one after the other.
#[derive(Default)]
struct Packer(Vec<u8>);

impl Packer {
    fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn place(&mut self, place: Place) {
        self.bytes(&place.log.to_le_bytes());
        self.number(place.seq);
    }

    fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.0.push(u8::from(value.is_some()));
        if let Some(value) = value {
            write(self, value);
        }
    }

    fn shown(&mut self, shown: &Shown) {
        self.0.push(shown.flags);
        self.number(shown.tags.len() as u64);
        for tag in &shown.tags {
            self.bytes(tag);
        }
    }
}

/// Reads members one after the other.
struct Unpacker<'a>(&'a [u8]);

impl Unpacker<'_> {
    fn array<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (array, rest) = self.0.split_first_chunk::<N>().ok_or_else(damaged)?;
        self.0 = rest;
        Ok(*array)
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        self.array().map(u64::from_le_bytes)
    }

    fn place(&mut self) -> Result<Place, StoreError> {
        Ok(Place { log: u32::from_le_bytes(self.array()?), seq: self.number()? })
    }

    fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, StoreError>) -> Result<Option<T>, StoreError> {
        let [present] = self.array()?;
        if present == 0 { Ok(None) } else { read(self).map(Some) }
    }

    fn shown(&mut self) -> Result<Shown, StoreError> {
        let [flags] = self.array()?;
        let count = self.number()?;
        let tags = (0..count).map(|_| self.array()).collect::<Result<_, _>>()?;
        Ok(Shown { flags, tags })
    }
}

fn damaged() -> StoreError {
    StoreError::Damaged("a view record is cut short; rebuild the views".into())
}

impl AccountRow {
    /// Somebody of whom nothing is held.
    pub(crate) fn new(did: Did, first_ms: u64) -> Self {
        Self { did, first_ms, statuses: 0, followers: 0, following: 0, profile: Default::default() }
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut to = Packer::default();
        to.bytes(&self.did.0);
        for number in [self.first_ms, self.statuses, self.followers, self.following] {
            to.number(number);
        }
        for place in self.profile {
            to.option(place, Packer::place);
        }
        to.0
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut from = Unpacker(bytes);
        let did = Did(from.array()?);
        let mut row = Self::new(did, from.number()?);
        row.statuses = from.number()?;
        row.followers = from.number()?;
        row.following = from.number()?;
        for place in &mut row.profile {
            *place = from.option(Unpacker::place)?;
        }
        Ok(row)
    }
}

impl StatusRow {
    /// Everything that filters look at.
    pub(crate) fn all_flags(&self) -> u8 {
        self.flags | self.shown.flags
    }

    pub(crate) fn write(&self) -> Vec<u8> {
        let mut to = Packer(Vec::with_capacity(128));
        to.place(self.place);
        to.bytes(&self.entry.0);
        to.number(self.author);
        to.number(self.time_ms);
        to.0.push(self.flags);
        to.option(self.target, |to, (entry, author)| {
            to.bytes(&entry.0);
            to.number(author);
        });
        to.shown(&self.first);
        to.option(self.edit, |to, (place, ms)| {
            to.place(place);
            to.number(ms);
            to.shown(&self.shown);
        });
        to.0
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut from = Unpacker(bytes);
        let place = from.place()?;
        let entry = EntryId(from.array()?);
        let author = from.number()?;
        let time_ms = from.number()?;
        let [flags] = from.array()?;
        let target = from.option(|from| Ok((EntryId(from.array()?), from.number()?)))?;
        let first = from.shown()?;
        let edit = from.option(|from| Ok((from.place()?, from.number()?, from.shown()?)))?;
        let (edit, shown) = match edit {
            Some((place, ms, shown)) => (Some((place, ms)), shown),
            None => (None, first.clone()),
        };
        Ok(Self { place, entry, author, time_ms, flags, target, edit, first, shown })
    }
}

impl RegisterRow {
    pub(crate) fn write(&self) -> Vec<u8> {
        let mut to = Packer::default();
        to.place(self.place);
        for number in [self.counter, self.arrival_ms, self.time_ms, self.number] {
            to.number(number);
        }
        to.shown(&self.shown);
        to.0
    }

    pub(crate) fn read(bytes: &[u8]) -> Result<Self, StoreError> {
        let mut from = Unpacker(bytes);
        Ok(Self {
            place: from.place()?,
            counter: from.number()?,
            arrival_ms: from.number()?,
            time_ms: from.number()?,
            number: from.number()?,
            shown: from.shown()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_read_back_and_a_cut_one_is_damage() {
        let place = Place { log: 3, seq: 9 };
        let mut account = AccountRow::new(Did([1; 32]), 5);
        account.profile[2] = Some(place);
        let shown = Shown { flags: flags::MEDIA, tags: vec![[7; 16], [8; 16]] };
        let mut status = StatusRow {
            place,
            entry: EntryId([2; 32]),
            author: 4,
            time_ms: 6,
            flags: flags::LOCAL,
            target: Some((EntryId([3; 32]), 11)),
            edit: None,
            first: shown.clone(),
            shown: shown.clone(),
        };
        assert_eq!(AccountRow::read(&account.write()).expect("whole"), account);
        assert_eq!(StatusRow::read(&status.write()).expect("whole"), status);
        status.edit = Some((place, 12));
        status.shown = Shown::default();
        let bytes = status.write();
        assert_eq!(StatusRow::read(&bytes).expect("whole"), status);
        for cut in 0..bytes.len() {
            assert!(StatusRow::read(&bytes[..cut]).is_err(), "{cut}");
        }
        let register = RegisterRow { place, counter: 1, arrival_ms: 2, time_ms: 3, number: 4, shown };
        assert_eq!(RegisterRow::read(&register.write()).expect("whole"), register);
    }
}
