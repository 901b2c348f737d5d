//! Floods and storms: what bounds them, and that nobody else waits.

use xom_protocol::Digest;
use xom_protocol::limits::{ANNOUNCEMENT_OF_AUTHOR_EACH_MS, ANNOUNCEMENTS_OF_AUTHOR_MAX};

use super::{Forum, Frame, Message, Persona, announced};
use crate::harness::wait_until;

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_2_one_author_who_says_ever_more_is_passed_on_now_and_then() {
    let mut forum = Forum::new(&["carol", "dora"]).await;
    let (reader, mut mallory) = (forum.peer().await, forum.peer().await);
    let flood: Vec<Vec<u8>> = (0..200).map(|number| forum.says(0, &format!("post {number}"))).collect();
    for announcement in &flood {
        mallory.publish(forum.topic, announcement.clone()).await;
    }
    let other = forum.says(1, "second");
    mallory.publish(forum.topic, other.clone()).await;
    reader.hears(&other).await;
    let passed = flood.iter().filter(|announcement| reader.has_heard(announcement)).count() as u64;
    let elapsed = u64::try_from(reader.began.elapsed().as_millis()).expect("short");
    assert!(passed <= ANNOUNCEMENTS_OF_AUTHOR_MAX + elapsed / ANNOUNCEMENT_OF_AUTHOR_EACH_MS + 1, "{passed} passed");
    forum.stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_2_a_flood_of_fresh_identities_is_dropped_and_its_sender_let_go() {
    let mut forum = Forum::new(&["carol"]).await;
    let (reader, mut honest, mut mallory) = (forum.peer().await, forum.peer().await, forum.peer().await);
    // Valid ones, of ever other identities: the signature of each is right.
    let fresh = |number: usize| {
        let mut chain = Persona::new(&format!("fresh {number}")).chain();
        chain.post("buy");
        announced(chain.last())
    };
    let flood: Vec<Vec<u8>> = (0..100).map(fresh).collect();
    for number in 0..10_000 {
        let mut data = flood[number % flood.len()].clone();
        // Beyond the first hundred only the form is right: mallory saves himself the signing.
        let last = data.len() - 1 - number / flood.len() % 60;
        data[last] ^= u8::try_from(number / flood.len()).expect("a hundred");
        mallory.publish(forum.topic, data).await;
    }
    forum.stage.refused("GSP-6", 2_048).await;
    let alice = &forum.stage.alice;
    wait_until("mallory is let go", async || {
        let bans = alice.node().bans().await.expect("bans");
        bans.iter().any(|ban| ban.peer == mallory.peer.id.to_string() && ban.reason.contains("GSP-6")).then_some(())
    })
    .await;
    let right = forum.says(0, "second");
    honest.publish(forum.topic, right.clone()).await;
    reader.hears(&right).await;
    assert_eq!(reader.messages().len(), 1, "nothing of the flood");
    forum.stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_3_ids_without_end_grafts_prunes_and_topics_cost_little() {
    let mut forum = Forum::new(&["carol"]).await;
    let (reader, mut honest, mut mallory) = (forum.peer().await, forum.peer().await, forum.peer().await);
    let topic = forum.topic.to_string();
    // 20,000 ids that nobody has.
    for round in 0..100_u64 {
        let id = |number: u64| Digest::of(&[&round.to_be_bytes(), &number.to_be_bytes()]).0.to_vec();
        let ihave = vec![(topic.clone(), (0..200).map(id).collect())];
        mallory.say(Frame { ihave, ..Frame::default() }).await;
    }
    // Names of topics, right ones and wrong ones, and far too many in one frame.
    for round in 0..100_u64 {
        let name = |number: u64| Digest::of(&[&round.to_be_bytes(), &number.to_be_bytes()]).to_string();
        let names = (0..60).map(|number| (true, name(number).repeat(usize::from(number % 2 == 0) + 1)));
        mallory.say(Frame { subscriptions: names.collect(), ..Frame::default() }).await;
    }
    let many = (0..500).map(|number| (true, format!("{number}"))).collect();
    mallory.say(Frame { subscriptions: many, ..Frame::default() }).await;
    // Grafts and prunes in turn, with a backoff that ends with the world.
    for _ in 0..200 {
        mallory.say(Frame { prune: vec![(topic.clone(), u64::MAX)], ..Frame::default() }).await;
        mallory.say(Frame { graft: vec![topic.clone(), "elsewhere".to_owned()], ..Frame::default() }).await;
    }
    forum.stage.refused("GSP-1", 1).await;
    let right = forum.says(0, "second");
    honest.publish(forum.topic, right.clone()).await;
    reader.hears(&right).await;
    let seconds = usize::try_from(mallory.began.elapsed().as_secs()).expect("short");
    assert!(mallory.asked_for() <= 128 * (seconds + 2), "{} ids are asked for", mallory.asked_for());
    let name = mallory.peer.id.to_string();
    wait_until("mallory has no place", async || (!forum.mesh().await.contains(&name)).then_some(())).await;
    forum.stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_gos_3_a_frame_that_is_too_long_or_never_ends_costs_its_sender_the_stream() {
    let mut forum = Forum::new(&["carol"]).await;
    let (reader, mut honest) = (forum.peer().await, forum.peer().await);
    let (mut long, mut slow) = (forum.peer().await, forum.peer().await);
    let message = Message { data: vec![0; 100_000], topic: forum.topic.to_string(), ..Message::default() };
    long.say(Frame { messages: vec![message], ..Frame::default() }).await;
    // The beginning of a frame, and then silence.
    let frame = Frame { graft: vec![forum.topic.to_string(); 100], ..Frame::default() }.encode();
    let _ = futures::AsyncWriteExt::write_all(&mut slow.stream, &frame[..frame.len() / 2]).await;
    let _ = futures::AsyncWriteExt::flush(&mut slow.stream).await;
    let right = forum.says(0, "second");
    honest.publish(forum.topic, right.clone()).await;
    reader.hears(&right).await;
    forum.stage.goes_on().await;
}
