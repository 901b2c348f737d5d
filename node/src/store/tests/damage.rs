//! One flipped bit in a body costs that body and nothing else (R-STO-5).

use xom_protocol::limits::ERASE_DELAY_MS;

use super::super::tables::{PlaceKey, flags};
use super::*;

/// Bob holds alice's posts, and one bit of the body at `seq` is another.
async fn damaged(texts: usize, seq: u64) -> (Person, Person, Vec<StatusId>, PlaceKey) {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let commands = (0..texts).map(|number| post(&format!("post {number}"))).collect();
    let done = alice.store.commands(alice.me.did, commands).await;
    bob.fetch(&alice).await;
    let number = bob.store.snapshot().unwrap().log_number(&alice.me.log).unwrap().unwrap();
    let place = (number, seq);
    let flipped = bob.store.write(move |batch| {
        let mut sealed = batch.bodies.get(place)?.unwrap().value().to_vec();
        sealed[3] ^= 1;
        batch.bodies.insert(place, sealed.as_slice())?;
        Ok(())
    });
    flipped.await.unwrap();
    assert_eq!(bob.store.verify().await.unwrap().faults.len(), 1);
    (alice, bob, done.into_iter().map(|done| done.unwrap().status.unwrap()).collect(), place)
}

#[tokio::test]
async fn r_sto_5_the_log_of_a_damaged_body_is_read_and_served_without_it() {
    let (alice, bob, _, _) = damaged(3, 2).await;
    assert_eq!(bob.texts(&alice.me.log), ["post 0", "post 2"]);
    let snapshot = bob.store.snapshot().unwrap();
    let served = snapshot.range(&alice.me.log, 0, 10, 1 << 20, &Default::default()).unwrap();
    let bodies: Vec<bool> = served.iter().map(|entry| entry.body.is_some()).collect();
    assert_eq!(bodies, [true, true, false, true]);
}

#[tokio::test]
async fn r_sto_5_a_damaged_body_is_erased_and_purged_like_any_other() {
    let (alice, bob, statuses, place) = damaged(2, 1).await;
    for status in statuses {
        alice.erase(status, false).await;
    }
    assert!(matches!(bob.fetch(&alice).await, Appended::Stored { new: 2, .. }));
    bob.wait(ERASE_DELAY_MS + 1_000);
    bob.store.purge_due().await.unwrap();
    let snapshot = bob.store.snapshot().unwrap();
    for place in [place, (place.0, place.1 + 1)] {
        let is_purged = |row: &super::super::tables::EntryRow<'_>| row.is(flags::PURGED) && !row.is(flags::BODY);
        assert!(snapshot.with_entry(place, is_purged).unwrap().unwrap(), "{place:?}");
    }
    bob.store.rebuild_views().await.unwrap();
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn r_sto_5_checkpoints_above_a_damaged_body_are_taken_and_nobody_is_blamed() {
    let (alice, bob, statuses, _) = damaged(200, 7).await;
    alice.say(Command::Favourite(statuses[0])).await.unwrap();
    let commands = (0..100).map(|number| post(&format!("more {number}"))).collect();
    alice.store.commands(alice.me.did, commands).await;
    assert!(matches!(bob.fetch(&alice).await, Appended::Stored { .. }));
    assert_eq!(bob.position(&alice.me.log), alice.position(&alice.me.log));
    assert_eq!(bob.store.snapshot().unwrap().proven_logs().unwrap(), []);
    bob.store.rebuild_views().await.unwrap();
}
