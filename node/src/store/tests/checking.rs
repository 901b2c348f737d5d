//! Verifying, rebuilding, media (R-STO-5, R-STO-9).

use xom_protocol::body::{Body, Checkpoint};
use xom_protocol::log::Composer;

use super::*;

#[tokio::test]
async fn a_sound_store_has_no_faults() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    with_picture(&alice).await;
    let gone = alice.post("gone").await;
    alice.erase(gone, true).await;
    bob.fetch(&alice).await;
    let report = alice.store.verify().await.unwrap();
    assert_eq!(report.faults, Vec::<String>::new());
    assert_eq!((report.entries, report.bodies), (4, 3));
    let theirs = bob.store.verify().await.unwrap();
    assert_eq!(theirs.faults, Vec::<String>::new());
    assert!(theirs.logs.contains(&report.logs[0]));
}

#[tokio::test]
async fn a_flipped_bit_in_a_salt_or_a_blob_is_found() {
    let alice = Person::new("alice");
    let blob = with_picture(&alice).await;
    let hex = data_encoding::HEXLOWER.encode(&blob.0);
    for path in [alice.path().join("salts"), alice.path().join("blobs").join(&hex[..2]).join(&hex)] {
        let sound = std::fs::read(&path).unwrap();
        let mut harmed = sound.clone();
        harmed[0] ^= 1;
        std::fs::write(&path, harmed).unwrap();
        assert_eq!(alice.store.verify().await.unwrap().faults.len(), 1, "{path:?}");
        std::fs::write(&path, sound).unwrap();
    }
}

#[tokio::test]
async fn rebuilt_views_keep_every_local_id() {
    let alice = Person::new("alice");
    let kept = alice.post("kept").await;
    let gone = alice.post("gone").await;
    alice.erase(gone, false).await;
    assert_eq!(alice.store.rebuild_views().await.unwrap(), 3);
    let reader = crate::Reader::new(alice.store.snapshot().unwrap()).unwrap();
    assert_eq!(reader.status(None, kept).unwrap().unwrap().id, kept);
    assert!(reader.status(None, gone).unwrap().is_none());
}

#[tokio::test]
async fn a_blob_lives_as_long_as_a_live_entry_names_it() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let blob = with_picture(&alice).await;
    bob.fetch(&alice).await;
    assert_eq!(bob.store.snapshot().unwrap().blobs_wanted().unwrap(), [blob]);
    assert!(bob.store.put_blob(received(&bob, PNG).await).await.unwrap());
    assert!(bob.store.open_blob(blob).await.unwrap().is_some());
    assert_eq!(bob.store.shared.read_blob_file(&blob).unwrap().unwrap(), PNG);
    let number = alice.store.snapshot().unwrap().log_number(&alice.me.log).unwrap().unwrap();
    let status = alice.store.snapshot().unwrap().with_entry((number, 1), |row| StatusId(row.local_id)).unwrap();
    alice.erase(status.unwrap(), true).await;
    bob.fetch(&alice).await;
    for person in [&alice, &bob] {
        assert_eq!(person.store.shared.read_blob_file(&blob).unwrap(), None);
        assert!(person.store.open_blob(blob).await.unwrap().is_none());
        assert!(
            !person.store.put_blob(received(person, PNG).await).await.unwrap(),
            "purged by order: on the refuse list"
        );
    }
}

#[tokio::test]
async fn an_upload_is_remembered_until_a_post_uses_it() {
    let alice = Person::new("alice");
    let attachment = alice.store.add_blob(upload(&alice, PNG).await).await.unwrap();
    assert_eq!((attachment.width, attachment.height), (Some(2), Some(3)));
    let id = alice.store.add_media(alice.me.did, attachment.clone()).await.unwrap();
    let mut media = alice.store.snapshot().unwrap().media(id).unwrap().unwrap();
    media.attachment.alt = "a small picture".to_owned();
    alice.store.update_media(media.clone()).await.unwrap();
    let alice = alice.restart().await;
    assert_eq!(alice.store.snapshot().unwrap().media(id).unwrap(), Some(media.clone()));
    assert_eq!(files_with(&alice.path(), "a small picture"), Vec::<PathBuf>::new());
    let post = Box::new(Post { attachments: vec![media.attachment], ..Post::default() });
    alice.say(Command::Post { post, reply_to: None, quote_of: None }).await.unwrap();
    assert_eq!(alice.store.snapshot().unwrap().media(id).unwrap(), None);
    let refused = alice.store.add_blob(upload(&alice, b"<svg/>").await).await;
    assert!(matches!(refused, Err(CommandError::Blob(_))));
}

#[tokio::test]
async fn a_checkpoint_whose_root_is_not_that_of_the_live_entries_is_void_and_a_fault_where_it_is_not_known() {
    // LOG-8, LOG-14: the honest one has registers, erasures and purged bodies below it.
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.say(Command::Follow(bob.me.did)).await.unwrap();
    alice.say(Command::Unfollow(bob.me.did)).await.unwrap();
    let statuses = posts(&alice, 3).await;
    alice.say(Command::Repost(statuses[0])).await.unwrap();
    alice.erase(statuses[1], true).await;
    posts(&alice, 256).await;
    alice.erase(statuses[2], true).await;
    bob.fetch(&alice).await;
    for person in [&alice, &bob] {
        assert_eq!(person.store.verify().await.unwrap().faults, Vec::<String>::new());
    }

    let mallory = Person::new("mallory");
    let height = mallory.position(&mallory.me.log).height;
    posts(&mallory, usize::try_from(256 - height).unwrap()).await;
    mallory.append_own(vec![false_checkpoint(&mallory)]).await;
    mallory.post("after").await;
    bob.fetch(&mallory).await;
    let report = bob.store.verify().await.unwrap();
    assert_eq!(report.void_checkpoints, [(mallory.me.log, 256)]);
    assert_eq!(report.faults, Vec::<String>::new(), "mallory lied, and bob's folder is whole");

    // A folder that does not know of it has a fault.
    let database = bob.store.shared.database().unwrap();
    let txn = database.begin_write().unwrap();
    txn.open_table(crate::store::tables::CHECKPOINT_FAULTS).unwrap().pop_first().unwrap().unwrap();
    txn.commit().unwrap();
    drop(database);
    let faults = bob.store.verify().await.unwrap().faults;
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].contains("(LOG-8, LOG-14)"), "{faults:?}");
}

#[tokio::test]
async fn views_that_count_other_than_the_entries_are_a_fault_until_rebuilt() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let status = posts(&alice, 3).await[0];
    alice.say(Command::Repost(status)).await.unwrap();
    bob.fetch(&alice).await;
    let database = bob.store.shared.database().unwrap();
    let txn = database.begin_write().unwrap();
    txn.open_table(crate::views::tables::STATUSES).unwrap().pop_first().unwrap().unwrap();
    txn.commit().unwrap();
    drop(database);
    let faults = bob.store.verify().await.unwrap().faults;
    assert_eq!(faults, ["4 posts and reposts, the view of statuses holds 3"]);
    bob.store.rebuild_views().await.unwrap();
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
}

/// A checkpoint at the next place of a log, right but for its root.
pub(super) fn false_checkpoint(mallory: &Person) -> VerifiedEntry {
    let position = mallory.position(&mallory.me.log);
    let record = mallory.record(&mallory.me.did);
    let (identity, statements) = (record.state().head, record.state().statements);
    let prev = position.head.unwrap();
    let checkpoint = Checkpoint { root: prev, height: position.height, prev, identity, statements, logs: Vec::new() };
    let composer = Composer {
        network: Network::MAIN,
        key: mallory.key(),
        author: mallory.me.did,
        log: mallory.me.log,
        position,
        last_time_ms: 0,
    };
    composer.compose(&Body::Checkpoint(checkpoint), [7; 32], mallory.clock.load(Ordering::Relaxed)).unwrap()
}

pub(super) async fn posts(person: &Person, count: usize) -> Vec<StatusId> {
    let commands = (0..count).map(|index| post(&format!("post {index}"))).collect();
    let answers = person.store.commands(person.me.did, commands).await;
    answers.into_iter().map(|done| done.unwrap().status.unwrap()).collect()
}
