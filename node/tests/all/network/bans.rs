//! Who is kept away stays away, over a restart too, and comes back when he is let in; and a line that is limited.

use std::time::{Duration, Instant};

use crate::harness::{Over, Person, wait_until};

async fn peer_id(person: &Person) -> String {
    person.node().status().await.expect("status").peer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_peer_that_the_owner_keeps_away_is_let_go_stays_away_over_a_restart_and_comes_back_when_it_is_let_in() {
    let (mut alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    bob.follow(alice.invite().await).await;
    alice.post("first").await;
    bob.has_posts(alice.did(), &["first".to_owned()]).await;

    let bobs = peer_id(&bob).await;
    let hour = Duration::from_secs(3_600);
    assert!(alice.node().ban(&bobs, hour, "reads too fast").await.expect("asked"));
    let gone = async || bob.node().peers().await.iter().all(|peer| !peer.connected).then_some(());
    wait_until("bob is let go", gone).await;
    alice.stop().await;
    alice.start().await;
    alice.post("second").await;
    let bans = alice.node().bans().await.expect("asked");
    assert_eq!((bans.len(), bans[0].peer.as_str(), bans[0].reason.as_str()), (1, bobs.as_str(), "reads too fast"));
    assert_eq!(alice.node().health().await.expect("asked").peers_banned, 1);
    // Carol comes in after the restart, and by then bob would have come, too.
    let carol = Person::new("carol", Over::Tcp).await;
    carol.follow(alice.invite().await).await;
    carol.has_posts(alice.did(), &["first".to_owned(), "second".to_owned()]).await;
    assert_eq!(bob.posts_of(alice.did()).await, ["first"], "nothing came to bob");

    assert!(alice.node().unban(&bobs).await.expect("asked"));
    assert!(!alice.node().unban(&bobs).await.expect("asked"), "it was let in");
    bob.has_posts(alice.did(), &["first".to_owned(), "second".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_limited_is_not_exceeded_and_everything_arrives() {
    let alice = Person::on_a_line("alice", Some(100_000), None).await;
    let bob = Person::on_a_line("bob", None, Some(100_000)).await;
    let carol = Person::new("carol", Over::Tcp).await;
    // About 720 kB, in answers of 256 KiB each: the first begins at once, each further one 2.6 seconds later.
    let posts: Vec<String> = (0..60).map(|number| format!("{number} {}", "ế".repeat(4_000))).collect();
    for (from, to) in [(&alice, &carol), (&carol, &bob)] {
        for text in &posts {
            from.post(text).await;
        }
        let began = Instant::now();
        to.follow(from.invite().await).await;
        to.has_posts(from.did(), &posts).await;
        assert!(began.elapsed() > Duration::from_secs(4), "{:?}", began.elapsed());
    }
}
