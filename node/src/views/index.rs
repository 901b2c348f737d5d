//! The index of words: which posts hold a word, and which accounts a beginning of a name may mean.
//!
//! Posts wait until there are enough for a *segment*: up to [`SEGMENT_POSTS`] posts, each with a slot, and one row for
//! each word with the slots that hold it. What waits is searched by reading it. Rows hold hashes and slots, never a
//! text, and may name a post that does not hold the word: who reads them looks at the post. A post that goes leaves
//! its segment at once, with every row that was there for it alone (`R-PRV-4`).

use std::collections::{BTreeMap, BTreeSet};

use xom_protocol::body::Post;

use super::{folded_tag, hash16, tables};
use crate::error::StoreError;
use crate::search::texts;
use crate::search::words::{self, Word};
use crate::store::{Lazy, Tables};

/// Posts of a segment; a slot is one byte.
pub(crate) const SEGMENT_POSTS: usize = 256;
/// Bits of a slot in a number of segment and slot.
const SLOT_BITS: u32 = 8;
/// Bytes of a slot in a row of a word: the slot, and which forms of the word it holds.
const HIT_BYTES: usize = 3;
/// Words of a name that are in the index.
const NAME_WORDS_MAX: usize = 8;

/// A hash of a word.
pub(crate) type WordHash = u32;

/// The tables of the index, in one write transaction.
pub(crate) struct Index<'t> {
    waiting: Lazy<'t, u64, ()>,
    slots: Lazy<'t, u64, u32>,
    posts: Lazy<'t, u32, u64>,
    segments: Lazy<'t, u32, (u64, u64)>,
    words: Lazy<'t, (u32, WordHash), &'static [u8]>,
    names: Lazy<'t, (WordHash, u64), ()>,
    names_of: Lazy<'t, u64, &'static [u8]>,
    /// Accounts whose names have changed in this transaction.
    renamed: BTreeSet<u64>,
    /// Posts have come to those that wait in this transaction.
    has_come: bool,
}

/// The words of a post as the index holds them: hash and the bits of the forms that the post has.
pub(crate) type PostWords = BTreeMap<WordHash, u16>;

/// The hash of a word or beginning without accents; tags and names have hashes of their own.
pub(crate) fn word_hash(kind: Kind, folded: &str) -> WordHash {
    let [a, b, c, d, ..] = hash16(kind.context(), folded);
    WordHash::from_be_bytes([a, b, c, d])
}

/// The bit of a form of a word.
pub(crate) fn form_bit(exact: &str) -> u16 {
    let [.., last] = hash16("xom form v1", exact);
    1 << (last % 16)
}

/// What a hash is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A word of a text.
    Word,
    /// The beginning of a tag.
    Tag,
    /// The beginning of a word of a name.
    Name,
}

impl Kind {
    fn context(self) -> &'static str {
        match self {
            Self::Word => "xom word v1",
            Self::Tag => "xom tag prefix v1",
            Self::Name => "xom name prefix v1",
        }
    }
}

/// The words of a post, and the beginnings of its tags.
pub(crate) fn post_words(post: &Post) -> PostWords {
    let mut found = PostWords::new();
    let mut known: BTreeMap<String, WordHash> = BTreeMap::new();
    for Word { folded, exact, .. } in texts(post).flat_map(words::words).take(words::WORDS_MAX) {
        let bit = form_bit(&exact);
        let hash = *known.entry(folded).or_insert_with_key(|folded| word_hash(Kind::Word, folded));
        *found.entry(hash).or_default() |= bit;
    }
    for tag in &post.tags {
        let tag = folded_tag(tag);
        for prefix in words::prefixes(&words::fold(&tag)) {
            found.entry(word_hash(Kind::Tag, &prefix)).or_default();
        }
    }
    found
}

/// The hashes of the beginnings of names.
pub(crate) fn name_hashes<'n>(names: impl IntoIterator<Item = &'n str>) -> BTreeSet<WordHash> {
    let words = names.into_iter().flat_map(words::words).take(NAME_WORDS_MAX);
    let hashes = |word: Word| words::prefixes(&word.folded).map(|prefix| word_hash(Kind::Name, &prefix)).collect();
    words.flat_map(hashes as fn(Word) -> Vec<WordHash>).collect()
}

/// The slots of a row of a word, each with the bits of its forms.
pub(crate) fn hits(row: &[u8]) -> impl Iterator<Item = (u8, u16)> + '_ {
    row.chunks_exact(HIT_BYTES).map(|hit| (hit[0], u16::from_le_bytes([hit[1], hit[2]])))
}

/// The number of a slot of a segment.
pub(crate) fn place_of(segment: u32, slot: u8) -> u32 {
    segment << SLOT_BITS | u32::from(slot)
}

impl<'t> Index<'t> {
    pub(crate) fn open(tables: Tables<'t>) -> Result<Self, StoreError> {
        Ok(Self {
            waiting: tables.table(tables::WAITING)?,
            slots: tables.table(tables::SLOTS)?,
            posts: tables.table(tables::SLOT_POSTS)?,
            segments: tables.table(tables::SEGMENTS)?,
            words: tables.table(tables::WORDS)?,
            names: tables.table(tables::NAMES)?,
            names_of: tables.table(tables::NAMES_OF)?,
            renamed: BTreeSet::new(),
            has_come: false,
        })
    }

    /// Notes that a post is there, or has another text.
    pub(crate) fn add(&mut self, status: u64) -> Result<(), StoreError> {
        self.has_come = true;
        self.waiting.insert(status, ()).map(|_| ())
    }

    /// Takes a post out, with every row that was there for it alone.
    pub(super) fn remove(&mut self, status: u64) -> Result<(), StoreError> {
        if self.waiting.remove(status)?.is_some() {
            return Ok(());
        }
        let Some(place) = self.slots.remove(status)?.map(|place| place.value()) else { return Ok(()) };
        self.posts.remove(place)?;
        let (segment, slot) = (place >> SLOT_BITS, place.to_be_bytes()[3]);
        let mut changed: Vec<(WordHash, Vec<u8>)> = Vec::new();
        for row in self.words.range((segment, 0)..=(segment, WordHash::MAX))? {
            let (key, row) = row?;
            if hits(row.value()).any(|(other, _)| other == slot) {
                let kept = row.value().chunks_exact(HIT_BYTES).filter(|hit| hit[0] != slot);
                changed.push((key.value().1, kept.flatten().copied().collect()));
            }
        }
        for (word, row) in changed {
            if row.is_empty() {
                self.words.remove((segment, word))?;
            } else {
                self.words.insert((segment, word), row.as_slice())?;
            }
        }
        if self.posts.range(place_of(segment, 0)..=place_of(segment, u8::MAX))?.next().is_none() {
            self.segments.remove(segment)?;
        }
        Ok(())
    }

    /// Notes that an account has another name.
    pub(super) fn rename(&mut self, account: u64) {
        self.renamed.insert(account);
    }

    /// The accounts whose names have changed, each once.
    pub(crate) fn take_renamed(&mut self) -> BTreeSet<u64> {
        std::mem::take(&mut self.renamed)
    }

    /// Sets under which beginnings an account is found.
    pub(crate) fn set_names(&mut self, account: u64, hashes: &BTreeSet<WordHash>) -> Result<(), StoreError> {
        let old: BTreeSet<WordHash> =
            self.names_of.get(account)?.map(|row| read_hashes(row.value())).unwrap_or_default();
        for gone in old.difference(hashes) {
            self.names.remove((*gone, account))?;
        }
        for new in hashes.difference(&old) {
            self.names.insert((*new, account), ())?;
        }
        if hashes.is_empty() {
            self.names_of.remove(account)?;
        } else if *hashes != old {
            let row: Vec<u8> = hashes.iter().flat_map(|hash| hash.to_le_bytes()).collect();
            self.names_of.insert(account, row.as_slice())?;
        }
        Ok(())
    }

    /// The oldest posts that wait, where some have come and there are enough for a segment.
    pub(crate) fn due(&self) -> Result<Vec<u64>, StoreError> {
        if !self.has_come {
            return Ok(Vec::new());
        }
        let due: Vec<u64> = self
            .waiting
            .iter()?
            .take(SEGMENT_POSTS)
            .map(|row| Ok(row?.0.value()))
            .collect::<Result<_, StoreError>>()?;
        Ok(if due.len() < SEGMENT_POSTS { Vec::new() } else { due })
    }

    /// Makes a segment of posts that have waited; at most [`SEGMENT_POSTS`].
    pub(crate) fn cut(&mut self, posts: &[(u64, PostWords)]) -> Result<(), StoreError> {
        let last = self.segments.open()?;
        let last = redb::ReadableTable::last(last)?.map(|(segment, _)| segment.value());
        let segment = last.map_or(0, |last| last + 1);
        let mut rows: BTreeMap<WordHash, Vec<u8>> = BTreeMap::new();
        let mut range = (u64::MAX, 0);
        for (slot, (status, words)) in (0..=u8::MAX).zip(posts) {
            self.waiting.remove(*status)?;
            self.slots.insert(*status, place_of(segment, slot))?;
            self.posts.insert(place_of(segment, slot), *status)?;
            range = (range.0.min(*status), range.1.max(*status));
            for (word, forms) in words {
                let row = rows.entry(*word).or_default();
                row.push(slot);
                row.extend_from_slice(&forms.to_le_bytes());
            }
        }
        for (word, row) in rows {
            self.words.insert((segment, word), row.as_slice())?;
        }
        self.segments.insert(segment, range).map(|_| ())
    }
}

fn read_hashes(row: &[u8]) -> BTreeSet<WordHash> {
    row.as_chunks().0.iter().map(|hash| WordHash::from_le_bytes(*hash)).collect()
}

#[cfg(test)]
mod tests {
    use redb::backends::InMemoryBackend;
    use redb::{Database, ReadableDatabase, ReadableTableMetadata};

    use super::*;

    fn database() -> Database {
        Database::builder().create_with_backend(InMemoryBackend::new()).expect("memory")
    }

    fn change(database: &Database, change: impl FnOnce(&mut Index<'_>)) {
        let txn = database.begin_write().expect("a write");
        change(&mut Index::open(Tables::at_once(&txn)).expect("tables"));
        txn.commit().expect("a commit");
    }

    /// How many rows the tables hold: waiting, slots, posts, segments, words, names, names of accounts.
    fn rows(database: &Database) -> [u64; 7] {
        let txn = database.begin_read().expect("a read");
        [
            txn.open_table(tables::WAITING).expect("a table").len().expect("a length"),
            txn.open_table(tables::SLOTS).expect("a table").len().expect("a length"),
            txn.open_table(tables::SLOT_POSTS).expect("a table").len().expect("a length"),
            txn.open_table(tables::SEGMENTS).expect("a table").len().expect("a length"),
            txn.open_table(tables::WORDS).expect("a table").len().expect("a length"),
            txn.open_table(tables::NAMES).expect("a table").len().expect("a length"),
            txn.open_table(tables::NAMES_OF).expect("a table").len().expect("a length"),
        ]
    }

    fn text(text: &str) -> PostWords {
        post_words(&Post { text: text.to_owned(), ..Post::default() })
    }

    #[test]
    fn r_prv_4_a_post_that_goes_leaves_no_hash_of_its_words_behind() {
        let database = database();
        change(&database, |index| {
            for status in [5, 6, 7] {
                index.add(status).expect("stored");
            }
            index.cut(&[(5, text("common secret")), (6, text("common")), (7, text("common"))]).expect("stored");
        });
        assert_eq!(rows(&database), [0, 3, 3, 1, 2, 0, 0]);
        change(&database, |index| index.remove(5).expect("taken out"));
        assert_eq!(rows(&database), [0, 2, 2, 1, 1, 0, 0], "the word of the others stays");
        change(&database, |index| [6, 7, 7, 9].iter().for_each(|status| index.remove(*status).expect("taken out")));
        assert_eq!(rows(&database), [0; 7]);
    }

    #[test]
    fn a_segment_is_cut_when_there_are_enough_posts_and_its_number_is_used_once() {
        let database = database();
        change(&database, |index| {
            for status in 1..SEGMENT_POSTS as u64 {
                index.add(status).expect("stored");
            }
            assert!(index.due().expect("read").is_empty());
            index.add(900).expect("stored");
            assert_eq!(index.due().expect("read").len(), SEGMENT_POSTS);
        });
        change(&database, |index| {
            assert!(index.due().expect("read").is_empty(), "nothing has come");
            index.cut(&[(1, text("a"))]).expect("stored");
            index.cut(&[(2, text("a"))]).expect("stored");
            index.remove(1).expect("taken out");
            index.cut(&[(3, text("a"))]).expect("stored");
        });
        assert_eq!(rows(&database), [SEGMENT_POSTS as u64 - 3, 2, 2, 2, 2, 0, 0]);
    }

    #[test]
    fn the_names_of_an_account_are_those_that_it_has_now() {
        let database = database();
        let set = |name: &str| {
            let hashes = name_hashes([name]);
            change(&database, |index| index.set_names(3, &hashes).expect("stored"));
            rows(&database)[5..].to_vec()
        };
        assert_eq!(set("Lan"), [3, 1]);
        assert_eq!(set("Linh"), [4, 1], "l, li, lin, linh");
        assert_eq!(set(""), [0, 0]);
    }
}
