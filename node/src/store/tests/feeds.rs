//! Feeds over what is held: which posts, which features, and the same page from the same entries (`ALG-3`, `ALG-12`).

use std::collections::BTreeMap;

use xom_protocol::EntryId;
use xom_protocol::feed::{Algorithm, Bucket, Builtin, KeptOut, Reason};

use super::*;
use crate::Reader;
use crate::reader::feed::{FeedPage, FeedQuery};

/// Ten minutes: what was said before is before the bucket.
const LATER_MS: u64 = 600_000;

fn query(person: &Person) -> FeedQuery {
    let bucket = Bucket::of_ms(person.clock.load(Ordering::Relaxed));
    FeedQuery { bucket, list: None, languages: Vec::new(), seen: None, offset: 0, limit: 40 }
}

fn read(person: &Person, algorithm: &Algorithm, query: &FeedQuery) -> FeedPage {
    let reader = Reader::new(person.store.snapshot().unwrap()).unwrap();
    let parameters = algorithm.parameters(&BTreeMap::new()).unwrap();
    reader.feed(&person.me.did, algorithm, &parameters, query).unwrap()
}

fn builtin(slug: &str) -> Algorithm {
    Builtin::find(slug).unwrap().algorithm()
}

/// Entries of a page, in order.
fn shown(page: &FeedPage) -> Vec<EntryId> {
    page.items.iter().map(|(status, _)| status.reference.entry).collect()
}

/// The terms of an entry on a page, by name.
fn terms(page: &FeedPage, algorithm: &Algorithm, entry: EntryId) -> BTreeMap<String, i64> {
    let (_, ranked) = page.items.iter().find(|(status, _)| status.reference.entry == entry).unwrap();
    let names = algorithm.document().terms.iter().map(|term| term.id.clone());
    names.zip(ranked.judgement.terms.iter().map(|term| term.unwrap())).collect()
}

async fn said(person: &Person, text: &str) -> EntryId {
    person.say(post(text)).await.unwrap().entry.unwrap()
}

fn local(person: &Person, entry: EntryId) -> StatusId {
    Reader::new(person.store.snapshot().unwrap()).unwrap().status_of_entry(&entry).unwrap().unwrap()
}

async fn answer(person: &Person, entry: EntryId, text: &str) -> EntryId {
    let post = Box::new(Post { text: text.into(), ..Post::default() });
    let command = Command::Post { post, reply_to: Some(local(person, entry)), quote_of: None };
    person.say(command).await.unwrap().entry.unwrap()
}

/// Alice follows bob and carol. Bob said something, carol a second later; alice answered bob and likes what he said.
async fn world() -> (Person, Person, [EntryId; 3]) {
    let (alice, bob, carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    let bobs = said(&bob, "Chợ họp lúc năm giờ #chợ").await;
    carol.wait(1_000);
    let carols = said(&carol, "Mưa rồi").await;
    for other in [&bob, &carol] {
        alice.say(Command::Follow(other.me.did)).await.unwrap();
        alice.fetch(other).await;
    }
    alice.wait(2_000);
    let answered = answer(&alice, bobs, "Mình tới").await;
    alice.say(Command::Favourite(local(&alice, bobs))).await.unwrap();
    alice.wait(LATER_MS);
    (alice, bob, [bobs, carols, answered])
}

#[tokio::test]
async fn newest_first_is_the_time_that_is_claimed() {
    let (alice, _, [bobs, carols, answered]) = world().await;
    let page = read(&alice, &builtin("newest"), &query(&alice));
    assert_eq!(shown(&page), [answered, carols, bobs]);
    assert_eq!((page.total, page.withheld), (3, Vec::new()));
}

#[tokio::test]
async fn whom_the_reader_answers_and_likes_comes_first_and_the_terms_say_why() {
    let (alice, _, [bobs, carols, _]) = world().await;
    let algorithm = builtin("close-friends");
    let page = read(&alice, &algorithm, &query(&alice));
    assert_eq!(shown(&page)[0], bobs);
    let (near, far) = (terms(&page, &algorithm, bobs), terms(&page, &algorithm, carols));
    assert!((550..=600).contains(&near["closeness"]), "an answer and a reaction: {near:?}");
    assert_eq!(far["closeness"], 0);
    assert!(near["fresh"] <= far["fresh"] && near["fresh"] > 900, "{near:?} {far:?}");
}

#[tokio::test]
async fn what_is_taken_back_counts_no_more() {
    let (alice, _, [bobs, _, answered]) = world().await;
    alice.say(Command::Unfavourite(local(&alice, bobs))).await.unwrap();
    alice.erase(local(&alice, answered), false).await;
    let algorithm = builtin("close-friends");
    let page = read(&alice, &algorithm, &query(&alice));
    assert_eq!(terms(&page, &algorithm, bobs)["closeness"], 0);
    assert_eq!(page.total, 2);
}

#[tokio::test]
async fn conversations_are_what_was_answered_and_the_rest_is_counted() {
    let (alice, bob, [bobs, _, answered]) = world().await;
    bob.fetch(&alice).await;
    let back = answer(&bob, answered, "Hẹn gặp").await;
    alice.fetch(&bob).await;
    let page = read(&alice, &builtin("conversations"), &query(&alice));
    assert_eq!(shown(&page).len(), 2);
    assert!(shown(&page).contains(&bobs) && shown(&page).contains(&back), "what answers the reader is there");
    assert_eq!(page.withheld, [(Reason::Clause(0), 1), (Reason::Clause(1), 1)], "carol's, and the own answer");
}

#[tokio::test]
async fn who_is_blocked_is_withheld_and_counted_whatever_an_algorithm_says() {
    let (alice, bob, [_, carols, answered]) = world().await;
    alice.say(Command::Block(bob.me.did)).await.unwrap();
    let page = read(&alice, &builtin("newest"), &query(&alice));
    assert_eq!(shown(&page), [answered, carols]);
    let withheld: usize = page.withheld.iter().map(|(_, count)| count).sum();
    assert!(withheld <= 1 && page.withheld.iter().all(|(why, _)| *why == Reason::Reader(KeptOut::Block)));
}

#[tokio::test]
async fn tags_that_are_followed_make_a_digest_in_languages_that_are_read() {
    let (alice, bob, _) = world().await;
    let setting = [(format!("{}{}", crate::private::TAG, "chợ"), b"1".to_vec())].into();
    alice.store.put_settings(alice.me.did, setting).await.unwrap();
    let french = Post {
        text: "marché #chợ".into(),
        tags: vec!["chợ".into()],
        languages: vec!["fr-CA".into()],
        ..Post::default()
    };
    bob.say(Command::Post { post: Box::new(french), reply_to: None, quote_of: None }).await.unwrap();
    alice.fetch(&bob).await;
    let page = read(&alice, &builtin("tag-digest"), &FeedQuery { languages: vec!["vi".into()], ..query(&alice) });
    assert_eq!(page.withheld, [(Reason::Clause(0), 1)], "a language that she does not read");
    let all = read(&alice, &builtin("tag-digest"), &query(&alice));
    assert_eq!(all.total, 1, "where she names no languages she reads all");
}

#[tokio::test]
async fn r_rnk_3_a_restart_and_a_rebuild_of_the_views_change_nothing() {
    let (alice, _, _) = world().await;
    let asked = query(&alice);
    let told = |alice: &Person| {
        ["newest", "close-friends", "quiet", "conversations"].map(|slug| {
            let page = read(alice, &builtin(slug), &asked);
            let items: Vec<_> = page
                .items
                .iter()
                .map(|(status, ranked)| (status.reference, ranked.judgement.clone(), ranked.moved))
                .collect();
            (items, page.withheld)
        })
    };
    let before = told(&alice);
    alice.store.rebuild_views().await.unwrap();
    assert_eq!(told(&alice), before);
    let alice = alice.restart().await;
    assert_eq!(told(&alice), before);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let (alice, _, _) = world().await;
    let (algorithm, asked) = (builtin("newest"), query(&alice));
    let all = shown(&read(&alice, &algorithm, &asked));
    let pages: Vec<_> = (0..4)
        .flat_map(|offset| shown(&read(&alice, &algorithm, &FeedQuery { offset, limit: 1, ..asked.clone() })))
        .collect();
    assert_eq!(pages, all);
}
