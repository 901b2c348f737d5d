//! Finding whom nobody named: the table of who is where (`FIND-1`, `FIND-2`, `FIND-3`, `FIND-4`, `FIND-5`).

use xom_node::Multiaddr;

use crate::harness::{Over, Person, wait_until};

/// The peers that a node knows and that are more to it than entries of the table.
async fn acquaintances(person: &Person) -> Vec<String> {
    let mut peers: Vec<String> = person.node().peers().await.into_iter().map(|peer| peer.peer).collect();
    peers.sort();
    peers
}

async fn peer_id(person: &Person) -> String {
    person.node().status().await.expect("status").peer
}

/// A newcomer's node that knows one address.
async fn joining(name: &'static str, over: Over, at: &Multiaddr) -> Person {
    Person::with_bootstrap(name, over, vec![at.clone()]).await
}

async fn check_found_by_did(over: Over) {
    let (hub, far) = (Person::new("hub", over).await, Person::new("far", over).await);
    let bridge = Person::with_bootstrap("bridge", over, vec![hub.listen(), far.listen()]).await;
    let alice = joining("alice", over, &hub.listen()).await;
    alice.post("whoever looks for me finds me").await;
    let bob = joining("bob", over, &far.listen()).await;
    bob.follow(alice.did().to_string()).await;
    bob.has_posts(alice.did(), &["whoever looks for me finds me".to_owned()]).await;
    // And from then on they talk as if bob had been invited.
    alice.post("news").await;
    wait_until("the news are in bob's home", async || bob.home().await.contains(&"news".to_owned()).then_some(()))
        .await;
    assert!(bridge.posts_of(alice.did()).await.is_empty(), "the table carries no posts");
}

#[tokio::test(flavor = "multi_thread")]
async fn find_5_a_fresh_node_with_one_bootstrap_address_finds_a_did_that_is_online_elsewhere_over_tcp() {
    check_found_by_did(Over::Tcp).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn find_5_a_fresh_node_with_one_bootstrap_address_finds_a_did_that_is_online_elsewhere_over_quic() {
    check_found_by_did(Over::Quic).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn find_5_who_comes_online_later_is_found_then() {
    let hub = Person::new("hub", Over::Tcp).await;
    let mut alice = joining("alice", Over::Tcp, &hub.listen()).await;
    alice.post("early").await;
    alice.stop().await;
    let bob = joining("bob", Over::Tcp, &hub.listen()).await;
    bob.follow(alice.did().to_string()).await;
    wait_until("bob is connected", async || (bob.connected().await > 0).then_some(())).await;
    alice.start_with(vec![hub.listen()]).await;
    bob.has_posts(alice.did(), &["early".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn find_4_nodes_that_meet_in_the_table_alone_are_no_acquaintances() {
    // FIND-4
    let hub = Person::new("hub", Over::Tcp).await;
    let carol = joining("carol", Over::Tcp, &hub.listen()).await;
    let alice = joining("alice", Over::Tcp, &hub.listen()).await;
    let bob = joining("bob", Over::Tcp, &hub.listen()).await;
    alice.post("hello").await;
    bob.follow(alice.did().to_string()).await;
    bob.has_posts(alice.did(), &["hello".to_owned()]).await;
    assert_eq!(acquaintances(&carol).await, [peer_id(&hub).await]);
    let mut both = [peer_id(&hub).await, peer_id(&alice).await];
    both.sort();
    assert_eq!(acquaintances(&bob).await, both);
}
