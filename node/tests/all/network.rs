//! Nodes that find each other, exchange what they want, and survive who breaks the rules.

mod bans;
pub(crate) mod blobs;
mod closed;
mod copies;
mod damaged;
mod finding;
mod keepers;
mod keeping;
mod liar;
mod mallory;
mod names;
mod reaching;
mod receipts;
mod services;
mod start;
mod threads;

use std::time::{Duration, Instant};

use xom_node::command::Command;
use xom_node::model::{NotificationKind, Page, PeerInfo};

use crate::harness::{DEADLINE, Over, Person, texts, wait_until, wait_until_within};

async fn check_follow_and_read(over: Over) {
    let (alice, bob) = (Person::new("alice", over).await, Person::new("bob", over).await);
    let before = texts("before", 40);
    for text in &before {
        alice.post(text).await;
    }
    assert_eq!(bob.follow(alice.invite().await).await, alice.did());
    bob.has_posts(alice.did(), &before).await;
    let mut all = before;
    for text in texts("live", 5) {
        alice.post(&text).await;
        all.push(text);
        bob.has_posts(alice.did(), &all).await;
    }
    assert!(bob.home().await.ends_with(&texts("live", 5)));
}

#[tokio::test(flavor = "multi_thread")]
async fn bob_follows_alice_by_invite_and_reads_over_tcp() {
    check_follow_and_read(Over::Tcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bob_follows_alice_by_invite_and_reads_over_quic() {
    check_follow_and_read(Over::Quic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_post_is_pushed_at_once() {
    let (alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    alice.post("first").await;
    bob.follow(alice.invite().await).await;
    bob.has_posts(alice.did(), &["first".to_owned()]).await;
    let begin = Instant::now();
    alice.post("second").await;
    bob.has_posts(alice.did(), &["first".to_owned(), "second".to_owned()]).await;
    // Far below any timer that could have brought it.
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn bob_comes_back_and_has_what_he_missed_within_two_seconds() {
    let (alice, mut bob) = (Person::new("alice", Over::Quic).await, Person::new("bob", Over::Quic).await);
    alice.post("first").await;
    bob.follow(alice.invite().await).await;
    bob.has_posts(alice.did(), &["first".to_owned()]).await;
    bob.stop().await;
    let mut all = vec!["first".to_owned()];
    for text in texts("missed", 50) {
        alice.post(&text).await;
        all.push(text);
    }
    bob.start().await;
    let what = "bob has alice's 50 posts";
    let has_all = async || (bob.posts_of(alice.did()).await == all).then_some(());
    wait_until_within(what, Duration::from_secs(2), has_all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alice_comes_back_and_bob_is_connected_again() {
    let (mut alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    bob.follow(alice.invite().await).await;
    wait_until("they are connected", async || (bob.connected().await == 1).then_some(())).await;
    alice.stop().await;
    wait_until("bob notices", async || (bob.connected().await == 0).then_some(())).await;
    alice.start().await;
    alice.post("back").await;
    bob.has_posts(alice.did(), &["back".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dave_follows_alice_by_did_through_carol_when_alice_is_gone() {
    let (mut alice, carol) = (Person::new("alice", Over::Tcp).await, Person::new("carol", Over::Tcp).await);
    let posts = texts("post", 70);
    for text in &posts {
        alice.post(text).await;
    }
    carol.follow(alice.invite().await).await;
    carol.has_posts(alice.did(), &posts).await;
    alice.stop().await;
    let dave = Person::with_bootstrap("dave", Over::Tcp, vec![carol.listen()]).await;
    dave.follow(alice.did().to_string()).await;
    dave.has_posts(alice.did(), &posts).await;
    assert!(dave.posts_of(carol.did()).await.is_empty(), "carol is not followed");
}

#[tokio::test(flavor = "multi_thread")]
async fn alice_sees_the_follow_and_the_like_of_bob_without_following_him() {
    let (alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    alice.post("hello").await;
    bob.post("not for alice").await;
    bob.follow(alice.invite().await).await;
    bob.has_posts(alice.did(), &["hello".to_owned()]).await;
    let status = bob.statuses_of(alice.did()).await.remove(0).id;
    bob.command(Command::Favourite(status)).await;
    let viewer = alice.did();
    let heard = async || {
        let page = Page { limit: 10, ..Page::default() };
        let read = alice.node().read(move |reader| reader.notifications(&viewer, None, &[], None, &page)).await;
        let kinds: Vec<_> = read.expect("reads").into_iter().map(|notification| notification.kind).collect();
        (kinds == [NotificationKind::Favourite, NotificationKind::Follow]).then_some(())
    };
    wait_until("alice is told of follow and like", heard).await;
    assert!(alice.posts_of(bob.did()).await.is_empty(), "only what is about her");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_follow_each_other_keep_one_conversation() {
    let (alice, bob) = (Person::new("alice", Over::Quic).await, Person::new("bob", Over::Quic).await);
    let (to_alice, to_bob) = (alice.invite().await, bob.invite().await);
    tokio::join!(bob.follow(to_alice), alice.follow(to_bob));
    alice.post("from alice").await;
    bob.post("from bob").await;
    bob.has_posts(alice.did(), &["from alice".to_owned()]).await;
    alice.has_posts(bob.did(), &["from bob".to_owned()]).await;
    let in_sync = async || {
        let (ours, theirs) = (alice.node().peers().await, bob.node().peers().await);
        let one = |peers: &[PeerInfo], did| peers.len() == 1 && peers[0].in_sync && peers[0].dids == [did];
        (one(&ours, bob.did()) && one(&theirs, alice.did())).then_some(())
    };
    wait_until("both are in sync and know each other", in_sync).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_leaves_no_task_behind() {
    let alive = || tokio::runtime::Handle::current().metrics().num_alive_tasks();
    let before = alive();
    let (mut alice, mut bob) = (Person::new("alice", Over::Quic).await, Person::new("bob", Over::Tcp).await);
    bob.follow(alice.invite().await).await;
    alice.post("hello").await;
    bob.has_posts(alice.did(), &["hello".to_owned()]).await;
    let begin = Instant::now();
    tokio::join!(alice.stop(), bob.stop());
    assert!(begin.elapsed() < DEADLINE);
    wait_until("all tasks are gone", async || (alive() <= before).then_some(())).await;
}
