//! The views: what clients read, derived from stored entries in the writer's own transaction.
//!
//! The log is the truth; a view never holds what can't be made again from it, and its content does
//! not depend on the order in which entries came (`LOG-10`).

pub(crate) mod index;
pub(crate) mod row;
pub(crate) mod tables;

mod account;
pub(crate) mod notification;
mod record;
pub(crate) mod register;
mod relation;
mod status;
#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeMap;

use redb::{ReadableTable, TableHandle, WriteTransaction};
use xom_protocol::body::Body;
use xom_protocol::entry::Header;
use xom_protocol::{Did, EntryId};

use crate::error::StoreError;
use crate::model::{AccountId, Event};
use crate::store::{Lazy, Tables};
use index::Index;
pub(crate) use record::kind_hash;
pub(crate) use relation::read_counts;
use row::{AccountRow, PROFILE_FIELDS, StatusRow};

/// Where an entry stands: the interned number of its log, and its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    /// The log's number in the store.
    pub log: u32,
    /// The sequence number.
    pub seq: u64,
}

/// When and how an entry came; stored with it, so that rebuilt views are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrival {
    /// This node's clock then, milliseconds since 1970.
    pub ms: u64,
    /// Its number in the order of arrival.
    pub counter: u64,
    /// The local id, if the entry is a post or repost; else 0.
    pub local_id: u64,
    /// Came while it was new: neither backlog nor import.
    pub live: bool,
}

/// A live entry that enters the views or leaves them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewEntry<'a> {
    /// Where it stands.
    pub place: Place,
    /// Its id.
    pub id: EntryId,
    /// Its header.
    pub header: &'a Header,
    /// Its body; none if it is opaque or absent: then it enters no view.
    pub body: Option<&'a Body>,
    /// When and how it came.
    pub arrival: Arrival,
    /// Stands on a branch that is disputed: it is shown, and counts nothing (`LOG-13`).
    pub disputed: bool,
}

impl NewEntry<'_> {
    /// The time shown: an import's original time, else no later than the arrival (`LOG-15`).
    fn shown_ms(&self) -> u64 {
        let original = match self.body {
            Some(Body::Post(post)) => post.published,
            _ => None,
        };
        original.unwrap_or(self.header.time_ms).min(self.arrival.ms)
    }
}

/// The tables of all views, in one write transaction.
pub(crate) struct Views<'t> {
    accounts: Lazy<'t, u64, &'static [u8]>,
    registers: Lazy<'t, tables::RegisterRowKey, &'static [u8]>,
    statuses: Lazy<'t, u64, &'static [u8]>,
    status_of_entry: Lazy<'t, &'static [u8; 32], u64>,
    author_statuses: Lazy<'t, (u64, u64), u8>,
    home: Lazy<'t, (u64, u64), u64>,
    public: Lazy<'t, u64, u8>,
    tags: Lazy<'t, (&'static [u8; 16], u64), u8>,
    children: Lazy<'t, (&'static [u8; 32], u64), ()>,
    quotes: Lazy<'t, (&'static [u8; 32], u64), ()>,
    counts: Lazy<'t, &'static [u8; 32], (u64, u64, u64)>,
    reactions: Lazy<'t, (&'static [u8; 32], u64), u64>,
    favourites: Lazy<'t, (u64, u64), &'static [u8; 32]>,
    reposts: Lazy<'t, (&'static [u8; 32], u64), (u64, u64)>,
    polls: Lazy<'t, &'static [u8; 32], &'static [u8]>,
    records: Lazy<'t, (&'static [u8; 16], u64), (u64, u32, u64)>,
    follows: Lazy<'t, (u64, u64), u64>,
    following: Lazy<'t, (u64, u64), u64>,
    followers: Lazy<'t, (u64, u64), u64>,
    blocks: Lazy<'t, (u64, u64), u64>,
    notifications: Lazy<'t, (u64, u64), (u8, u64, u64)>,
    imports: Lazy<'t, (u64, &'static [u8; 16]), u64>,
    /// The index of words.
    pub(crate) index: Index<'t>,
    /// The local identities, by account.
    local: BTreeMap<u64, Did>,
    /// Accounts touched in this transaction; written by [`Views::finish`].
    touched: BTreeMap<u64, AccountRow>,
    /// Whose statuses go into which local homes, as far as asked in this transaction.
    readers: BTreeMap<u64, Vec<u64>>,
    events: Vec<Event>,
}

impl<'t> Views<'t> {
    /// Takes its tables; `local` are the identities of this node.
    pub(crate) fn open(tables: Tables<'t>, local: &[Did]) -> Result<Self, StoreError> {
        let mut views = Self {
            accounts: tables.table(tables::ACCOUNTS)?,
            registers: tables.table(tables::REGISTERS)?,
            statuses: tables.table(tables::STATUSES)?,
            status_of_entry: tables.table(tables::STATUS_OF_ENTRY)?,
            author_statuses: tables.table(tables::AUTHOR_STATUSES)?,
            home: tables.table(tables::HOME)?,
            public: tables.table(tables::PUBLIC)?,
            tags: tables.table(tables::TAGS)?,
            children: tables.table(tables::CHILDREN)?,
            quotes: tables.table(tables::QUOTES)?,
            counts: tables.table(tables::COUNTS)?,
            reactions: tables.table(tables::REACTIONS)?,
            favourites: tables.table(tables::FAVOURITES)?,
            reposts: tables.table(tables::REPOSTS)?,
            polls: tables.table(tables::POLLS)?,
            records: tables.table(tables::RECORDS)?,
            follows: tables.table(tables::FOLLOWS)?,
            following: tables.table(tables::FOLLOWING)?,
            followers: tables.table(tables::FOLLOWERS)?,
            blocks: tables.table(tables::BLOCKS)?,
            notifications: tables.table(tables::NOTIFICATIONS)?,
            imports: tables.table(tables::IMPORTS)?,
            index: Index::open(tables)?,
            local: BTreeMap::new(),
            touched: BTreeMap::new(),
            readers: BTreeMap::new(),
            events: Vec::new(),
        };
        for did in local {
            let account = views.account_of(did)?;
            views.local.insert(account, *did);
        }
        Ok(views)
    }

    /// Takes a live entry into every view that it concerns.
    pub(crate) fn apply(&mut self, entry: &NewEntry<'_>) -> Result<(), StoreError> {
        let Some(body) = entry.body else { return Ok(()) };
        match body {
            Body::Post(post) => self.apply_post(entry, post),
            Body::Record(record) => self.record_changes(record, entry, |views| views.write_registers(entry, body)),
            _ => self.write_registers(entry, body),
        }
    }

    /// Takes an entry out of every view: it was erased, or does not count any more. `entry` is as it
    /// was when it was applied.
    pub(crate) fn retract(&mut self, entry: &NewEntry<'_>) -> Result<(), StoreError> {
        let Some(body) = entry.body else { return Ok(()) };
        match body {
            Body::Post(post) => self.retract_post(entry, post),
            Body::Record(record) => self.record_changes(record, entry, |views| views.clear_registers(entry, body)),
            _ => self.clear_registers(entry, body),
        }
    }

    /// Writes what is still in memory and gives the events, in order.
    pub(crate) fn finish(mut self) -> Result<Vec<Event>, StoreError> {
        for (account, row) in std::mem::take(&mut self.touched) {
            self.accounts.insert(account, row.write().as_slice())?;
        }
        Ok(self.events)
    }

    /// True where reactions are held and the table of favourites is not there.
    pub(crate) fn lacks_favourites(txn: &WriteTransaction) -> Result<bool, StoreError> {
        let has = |name: &str| -> Result<bool, StoreError> { Ok(txn.list_tables()?.any(|table| table.name() == name)) };
        Ok(has(tables::REACTIONS.name())? && !has(tables::FAVOURITES.name())?)
    }

    /// Makes the favourites of local accounts out of the reactions that are held.
    pub(crate) fn fill_favourites(&mut self) -> Result<(), StoreError> {
        let mut own = Vec::new();
        for row in self.reactions.iter()? {
            let (key, by) = row?;
            if self.local.contains_key(&by.value()) {
                let (target, counter) = key.value();
                own.push((by.value(), counter, *target));
            }
        }
        for (account, counter, target) in own {
            self.favourites.insert((account, counter), &target)?;
        }
        Ok(())
    }

    /// True where statuses are held and the index of words is not there.
    pub(crate) fn lacks_index(txn: &WriteTransaction) -> Result<bool, StoreError> {
        let has = |name: &str| -> Result<bool, StoreError> { Ok(txn.list_tables()?.any(|table| table.name() == name)) };
        Ok(has(tables::STATUSES.name())? && !has(tables::WAITING.name())?)
    }

    /// Takes every post and every account that is held into the index of words.
    pub(crate) fn fill_index(&mut self) -> Result<(), StoreError> {
        for row in self.accounts.iter()? {
            self.index.rename(row?.0.value());
        }
        for row in self.statuses.iter()? {
            let (status, row) = row?;
            if StatusRow::read(row.value())?.flags & row::flags::REPOST == 0 {
                self.index.add(status.value())?;
            }
        }
        Ok(())
    }

    /// Where the newest version of a post is.
    pub(crate) fn post_place(&self, status: u64) -> Result<Option<Place>, StoreError> {
        Ok(self.status_row(status)?.map(|row| row.edit.map_or(row.place, |(place, _)| place)))
    }

    /// Where the user name and the name of an account are, by field.
    pub(crate) fn name_places(&mut self, account: u64) -> Result<Vec<(&'static str, Place)>, StoreError> {
        let profile = self.account_row(account)?.profile;
        let names = PROFILE_FIELDS.into_iter().zip(profile).filter(|(field, _)| is_name(field));
        Ok(names.filter_map(|(field, place)| Some((field, place?))).collect())
    }

    /// Drops every view table; the writer applies all live entries anew afterwards.
    pub(crate) fn clear(txn: &WriteTransaction) -> Result<(), StoreError> {
        let names: Vec<_> = txn.list_tables()?.collect();
        for table in names {
            if table.name().starts_with("view_") {
                txn.delete_table(table)?;
            }
        }
        Ok(())
    }
}

/// A hash for a table key that must not give the text away to a reader of the file: 128 bits of
/// BLAKE3 under a context of its own.
pub(crate) fn hash16(context: &str, text: &str) -> row::Hash16 {
    let mut hash = [0; 16];
    let mut hasher = blake3::Hasher::new_derive_key(context);
    hasher.update(text.as_bytes());
    hasher.finalize_xof().fill(&mut hash);
    hash
}

/// A tag as tags compare: lower case, composed (NFC), accents kept.
pub fn folded_tag(tag: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    tag.nfc().flat_map(char::to_lowercase).nfc().collect()
}

/// True for a profile field that accounts are found by.
fn is_name(field: &str) -> bool {
    matches!(field, "username" | "name")
}

/// The hash of a tag, folded.
pub(crate) fn tag_hash(tag: &str) -> row::Hash16 {
    hash16("xom tag v1", &folded_tag(tag))
}

/// The hash of an import's original address.
pub(crate) fn source_hash(source: &str) -> row::Hash16 {
    hash16("xom import source v1", source)
}

/// The account id that a DID asks for first; see [`Views::account_of`].
pub(crate) fn first_account_id(did: &Did) -> AccountId {
    let mut head = [0; 8];
    head.copy_from_slice(&did.0[..8]);
    AccountId((u64::from_be_bytes(head) >> 1).max(1))
}

/// Finds the account of a DID in the table of accounts.
pub(crate) fn find_account(
    accounts: &impl ReadableTable<u64, &'static [u8]>,
    did: &Did,
) -> Result<(u64, Option<AccountRow>), StoreError> {
    let mut account = first_account_id(did).0;
    loop {
        let Some(found) = accounts.get(account)? else { return Ok((account, None)) };
        let row = AccountRow::read(found.value())?;
        if row.did == *did {
            return Ok((account, Some(row)));
        }
        account = next_account_id(account);
    }
}

/// The account id to try where the one before is another's.
fn next_account_id(account: u64) -> u64 {
    account.wrapping_add(1).max(1)
}
