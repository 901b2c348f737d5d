//! One flipped bit costs what it is in and nothing else, also in the own log (R-STO-5).

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

/// Changes what is stored of an entry.
async fn harm(person: &Person, seq: u64, what: Harm) {
    let log = person.me.log;
    let place = (person.store.snapshot().unwrap().log_number(&log).unwrap().unwrap(), seq);
    let harmed = person.store.write(move |batch| {
        match what {
            Harm::Body => {
                let mut sealed = batch.bodies.get(place)?.unwrap().value().to_vec();
                sealed[3] ^= 1;
                batch.bodies.insert(place, sealed.as_slice())?;
            }
            Harm::Header => {
                let mut row = batch.entries.get(place)?.unwrap().value().to_vec();
                *row.last_mut().unwrap() ^= 1;
                batch.entries.insert(place, row.as_slice())?;
            }
            Harm::Row => drop(batch.entries.insert(place, [7].as_slice())?),
        }
        Ok(())
    });
    harmed.await.unwrap();
}

/// What of an entry is damaged.
#[derive(Debug, Clone, Copy)]
enum Harm {
    Body,
    Header,
    Row,
}

/// What bob holds of alice's log, as he gives it to her.
fn given_back(bob: &Person, alice: &Person) -> NewRun {
    let served = bob.store.snapshot().unwrap().range(&alice.me.log, 0, 10_000, 1 << 30, &Default::default()).unwrap();
    let key = bob.record(&alice.me.did).state().devices[&alice.me.device].key;
    let run = verify_run(Network::MAIN, &key, alice.me.did, alice.me.log, Position::EMPTY, served);
    assert_eq!(run.refused, None);
    alice.new_run(run.accepted)
}

fn lacked(person: &Person) -> Vec<(LogId, Vec<u64>)> {
    person.store.snapshot().unwrap().bodies_lacked(&person.me.did).unwrap()
}

#[tokio::test]
async fn r_sto_5_a_node_starts_with_a_damaged_post_of_its_own_says_more_and_takes_the_post_from_a_peer() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    for text in ["one", "two", "three"] {
        alice.post(text).await;
    }
    bob.fetch(&alice).await;
    harm(&alice, 2, Harm::Body).await;
    let alice = alice.restart().await;
    assert_eq!(alice.texts(&alice.me.log), ["one", "three"]);
    alice.post("four").await;
    assert_eq!(lacked(&alice), [(alice.me.log, vec![2])], "peers are asked for it");
    alice.store.append(given_back(&bob, &alice)).await.unwrap();
    assert_eq!(alice.texts(&alice.me.log), ["one", "two", "three", "four"]);
    assert_eq!(lacked(&alice), []);
    alice.post("five").await;
    let alice = alice.restart().await;
    assert_eq!(alice.store.verify().await.unwrap().faults, Vec::<String>::new());
    alice.store.rebuild_views().await.unwrap();
    assert_eq!(alice.store.verify().await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn r_sto_5_nothing_is_signed_while_what_a_checkpoint_rests_on_is_damaged_and_again_once_it_is_whole() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.post("one").await;
    bob.fetch(&alice).await;
    // The first entry is her profile, which holds a register.
    harm(&alice, 0, Harm::Body).await;
    let alice = alice.restart().await;
    assert_eq!(alice.texts(&alice.me.log), ["one"]);
    let refused = alice.say(post("two")).await;
    assert!(matches!(refused, Err(CommandError::Damaged(_))), "{refused:?}");
    alice.store.append(given_back(&bob, &alice)).await.unwrap();
    let commands = (0..300).map(|number| post(&format!("more {number}"))).collect();
    let done = alice.store.commands(alice.me.did, commands).await;
    assert!(done.iter().all(Result::is_ok));
    bob.fetch(&alice).await;
    for person in [&alice, &bob] {
        assert_eq!(person.store.verify().await.unwrap().faults, Vec::<String>::new());
        assert_eq!(person.store.snapshot().unwrap().proven_logs().unwrap(), [], "the checkpoint holds");
    }
}

#[tokio::test]
async fn r_frk_4_a_node_starts_with_a_damaged_header_of_its_own_log_and_signs_nothing_on_top_of_it() {
    for what in [Harm::Header, Harm::Row] {
        let (alice, bob) = (Person::new("alice"), Person::new("bob"));
        for text in ["one", "two", "three"] {
            alice.post(text).await;
        }
        bob.post("bob's").await;
        alice.fetch(&bob).await;
        let before = alice.position(&alice.me.log);
        harm(&alice, 2, what).await;
        let alice = alice.restart().await;
        assert_eq!(alice.texts(&bob.me.log), ["bob's"], "{what:?}: the rest is served");
        let refused = alice.say(post("four")).await.map_err(|e| e.to_string());
        let log = alice.me.log.to_string();
        assert!(refused.as_ref().is_err_and(|text| text.contains(&log)), "{what:?}: {refused:?}");
        assert_eq!(alice.position(&alice.me.log), before, "{what:?}");
        let faults = alice.store.verify().await.unwrap().faults;
        assert!(!faults.is_empty(), "{what:?}: it is named");
    }
}
