//! `LOG-17`, `SYN-18`: folders that are old copies, and folders that run twice. No key signs one place a
//! second time where anybody is there who knows better, and the signer stops where nobody was.

use xom_node::command::Command;
use xom_node::error::CommandError;
use xom_protocol::body::Profile;

use crate::harness::{Over, Person, wait_until};

/// Waits until nothing is signed here any more, and `xom status` says what to do.
async fn stops_signing(person: &Person) {
    let stopped = async || matches!(person.try_post("too late").await, Err(CommandError::Behind)).then_some(());
    wait_until("nothing is signed any more", stopped).await;
    let profile = Command::Profile(Box::new(Profile { bio: Some("still me".to_owned()), ..Profile::default() }));
    assert!(matches!(person.node().command(person.did(), profile).await, Err(CommandError::Behind)));
    let warnings = person.node().status().await.expect("status").warnings;
    assert!(warnings.iter().any(|warning| warning.contains("new device key")), "{warnings:?}");
}

async fn is_disputed(at: &Person, of: &Person) -> bool {
    let logs = at.node().read(|reader| reader.logs()).await.expect("reads");
    logs.iter().any(|log| log.did == of.did() && log.disputed)
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_2_a_restored_old_folder_asks_before_it_signs_and_then_signs_nothing() {
    let (mut alice, mut bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    alice.post("one").await;
    bob.follow(alice.invite().await).await;
    bob.has_posts(alice.did(), &["one".to_owned()]).await;
    alice.stop().await;
    let mut old = alice.copy();
    alice.start().await;
    alice.post("two").await;
    let all = ["one".to_owned(), "two".to_owned()];
    bob.has_posts(alice.did(), &all).await;
    alice.stop().await;
    old.start().await;
    // The first command waits for what bob knows.
    assert!(matches!(old.try_post("another two").await, Err(CommandError::Behind)));
    stops_signing(&old).await;
    old.has_posts(alice.did(), &all).await;
    assert!(!is_disputed(&bob, &alice).await);
    bob.stop().await;
    old.stop().await;
    old.start().await;
    stops_signing(&old).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_3_two_live_copies_of_a_folder_notice_each_other_when_they_meet() {
    let mut alice = Person::new("alice", Over::Tcp).await;
    alice.post("one").await;
    alice.stop().await;
    let mut copy = alice.copy();
    alice.start().await;
    alice.post("two").await;
    alice.stop().await;
    copy.start().await;
    copy.post("another two").await;
    copy.stop().await;
    alice.start().await;
    copy.start_with(vec![alice.listen()]).await;
    stops_signing(&alice).await;
    stops_signing(&copy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_5_a_machine_rolled_back_while_nobody_was_there_signs_nothing_more_once_somebody_is() {
    let (mut alice, mut bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    alice.post("one").await;
    bob.follow(alice.invite().await).await;
    bob.has_posts(alice.did(), &["one".to_owned()]).await;
    alice.stop().await;
    let mut rolled_back = alice.copy();
    alice.start().await;
    alice.post("two").await;
    bob.has_posts(alice.did(), &["one".to_owned(), "two".to_owned()]).await;
    alice.stop().await;
    bob.stop().await;
    // Bob is remembered, and waited for in vain.
    rolled_back.start().await;
    rolled_back.post("another two").await;
    bob.start_with(vec![]).await;
    stops_signing(&rolled_back).await;
    wait_until("bob has the proof", async || is_disputed(&bob, &alice).await.then_some(())).await;
    assert_eq!(bob.posts_of(alice.did()).await, ["one", "two"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_3_two_live_copies_of_a_folder_are_noticed_by_both_through_a_third_node() {
    let (mut alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Quic).await);
    alice.post("one").await;
    alice.stop().await;
    let mut copy = alice.copy();
    alice.start().await;
    alice.post("two").await;
    alice.post("three").await;
    alice.stop().await;
    copy.start().await;
    copy.post("another two").await;
    alice.start().await;
    bob.follow(alice.invite().await).await;
    // More where the copy has found alice at the address that both know.
    wait_until("bob has alice's log", async || (bob.posts_of(alice.did()).await.len() >= 3).then_some(())).await;
    bob.follow(copy.invite().await).await;
    stops_signing(&alice).await;
    stops_signing(&copy).await;
    wait_until("bob has the proof", async || is_disputed(&bob, &alice).await.then_some(())).await;
}

/// Alice, who follows bob and is followed by him, stopped, and a clone of her disk that has her peer id too: the two
/// can't speak with each other, and to bob they are one peer.
async fn alice_and_her_clone(over: Over) -> (Person, Person, Person) {
    let (mut alice, bob) = (Person::new("alice", over).await, Person::new("bob", over).await);
    alice.post("one").await;
    bob.follow(alice.invite().await).await;
    alice.follow(bob.invite().await).await;
    bob.has_posts(alice.did(), &["one".to_owned()]).await;
    alice.stop().await;
    let clone = alice.clone_disk();
    (alice, clone, bob)
}

/// Bob's posts reach both, each in its turn.
async fn both_are_served(alice: &Person, clone: &Person, bob: &Person) {
    bob.post("news from bob").await;
    for person in [alice, clone] {
        person.has_posts(bob.did(), &["news from bob".to_owned()]).await;
    }
}

async fn check_clones_that_have_signed(over: Over) {
    let (mut alice, mut clone, mut bob) = alice_and_her_clone(over).await;
    bob.stop().await;
    for (person, text) in [(&mut alice, "two"), (&mut clone, "another two")] {
        person.start_at(over.listen(0)).await;
        person.post(text).await;
    }
    bob.start().await;
    stops_signing(&alice).await;
    stops_signing(&clone).await;
    wait_until("bob has the proof", async || is_disputed(&bob, &alice).await.then_some(())).await;
    both_are_served(&alice, &clone, &bob).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_3_two_clones_with_one_peer_id_that_have_both_signed_are_both_told_over_tcp() {
    check_clones_that_have_signed(Over::Tcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_3_two_clones_with_one_peer_id_that_have_both_signed_are_both_told_over_quic() {
    check_clones_that_have_signed(Over::Quic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_3_a_clone_with_the_same_peer_id_that_has_signed_nothing_stops_and_the_other_goes_on() {
    let (mut alice, mut clone, bob) = alice_and_her_clone(Over::Tcp).await;
    alice.start().await;
    alice.post("two").await;
    let all = ["one".to_owned(), "two".to_owned()];
    bob.has_posts(alice.did(), &all).await;
    clone.start_at(Over::Tcp.listen(0)).await;
    assert!(matches!(clone.try_post("another two").await, Err(CommandError::Behind)));
    stops_signing(&clone).await;
    assert!(!is_disputed(&bob, &alice).await);
    alice.post("three").await;
    let all = [&all[..], &["three".to_owned()]].concat();
    for person in [&bob, &clone] {
        person.has_posts(alice.did(), &all).await;
    }
    both_are_served(&alice, &clone, &bob).await;
}
