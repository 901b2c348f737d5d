//! Adopting an identity of another node: alice's laptop has her keys, her phone gets a key of its own.

use tempfile::TempDir;
use xom_protocol::body::LogHead;
use xom_protocol::identity::{DeviceEnd, compose};

use super::*;
use crate::error::{AdoptError, StartError};

/// A store without an identity.
fn empty(dir: &Path) -> Result<Store, StartError> {
    let folder = Folder::open(&dir.join("data")).unwrap();
    let machine = Machine {
        cost: Cost::for_tests(),
        clock: Box::new(|| NOW_MS),
        probe: Box::new(probe),
        open_database: Box::new(open_database),
    };
    start(folder, Network::MAIN, None, machine)
}

fn key(seed: u8) -> SecretKey {
    SecretKey::from_seed(&[seed; 32]).unwrap()
}

/// The objects of an identity with a grant for `device`.
fn objects_with(granter: &Person, device: &SecretKey) -> Vec<Vec<u8>> {
    let mut objects = granter.store.snapshot().unwrap().identity_objects(&granter.me.did).unwrap();
    objects.push(compose::grant(Network::MAIN, granter.me.did, &granter.key(), device).unwrap().encode());
    objects
}

#[tokio::test]
async fn an_adopted_identity_signs_with_its_new_device_key_and_has_no_other_key() {
    let (alice, dir, device) = (Person::new("alice"), TempDir::new().unwrap(), key(7));
    let store = empty(dir.path()).unwrap();
    assert_eq!(store.locals(), []);
    let row = store.adopt("phone", alice.me.did, objects_with(&alice, &device), device.clone()).await.unwrap();
    assert_eq!((row.did, row.device), (alice.me.did, device.public().device_id()));
    assert_ne!(row.log, alice.me.log);
    assert!(store.wants().contains(&alice.me.did));
    store.commands(row.did, vec![post("from the phone")]).await.remove(0).unwrap();
    let names = std::fs::read_dir(dir.path().join("data/identities/phone")).unwrap();
    let names: Vec<_> = names.map(|item| item.unwrap().file_name()).collect();
    assert_eq!(names, ["device.key"]);

    store.stop().await;
    drop(store);
    let store = empty(dir.path()).unwrap();
    assert_eq!(store.locals(), std::slice::from_ref(&row));
    store.commands(row.did, vec![post("after a restart")]).await.remove(0).unwrap();
    assert_eq!(store.snapshot().unwrap().position(&row.log).unwrap().height, 2);
}

#[tokio::test]
async fn a_name_or_identity_that_is_there_and_a_device_that_is_not_granted_are_refused() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let device = key(7);
    let objects = objects_with(&alice, &device);
    let adopt = |store: &Store, name: &str, did, key: &SecretKey| {
        let (store, name, objects, key) = (store.clone(), name.to_owned(), objects.clone(), key.clone());
        async move { store.adopt(&name, did, objects, key).await.map(|_| ()).unwrap_err() }
    };
    assert!(matches!(adopt(&bob.store, "bob", alice.me.did, &device).await, AdoptError::UsernameTaken));
    assert!(matches!(adopt(&bob.store, "No Name", alice.me.did, &device).await, AdoptError::Username));
    assert!(matches!(adopt(&bob.store, "phone", alice.me.did, &key(8)).await, AdoptError::NotADevice(_)));
    assert!(matches!(adopt(&bob.store, "phone", bob.me.did, &device).await, AdoptError::IdentityTaken(_)));
    let other = Did([9; 32]);
    assert!(matches!(adopt(&bob.store, "phone", other, &device).await, AdoptError::NotADevice(_)));
    assert_eq!(bob.store.locals().len(), 1);
    assert!(bob.store.snapshot().unwrap().identity_objects(&alice.me.did).unwrap().is_empty());
    assert!(!bob.path().join("identities/phone").exists());
}

#[tokio::test]
async fn an_adoption_that_was_cut_short_is_finished_or_forgotten_at_the_next_start() {
    let (alice, dir, device) = (Person::new("alice"), TempDir::new().unwrap(), key(7));
    let store = empty(dir.path()).unwrap();
    store.adopt("phone", alice.me.did, objects_with(&alice, &device), device).await.unwrap();
    store.stop().await;
    drop(store);
    let keys = dir.path().join("data/identities");

    // Killed after the commit, before the keys had their name.
    std::fs::rename(keys.join("phone"), keys.join(".new")).unwrap();
    let store = empty(dir.path()).unwrap();
    assert_eq!(store.locals().len(), 1);
    assert!(keys.join("phone/device.key").is_file());
    store.stop().await;
    drop(store);

    // Killed before the commit.
    let other = TempDir::new().unwrap();
    let store = empty(other.path()).unwrap();
    store.stop().await;
    drop(store);
    let unfinished = other.path().join("data/identities/.new");
    std::fs::create_dir(&unfinished).unwrap();
    std::fs::copy(keys.join("phone/device.key"), unfinished.join("device.key")).unwrap();
    let store = empty(other.path()).unwrap();
    assert_eq!(store.locals(), []);
    assert!(!unfinished.exists());
}

#[tokio::test]
async fn what_was_held_of_an_identity_becomes_its_own_once_it_is_adopted() {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.post("before").await;
    bob.fetch(&alice).await;
    let device = key(7);
    let objects = objects_with(&alice, &device);
    let row = bob.store.adopt("alice", alice.me.did, objects, device).await.unwrap();
    assert_eq!(bob.texts(&alice.me.log), ["before"]);
    let snapshot = bob.store.snapshot().unwrap();
    let reader = crate::Reader::new(snapshot).unwrap();
    let home = reader.home(&row.did, &crate::model::Page { limit: 10, ..Default::default() }).unwrap();
    assert_eq!(home.len(), 1);
}

/// Alice's follow of bob, which bob's node holds without the rest of her log, and her identity, which lives there
/// from now on.
async fn adopted_after_a_follow() -> (Person, Person, NewRun) {
    let (alice, bob, device) = (Person::new("alice"), Person::new("bob"), key(7));
    alice.say(Command::Follow(bob.me.did)).await.unwrap();
    let run = alice.run(Position::EMPTY, &alice.record(&alice.me.did));
    let objects = alice.store.snapshot().unwrap().identity_objects(&alice.me.did).unwrap();
    bob.store.insert_identity(alice.me.did, objects).await.unwrap();
    assert!(bob.store.insert_loose(run.entries[1].clone(), true).await.unwrap());
    bob.store.adopt("alice", alice.me.did, objects_with(&alice, &device), device).await.unwrap();
    (alice, bob, run)
}

#[tokio::test]
async fn what_came_loose_before_an_identity_lived_here_counts_for_it_once_its_log_is_here() {
    let (alice, bob, run) = adopted_after_a_follow().await;
    bob.store.append(run).await.unwrap();
    let unfollow = vec![Command::Unfollow(bob.me.did)];
    let done = bob.store.commands(alice.me.did, unfollow).await.remove(0).unwrap();
    assert!(done.entry.is_some(), "she follows him, as her other device said");
}

#[tokio::test]
async fn a_body_that_comes_after_its_header_counts_for_an_identity_that_lives_here() {
    let (alice, bob, run) = adopted_after_a_follow().await;
    alice.say(Command::Block(Did([5; 32]))).await.unwrap();
    let whole = alice.run(Position::EMPTY, &alice.record(&alice.me.did));
    let bare = whole.entries.iter().cloned().map(VerifiedEntry::without_body).collect();
    bob.store.append(run).await.unwrap();
    bob.store.append(alice.new_run(bare)).await.unwrap();
    bob.store.append(whole).await.unwrap();
    let unblock = vec![Command::Unblock(Did([5; 32]))];
    let done = bob.store.commands(alice.me.did, unblock).await.remove(0).unwrap();
    assert!(done.entry.is_some(), "she blocks, as her other device said");
}

#[tokio::test]
async fn a_log_that_was_cut_at_an_accepted_head_without_its_signature_is_read_again_at_the_next_start() {
    // ID-7, LOG-9
    let (alice, bob, device) = (Person::new("alice"), Person::new("bob"), key(7));
    for text in ["one", "two", "three"] {
        alice.post(text).await;
    }
    let run = alice.run(Position::EMPTY, &alice.record(&alice.me.did));
    assert!(run.entries[2].signature().is_none());
    let head = LogHead { log: alice.me.log, height: 3, head: run.entries[2].hash() };
    let grant = compose::grant(Network::MAIN, alice.me.did, &alice.key(), &device).unwrap();
    let end = DeviceEnd { device: alice.me.device, heads: vec![head], stands: vec![grant.id()] };
    let place = alice.record(&alice.me.did).state().place();
    let removal = compose::device_remove(&place, end, &[alice.control_key().await.secret()]).unwrap();
    let mut objects = objects_with(&alice, &device);
    objects.push(removal.encode());
    bob.store.adopt("alice", alice.me.did, objects, device).await.unwrap();
    bob.store.append(run).await.unwrap();
    let bob = bob.restart().await;
    assert_eq!(bob.texts(&alice.me.log), ["one", "two"]);
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
    bob.store.commands(alice.me.did, vec![post("from here")]).await.remove(0).unwrap();
    // What is told to peers can be served to its end.
    let heads = bob.store.snapshot().unwrap().heads_of(&alice.me.did).unwrap();
    assert!(heads.iter().find(|held| held.log == alice.me.log).unwrap().ends);
    // ARC-5
    let (store, me, clock) = (bob.store.clone(), bob.store.locals()[1].clone(), Arc::clone(&bob.clock));
    let archive = super::archive::export(&Person { store, me, clock, dir: None }).await;
    assert_eq!(crate::verify_archive(&archive[..]).faults, Vec::<String>::new());
}
