//! Erasure receipts between nodes: who answers, to whom it comes, and what the author knows of copies.

use xom_node::command::Command;
use xom_node::model::{CopiesReport, CopyCounts, StatusId};
use xom_node::{CommandError, ControlAccess};
use xom_protocol::EntryId;

use crate::harness::{Over, Person, wait_until};

async fn report(author: &Person, entry: EntryId) -> CopiesReport {
    author.node().read(move |reader| reader.copies(&entry)).await.expect("reads").expect("is held")
}

/// Waits until so many copies are known, purged, hidden and silent, and others have answered.
async fn counts(author: &Person, entry: EntryId, wanted: [u64; 5]) -> CopyCounts {
    let found = async || {
        let found = report(author, entry).await.counts();
        let now = [found.known, found.purged, found.hidden, found.silent, found.others];
        (now == wanted).then_some(found)
    };
    wait_until(&format!("{wanted:?} known, purged, hidden, silent, others"), found).await
}

/// A post that all of these hold.
async fn post_held_by(author: &Person, text: &str, followers: &[&Person]) -> (StatusId, EntryId) {
    let done = author.post(text).await;
    for follower in followers {
        let has = async || follower.posts_of(author.did()).await.contains(&text.to_owned()).then_some(());
        wait_until("the post arrives", has).await;
    }
    (done.status.expect("a status"), done.entry.expect("an entry"))
}

async fn erase(author: &Person, status: StatusId, at_once: bool) {
    let now = match at_once {
        true => Some(author.node().control_key(author.did(), ControlAccess::Kept).await.expect("the kept key")),
        false => None,
    };
    author.command(Command::Erase { status, now }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_answer_an_erasure_with_hidden_and_a_purge_with_purged() {
    let (alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let carol = Person::new("carol", Over::Tcp).await;
    bob.follow(alice.invite().await).await;
    carol.follow(alice.invite().await).await;
    let (status, hidden) = post_held_by(&alice, "to be hidden", &[&bob, &carol]).await;
    counts(&alice, hidden, [2, 0, 0, 2, 0]).await;
    erase(&alice, status, false).await;
    counts(&alice, hidden, [2, 0, 2, 0, 0]).await;
    let (status, purged) = post_held_by(&alice, "to be purged", &[&bob, &carol]).await;
    counts(&alice, purged, [2, 0, 0, 2, 0]).await;
    erase(&alice, status, true).await;
    counts(&alice, purged, [2, 2, 0, 0, 0]).await;
    let named = report(&alice, purged).await.copies.into_iter().map(|copy| copy.holder);
    let mut named: Vec<_> = named.collect();
    named.sort_unstable();
    let mut holders = vec![bob.did(), carol.did()];
    holders.sort_unstable();
    assert_eq!(named, holders);
    // Nobody but the author learns of it (`RCP-4`).
    for other in [&bob, &carol] {
        assert_eq!(report(other, purged).await.copies, []);
        assert_eq!(other.node().status().await.expect("status").refusals, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_offline_answers_when_it_is_back() {
    let (alice, mut bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    bob.follow(alice.invite().await).await;
    let (status, entry) = post_held_by(&alice, "a secret", &[&bob]).await;
    counts(&alice, entry, [1, 0, 0, 1, 0]).await;
    bob.stop().await;
    erase(&alice, status, true).await;
    let found = counts(&alice, entry, [1, 0, 0, 1, 0]).await;
    assert!(found.silent_since_ms.is_some_and(|ms| ms > 1_600_000_000_000), "when bob was last heard of");
    bob.start().await;
    counts(&alice, entry, [1, 1, 0, 0, 0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rcp_4_who_has_the_log_from_a_follower_answers_through_that_follower() {
    let (mut alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    bob.follow(alice.invite().await).await;
    let (status, entry) = post_held_by(&alice, "a secret", &[&bob]).await;
    counts(&alice, entry, [1, 0, 0, 1, 0]).await;
    alice.stop().await;
    let carol = Person::with_bootstrap("carol", Over::Tcp, vec![bob.listen()]).await;
    carol.follow(alice.did().to_string()).await;
    let has = async || carol.posts_of(alice.did()).await.contains(&"a secret".to_owned()).then_some(());
    wait_until("carol has it from bob", has).await;
    alice.start().await;
    erase(&alice, status, true).await;
    // Nobody knew of carol's copy before she answered.
    counts(&alice, entry, [1, 1, 0, 0, 1]).await;
    let others = report(&alice, entry).await;
    assert!(others.copies.iter().any(|copy| copy.holder == carol.did() && !copy.known));
    assert_eq!(bob.node().status().await.expect("status").refusals, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn rcp_2_a_follower_who_never_had_the_body_answers_nothing() {
    let (alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let (status, entry) = post_held_by(&alice, "gone before bob came", &[]).await;
    erase(&alice, status, true).await;
    bob.follow(alice.invite().await).await;
    let (status, later) = post_held_by(&alice, "seen", &[&bob]).await;
    counts(&alice, later, [1, 0, 0, 1, 0]).await;
    erase(&alice, status, true).await;
    counts(&alice, later, [1, 1, 0, 0, 0]).await;
    counts(&alice, entry, [0, 0, 0, 0, 0]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn receipts_come_to_an_identity_that_was_retired_meanwhile_and_it_signs_nothing_more() {
    // RCP-4
    let (mut alice, mut bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    bob.follow(alice.invite().await).await;
    let (status, entry) = post_held_by(&alice, "a secret", &[&bob]).await;
    counts(&alice, entry, [1, 0, 0, 1, 0]).await;
    bob.stop().await;
    erase(&alice, status, true).await;
    alice.node().retire(alice.did(), ControlAccess::Kept).await.expect("retires");
    let refused = alice.try_post("still here?").await;
    assert!(matches!(refused, Err(CommandError::Retired)), "{refused:?}");
    alice.stop().await;
    alice.start().await;
    bob.start().await;
    counts(&alice, entry, [1, 1, 0, 0, 0]).await;
    for person in [&alice, &bob] {
        assert_eq!(person.node().status().await.expect("status").refusals, []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rcp_6_a_copy_is_known_though_the_erase_follows_the_post_before_anybody_has_acknowledged_it() {
    let (alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    bob.follow(alice.invite().await).await;
    // From here on everything is pushed to bob at once.
    let (_, first) = post_held_by(&alice, "held", &[&bob]).await;
    counts(&alice, first, [1, 0, 0, 1, 0]).await;
    let mut erased = Vec::new();
    for number in 0..12 {
        let done = alice.post(&format!("regretted at once, {number}")).await;
        erase(&alice, done.status.expect("a status"), number % 2 == 0).await;
        erased.push((done.entry.expect("an entry"), number % 2 == 0));
    }
    for (entry, purged) in erased {
        let wanted = if purged { [1, 1, 0, 0, 0] } else { [1, 0, 1, 0, 0] };
        counts(&alice, entry, wanted).await;
    }
    counts(&alice, first, [1, 0, 0, 1, 0]).await;
}
