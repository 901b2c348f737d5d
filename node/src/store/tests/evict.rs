//! Others' blobs make room, the one that nobody looked at longest first; one's own and what is kept stays (`BLOB-11`).

use std::time::Duration;

use xom_protocol::body::Attachment;

use super::*;
use crate::store::Notice;
use crate::store::tables::BlobState;

const SECOND: u64 = 1_000;

fn sound(number: u8) -> Vec<u8> {
    let mut bytes = b"OggS".to_vec();
    bytes.resize(1_000, number);
    bytes
}

fn id(number: u8) -> BlobId {
    BlobId::of(&sound(number))
}

/// Posts that name these sounds.
async fn post_sounds(person: &Person, numbers: std::ops::Range<u8>) -> Vec<StatusId> {
    let mut posted = Vec::new();
    for number in numbers {
        let attachment = person.store.add_blob(upload(person, &sound(number)).await).await.unwrap();
        let post = Box::new(Post { attachments: vec![attachment], ..Post::default() });
        let done = person.say(Command::Post { post, reply_to: None, quote_of: None }).await.unwrap();
        posted.push(done.status.unwrap());
    }
    posted
}

/// The sounds come, one each second.
async fn receive(person: &Person, numbers: impl IntoIterator<Item = u8>) {
    for number in numbers {
        person.wait(SECOND);
        assert!(person.store.put_blob(received(person, &sound(number)).await).await.unwrap(), "{number} is wanted");
    }
}

fn state(person: &Person, number: u8) -> Option<BlobState> {
    person.store.blob_row(&id(number)).unwrap().map(|row| row.state)
}

fn here(person: &Person, numbers: std::ops::Range<u8>) -> Vec<u8> {
    let file = |number: &u8| person.store.shared.read_blob_file(&id(*number)).unwrap().is_some();
    let here: Vec<u8> = numbers.filter(file).collect();
    for number in &here {
        assert_eq!(state(person, *number), Some(BlobState::Held));
    }
    here
}

#[tokio::test]
async fn blob_11_what_nobody_looked_at_longest_makes_room_and_is_not_fetched_by_itself() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    post_sounds(&alice, 0..6).await;
    bob.fetch(&alice).await;
    bob.store.set_media_room(4_000);
    receive(&bob, 0..4).await;
    assert_eq!(here(&bob, 0..6), [0, 1, 2, 3]);
    bob.wait(SECOND);
    bob.store.note_use(id(0));
    let before = bob.store.snapshot().unwrap().author_bytes(&alice.me.did).unwrap();
    receive(&bob, [4]).await;
    // A tenth is free after it, so two of them made room.
    assert_eq!(here(&bob, 0..6), [0, 3, 4]);
    assert_eq!((state(&bob, 1), state(&bob, 2)), (Some(BlobState::Evicted), Some(BlobState::Evicted)));
    let after = bob.store.snapshot().unwrap().author_bytes(&alice.me.did).unwrap();
    assert_eq!(before - after, 1_000, "one came and two went");
    assert_eq!(bob.store.snapshot().unwrap().blobs_wanted().unwrap(), [id(5)]);
    assert!(!bob.store.put_blob(received(&bob, &sound(1)).await).await.unwrap(), "nobody asked for it");
    let bob = bob.restart().await;
    assert_eq!(here(&bob, 0..6), [0, 3, 4]);
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn blob_11_ones_own_and_what_is_kept_never_makes_room() {
    let (alice, bob, carol) = (Person::new("alice"), Person::new("bob"), Person::new("carol"));
    post_sounds(&alice, 0..3).await;
    post_sounds(&carol, 2..6).await;
    post_sounds(&bob, 5..7).await;
    let waiting = bob.store.add_blob(upload(&bob, &sound(9)).await).await.unwrap();
    bob.store.add_media(bob.me.did, waiting).await.unwrap();
    bob.store.shared.shares().kept.insert(alice.me.did, (1 << 30, false));
    bob.fetch(&alice).await;
    bob.fetch(&carol).await;
    receive(&bob, 0..5).await;
    bob.wait(SECOND);
    bob.store.set_media_room(0);
    bob.store.make_room().await.unwrap();
    // Sound 2 is alice's too, 5 is bob's too, 9 waits to be posted.
    assert_eq!(here(&bob, 0..10), [0, 1, 2, 5, 6, 9]);
    assert_eq!((state(&bob, 3), state(&bob, 4)), (Some(BlobState::Evicted), Some(BlobState::Evicted)));
    bob.store.shared.shares().kept.insert(carol.me.did, (1 << 30, false));
    bob.store.make_room().await.unwrap();
    let mut wanted = bob.store.snapshot().unwrap().blobs_wanted().unwrap();
    wanted.sort_unstable();
    let mut expected = [id(3), id(4)];
    expected.sort_unstable();
    assert_eq!(wanted, expected, "whoever is kept is held whole");
    receive(&bob, 3..5).await;
    bob.store.make_room().await.unwrap();
    assert_eq!(here(&bob, 0..10), [0, 1, 2, 3, 4, 5, 6, 9]);
}

#[tokio::test]
async fn blob_11_a_blob_that_made_room_comes_again_when_it_is_asked_for_and_whoever_asks_waits() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    post_sounds(&alice, 0..2).await;
    bob.fetch(&alice).await;
    receive(&bob, 0..2).await;
    bob.store.set_media_room(1_000);
    bob.store.make_room().await.unwrap();
    assert_eq!(here(&bob, 0..2), Vec::<u8>::new());
    assert!(bob.store.open_blob(id(0)).await.unwrap().is_none());
    bob.store.set_media_room(3_000);
    let mut notices = bob.store.notices();
    let long = Duration::from_secs(60);
    let (first, second, ()) =
        tokio::join!(bob.store.bring_again(id(0), long), bob.store.bring_again(id(0), long), async {
            loop {
                if matches!(notices.recv().await.unwrap(), Notice::BlobWanted(blob) if blob == id(0)) {
                    break;
                }
            }
            receive(&bob, [0]).await;
        });
    for brought in [first, second] {
        assert_eq!(brought.unwrap().unwrap().bytes(), 1_000);
    }
    assert!(bob.store.bring_again(id(1), Duration::ZERO).await.unwrap().is_none(), "nobody has it");
    assert!(bob.store.bring_again(id(7), long).await.unwrap().is_none(), "it never was here");
}

#[tokio::test]
async fn blob_11_an_erased_blob_that_made_room_is_forgotten_and_one_that_is_named_again_is_wanted() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let posted = post_sounds(&alice, 0..2).await;
    bob.fetch(&alice).await;
    receive(&bob, 0..2).await;
    bob.store.set_media_room(0);
    bob.store.make_room().await.unwrap();
    alice.erase(posted[0], true).await;
    let attachment = Attachment::new(id(1), "audio/ogg", 1_000);
    let post = Box::new(Post { text: "again".to_owned(), attachments: vec![attachment], ..Post::default() });
    alice.say(Command::Post { post, reply_to: None, quote_of: None }).await.unwrap();
    bob.fetch(&alice).await;
    assert_eq!((state(&bob, 0), state(&bob, 1)), (Some(BlobState::Refused), Some(BlobState::Wanted)));
}

#[tokio::test]
async fn blob_11_who_asked_and_went_away_keeps_nobody_from_asking_later() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    post_sounds(&alice, 0..1).await;
    bob.fetch(&alice).await;
    for _ in 0..2 {
        receive(&bob, [0]).await;
        bob.store.set_media_room(0);
        bob.store.make_room().await.unwrap();
        assert_eq!(state(&bob, 0), Some(BlobState::Evicted));
        bob.store.set_media_room(3_000);
        let mut asking = Box::pin(bob.store.bring_again(id(0), Duration::from_secs(60)));
        assert!(futures::poll!(asking.as_mut()).is_pending());
        drop(asking);
        bob.store.write(|_| Ok(())).await.unwrap();
        assert_eq!(state(&bob, 0), Some(BlobState::Wanted));
    }
}
