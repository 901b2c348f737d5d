//! Reaching those who can't be reached: reservations at relays, and talk through them (`RCH-5` to `RCH-11`).

use xom_node::model::{Link, ReachState};

use crate::harness::{Over, Person, wait_until};

async fn peer_id(person: &Person) -> String {
    person.node().status().await.expect("status").peer
}

/// Waits until a relay keeps a reservation for somebody.
async fn is_relayed(person: &Person) {
    wait_until(&format!("a relay keeps a reservation for {}", person.name()), async || {
        let reachability = person.node().status().await.expect("status").reachability;
        (reachability.state == ReachState::Relayed).then_some(())
    })
    .await;
}

/// How one person's node is connected with another's.
async fn link(from: &Person, to: &Person) -> Option<Link> {
    let peer = peer_id(to).await;
    from.node().peers().await.into_iter().find(|known| known.peer == peer).and_then(|known| known.link)
}

async fn is_linked_by(from: &Person, to: &Person, relay: &Person) {
    let by = peer_id(relay).await;
    wait_until(&format!("{} reaches {} through {}", from.name(), to.name(), relay.name()), async || {
        match link(from, to).await {
            Some(Link::Relayed { by: through, .. }) => (through == by).then_some(()),
            _ => None,
        }
    })
    .await;
}

async fn check_followed_by_invite_through_a_relay(over: Over) {
    let hub = Person::new("hub", over).await;
    let alice = Person::hidden("alice", vec![hub.listen()]).await;
    let bob = Person::hidden("bob", vec![hub.listen()]).await;
    alice.post("nobody gets in here").await;
    is_relayed(&alice).await;
    bob.follow(alice.invite().await).await;
    bob.has_posts(alice.did(), &["nobody gets in here".to_owned()]).await;
    is_linked_by(&bob, &alice, &hub).await;
    is_linked_by(&alice, &bob, &hub).await;
    let at_hub = hub.node().status().await.expect("status").reachability;
    assert_eq!(at_hub.state, ReachState::Machine, "{}", at_hub.words);
    assert!(at_hub.reservations >= 1 && at_hub.circuits >= 1, "{at_hub:?}");
    assert!(hub.posts_of(alice.did()).await.is_empty(), "a relay carries what it can't read");
    let at_alice = alice.node().status().await.expect("status").reachability;
    assert_eq!(at_alice.relays, [peer_id(&hub).await], "RCH-11");
    // News are pushed through it as on any other connection.
    alice.post("and out it goes").await;
    wait_until("the news are in bob's home", async || {
        bob.home().await.contains(&"and out it goes".to_owned()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rch_7_two_who_listen_nowhere_meet_by_invite_through_a_relay_over_tcp() {
    check_followed_by_invite_through_a_relay(Over::Tcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rch_7_two_who_listen_nowhere_meet_by_invite_through_a_relay_over_quic() {
    check_followed_by_invite_through_a_relay(Over::Quic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rch_8_who_is_behind_a_relay_is_found_by_did_alone() {
    let (hub, far) = (Person::new("hub", Over::Tcp).await, Person::new("far", Over::Tcp).await);
    let _bridge = Person::with_bootstrap("bridge", Over::Tcp, vec![hub.listen(), far.listen()]).await;
    let alice = Person::hidden("alice", vec![hub.listen()]).await;
    alice.post("whoever looks for me finds me").await;
    let bob = Person::hidden("bob", vec![far.listen()]).await;
    bob.follow(alice.did().to_string()).await;
    bob.has_posts(alice.did(), &["whoever looks for me finds me".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rch_7_another_relay_takes_the_place_of_one_that_is_gone() {
    let (mut hub, other) = (Person::new("hub", Over::Tcp).await, Person::new("other", Over::Tcp).await);
    let alice = Person::hidden("alice", vec![hub.listen()]).await;
    let bob = Person::hidden("bob", vec![hub.listen(), other.listen()]).await;
    is_relayed(&alice).await;
    bob.follow(alice.invite().await).await;
    alice.post("through one").await;
    bob.has_posts(alice.did(), &["through one".to_owned()]).await;
    hub.stop().await;
    // Alice learns of another relay, and bob by whatever way there is: the table, or where alice's device says it is.
    alice.node().follow_invite(alice.did(), other.invite().await).await.expect("follows");
    alice.post("through another").await;
    bob.has_posts(alice.did(), &["through one".to_owned(), "through another".to_owned()]).await;
    is_linked_by(&bob, &alice, &other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rch_10_who_can_be_dialled_is_reached_without_a_relay() {
    let hub = Person::new("hub", Over::Tcp).await;
    let alice = Person::hidden("alice", vec![hub.listen()]).await;
    let bob = Person::with_bootstrap("bob", Over::Tcp, vec![hub.listen()]).await;
    is_relayed(&alice).await;
    bob.follow(alice.invite().await).await;
    alice.follow(bob.invite().await).await;
    alice.post("here").await;
    bob.has_posts(alice.did(), &["here".to_owned()]).await;
    // Alice reaches bob, so that one of both connections leads through nobody: it stays.
    wait_until("nobody stands between", async || {
        (link(&bob, &alice).await.is_some_and(|link| !matches!(link, Link::Relayed { .. }))).then_some(())
    })
    .await;
    alice.post("still here").await;
    bob.has_posts(alice.did(), &["here".to_owned(), "still here".to_owned()]).await;
}
