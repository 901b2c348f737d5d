//! Closed networks: who has the swarm key talks as everywhere; who has not gets no further than the first bytes.

use std::path::PathBuf;

use libp2p::Multiaddr;
use libp2p::multiaddr::Protocol;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use xom_node::{Node, NodeConfig, StartError, SwarmKey};

use crate::harness::{DEADLINE, Over, Person, config, wait_until};

/// What libp2p says first on a connection that nothing makes private.
const HELLO: &[u8] = b"\x13/multistream/1.0.0\n";

/// A new key in a file.
fn key(folder: &TempDir, name: &str) -> PathBuf {
    let path = folder.path().join(name);
    SwarmKey::generate().and_then(|key| key.write_new(&path)).expect("a key");
    path
}

/// Waits until somebody was turned away by `by` more often than before.
async fn turned_away(by: &Person, before: u64) -> u64 {
    wait_until("somebody is turned away", async || Some(refusals(by).await).filter(|count| *count > before)).await
}

async fn refusals(by: &Person) -> u64 {
    let refusals = by.node().status().await.expect("status").refusals;
    refusals.iter().find(|(rule, _)| rule == "PNET-3").map_or(0, |(_, count)| *count)
}

async fn check_kept_out(carol: Person, alice: &Person, before: u64) {
    turned_away(alice, before).await;
    let of = async |person: &Person| person.node().status().await.expect("status").peer;
    let (carols, alices) = (of(&carol).await, of(alice).await);
    assert!(alice.node().peers().await.iter().all(|peer| peer.peer != carols), "alice knows nobody of that name");
    let met =
        |peer: &&xom_node::model::PeerInfo| peer.peer == alices && (peer.connected || peer.last_seen_ms.is_some());
    assert_eq!(carol.node().peers().await.iter().find(met), None, "carol never met alice");
}

#[tokio::test(flavor = "multi_thread")]
async fn pnet_2_nodes_with_one_swarm_key_follow_each_other_and_others_are_kept_out() {
    let folder = TempDir::new().expect("temporary folder");
    let family = key(&folder, "family.key");
    let alice = Person::in_closed_network("alice", &family, Vec::new()).await;
    let bob = Person::in_closed_network("bob", &family, Vec::new()).await;
    let invite = alice.invite().await;
    assert!(!invite.contains("quic"), "PNET-4: {invite}");
    bob.follow(invite.clone()).await;
    alice.post("for the family").await;
    bob.has_posts(alice.did(), &["for the family".to_owned()]).await;

    // PNET-3: without a key, and with another one. Both were told where alice is.
    let at = vec![
        alice
            .listen()
            .with_p2p(alice.node().status().await.expect("status").peer.parse().expect("id"))
            .expect("no id yet"),
    ];
    let before = refusals(&alice).await;
    check_kept_out(Person::with_bootstrap("carol", Over::Tcp, at.clone()).await, &alice, before).await;
    let before = refusals(&alice).await;
    let other = key(&folder, "other.key");
    check_kept_out(Person::in_closed_network("mallory", &other, at).await, &alice, before).await;

    alice.post("still for the family").await;
    bob.has_posts(alice.did(), &["for the family".to_owned(), "still for the family".to_owned()]).await;
    let shown = bob.node().status().await.expect("status").swarm_key.expect("a closed network");
    assert_eq!(shown, SwarmKey::read(&family).expect("a key").fingerprint(), "PNET-5");
}

#[tokio::test(flavor = "multi_thread")]
async fn pnet_3_a_stranger_gets_24_random_bytes_and_nothing_that_tells_what_is_behind_them() {
    let folder = TempDir::new().expect("temporary folder");
    let alice = Person::in_closed_network("alice", &key(&folder, "family.key"), Vec::new()).await;
    let port = alice.listen().iter().find_map(|part| if let Protocol::Tcp(port) = part { Some(port) } else { None });
    let port = port.expect("a TCP port");
    let mut heard = Vec::new();
    for hello in [HELLO.to_vec(), [&[0; 24], HELLO].concat(), vec![0xff; 4_096]] {
        let before = refusals(&alice).await;
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.expect("connects");
        stream.write_all(&hello).await.expect("written");
        // Whether the node ends or resets the connection, nothing follows.
        let mut said = Vec::new();
        let _ = tokio::time::timeout(DEADLINE, stream.read_to_end(&mut said)).await.expect("it ends by itself");
        assert!(!said.windows(11).any(|part| part == b"multistream"), "{said:?}");
        heard.push(said.iter().copied().take(24).collect::<Vec<u8>>());
        // The short one says no whole nonce: it ends when the time for a connection is over.
        turned_away(&alice, before).await;
    }
    assert!(heard.iter().all(|nonce| nonce.len() == 24), "{heard:?}");
    assert!(heard[0] != heard[1] && heard[1] != heard[2], "never the same bytes");
}

#[tokio::test(flavor = "multi_thread")]
async fn pnet_2_quic_in_a_closed_network_is_refused_at_the_start_with_the_reason() {
    let folder = TempDir::new().expect("temporary folder");
    let key = key(&folder, "family.key");
    let start = async |listen: Multiaddr, bootstrap: Vec<Multiaddr>, key: PathBuf| {
        let config = config(&folder.path().join("node"), "alice", listen, bootstrap);
        Node::start(NodeConfig { swarm_key: Some(key), ..config }).await
    };
    for (listen, bootstrap) in
        [(Over::Quic.listen(0), Vec::new()), (Over::Tcp.listen(0), vec![Over::Quic.listen(7_767)])]
    {
        let refusal = start(listen, bootstrap, key.clone()).await.err().expect("refused");
        assert!(matches!(refusal, StartError::NotTcp { .. }), "{refusal}");
        assert!(refusal.to_string().contains("quic-v1"), "{refusal}");
    }
    // PNET-1: a key that is none, or not there.
    let none = folder.path().join("none.key");
    let refusal = start(Over::Tcp.listen(0), Vec::new(), none.clone()).await.err().expect("refused");
    assert!(matches!(refusal, StartError::SwarmKey { .. }), "{refusal}");
    std::fs::write(&none, "/key/swarm/psk/1.0.0/\n/base16/\n1234\n").expect("written");
    let refusal = start(Over::Tcp.listen(0), Vec::new(), none).await.err().expect("refused");
    assert!(refusal.to_string().contains("64 hexadecimal digits"), "{refusal}");
    assert!(!folder.path().join("node").exists(), "nothing was changed");
}
