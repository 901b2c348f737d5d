//! Many against few: places in a mesh, connections, and the first peers of a new node.

use futures::StreamExt;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, Swarm};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Forum, Stage};
use crate::harness::{Over, Person, texts, wait_until};
use crate::mallory::peer::{SYNC, swarm_of_any_key};

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_6_who_sits_in_the_mesh_and_brings_nothing_makes_room() {
    let mut forum = Forum::new(&["carol", "dora", "erin"]).await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(forum.peer().await);
    }
    wait_until("the mesh is full of them", async || (forum.mesh().await.len() == 4).then_some(())).await;
    let mut honest = forum.peer().await;
    let name = honest.peer.id.to_string();
    assert!(!forum.mesh().await.contains(&name));
    for round in 0..8 {
        for member in 0..3 {
            let announcement = forum.says(member, &format!("post {round}"));
            honest.publish(forum.topic, announcement.clone()).await;
            // One after the other: of two that are checked at once the older one may come to be no news.
            wait_until("it is passed on", async || {
                silent.iter().any(|peer| peer.has_heard(&announcement)).then_some(())
            })
            .await;
        }
    }
    wait_until("who brings something has a place", async || forum.mesh().await.contains(&name).then_some(())).await;
    forum.stage.nothing_refused().await;
}

/// A crowd that dials one node at once, from where it likes.
struct Crowd {
    tasks: JoinSet<()>,
    standing: watch::Receiver<Vec<Option<bool>>>,
}

impl Crowd {
    fn dial(to: &Multiaddr, count: usize) -> Self {
        let (tell, standing) = watch::channel(vec![None; count]);
        let mut tasks = JoinSet::new();
        for number in 0..count {
            let (tell, to) = (tell.clone(), to.clone());
            tasks.spawn(async move {
                let mut swarm = swarm_of_any_key();
                swarm.dial(to).expect("dials");
                loop {
                    let stands = match swarm.select_next_some().await {
                        SwarmEvent::ConnectionEstablished { .. } => true,
                        SwarmEvent::ConnectionClosed { .. } | SwarmEvent::OutgoingConnectionError { .. } => false,
                        _ => continue,
                    };
                    tell.send_modify(|standing| standing[number] = Some(stands));
                }
            });
        }
        Self { tasks, standing }
    }

    /// How many stand, once all have come to something.
    fn standing(&self) -> Option<usize> {
        let standing = self.standing.borrow();
        let known = standing.iter().all(Option::is_some);
        known.then(|| standing.iter().filter(|stands| **stands == Some(true)).count())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_7_two_hundred_who_come_from_one_network_at_once_leave_room_for_who_comes_from_elsewhere() {
    let mut stage = Stage::new(Over::Tcp).await;
    let crowd = Crowd::dial(&stage.alice.listen(), 200);
    // The limit of connections in all would let 128 in.
    wait_until("few of them stand", async || crowd.standing().filter(|standing| *standing <= 96)).await;
    stage.goes_on().await;
    // From another network of this machine: whoever listens there dials from there.
    let mut elsewhere: Swarm<_> = swarm_of_any_key();
    elsewhere.listen_on("/ip4/127.0.1.1/tcp/0".parse().expect("an address")).expect("listens");
    let arrives = async {
        let mut dialled = false;
        loop {
            match elsewhere.select_next_some().await {
                SwarmEvent::NewListenAddr { .. } if !dialled => {
                    dialled = true;
                    elsewhere.dial(stage.alice.listen()).expect("dials");
                }
                SwarmEvent::ConnectionEstablished { .. } => break,
                // Whoever finds the door busy knocks again.
                SwarmEvent::OutgoingConnectionError { .. } => elsewhere.dial(stage.alice.listen()).expect("dials"),
                _ => {}
            }
        }
    };
    tokio::time::timeout(crate::harness::DEADLINE, arrives).await.expect("let in in time");
    stage.goes_on().await;
    drop(crowd.tasks);
}

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_9_one_honest_node_among_fifty_is_enough_to_begin_with() {
    let bob = Person::new("bob", Over::Tcp).await;
    let posts = texts("post", 5);
    for text in &posts {
        bob.post(text).await;
    }
    let (mut addresses, mut hostile) = (Vec::new(), JoinSet::new());
    for _ in 0..49 {
        let mut swarm = swarm_of_any_key();
        // Takes every conversation, and says nothing in any.
        let mut streams = swarm.behaviour().new_control().accept(SYNC).expect("accepted once");
        swarm.listen_on(Over::Tcp.listen(0)).expect("listens");
        let address = loop {
            if let SwarmEvent::NewListenAddr { address, .. } = swarm.select_next_some().await {
                break address;
            }
        };
        addresses.push(address);
        hostile.spawn(async move {
            let mut held = Vec::new();
            loop {
                tokio::select! {
                    _ = swarm.select_next_some() => {}
                    Some((_, stream)) = streams.next() => held.push(stream),
                }
            }
        });
    }
    addresses.insert(25, bob.listen());
    let alice = Person::with_bootstrap("alice", Over::Tcp, addresses).await;
    alice.follow(bob.did().to_string()).await;
    alice.has_posts(bob.did(), &posts).await;
}
