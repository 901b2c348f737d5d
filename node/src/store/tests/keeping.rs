//! Keeps and shares (`KEEP-1`, `KEEP-2`, `KEEP-3`): what is counted, what does not fit, what is dropped when a keep is over.

use super::*;
use crate::keep::Terms;

/// A day, milliseconds.
const DAY_MS: u64 = 86_400_000;

async fn keep(keeper: &Person, whom: &Person, quota_bytes: u64, days: u64) {
    let terms = Terms::new(quota_bytes, days * DAY_MS).unwrap();
    keeper.store.keep(whom.me.did, terms, true, false).await.unwrap();
}

async fn follow(follower: &Person, whom: &Person) {
    follower.say(Command::Follow(whom.me.did)).await.unwrap();
}

fn bytes_of(at: &Person, whom: &Person) -> u64 {
    at.store.snapshot().unwrap().author_bytes(&whom.me.did).unwrap()
}

/// Says something long enough to be seen among what is counted.
async fn say_much(person: &Person, count: usize) {
    for number in 0..count {
        person.post(&format!("{number} {}", "x".repeat(2_000))).await;
    }
}

#[tokio::test]
async fn keep_1_and_3_what_is_kept_is_wanted_until_its_time_is_over_and_is_dropped_then() {
    let (alice, carol) = (Person::new("alice"), Person::new("carol"));
    say_much(&alice, 300).await;
    let blob = with_picture(&alice).await;
    keep(&carol, &alice, 1_000_000_000, 30).await;
    assert!(carol.store.wants().contains(&alice.me.did));
    carol.fetch(&alice).await;
    assert!(carol.store.put_blob(received(&carol, PNG).await).await.unwrap());
    let view = carol.store.snapshot().unwrap().keep_views().unwrap().remove(0);
    assert_eq!((view.did, view.quota_bytes, view.told), (alice.me.did, 1_000_000_000, true));
    assert_eq!(view.logs.iter().map(|log| log.height).sum::<u64>(), alice.position(&alice.me.log).height);
    assert_eq!(view.logs.iter().map(|log| log.bytes).sum::<u64>(), view.bytes);
    assert!(view.bytes > 600_000, "{}", view.bytes);

    let carol = carol.restart().await;
    carol.wait(29 * DAY_MS);
    carol.store.purge_due().await.unwrap();
    assert!(carol.store.wants().contains(&alice.me.did), "the time is not over");
    carol.wait(DAY_MS);
    carol.store.purge_due().await.unwrap();
    assert!(!carol.store.wants().contains(&alice.me.did));
    assert_eq!(carol.position(&alice.me.log), Position::EMPTY);
    assert_eq!((carol.texts(&alice.me.log), bytes_of(&carol, &alice)), (Vec::new(), 0));
    assert!(carol.store.open_blob(blob).await.unwrap().is_none());
    assert_eq!(carol.store.snapshot().unwrap().keep_rows().unwrap().len(), 0);
    assert_eq!(carol.store.verify().await.unwrap().faults, Vec::<String>::new());

    // Kept once more, everything comes again.
    keep(&carol, &alice, 1_000_000_000, 30).await;
    carol.fetch(&alice).await;
    assert_eq!(carol.texts(&alice.me.log), alice.texts(&alice.me.log));
    assert_eq!(carol.store.verify().await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn keep_1_new_terms_stand_in_place_of_the_old_ones_and_who_lives_here_is_not_kept() {
    let (alice, carol) = (Person::new("alice"), Person::new("carol"));
    keep(&carol, &alice, 5_000_000, 1).await;
    keep(&carol, &alice, 7_000_000, 3).await;
    let views = carol.store.snapshot().unwrap().keep_views().unwrap();
    assert_eq!((views.len(), views[0].quota_bytes), (1, 7_000_000));
    assert!(views[0].until_ms > NOW_MS + 2 * DAY_MS && views[0].logs.is_empty());
    let own = carol.store.keep(carol.me.did, Terms::default(), true, false).await;
    assert!(matches!(own, Err(CommandError::Refused(_))), "{own:?}");
    assert!(carol.store.end_keep(alice.me.did).await.unwrap());
    assert!(!carol.store.end_keep(alice.me.did).await.unwrap(), "ended already");
}

#[tokio::test]
async fn keep_3_what_is_followed_stays_when_a_keep_ends() {
    let (alice, carol) = (Person::new("alice"), Person::new("carol"));
    say_much(&alice, 3).await;
    keep(&carol, &alice, 5_000_000, 1).await;
    carol.fetch(&alice).await;
    follow(&carol, &alice).await;
    assert!(carol.store.end_keep(alice.me.did).await.unwrap());
    carol.store.purge_due().await.unwrap();
    assert!(carol.store.wants().contains(&alice.me.did));
    assert_eq!(carol.texts(&alice.me.log), alice.texts(&alice.me.log));
}

#[tokio::test]
async fn keep_3_what_is_aimed_at_somebody_here_stays_when_a_keep_ends() {
    let (alice, carol) = (Person::new("alice"), Person::new("carol"));
    say_much(&alice, 2).await;
    follow(&alice, &carol).await;
    say_much(&alice, 2).await;
    keep(&carol, &alice, 5_000_000, 1).await;
    carol.fetch(&alice).await;
    let followers = |at: &Person| {
        let reader = crate::Reader::new(at.store.snapshot().unwrap()).unwrap();
        reader.account(&at.me.did).unwrap().unwrap().followers
    };
    assert_eq!(followers(&carol), 1);
    assert!(carol.store.end_keep(alice.me.did).await.unwrap());
    carol.store.purge_due().await.unwrap();
    assert_eq!(carol.position(&alice.me.log), Position::EMPTY);
    assert_eq!(followers(&carol), 1, "the follow is carol's business");
    // And it finds its place in the chain again.
    keep(&carol, &alice, 5_000_000, 1).await;
    carol.fetch(&alice).await;
    assert_eq!((followers(&carol), carol.texts(&alice.me.log).len()), (1, 4));
    assert_eq!(carol.store.verify().await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn keep_3_what_was_erased_stays_erased_and_what_was_edited_stays_edited_when_a_keep_ends() {
    let (alice, carol) = (Person::new("alice"), Person::new("carol"));
    let to_carol = |text: &str| {
        let mentions = vec![xom_protocol::body::Mention { did: carol.me.did, name: "carol".into() }];
        Box::new(Post { text: text.into(), mentions, ..Post::default() })
    };
    let said = |text: &str| Command::Post { post: to_carol(text), reply_to: None, quote_of: None };
    let regretted = alice.say(said("regretted")).await.unwrap().status.unwrap();
    let mistaken = alice.say(said("mistaken")).await.unwrap().status.unwrap();
    let private = alice.post("private").await;
    // Far enough below the erases that those are dropped in a commit of their own.
    let many = (0..300).map(|number| post(&number.to_string())).collect();
    assert!(alice.store.commands(alice.me.did, many).await.iter().all(Result::is_ok));
    let shown = || {
        let reader = crate::Reader::new(carol.store.snapshot().unwrap()).unwrap();
        let page = crate::model::Page { limit: 40, ..crate::model::Page::default() };
        let told = reader.notifications(&carol.me.did, None, &[], None, &page).unwrap();
        let texts = told.into_iter().filter_map(|told| match told.status?.content {
            crate::model::StatusContent::Post(view) => Some(view.post.text),
            crate::model::StatusContent::Repost(_) => None,
        });
        texts.collect::<Vec<_>>()
    };
    keep(&carol, &alice, 1_000_000_000, 1).await;
    carol.fetch(&alice).await;
    assert_eq!((shown(), carol.texts(&alice.me.log).len()), (vec!["mistaken".to_owned(), "regretted".to_owned()], 303));
    alice.erase(regretted, false).await;
    alice.say(Command::Edit { status: mistaken, post: to_carol("right") }).await.unwrap();
    alice.erase(private, false).await;
    carol.fetch(&alice).await;
    assert_eq!(shown(), ["right"]);
    assert!(carol.store.end_keep(alice.me.did).await.unwrap());
    assert!(carol.store.write(|batch| batch.drop_ended()).await.unwrap());
    let height = carol.position(&alice.me.log).height;
    assert!(height > 3, "only a part was dropped");
    let served = carol.store.snapshot().unwrap().range(&alice.me.log, 0, 10_000, 1 << 30, &Default::default()).unwrap();
    let key = carol.record(&alice.me.did).state().devices[&alice.me.device].key;
    let read = verify_run(Network::MAIN, &key, alice.me.did, alice.me.log, Position::EMPTY, served);
    assert_eq!((read.accepted.len() as u64, read.refused), (height, None), "what is left is served whole (LOG-9)");
    assert!(!carol.texts(&alice.me.log).contains(&"private".to_owned()), "what was erased is served to nobody");
    assert_eq!(shown(), ["right"]);
    carol.store.purge_due().await.unwrap();
    assert_eq!((carol.position(&alice.me.log), shown()), (Position::EMPTY, vec!["right".to_owned()]));
    assert_eq!(carol.store.verify().await.unwrap().faults, Vec::<String>::new());
    // And all of it finds its place in the chain again.
    keep(&carol, &alice, 1_000_000_000, 1).await;
    carol.fetch(&alice).await;
    assert_eq!(shown(), ["right"]);
    assert!(!carol.texts(&alice.me.log).iter().any(|text| text == "private" || text == "regretted"));
    assert_eq!(carol.store.verify().await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn keep_3_what_is_being_brought_back_to_here_stays_when_a_keep_ends() {
    let (alice, carol) = (Person::new("alice"), Person::new("carol"));
    say_much(&alice, 3).await;
    keep(&carol, &alice, 5_000_000, 1).await;
    carol.fetch(&alice).await;
    carol.store.shared.seek(alice.me.did);
    assert!(carol.store.end_keep(alice.me.did).await.unwrap());
    carol.store.purge_due().await.unwrap();
    assert_eq!(carol.texts(&alice.me.log), alice.texts(&alice.me.log));
}

#[tokio::test]
async fn keep_2_blobs_that_come_at_once_do_not_pass_the_share_together() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    follow(&bob, &alice).await;
    let blob = with_picture(&alice).await;
    bob.fetch(&alice).await;
    bob.store.set_author_quota((bytes_of(&bob, &alice) + PNG.len() as u64) / 3 * 4);
    let coming = received(&bob, PNG).await;
    assert!(bob.store.snapshot().unwrap().has_room_for_blob(&alice.me.did, 1).unwrap(), "when it was begun");
    // Meanwhile another has come.
    bob.store.set_author_quota(bytes_of(&bob, &alice));
    assert!(!bob.store.put_blob(coming).await.unwrap());
    assert!(bob.store.open_blob(blob).await.unwrap().is_none());
    assert_eq!(bob.store.snapshot().unwrap().blobs_wanted().unwrap(), [blob]);
    bob.store.set_author_quota(1_000_000);
    assert!(bob.store.put_blob(received(&bob, PNG).await).await.unwrap());
}

#[tokio::test]
async fn r_sto_12_keep_2_an_author_takes_no_more_than_his_share_until_that_has_grown() {
    let (mallory, alice, bob) = (Person::new("mallory"), Person::new("alice"), Person::new("bob"));
    bob.store.set_author_quota(100_000);
    follow(&bob, &mallory).await;
    follow(&bob, &alice).await;
    say_much(&mallory, 30).await;
    assert!(matches!(bob.fetch(&mallory).await, Appended::Stored { .. }));
    say_much(&mallory, 30).await;
    let before = bytes_of(&bob, &mallory);
    assert!(matches!(bob.fetch(&mallory).await, Appended::Full { position } if position.height > 30));
    assert_eq!(bytes_of(&bob, &mallory), before);
    assert!(bob.store.full().contains(&mallory.me.did));
    let warnings = bob.store.snapshot().unwrap().share_warnings().unwrap();
    assert!(matches!(&warnings[..], [warning] if warning.contains(&mallory.me.did.to_string())), "{warnings:?}");

    // Everybody else goes on, the owner too.
    say_much(&alice, 20).await;
    assert!(matches!(bob.fetch(&alice).await, Appended::Stored { new, .. } if new > 20));
    bob.store.set_author_quota(1);
    say_much(&bob, 10).await;
    bob.store.set_author_quota(100_000);

    bob.store.look_for_room().await.unwrap();
    assert!(bob.store.full().contains(&mallory.me.did), "there is no room yet");
    keep(&bob, &mallory, 10_000_000, 1).await;
    assert!(bob.store.full().is_empty());
    assert!(matches!(bob.fetch(&mallory).await, Appended::Stored { new: 30, .. }));
    assert_eq!(bob.store.snapshot().unwrap().share_warnings().unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn keep_2_room_that_a_purge_has_made_is_used() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    bob.store.set_author_quota(80_000);
    follow(&bob, &alice).await;
    let mut large = Vec::new();
    for number in 0..20 {
        large.push(alice.post(&format!("{number} {}", "x".repeat(2_000))).await);
    }
    assert!(matches!(bob.fetch(&alice).await, Appended::Stored { .. }));
    say_much(&alice, 10).await;
    assert!(matches!(bob.fetch(&alice).await, Appended::Full { .. }));
    bob.store.set_author_quota(200_000);
    bob.store.look_for_room().await.unwrap();
    assert!(matches!(bob.fetch(&alice).await, Appended::Stored { .. }));
    let full = bytes_of(&bob, &alice);
    for status in large {
        alice.erase(status, true).await;
    }
    assert!(matches!(bob.fetch(&alice).await, Appended::Stored { .. }));
    bob.store.purge_due().await.unwrap();
    assert!(bytes_of(&bob, &alice) + 20_000 < full, "{} of {full}", bytes_of(&bob, &alice));
}

#[tokio::test]
async fn keep_2_bodies_that_come_later_count_too() {
    let (mallory, bob) = (Person::new("mallory"), Person::new("bob"));
    follow(&bob, &mallory).await;
    say_much(&mallory, 30).await;
    let objects = mallory.store.snapshot().unwrap().identity_objects(&mallory.me.did).unwrap();
    bob.store.insert_identity(mallory.me.did, objects).await.unwrap();
    let whole = mallory.run(Position::EMPTY, &bob.record(&mallory.me.did));
    let log = mallory.me.log;
    let mut served = mallory.store.snapshot().unwrap().range(&log, 0, 10_000, 1 << 30, &Default::default()).unwrap();
    served.iter_mut().for_each(|entry| entry.body = None);
    let key = bob.record(&mallory.me.did).state().devices[&mallory.me.device].key;
    let headers = verify_run(Network::MAIN, &key, mallory.me.did, log, Position::EMPTY, served).accepted;
    bob.store.append(mallory.new_run(headers)).await.unwrap();
    let held = bytes_of(&bob, &mallory);
    bob.store.set_author_quota(held + 10_000);
    bob.store.append(whole).await.unwrap();
    assert!((4..6).contains(&bob.texts(&log).len()), "{}", bob.texts(&log).len());
    assert!(bytes_of(&bob, &mallory) <= held + 10_000);
}

#[tokio::test]
async fn keep_2_blobs_keep_no_texts_out() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    follow(&bob, &alice).await;
    with_picture(&alice).await;
    bob.fetch(&alice).await;
    let fits = |bytes| bob.store.snapshot().unwrap().has_room_for_blob(&alice.me.did, bytes).unwrap();
    bob.store.set_author_quota(400_000);
    let held = bytes_of(&bob, &alice);
    assert!(fits(300_000 - held) && !fits(300_001 - held));
    assert!(bob.store.full().is_empty(), "texts go on");
    assert_eq!(bob.store.snapshot().unwrap().share_warnings().unwrap().len(), 1);
    assert!(alice.store.snapshot().unwrap().has_room_for_blob(&alice.me.did, u64::MAX).unwrap(), "an own one");
}

#[tokio::test]
async fn keep_2_what_is_counted_is_what_is_held_and_an_older_folder_is_counted_at_its_start() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    follow(&bob, &alice).await;
    say_much(&alice, 3).await;
    let blob = with_picture(&alice).await;
    with_picture(&alice).await;
    let gone = alice.post(&"y".repeat(3_000)).await;
    bob.fetch(&alice).await;
    assert!(bob.store.put_blob(received(&bob, PNG).await).await.unwrap());
    alice.erase(gone, true).await;
    bob.fetch(&alice).await;
    // Lost and fetched again.
    let name = data_encoding::HEXLOWER.encode(&blob.0);
    std::fs::remove_file(bob.path().join("blobs").join(&name[..2]).join(name)).unwrap();
    assert!(bob.store.open_blob(blob).await.unwrap().is_none());
    let without = bytes_of(&bob, &alice);
    assert!(bob.store.put_blob(received(&bob, PNG).await).await.unwrap());
    assert_eq!(bytes_of(&bob, &alice), without + PNG.len() as u64, "once, though two posts name it");

    for person in [alice, bob] {
        let counted = counts(&person);
        let forget = |batch: &mut super::super::Batch<'_>| {
            let keys: Vec<(u32, u32)> = batch.bytes_held.iter()?.map(|row| row.unwrap().0.value()).collect();
            keys.into_iter().try_for_each(|key| batch.bytes_held.remove(key).map(|_| ()))
        };
        person.store.write(forget).await.unwrap();
        assert_eq!(counts(&person), []);
        let person = person.restart().await;
        assert_eq!(counts(&person), counted);
    }
}

/// What is counted, by author and log.
fn counts(person: &Person) -> Vec<((u32, u32), u64)> {
    let snapshot = person.store.snapshot().unwrap();
    let table = snapshot.table(super::super::tables::BYTES_HELD).unwrap();
    let rows = redb::ReadableTable::iter(&table).unwrap();
    rows.map(|row| row.map(|(key, bytes)| (key.value(), bytes.value())).unwrap()).collect()
}

#[test]
fn terms_have_bounds() {
    for (quota, span) in [(0, 1), (999_999, 1), (1 << 53, 1), (1_000_000, 0), (1_000_000, u64::MAX)] {
        assert_eq!(Terms::new(quota, span), None);
    }
    assert!(Terms::new(1_000_000, 1).is_some());
    assert_eq!(Terms::default(), Terms::new(2_000_000_000, 31_536_000_000).unwrap());
}
