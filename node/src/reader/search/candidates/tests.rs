//! The index finds in little time what a scan of everything would find.

use redb::backends::InMemoryBackend;
use redb::{Database, ReadableDatabase};

use super::*;
use crate::model::Page;
use crate::search::words::{Word, words};
use crate::store::Tables;
use crate::views::index::{Index, Kind, PostWords, SEGMENT_POSTS, form_bit, post_words, word_hash};
use xom_protocol::body::Post;

/// Posts of the large test.
const POSTS: u64 = 100_000;
/// Syllables that its posts are made of, some much more often than others.
const SYLLABLES: [&str; 16] = [
    "là",
    "và",
    "có",
    "xóm",
    "chợ",
    "người",
    "nước",
    "trời",
    "hòa",
    "nhà",
    "mưa",
    "cây",
    "đường",
    "sáng",
    "bánh",
    "ghé",
];

/// The text of a post: twelve syllables of a sequence that is the same for its number.
fn text(number: u64) -> String {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut syllables = Vec::new();
    for _ in 0..12 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let of = 1 + (state >> 33) % SYLLABLES.len() as u64;
        syllables.push(SYLLABLES[usize::try_from((state >> 45) % of).expect("small")]);
    }
    let rare = if number % 10_007 == 3 { " hiếm" } else { "" };
    format!("{} {}{rare}", syllables.join(" "), number % 5_000)
}

fn index(posts: impl Iterator<Item = (u64, PostWords)>) -> Database {
    let database = Database::builder().create_with_backend(InMemoryBackend::new()).expect("memory");
    let txn = database.begin_write().expect("a write");
    {
        let mut index = Index::open(Tables::at_once(&txn)).expect("tables");
        let mut segment = Vec::new();
        for post in posts {
            segment.push(post);
            if segment.len() == SEGMENT_POSTS {
                index.cut(&segment).expect("stored");
                segment.clear();
            }
        }
        for (status, _) in &segment {
            index.add(*status).expect("stored");
        }
    }
    txn.commit().expect("a commit");
    database
}

fn search(database: &Database, asked: &str, page: &Page, take: usize) -> Vec<u64> {
    let txn = database.begin_read().expect("a read");
    let wanted = words(asked).into_iter().map(|word| Wanted {
        hash: word_hash(Kind::Word, &word.folded),
        forms: if word.is_plain() { u16::MAX } else { form_bit(&word.exact) },
    });
    let mut candidates = Candidates::open(&txn, wanted.collect(), Span::of(page)).expect("tables");
    let mut found = Vec::new();
    while found.len() < take
        && let Some(status) = candidates.next().expect("rows")
    {
        found.push(status);
    }
    found
}

/// The posts that hold every word, as a scan finds them, newest first.
fn scan(posts: &[(u64, Vec<Word>)], asked: &str, page: &Page) -> Vec<u64> {
    let asked = words(asked);
    let span = Span::of(page);
    let holds = |words: &[Word]| asked.iter().all(|asked| words.iter().any(|word| asked.fits(word)));
    let in_span = posts.iter().filter(|(status, words)| (span.low..=span.high).contains(status) && holds(words));
    let mut found: Vec<u64> = in_span.map(|(status, _)| *status).collect();
    found.sort_unstable_by_key(|status| if span.oldest_first() { *status } else { u64::MAX - status });
    found
}

/// The id of a post: every seventh is an old one that came late.
fn id(number: u64) -> u64 {
    if number % 7 == 6 { 1_000 + number } else { 1_000_000 + number }
}

fn words_of(number: u64) -> PostWords {
    post_words(&Post { text: text(number), ..Post::default() })
}

#[test]
fn what_a_scan_finds_is_among_the_candidates_in_the_same_order() {
    const FEW: u64 = 700;
    let database = index((0..FEW).map(|number| (id(number), words_of(number))));
    let posts: Vec<(u64, Vec<Word>)> = (0..FEW).map(|number| (id(number), words(&text(number)))).collect();
    let middle = Some(id(350));
    for asked in ["xom", "xóm", "chợ xóm", "hoà nước", "hiem", "trời 17", "vắng"] {
        for page in [
            Page { limit: 1, ..Page::default() },
            Page { limit: 1, max_id: middle, ..Page::default() },
            Page { limit: 1, min_id: middle, ..Page::default() },
            Page { limit: 1, since_id: middle, max_id: Some(id(600)), ..Page::default() },
        ] {
            let (found, wanted) = (search(&database, asked, &page, usize::MAX), scan(&posts, asked, &page));
            let is_wanted = |status: &&u64| wanted.contains(status);
            assert_eq!(found.iter().filter(is_wanted).copied().collect::<Vec<_>>(), wanted, "{asked} {page:?}");
            // Posts that wait are all candidates; of the others hardly one that is not meant.
            let waiting = usize::try_from(FEW).expect("small") % SEGMENT_POSTS;
            assert!(found.len() <= wanted.len() + waiting, "{asked}: {} for {}", found.len(), wanted.len());
        }
    }
}

#[test]
fn a_hundred_thousand_posts_are_searched_in_little_time() {
    // Words are counted once for each of some thousand texts: it is the index that is measured.
    let texts: Vec<PostWords> = (0..5_000).map(words_of).collect();
    let began = std::time::Instant::now();
    let of = |number: u64| texts[usize::try_from(number % 5_000).expect("small")].clone();
    let database = index((0..POSTS).map(|number| (id(number), of(number))));
    let filled = began.elapsed();
    let bytes = {
        use redb::ReadableTableMetadata;
        let txn = database.begin_read().expect("a read");
        let stats = |stats: redb::TableStats| stats.stored_bytes() + stats.metadata_bytes() + stats.fragmented_bytes();
        stats(txn.open_table(tables::WORDS).expect("a table").stats().expect("figures"))
            + stats(txn.open_table(tables::SLOTS).expect("a table").stats().expect("figures"))
            + stats(txn.open_table(tables::SLOT_POSTS).expect("a table").stats().expect("figures"))
    };
    eprintln!("{POSTS} posts of 13 words: filled in {filled:?}, {} bytes a post", bytes / POSTS);
    for (asked, take) in [("la", 20), ("xóm chợ", 20), ("la va co xóm", 20), ("hiem", usize::MAX), ("la", usize::MAX)]
    {
        let began = std::time::Instant::now();
        let found = search(&database, asked, &Page { limit: 1, ..Page::default() }, take);
        let took = began.elapsed();
        eprintln!("{asked}: {} candidates in {took:?}", found.len());
        assert!(!found.is_empty(), "{asked}");
        assert!(took < std::time::Duration::from_secs(20), "{asked}: {took:?}");
    }
}
