//! Forks: both branches are validly signed, and the proof is kept.

use xom_node::model::StatusContent;
use xom_protocol::body::{Body, Reaction};

use super::persona::{Chain, Persona};
use super::{Stage, Wares};
use crate::harness::{Over, text, wait_until};

/// Two logs that agree in their first two posts, each with one post more.
fn fork(persona: &Persona) -> (Chain, Chain) {
    let mut first = persona.chain();
    first.post("one");
    first.post("two");
    let mut second = first.clone();
    first.post("three");
    second.post("another three");
    (first, second)
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_1_of_a_fork_the_proof_is_kept_the_log_is_disputed_and_others_are_not_affected() {
    let mut stage = Stage::new(Over::Tcp).await;
    let persona = Persona::new("forker");
    let (first, second) = fork(&persona);
    let (_peer, line) = stage.served(&persona, &first, 3).await;
    line.restock(Wares::default().identity(&persona).chain(&second)).await;
    stage.refused("LOG-13", 1).await;
    let disputed = async || stage.holds(first.log(), 3).await.disputed.then_some(());
    wait_until("the log is disputed", disputed).await;
    stage.goes_on().await;
    let statuses = stage.alice.statuses_of(persona.did()).await;
    let shown: Vec<_> = statuses.iter().map(|status| (text(status).expect("a post"), status.disputed)).collect();
    assert_eq!(shown, [("one".to_owned(), false), ("two".to_owned(), false), ("three".to_owned(), true)]);
    let bobs = stage.alice.statuses_of(stage.bob.did()).await;
    assert!(bobs.iter().all(|status| !status.disputed));
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_9_a_second_entry_at_one_place_never_takes_the_place_of_the_first() {
    let mut stage = Stage::new(Over::Quic).await;
    let persona = Persona::new("quiet forker");
    let (first, mut second) = fork(&persona);
    second.post("four");
    let (_peer, mut line) = stage.served(&persona, &first, 3).await;
    // The other branch is longer, and comes live.
    line.restock(Wares::default().identity(&persona).chain(&second)).await;
    line.push(second.log(), 2, second.entries[2..].to_vec()).await;
    line.acknowledged().await;
    stage.refused("LOG-13", 1).await;
    stage.goes_on().await;
    let view = stage.holds(first.log(), 3).await;
    assert_eq!(view.head, first.position().head);
    assert!(view.disputed);
    assert_eq!(stage.shown(persona.did()).await, ["one", "two", "three"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disputed_branch_enters_no_count_until_it_is_settled() {
    let mut stage = Stage::new(Over::Tcp).await;
    let target = stage.alice.statuses_of(stage.bob.did()).await.remove(0).reference;
    let mut persona = Persona::new("double voter");
    let (mut first, mut second) = fork(&persona);
    second.post("another four");
    first.write(&Body::Reaction(Reaction { target, rev: 1, emoji: Reaction::FAVOURITE.to_owned() }));
    let (_peer, line) = stage.served(&persona, &first, 4).await;
    assert_eq!(likes(&stage).await, 1);
    line.restock(Wares::default().identity(&persona).chain(&second)).await;
    wait_until("the like does not count", async || (likes(&stage).await == 0).then_some(())).await;
    stage.alice.node().rebuild_views().await.expect("rebuilt");
    assert_eq!(likes(&stage).await, 0);
    stage.goes_on().await;
    persona.settle(&first);
    line.restock(Wares::default().identity(&persona).chain(&first)).await;
    wait_until("the like counts again", async || (likes(&stage).await == 1).then_some(())).await;
    assert!(!stage.holds(first.log(), 4).await.disputed);
    stage.goes_on().await;
}

/// Likes of bob's first post, as alice counts them.
async fn likes(stage: &Stage) -> u64 {
    match stage.alice.statuses_of(stage.bob.did()).await.remove(0).content {
        StatusContent::Post(post) => post.reactions,
        StatusContent::Repost(_) => panic!("bob reposts nothing"),
    }
}
