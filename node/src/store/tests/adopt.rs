//! Adopting an identity of another node: alice's laptop has her keys, her phone gets a key of its own.

use tempfile::TempDir;
use xom_protocol::body::LogHead;
use xom_protocol::identity::{DeviceEnd, compose};

use super::*;
use crate::error::{AdoptError, StartError};
use crate::keys::folder::KeyFolder;
use crate::recovery::plan::{Plan, PlanFolder};

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

/// Copies a folder with all that is in it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for item in std::fs::read_dir(from).unwrap() {
        let (path, target) = item.map(|item| (item.path(), to.join(item.file_name()))).unwrap();
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_change_of_the_device_key_that_is_cut_after_any_step_leaves_one_key_that_fits_the_database() {
    // R-FRK-2, REST-4
    let (alice, dir, first) = (Person::new("alice"), TempDir::new().unwrap(), key(7));
    let store = empty(dir.path()).unwrap();
    let objects = objects_with(&alice, &first);
    store.adopt("phone", alice.me.did, objects.clone(), first.clone()).await.unwrap();
    let plan = Plan {
        did: alice.me.did,
        username: None,
        guardians: false,
        from: Vec::new(),
        request: None,
        started: false,
        adopted: false,
    };
    let second = PlanFolder::make(&dir.path().join("data"), plan).unwrap().device;
    let grant = compose::grant(Network::MAIN, alice.me.did, &alice.key(), &second).unwrap();
    let ended = grants_and_drop(&alice, &first, grant.encode(), objects);
    store.insert_identity(alice.me.did, ended.clone()).await.unwrap();
    let refused = store.commands(alice.me.did, vec![post("no more")]).await.remove(0);
    assert!(matches!(refused, Err(CommandError::DeviceEnded)), "{refused:?}");
    store.stop().await;
    drop(store);

    // Cut before the database knows: the old key is still there, and the change is made again.
    let early = TempDir::new().unwrap();
    copy(&dir.path().join("data"), &early.path().join("data"));
    let store = empty(early.path()).unwrap();
    assert_eq!(store.locals()[0].device, first.public().device_id());
    store.adopt_again("phone", alice.me.did, ended.clone(), second.clone()).await.unwrap();
    store.commands(alice.me.did, vec![post("once more")]).await.remove(0).unwrap();
    store.stop().await;
    drop(store);

    // Cut after it: whatever of the folder of keys is done.
    let known = TempDir::new().unwrap();
    copy(&dir.path().join("data"), &known.path().join("data"));
    let store = empty(known.path()).unwrap();
    let row = super::super::adopt::check_device(Network::MAIN, &alice.me.did, "phone", &ended, &second).unwrap();
    let stored = row.clone();
    let write = move |batch: &mut super::super::batch::Batch<'_>| {
        batch.locals.insert(0, xom_protocol::encoding::encode(&stored).as_slice())?;
        Ok(())
    };
    store.write(write).await.unwrap();
    store.stop().await;
    drop(store);
    let mut whole = false;
    for cut in 0.. {
        let at = TempDir::new().unwrap();
        copy(&known.path().join("data"), &at.path().join("data"));
        let mut steps = 0;
        let mut watch = |_: &'static str| {
            steps += 1;
            if steps > cut { Err(std::io::Error::other("cut")) } else { Ok(()) }
        };
        let keys = KeyFolder::at(at.path().join("data/identities/phone"));
        let done = super::super::rekey::replace_watched(&keys, &second, &mut watch).is_ok();
        let store = empty(at.path()).unwrap();
        assert_eq!(store.locals(), std::slice::from_ref(&row), "cut after step {cut}");
        store.commands(alice.me.did, vec![post("under the new key")]).await.remove(0).unwrap();
        assert_eq!(store.snapshot().unwrap().position(&row.log).unwrap().height, 1, "cut after step {cut}");
        store.stop().await;
        if whole {
            break;
        }
        whole = done;
        assert!(cut < 40, "it comes to an end");
    }
}

/// The objects with another grant, and the end of a device by its granter.
fn grants_and_drop(granter: &Person, ended: &SecretKey, grant: Vec<u8>, mut objects: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    let end = DeviceEnd { device: ended.public().device_id(), heads: Vec::new(), stands: Vec::new() };
    let drop = compose::drop(Network::MAIN, granter.me.did, &granter.key(), end).unwrap();
    objects.extend([grant, drop.encode()]);
    objects
}

#[tokio::test]
async fn a_device_answers_a_lock_that_leaves_out_what_stood_with_its_own_which_names_that_too() {
    // ID-19
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let (tablet, thief) = (key(7), key(8));
    let mut objects = objects_with(&alice, &tablet);
    objects.push(compose::grant(Network::MAIN, alice.me.did, &alice.key(), &thief).unwrap().encode());
    alice.store.insert_identity(alice.me.did, objects.clone()).await.unwrap();
    bob.store.insert_identity(alice.me.did, objects).await.unwrap();
    let live = |person: &Person, device: &SecretKey| {
        person.record(&alice.me.did).state().live_device(&device.public().device_id()).is_some()
    };
    assert!(live(&alice, &tablet) && live(&alice, &thief));
    // The thief's lock names nothing: he himself goes on by the grant that he hangs from, and nobody else does.
    let lock = compose::lock(Network::MAIN, alice.me.did, &thief, 1, Vec::new()).unwrap().encode();
    bob.store.insert_identity(alice.me.did, vec![lock.clone()]).await.unwrap();
    assert!(!live(&bob, &tablet), "bob knows the thief's lock alone");
    alice.store.insert_identity(alice.me.did, vec![lock.clone()]).await.unwrap();
    assert!(live(&alice, &tablet), "alice's device has answered");
    assert_eq!(alice.record(&alice.me.did).state().locks.len(), 2);
    let told = alice.store.snapshot().unwrap().identity_objects(&alice.me.did).unwrap();
    bob.store.insert_identity(alice.me.did, told).await.unwrap();
    assert!(live(&bob, &tablet) && live(&bob, &thief), "everybody who hears of the answer knows it too");
    // The same again is answered no second time.
    alice.store.insert_identity(alice.me.did, vec![lock]).await.unwrap();
    assert_eq!(alice.record(&alice.me.did).state().locks.len(), 2);
}
