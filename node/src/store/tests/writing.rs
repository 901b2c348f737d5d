//! Writing, reading back, restarting.

use super::*;

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart_and_the_log_goes_on() {
    let alice = Person::new("alice");
    for text in ["one", "two"] {
        alice.post(text).await;
    }
    let before = alice.position(&alice.me.log);
    let alice = alice.restart().await;
    assert_eq!(alice.position(&alice.me.log), before);
    alice.post("three").await;
    assert_eq!(alice.texts(&alice.me.log), ["one", "two", "three"]);
}

#[tokio::test]
async fn every_256th_entry_is_a_checkpoint_whose_map_is_that_of_the_live_entries() {
    let alice = Person::new("alice");
    let mut statuses = Vec::new();
    for chunk in 0..3 {
        let commands = (0..100).map(|index| post(&format!("{chunk} {index}"))).collect();
        statuses.extend(alice.store.commands(alice.me.did, commands).await.into_iter().map(|done| done.unwrap()));
        alice.erase(statuses[chunk].status.unwrap(), false).await;
    }
    let position = alice.position(&alice.me.log);
    assert_eq!(position.height, 1 + 303 + 1);
    let bob = Person::new("bob");
    assert_eq!(bob.fetch(&alice).await, Appended::Stored { position, new: 305 });
    assert_eq!(bob.texts(&alice.me.log).len(), 297);
    let alice = alice.restart().await;
    alice.post("after").await;
    let right = alice.store.write(|batch| {
        let own = batch.own.values_mut().next().unwrap();
        Ok(own.map_is_right(&[]))
    });
    assert!(right.await.unwrap());
}

#[tokio::test]
async fn a_failed_command_fails_alone() {
    let alice = Person::new("alice");
    let unknown = Command::Favourite(StatusId(5));
    let long = post(&"x".repeat(5_001));
    let answers = alice.store.commands(alice.me.did, vec![post("a"), unknown, long, post("b")]).await;
    assert!(matches!(
        answers.as_slice(),
        [Ok(_), Err(CommandError::StatusNotFound), Err(CommandError::Body(_)), Ok(_)]
    ));
    assert_eq!(alice.texts(&alice.me.log), ["a", "b"]);
}

#[tokio::test]
async fn many_writers_at_once_share_commits_and_nothing_is_lost() {
    let alice = Person::new("alice");
    let mut tasks = tokio::task::JoinSet::new();
    for index in 0..64 {
        let (store, did) = (alice.store.clone(), alice.me.did);
        tasks.spawn(async move { store.commands(did, vec![post(&format!("post {index}"))]).await.remove(0).unwrap() });
    }
    let done = tasks.join_all().await;
    let mut ids: Vec<_> = done.iter().map(|done| done.status.unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 64);
    assert_eq!(alice.texts(&alice.me.log).len(), 64);
}

#[tokio::test]
async fn a_clock_before_the_newest_own_entry_signs_nothing() {
    let alice = Person::new("alice");
    alice.post("now").await;
    alice.clock.store(NOW_MS - 60_000, Ordering::Relaxed);
    assert!(matches!(alice.say(post("then")).await, Err(CommandError::Clock(_))));
    alice.clock.store(NOW_MS + 60_000, Ordering::Relaxed);
    alice.post("right").await;
}

#[tokio::test]
async fn a_clock_ten_minutes_off_the_median_of_others_signs_nothing() {
    let alice = Person::new("alice");
    alice.store.set_clock_offset(Some(11 * 60_000));
    assert!(matches!(alice.say(post("off")).await, Err(CommandError::Clock(_))));
    alice.store.set_clock_offset(Some(-11 * 60_000));
    assert!(matches!(alice.say(post("off")).await, Err(CommandError::Clock(_))));
    alice.store.set_clock_offset(Some(9 * 60_000));
    alice.post("near enough").await;
    alice.store.set_clock_offset(None);
    alice.post("nobody to ask").await;
}

#[tokio::test]
async fn a_run_that_leaves_a_gap_is_not_stored_and_one_that_overlaps_is_stored_once() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    for text in ["one", "two", "three"] {
        alice.post(text).await;
    }
    let objects = alice.store.snapshot().unwrap().identity_objects(&alice.me.did).unwrap();
    bob.store.insert_identity(alice.me.did, objects).await.unwrap();
    let whole = alice.run(Position::EMPTY, &bob.record(&alice.me.did));
    let tail = alice.new_run(whole.entries[2..].to_vec());
    assert_eq!(bob.store.append(tail).await.unwrap(), Appended::Gap { position: Position::EMPTY });
    let position = alice.position(&alice.me.log);
    assert_eq!(bob.store.append(whole.clone()).await.unwrap(), Appended::Stored { position, new: 4 });
    assert_eq!(bob.store.append(whole).await.unwrap(), Appended::Stored { position, new: 0 });
    assert_eq!(bob.texts(&alice.me.log), ["one", "two", "three"]);
}

#[tokio::test]
async fn runs_of_an_unknown_identity_are_refused_by_rule() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.post("hello").await;
    let run = alice.run(Position::EMPTY, &alice.record(&alice.me.did));
    let refused = Appended::Refused { rule: xom_protocol::Rule("LOG-7") };
    assert_eq!(bob.store.append(run).await.unwrap(), refused);
}

#[tokio::test]
async fn a_loose_entry_is_kept_and_found_again_by_the_chain() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.post("one").await;
    alice.post("two").await;
    let objects = alice.store.snapshot().unwrap().identity_objects(&alice.me.did).unwrap();
    bob.store.insert_identity(alice.me.did, objects).await.unwrap();
    let run = alice.run(Position::EMPTY, &alice.record(&alice.me.did));
    let loose = run.entries[2].clone();
    assert!(bob.store.insert_loose(loose.clone(), true).await.unwrap());
    assert!(!bob.store.insert_loose(loose, true).await.unwrap());
    assert_eq!(bob.position(&alice.me.log), Position::EMPTY);
    let position = alice.position(&alice.me.log);
    assert_eq!(bob.store.append(run).await.unwrap(), Appended::Stored { position, new: 2 });
    assert_eq!(bob.texts(&alice.me.log), ["one", "two"]);
    let applied = bob.store.rebuild_views().await.unwrap();
    assert_eq!(applied, 1 + 3);
}

#[tokio::test]
async fn what_is_aimed_at_somebody_is_served_with_the_authors_name() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    bob.fetch(&alice).await;
    bob.say(Command::Follow(alice.me.did)).await.unwrap();
    assert!(bob.store.wants().contains(&alice.me.did));
    let snapshot = bob.store.snapshot().unwrap();
    let aimed = snapshot.aimed_at(&alice.me.did, 0, 10).unwrap();
    assert_eq!(aimed.len(), 2);
    assert!(aimed.iter().all(|entry| entry.signature.is_some() && entry.body.is_some()));
    let counter = snapshot.counter().unwrap();
    assert_eq!(snapshot.aimed_at(&alice.me.did, counter, 10).unwrap(), []);
    bob.say(Command::Unfollow(alice.me.did)).await.unwrap();
    assert!(!bob.store.wants().contains(&alice.me.did));
    assert_eq!(bob.store.snapshot().unwrap().aimed_at(&alice.me.did, counter, 10).unwrap().len(), 2);
}

#[tokio::test]
async fn an_import_that_was_taken_back_and_made_again_is_known_after_a_restart() {
    let alice = Person::new("alice");
    let import = || {
        let (published, imported_from) = (Some(NOW_MS - 1_000), Some("https://old.example/1".to_owned()));
        let post = Post { text: "old".to_owned(), published, imported_from, ..Post::default() };
        Command::Post { post: Box::new(post), reply_to: None, quote_of: None }
    };
    let first = alice.say(import()).await.unwrap();
    alice.erase(first.status.unwrap(), false).await;
    let second = alice.say(import()).await.unwrap();
    assert!(!second.known && second.status != first.status);
    assert_eq!(alice.say(import()).await.unwrap().status, second.status);
    let alice = alice.restart().await;
    let again = alice.say(import()).await.unwrap();
    assert_eq!((again.status, again.known), (second.status, true));
}
