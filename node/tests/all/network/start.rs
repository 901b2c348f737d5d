//! Starts that fail: one clear reason, and nothing changed; and whom a start dials (FIND-7).

use std::net::TcpListener;

use tempfile::TempDir;
use xom_node::{Node, StartError};

use crate::harness::{Over, Person, config, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_port_is_named_and_nothing_is_made() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = taken.local_addr().expect("address").port();
    let dir = TempDir::new().expect("temporary folder");
    let listen = format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("address");
    let refusal = Node::start(config(dir.path(), "alice", listen, Vec::new())).await.err();
    let Some(StartError::Listen { address, .. }) = refusal else { panic!("{refusal:?}") };
    assert_eq!(address, format!("/ip4/127.0.0.1/tcp/{port}"));
    assert!(!dir.path().join("data").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_do_not_share_a_port_or_a_folder() {
    for over in [Over::Tcp, Over::Quic] {
        let alice = Person::new("alice", over).await;
        let dir = TempDir::new().expect("temporary folder");
        let same_port = Node::start(config(dir.path(), "bob", alice.listen(), Vec::new())).await.err();
        assert!(matches!(same_port, Some(StartError::Listen { .. })), "{same_port:?}");
        for listen in [alice.listen(), "/ip4/127.0.0.1/tcp/0".parse().expect("address")] {
            let same_folder = Node::start(config(alice.data_dir(), "bob", listen, Vec::new())).await.err();
            assert!(matches!(same_folder, Some(StartError::Locked(_))), "{same_folder:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_keeps_its_name_on_the_wire() {
    let mut alice = Person::new("alice", Over::Tcp).await;
    let before = alice.node().status().await.expect("status").peer;
    alice.stop().await;
    alice.start().await;
    assert_eq!(alice.node().status().await.expect("status").peer, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn find_7_who_is_on_the_list_is_dialled_at_every_start_until_he_is_taken_off_it() {
    let (mut alice, mut bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let address = alice.listen().to_string();
    alice.stop().await;
    // Nobody is there, so bob remembers nobody but by the list.
    assert!(bob.node().add_bootstrap(&address).await.expect("added"));
    bob.stop().await;
    bob.start().await;
    alice.start().await;
    wait_until("they meet", async || (bob.connected().await == 1).then_some(())).await;
    assert!(bob.node().remove_bootstrap(&address).await.expect("removed"));
    assert!(!bob.node().remove_bootstrap(&address).await.expect("looked"));
    assert_eq!(bob.node().bootstrap().await.expect("read"), []);
}
