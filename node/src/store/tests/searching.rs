//! Searching posts, people and tags, and what leaves the index (R-PRV-4).

use redb::{ReadableDatabase, ReadableTable};
use xom_protocol::body::{Profile, Visibility};
use xom_protocol::limits::ERASE_DELAY_MS;

use super::*;
use crate::Reader;
use crate::model::{Page, Status};
use crate::search::SearchQuery;
use crate::views::index::{Kind, SEGMENT_POSTS, word_hash};
use crate::views::tables;

fn reader(person: &Person) -> Reader {
    Reader::new(person.store.snapshot().unwrap()).unwrap()
}

fn page() -> Page {
    Page { limit: 40, ..Page::default() }
}

fn found(person: &Person, asked: &str) -> Vec<StatusId> {
    let found = reader(person).search_statuses(&person.me.did, &SearchQuery::parse(asked), None, 0, &page());
    found.unwrap().into_iter().map(|status: Status| status.id).collect()
}

fn texts_found(person: &Person, asked: &str) -> Vec<String> {
    let reader = reader(person);
    let found = reader.search_statuses(&person.me.did, &SearchQuery::parse(asked), None, 0, &page()).unwrap();
    let text = |status: Status| match status.content {
        crate::model::StatusContent::Post(view) => view.post.text,
        crate::model::StatusContent::Repost(_) => panic!("a repost is found"),
    };
    found.into_iter().map(text).collect()
}

/// Enough posts that those before them are in a segment.
async fn fill(person: &Person) {
    let posts = (0..SEGMENT_POSTS).map(|number| post(&format!("filler{number}"))).collect();
    for done in person.store.commands(person.me.did, posts).await {
        done.unwrap();
    }
}

/// True if a segment has a row for a word.
fn is_in_index(person: &Person, word: &str) -> bool {
    let txn = person.store.shared.database().unwrap().begin_read().unwrap();
    let words = txn.open_table(tables::WORDS).unwrap();
    words.iter().unwrap().any(|row| row.unwrap().0.value().1 == word_hash(Kind::Word, word))
}

fn edit(status: StatusId, text: &str) -> Command {
    Command::Edit { status, post: Box::new(Post { text: text.to_owned(), ..Post::default() }) }
}

#[tokio::test]
async fn posts_are_found_by_their_words_whether_they_wait_or_are_in_a_segment() {
    let alice = Person::new("alice");
    let first = alice.post("Chợ của xóm nhỏ, hòa bình").await;
    let second = alice.post("cho xom").await;
    for _ in 0..2 {
        assert_eq!(found(&alice, "cho xom"), [second, first]);
        assert_eq!(found(&alice, "chợ"), [first]);
        assert_eq!(found(&alice, "hoà BINH"), [first]);
        assert_eq!(found(&alice, "xòm"), []);
        assert_eq!(found(&alice, "cho -nhỏ"), [second]);
        assert_eq!(found(&alice, "from:me cho"), [second, first]);
        assert_eq!(found(&alice, "from:nobody cho"), []);
        fill(&alice).await;
    }
    assert!(is_in_index(&alice, "xom"));
    assert_eq!(found(&alice, "filler7 -x").len(), 2);
    assert_eq!(found(&alice, "from:me -filler1").len(), 40);
}

#[tokio::test]
async fn a_page_of_what_was_found_goes_on_by_id_and_by_offset() {
    let alice = Person::new("alice");
    let mut posts = Vec::new();
    for number in 0..6 {
        posts.push(alice.post(&format!("ghé chơi {number}")).await);
    }
    posts.reverse();
    let query = SearchQuery::parse("ghe");
    let get = |offset: usize, page: Page| -> Vec<StatusId> {
        let found = reader(&alice).search_statuses(&alice.me.did, &query, None, offset, &page).unwrap();
        found.into_iter().map(|status| status.id).collect()
    };
    let two = Page { limit: 2, ..Page::default() };
    assert_eq!(get(0, two), posts[..2]);
    assert_eq!(get(3, two), posts[3..5]);
    assert_eq!(get(0, Page { max_id: Some(posts[1].0), ..two }), posts[2..4]);
    assert_eq!(get(0, Page { min_id: Some(posts[4].0), ..two }), posts[2..4], "the page next to it, newest first");
    assert_eq!(get(0, Page { since_id: Some(posts[1].0), ..two }), posts[..1]);
    assert_eq!(get(9, two), []);
}

#[tokio::test]
async fn an_edit_is_found_by_its_new_words_and_an_erased_edit_by_the_old_ones() {
    let alice = Person::new("alice");
    let status = alice.post("nguyên bản").await;
    fill(&alice).await;
    let edited = alice.say(edit(status, "bản mới")).await.unwrap().entry.unwrap();
    assert_eq!((found(&alice, "nguyen"), found(&alice, "moi")), (vec![], vec![status]));
    assert!(!is_in_index(&alice, "nguyen"));
    fill(&alice).await;
    assert!(is_in_index(&alice, "moi"));
    alice.say(Command::EraseEntry { entry: edited, now: None }).await.unwrap();
    assert_eq!((found(&alice, "nguyen"), found(&alice, "moi")), (vec![status], vec![]));
    assert!(!is_in_index(&alice, "moi"));
}

#[tokio::test]
async fn r_prv_4_a_purged_text_leaves_the_index_of_its_author_and_of_whoever_has_it() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let status = alice.post("một bímật riêng").await;
    fill(&alice).await;
    bob.fetch(&alice).await;
    for person in [&alice, &bob] {
        assert_eq!(texts_found(person, "bímật"), ["một bímật riêng"]);
        assert!(is_in_index(person, "bimat"));
    }
    alice.erase(status, true).await;
    bob.fetch(&alice).await;
    for person in [&alice, &bob] {
        person.wait(ERASE_DELAY_MS + 1_000);
        person.store.purge_due().await.unwrap();
        assert_eq!(texts_found(person, "bimat"), Vec::<String>::new());
        assert!(!is_in_index(person, "bimat") && is_in_index(person, "filler0"));
        person.store.rebuild_views().await.unwrap();
        assert!(!is_in_index(person, "bimat"), "nor is it there in views made anew");
        person.store.compact().await.unwrap();
        // What is left on the disk of the row: the hash of the word, as it stood in keys of the table.
        let key = word_hash(Kind::Word, "bimat").to_le_bytes();
        let database = std::fs::read(person.path().join("xom.redb")).unwrap();
        let row = [&0_u32.to_le_bytes()[..], &key].concat();
        assert!(!database.windows(row.len()).any(|window| window == row), "{}", person.me.username);
    }
}

#[tokio::test]
async fn unlisted_posts_are_found_by_their_author_alone_and_blocked_people_not_at_all() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let unlisted = Post { text: "riêng tư".into(), visibility: Visibility::Unlisted, ..Post::default() };
    let unlisted = Command::Post { post: Box::new(unlisted), reply_to: None, quote_of: None };
    alice.say(unlisted).await.unwrap();
    alice.post("công khai").await;
    bob.fetch(&alice).await;
    assert_eq!(texts_found(&alice, "rieng"), ["riêng tư"]);
    assert_eq!(texts_found(&bob, "rieng"), Vec::<String>::new());
    assert_eq!(texts_found(&bob, "cong"), ["công khai"]);
    let with_author = |did| {
        let query = SearchQuery::parse("khai");
        reader(&bob).search_statuses(&bob.me.did, &query, Some(did), 0, &page()).unwrap().len()
    };
    assert_eq!((with_author(&alice.me.did), with_author(&bob.me.did)), (1, 0));
    bob.say(Command::Block(alice.me.did)).await.unwrap();
    assert_eq!(texts_found(&bob, "cong"), Vec::<String>::new());
}

#[tokio::test]
async fn people_are_found_by_the_beginnings_of_the_names_that_they_have_now() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let named = |name: &str| Command::Profile(Box::new(Profile { name: Some(name.to_owned()), ..Profile::default() }));
    alice.say(named("Nguyễn Hòa")).await.unwrap();
    bob.fetch(&alice).await;
    let found = |asked: &str, following: bool| -> Vec<Did> {
        let found = reader(&bob).search_accounts(&bob.me.did, asked, following).unwrap();
        found.into_iter().map(|account| account.did).collect()
    };
    let alice_alone = vec![alice.me.did];
    for asked in ["nguyen", "ngu", "hoà", "hoa nguyễn", "ali", "Alice hoa"] {
        assert_eq!(found(asked, false), alice_alone, "{asked}");
        assert_eq!(found(asked, true), [], "{asked}");
    }
    for asked in ["guyen", "hóa", "bob nguyen", "", "…"] {
        assert_eq!(found(asked, false), [], "{asked}");
    }
    bob.say(Command::Follow(alice.me.did)).await.unwrap();
    assert_eq!(found("hoa", true), alice_alone);
    alice.say(named("Lan")).await.unwrap();
    bob.fetch(&alice).await;
    assert_eq!((found("lan", false), found("nguyen", false)), (alice_alone, vec![]));
}

#[tokio::test]
async fn tags_with_and_without_accents_are_two_and_a_beginning_finds_both() {
    let alice = Person::new("alice");
    for tags in [vec!["xóm", "chợ"], vec!["Xóm"], vec!["xom"]] {
        let tags = tags.into_iter().map(str::to_owned).collect();
        let post = Box::new(Post { text: "…".into(), tags, ..Post::default() });
        alice.say(Command::Post { post, reply_to: None, quote_of: None }).await.unwrap();
    }
    let found = |asked: &str| -> Vec<(String, u64)> {
        let found = reader(&alice).search_tags(&alice.me.did, asked).unwrap();
        found.into_iter().map(|tag| (tag.name, tag.uses)).collect()
    };
    for _ in 0..2 {
        assert_eq!(found("#xo"), [("xóm".into(), 2), ("xom".into(), 1)]);
        assert_eq!(found("xom"), [("xom".into(), 1), ("xóm".into(), 2)], "the tag itself first");
        assert_eq!(found("xó"), [("xóm".into(), 2)]);
        assert_eq!(found("c"), [("chợ".into(), 1)]);
        assert_eq!((found("xomm"), found("#")), (vec![], vec![]));
        fill(&alice).await;
    }
}

#[tokio::test]
async fn the_index_of_a_folder_that_an_older_version_wrote_is_made_at_the_start() {
    let alice = Person::new("alice");
    let status = alice.post("ngày xưa").await;
    fill(&alice).await;
    {
        let database = alice.store.shared.database().unwrap();
        let txn = database.begin_write().unwrap();
        txn.delete_table(tables::WAITING).unwrap();
        txn.delete_table(tables::SLOTS).unwrap();
        txn.delete_table(tables::SLOT_POSTS).unwrap();
        txn.delete_table(tables::SEGMENTS).unwrap();
        txn.delete_table(tables::WORDS).unwrap();
        txn.delete_table(tables::NAMES).unwrap();
        txn.delete_table(tables::NAMES_OF).unwrap();
        txn.commit().unwrap();
    }
    let alice = alice.restart().await;
    assert_eq!(found(&alice, "ngay xua"), [status]);
    assert!(is_in_index(&alice, "ngay"));
    assert_eq!(reader(&alice).search_accounts(&alice.me.did, "alice", false).unwrap().len(), 1);
}
