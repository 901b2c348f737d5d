//! The words alone bring an identity back.

use xom_node::command::Command;
use xom_node::recovery::{RecoveryError, Stage, Wish};
use xom_node::{CommandError, ControlAccess};
use xom_protocol::Did;
use xom_protocol::phrase::Phrase;

use super::machine::{Machine, is_done, until, until_refused};
use crate::harness::{Over, Person, texts, wait_until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_words_alone_bring_an_identity_back_and_followers_read_on() {
    let mut alice = Person::new("alice", Over::Tcp).await;
    let bob = Person::new("bob", Over::Tcp).await;
    let carol = Person::new("carol", Over::Tcp).await;
    let posts = texts("before", 5);
    for post in &posts {
        alice.post(post).await;
    }
    alice.command(Command::Follow(carol.did())).await;
    bob.follow(alice.invite().await).await;
    bob.has_posts(alice.did(), &posts).await;
    let (did, words) = (alice.did(), alice.words());
    wait_until("bob holds the follow", async || {
        let carol = carol.did();
        let read = move |reader: &xom_node::Reader| reader.relationship(&did, &carol);
        let relationship = bob.node().read(read).await.ok()?;
        relationship.following.then_some(())
    })
    .await;
    alice.stop().await;

    let mut machine = Machine::new().await;
    let mut recovering = machine.recover(did, false, &[&bob]).await;
    assert_eq!(until(&mut recovering, None, |stage| *stage == Stage::WordsNeeded).await, Stage::WordsNeeded);
    // Killed in the middle: the same device key is used after it.
    drop(recovering);
    machine.stop().await;
    machine.start().await;
    let mut recovering = machine.node().recovering().await.expect("reads").expect("was begun");
    let Stage::Done { username, device, others, missing } = until(&mut recovering, Some(&words), is_done).await else {
        panic!("done is done");
    };
    assert_eq!((username.as_str(), others.len()), ("alice", 1));
    assert!(missing.is_empty(), "{missing:?}");
    recovering.remove_device(others[0], Some(&words)).await.expect("the lost device ends");
    recovering.forget().expect("forgets");
    assert!(machine.node().recovering().await.expect("reads").is_none());
    assert_eq!(machine.posts_of(did).await, posts);
    let carol = carol.did();
    let following = machine.node().read(move |reader| reader.relationship(&did, &carol)).await.expect("reads");
    assert!(following.following, "follows are back");

    let post = xom_protocol::body::Post { text: "I am back".into(), ..Default::default() };
    let command = Command::Post { post: Box::new(post), reply_to: None, quote_of: None };
    machine.node().command(did, command).await.expect("posts");
    let mut all = posts.clone();
    all.push("I am back".to_owned());
    bob.has_posts(did, &all).await;
    let document = bob.node().read(move |reader| reader.did_document(&did)).await.expect("reads").expect("known");
    let keys = serde_json::to_value(&document).expect("json")["authentication"].as_array().map(Vec::len);
    assert_eq!(keys, Some(1), "the lost device has ended for followers too");
    let locals = machine.node().read(|reader| reader.local_identities()).await.expect("reads");
    assert_eq!(locals[0].device, device);
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn older_words_and_the_words_of_another_are_told_apart() {
    let alice = Person::new("alice", Over::Tcp).await;
    let bob = Person::new("bob", Over::Tcp).await;
    bob.follow(alice.invite().await).await;
    let machine = Machine::new().await;
    let mut recovering = machine.recover(alice.did(), false, &[&bob]).await;
    let other = bob.words();
    let refused = until_refused(&mut recovering, Some(&other)).await;
    assert!(matches!(refused, CommandError::Recovery(RecoveryError::OtherWords)), "{refused}");
    recovering.forget().expect("forgets");

    // The words go on through rotations: those of the genesis are never older by them.
    alice.node().rotate(alice.did(), alice.words(), None).await.expect("rotates");
    alice.node().rotate(alice.did(), alice.words(), None).await.expect("rotates again");
    let key = alice.node().control_key(alice.did(), ControlAccess::Kept).await;
    assert!(key.is_ok(), "the kept key follows");
    let strange = Phrase::from_entropy(&[9; 32]).expect("words");
    let refused = alice.node().rotate(alice.did(), strange, None).await.err();
    assert!(matches!(refused, Some(CommandError::Recovery(RecoveryError::OtherWords))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_folder_whose_device_was_removed_gets_a_new_device_key_by_the_words() {
    let mut alice = Person::new("alice", Over::Tcp).await;
    let bob = Person::new("bob", Over::Tcp).await;
    alice.post("before").await;
    bob.follow(alice.invite().await).await;
    bob.has_posts(alice.did(), &["before".to_owned()]).await;
    let (did, words) = (alice.did(), alice.words());
    let local = alice.node().read(|reader| reader.local_identities()).await.expect("reads").remove(0);
    let lives = alice.node().recover(wish(did, &bob)).await.err();
    assert!(matches!(lives, Some(CommandError::Refused(_))), "{lives:?}");
    alice.node().end_device(did, local.device, &ControlAccess::Kept, false).await.expect("ends");

    let mut recovering = alice.node().recover(wish(did, &bob)).await.expect("begins");
    let Stage::Done { username, device, .. } = until(&mut recovering, Some(&words), is_done).await else {
        panic!("done is done");
    };
    assert_eq!(username, "alice");
    assert_ne!(device, local.device);
    recovering.forget().expect("forgets");
    alice.post("after").await;
    alice.stop().await;
    alice.start().await;
    alice.post("after a restart").await;
    let all = ["before", "after", "after a restart"].map(str::to_owned);
    bob.has_posts(did, &all).await;
    assert_eq!(alice.posts_of(did).await, all);
}

fn wish(did: Did, from: &Person) -> Wish {
    Wish { did, username: None, guardians: false, from: vec![from.listen()] }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_stops_new_devices_until_the_control_key_lifts_it_and_posts_go_on() {
    let alice = Person::new("alice", Over::Tcp).await;
    let bob = Person::new("bob", Over::Tcp).await;
    bob.follow(alice.invite().await).await;
    alice.node().lock(alice.did()).await.expect("locks");
    alice.post("locked and well").await;
    bob.has_posts(alice.did(), &["locked and well".to_owned()]).await;
    let warned = alice.node().status().await.expect("status").warnings;
    assert!(warned.iter().any(|warning| warning.contains("locked")), "{warned:?}");
    alice.node().unlock_identity(alice.did(), ControlAccess::Kept).await.expect("unlocks");
    let again = alice.node().unlock_identity(alice.did(), ControlAccess::Kept).await;
    assert!(matches!(again, Err(CommandError::Refused(_))), "{again:?}");
    let warned = alice.node().status().await.expect("status").warnings;
    assert!(!warned.iter().any(|warning| warning.contains("locked")), "{warned:?}");
}
