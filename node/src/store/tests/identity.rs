//! Forks, ended devices, raised heads (`LOG-13`, `ID-7`, `ID-8`).

use xom_protocol::body::{Body, LogHead, LogOpen, Repost};
use xom_protocol::identity::{DeviceEnd, compose};
use xom_protocol::limits::LOGS_PER_DEVICE_MAX;
use xom_protocol::log::{Composer, log_id};

use super::*;

/// Signs posts on top of a position, as a copy of alice's device would.
fn branch(alice: &Person, from: Position, texts: &[&str]) -> Vec<VerifiedEntry> {
    let bodies = texts.iter().map(|text| Body::Post(Post { text: (*text).to_owned(), ..Post::default() }));
    sign(alice, alice.me.log, from, bodies)
}

/// Signs bodies on top of a position in any log of a device.
fn sign(person: &Person, log: LogId, position: Position, bodies: impl Iterator<Item = Body>) -> Vec<VerifiedEntry> {
    let mut composer =
        Composer { network: Network::MAIN, key: person.key(), author: person.me.did, log, position, last_time_ms: 0 };
    let mut entries = Vec::new();
    for body in bodies {
        let entry = composer.compose(&body, [7; 32], NOW_MS).unwrap();
        composer.advance(&entry);
        entries.push(entry);
    }
    entries
}

fn disputed(person: &Person, log: &LogId) -> bool {
    let logs = person.store.snapshot().unwrap().logs().unwrap();
    logs.iter().any(|(_, row)| row.log == *log && row.disputed_from != super::super::tables::LogRow::NONE)
}

async fn control(alice: &Person) -> SecretKey {
    alice.control_key().await.secret().clone()
}

#[tokio::test]
async fn a_fork_is_kept_as_proof_and_the_first_branch_goes_on_disputed() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.post("one").await;
    bob.fetch(&alice).await;
    let from = bob.position(&alice.me.log);
    alice.post("two").await;
    bob.fetch(&alice).await;
    let other = branch(&alice, from, &["two, but other"]);
    let forked = bob.store.append(alice.new_run(other.clone())).await.unwrap();
    assert_eq!(forked, Appended::Forked { seq: 2 });
    assert!(disputed(&bob, &alice.me.log));
    assert_eq!(bob.texts(&alice.me.log), ["one", "two"]);
    let bob = bob.restart().await;
    assert!(disputed(&bob, &alice.me.log));
    assert_eq!(bob.store.append(alice.new_run(other)).await.unwrap(), Appended::Forked { seq: 2 });
}

#[tokio::test]
async fn a_fork_met_by_the_chain_takes_what_waits_above_it_out_of_the_counts() {
    // LOG-13: verifying compares what the views count with what stands.
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.post("one").await;
    bob.fetch(&alice).await;
    let from = bob.position(&alice.me.log);
    let target = branch(&alice, Position::EMPTY, &["some post"])[0].clone();
    let repost = Body::Repost(Repost { target: target.header().reference(target.id()), rev: 1 });
    let bodies = [Body::Post(Post { text: "other two".to_owned(), ..Post::default() }), repost];
    for entry in sign(&alice, alice.me.log, from, bodies.into_iter()) {
        assert!(bob.store.insert_loose(entry, true).await.unwrap());
    }
    alice.post("two").await;
    bob.fetch(&alice).await;
    assert!(disputed(&bob, &alice.me.log));
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
}

#[tokio::test]
async fn a_settled_fork_keeps_the_named_branch_whichever_came_first() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.post("one").await;
    bob.fetch(&alice).await;
    let from = bob.position(&alice.me.log);
    let other = branch(&alice, from, &["the other two"]);
    bob.store.append(alice.new_run(other.clone())).await.unwrap();
    alice.post("two").await;
    let alices = alice.run(from, &alice.record(&alice.me.did));
    assert_eq!(bob.store.append(alices.clone()).await.unwrap(), Appended::Forked { seq: 2 });
    let position = alice.position(&alice.me.log);
    let anchor = LogHead { log: alice.me.log, height: 3, head: position.head.unwrap() };
    let settle =
        compose::settle(&alice.record(&alice.me.did).state().place(), vec![anchor], &[&control(&alice).await]).unwrap();
    bob.store.insert_identity(alice.me.did, vec![settle.encode()]).await.unwrap();
    assert_eq!(bob.texts(&alice.me.log), ["one"], "the branch that lost is gone");
    assert_eq!(bob.store.append(alices).await.unwrap(), Appended::Stored { position, new: 1 });
    assert!(!disputed(&bob, &alice.me.log));
    assert_eq!(bob.texts(&alice.me.log), ["one", "two"]);
    let lost = Appended::Refused { rule: xom_protocol::Rule("LOG-13") };
    assert_eq!(bob.store.append(alice.new_run(other)).await.unwrap(), lost);
}

#[tokio::test]
async fn entries_above_an_ended_devices_head_are_void_until_the_head_is_raised() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let status = alice.post("one").await;
    let early = alice.position(&alice.me.log);
    alice.post("two").await;
    bob.fetch(&alice).await;
    alice.erase(status, false).await;
    let late = alice.position(&alice.me.log);
    bob.fetch(&alice).await;
    assert_eq!(bob.texts(&alice.me.log), ["two"]);
    let mut record = alice.record(&alice.me.did);
    for (position, expected) in [(early, vec!["one"]), (late, vec!["two"])] {
        let head = LogHead { log: alice.me.log, height: position.height, head: position.head.unwrap() };
        let end = DeviceEnd { device: alice.me.device, heads: vec![head], stands: Vec::new() };
        let removal = compose::device_remove(&record.state().place(), end, &[&control(&alice).await]).unwrap();
        record.insert(removal.clone()).unwrap();
        bob.store.insert_identity(alice.me.did, vec![removal.encode()]).await.unwrap();
        assert_eq!(bob.texts(&alice.me.log), expected);
    }
}

#[tokio::test]
async fn syn_21_a_body_that_was_never_had_is_lacked_once_its_erase_is_undone_and_over_restarts_until_it_comes() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let status = alice.post("one").await;
    let early = alice.position(&alice.me.log);
    let whole = alice.run(Position::EMPTY, &alice.record(&alice.me.did));
    alice.erase(status, false).await;
    bob.fetch(&alice).await;
    let lacked = |bob: &Person| bob.store.snapshot().unwrap().bodies_lacked(&alice.me.did).unwrap();
    assert_eq!(lacked(&bob), [], "what is hidden is not lacked");
    let head = LogHead { log: alice.me.log, height: early.height, head: early.head.unwrap() };
    let end = DeviceEnd { device: alice.me.device, heads: vec![head], stands: Vec::new() };
    let place = alice.record(&alice.me.did).state().place();
    let removal = compose::device_remove(&place, end, &[&control(&alice).await]).unwrap();
    bob.store.insert_identity(alice.me.did, vec![removal.encode()]).await.unwrap();
    assert_eq!(bob.texts(&alice.me.log), Vec::<String>::new());
    let bob = bob.restart().await;
    assert_eq!(lacked(&bob), [(alice.me.log, vec![1])]);
    assert_eq!(bob.store.snapshot().unwrap().lacking_identities().unwrap(), [alice.me.did]);
    bob.store.append(whole).await.unwrap();
    assert_eq!((lacked(&bob), bob.texts(&alice.me.log)), (Vec::new(), vec!["one".to_owned()]));
    assert_eq!(bob.store.snapshot().unwrap().lacking_identities().unwrap(), []);
}

#[tokio::test]
async fn a_device_writes_its_first_sixty_four_logs_in_whatever_order_they_were_opened() {
    // LOG-1: the root log is one of them; a second opening of the same log, here of the first, is none.
    let (mallory, bob, carol) = (Person::new("mallory"), Person::new("bob"), Person::new("carol"));
    let community = |number: u8| LogOpen { purpose: "community".to_owned(), purpose_id: vec![number] };
    let numbers = [0, 0].into_iter().chain(1..70).chain([0]);
    let from = mallory.position(&mallory.me.log);
    let openings = sign(&mallory, mallory.me.log, from, numbers.map(community).map(Body::LogOpen));
    for (person, backwards) in [(&bob, false), (&carol, true)] {
        person.fetch(&mallory).await;
        for entry in openings.iter().rev().filter(|_| backwards) {
            assert!(person.store.insert_loose(entry.clone(), false).await.unwrap());
        }
        person.store.append(mallory.new_run(openings.clone())).await.unwrap();
        let mut written = Vec::new();
        for number in 0..70 {
            let log = log_id(Network::MAIN, &mallory.me.did, &mallory.me.device, "community", &[number]);
            let post = std::iter::once(Body::Post(Post { text: "here".to_owned(), ..Post::default() }));
            let entries = sign(&mallory, log, Position::EMPTY, post);
            let run = NewRun { log, ..mallory.new_run(entries) };
            match person.store.append(run).await.unwrap() {
                Appended::Stored { new: 1, .. } => written.push(usize::from(number)),
                refused => assert_eq!(refused, Appended::Refused { rule: xom_protocol::Rule("LOG-7") }),
            }
        }
        assert_eq!(written, (0..LOGS_PER_DEVICE_MAX - 1).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn keys_without_their_database_are_refused() {
    let mut alice = Person::new("alice");
    let dir = alice.dir.take().unwrap();
    let path = dir.path().join("data");
    alice.store.stop().await;
    drop(alice);
    std::fs::remove_file(path.join("xom.redb")).unwrap();
    let machine = Machine {
        cost: Cost::for_tests(),
        clock: Box::new(|| NOW_MS),
        probe: Box::new(probe),
        open_database: Box::new(open_database),
    };
    let refused = start(Folder::open(&path).unwrap(), Network::MAIN, Some("alice"), machine);
    assert!(matches!(refused, Err(crate::error::StartError::Unreadable { .. })));
}
