//! What is passed on, what is not, and who is blamed for it.

use xom_protocol::keys::Domain;

use super::{Forum, Frame, Gossiper, Line, Message, Persona, Wares, announced, roster};
use crate::harness::{Over, Person, network, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_1_what_is_wrong_is_not_passed_on_and_counts_against_who_brought_it() {
    let mut forum = Forum::new(&["carol"]).await;
    let (reader, mut honest, mut mallory) = (forum.peer().await, forum.peer().await, forum.peer().await);
    let right = forum.says(0, "second");
    let chain = &mut forum.members[0].1;
    let mut forged = chain.clone();
    forged.sign_again(Domain::Receipt, network());
    let forged = announced(forged.last());
    mallory.publish(forum.topic, forged.clone()).await;
    mallory.publish(forum.topic, b"no announcement".to_vec()).await;
    let signed = Message { data: right.clone(), topic: forum.topic.to_string(), ..Message::default() };
    let from = Some(mallory.peer.id.to_bytes());
    for named in [Message { from, ..signed.clone() }, Message { seqno: Some(vec![0; 8]), ..signed.clone() }] {
        mallory.say(Frame { messages: vec![named], ..Frame::default() }).await;
    }
    forum.stage.refused("ENC-12", 1).await;
    forum.stage.refused("GSP-2", 2).await;
    let peers = forum.stage.alice.node().peers().await;
    let blamed = |peer: &str| peers.iter().any(|info| info.peer == peer && !info.refusals.is_empty());
    assert!(!blamed(&honest.peer.id.to_string()));
    honest.publish(forum.topic, right.clone()).await;
    reader.hears(&right).await;
    assert!(!reader.has_heard(&forged) && !reader.has_heard(b"no announcement"));
    // Three of these are enough not to be in any mesh, and not to be heard any more (GSP-8).
    let name = mallory.peer.id.to_string();
    wait_until("mallory has no place", async || (!forum.mesh().await.contains(&name)).then_some(())).await;
    forum.stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_4_what_alice_has_is_not_passed_on_again_however_old() {
    let mut forum = Forum::new(&["carol"]).await;
    let (reader, mut mallory) = (forum.peer().await, forum.peer().await);
    let old = announced(&forum.members[0].1.entries[0]);
    mallory.publish(forum.topic, old.clone()).await;
    let new = forum.says(0, "second");
    mallory.publish(forum.topic, new.clone()).await;
    reader.hears(&new).await;
    assert!(!reader.has_heard(&old));
    forum.stage.nothing_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_5_whoever_repeats_an_announcement_repeats_one_message() {
    let mut forum = Forum::new(&["carol"]).await;
    let (reader, mut one, mut other) = (forum.peer().await, forum.peer().await, forum.peer().await);
    let new = forum.says(0, "second");
    one.publish(forum.topic, new.clone()).await;
    reader.hears(&new).await;
    for _ in 0..10 {
        one.publish(forum.topic, new.clone()).await;
        other.publish(forum.topic, new.clone()).await;
    }
    let last = forum.says(0, "third");
    one.publish(forum.topic, last.clone()).await;
    reader.hears(&last).await;
    let copies = reader.messages().iter().filter(|message| message.data == new).count();
    assert_eq!(copies, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_11_who_passes_on_what_alice_can_not_check_is_not_blamed() {
    let mut forum = Forum::new(&["carol"]).await;
    let (reader, mut honest) = (forum.peer().await, forum.peer().await);
    // Somebody who is on no roster of alice's, somebody whom she does not hold, and a device that she does not know.
    let (stranger, unknown) = (Persona::new("stranger"), Persona::new("unknown"));
    let (mut strange, mut unheld) = (stranger.chain(), unknown.chain());
    strange.post("who am I");
    unheld.post("who am I");
    let mut second = forum.members[0].0.second();
    second.post("from another device");
    let members = [forum.members[0].0.did(), unknown.did()];
    forum.stage.alice.node().join_topic(forum.topic, roster(&members)).await.expect("another roster");
    let unchecked = [announced(strange.last()), announced(unheld.last()), announced(second.last())];
    for announcement in &unchecked {
        honest.publish(forum.topic, announcement.clone()).await;
    }
    let right = forum.says(0, "second");
    honest.publish(forum.topic, right.clone()).await;
    reader.hears(&right).await;
    assert!(unchecked.iter().all(|announcement| !reader.has_heard(announcement)));
    forum.stage.nothing_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gsp_7_what_is_announced_is_fetched_from_who_announced_it() {
    // GSP-7
    let mut forum = Forum::new(&["carol"]).await;
    let mut peer = forum.peer().await;
    let new = forum.says(0, "second");
    peer.publish(forum.topic, new).await;
    let (persona, chain) = &forum.members[0];
    let wares = Wares::default().identity(persona).chain(chain);
    // Who only gossips is not talked with; now there is something to talk about.
    let Gossiper { peer: node, sync, .. } = &mut peer;
    let line = Line::answer(node, sync, wares).await;
    forum.stage.holds(chain.log(), 2).await;
    drop(line);
    forum.stage.nothing_refused().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gsp_5_what_came_by_sync_is_announced_by_who_has_it() {
    // GSP-5
    let forum = Forum::new(&[]).await;
    let reader = forum.peer().await;
    forum.stage.bob.post("to the topic").await;
    let heard = async || {
        let announcements = reader.messages().into_iter().map(|message| message.data);
        let mut read = announcements.filter_map(|data| xom_protocol::gossip::Announcement::decode(&data).ok());
        read.find(|announcement| announcement.header().author == forum.stage.bob.did())
    };
    let announcement = wait_until("alice announces bob's post", heard).await;
    announcement.verify(network()).expect("signed by bob's device");
}

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_12_what_alice_says_names_no_node_and_goes_to_few() {
    let forum = Forum::new(&[]).await;
    let mut peers = Vec::new();
    for _ in 0..10 {
        peers.push(forum.peer().await);
    }
    let alice = &forum.stage.alice;
    for text in ["one", "two", "three"] {
        alice.post(text).await;
    }
    let from_alice = |peer: &Gossiper| -> Vec<(u64, Message)> {
        let messages = peer.messages().into_iter();
        let read = messages.filter_map(|message| {
            let announcement = xom_protocol::gossip::Announcement::decode(&message.data).ok()?;
            (announcement.header().author == alice.did()).then(|| (announcement.height(), message))
        });
        read.collect()
    };
    let newest = |peer: &Gossiper| from_alice(peer).iter().map(|(height, _)| *height).max();
    let height = wait_until("alice's posts are announced", async || {
        let posts = peers.iter().filter_map(newest).max()?;
        let logs = alice.node().read(|reader| reader.logs()).await.expect("reads");
        logs.iter().any(|view| view.did == alice.did() && view.height == posts).then_some(posts)
    })
    .await;
    // Of those before the newest all has come that will come.
    for before in 0..height {
        let told = |peer: &&Gossiper| from_alice(peer).iter().any(|(at, _)| *at == before);
        let count = peers.iter().filter(told).count();
        assert!(count <= 6, "{count} of 10 were told of {before}");
    }
    for (_, message) in peers.iter().flat_map(from_alice) {
        let Message { from, seqno, signature, key, .. } = message;
        assert_eq!((from, seqno, signature, key), (None, None, None, None));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn gsp_1_whole_nodes_find_each_other_in_a_topic_and_leave_it() {
    let forum = Forum::new(&[]).await;
    let (alice, bob) = (&forum.stage.alice, &forum.stage.bob);
    let carol = Person::with_bootstrap("carol", Over::Quic, vec![alice.listen()]).await;
    let members = [alice.did(), bob.did()];
    for person in [bob, &carol] {
        person.node().join_topic(forum.topic, roster(&members)).await.expect("joins");
    }
    let sees = async |person: &Person, count: usize| {
        let topics = person.node().topics().await.expect("topics");
        topics.first().is_some_and(|view| view.peers.len() == count && view.mesh.len() == count && view.authors == 2)
    };
    wait_until("alice is in a mesh with both", async || {
        let topics = alice.node().topics().await.expect("topics");
        (topics[0].mesh.len() == 2).then_some(())
    })
    .await;
    wait_until("each is in it with alice", async || (sees(bob, 1).await && sees(&carol, 1).await).then_some(())).await;
    assert!(carol.node().leave_topic(forum.topic).await.expect("left"));
    assert!(!carol.node().leave_topic(forum.topic).await.expect("left before"));
    wait_until("alice notices", async || (forum.mesh().await.len() == 1).then_some(())).await;
    assert!(carol.node().topics().await.expect("topics").is_empty());
}
