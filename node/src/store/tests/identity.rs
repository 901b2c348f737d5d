//! Forks, ended devices, raised heads (`LOG-13`, `ID-7`, `ID-8`).

use xom_protocol::body::{Body, LogHead};
use xom_protocol::identity::{DeviceEnd, compose};
use xom_protocol::log::Composer;

use super::*;

/// Signs posts on top of a position, as a copy of alice's device would.
fn branch(alice: &Person, from: Position, texts: &[&str]) -> Vec<VerifiedEntry> {
    let mut composer = Composer {
        network: Network::MAIN,
        key: alice.key(),
        author: alice.me.did,
        log: alice.me.log,
        position: from,
        last_time_ms: 0,
    };
    let mut entries = Vec::new();
    for text in texts {
        let body = Body::Post(Post { text: (*text).to_owned(), ..Post::default() });
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

fn control(alice: &Person) -> SecretKey {
    super::super::identities::control_key(alice.store.folder(), "alice").unwrap().unwrap()
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
    let settle = compose::settle(alice.record(&alice.me.did).state(), vec![anchor], &[&control(&alice)]).unwrap();
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
        let removal = compose::device_remove(record.state(), end, &[&control(&alice)]).unwrap();
        record.insert(removal.clone()).unwrap();
        bob.store.insert_identity(alice.me.did, vec![removal.encode()]).await.unwrap();
        assert_eq!(bob.texts(&alice.me.log), expected);
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
    let machine =
        Machine { clock: Box::new(|| NOW_MS), probe: Box::new(probe), open_database: Box::new(open_database) };
    let refused = start(Folder::open(&path).unwrap(), Network::MAIN, Some("alice"), machine);
    assert!(matches!(refused, Err(crate::error::StartError::Unreadable { .. })));
}
