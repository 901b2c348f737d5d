//! R-FRK-8: the owner decides for a branch whose head is far above the fork, and a follower holds the other one,
//! which is short (`LOG-19`).

use xom_protocol::entry::Kind;
use xom_protocol::limits::FORK_TRIES_MAX;
use xom_protocol::log::Position;
use xom_protocol::sync::message::Message;

use super::partition::{branches, posts, show, shown, stands};
use super::persona::{Chain, Persona, now_ms};
use super::{Line, Stage, Wares};
use crate::harness::{Over, Person, is_long, wait_until};

/// Two branches, of which the second is long.
fn cast(name: &str, depth: u64) -> (Persona, [Chain; 2]) {
    let persona = Persona::new(name);
    let [first, mut second] = branches(&persona, &["one", "two"]);
    second.fill("second", 3 + depth);
    (persona, [first, second])
}

/// Alice holds the short branch; carol holds the long one, and that it counts.
async fn parted(name: &str, depth: u64) -> (Stage, Person, Persona, [Chain; 2]) {
    let stage = Stage::new(Over::Tcp).await;
    let (mut persona, [first, second]) = cast(name, depth);
    drop(show(&stage.alice, &persona, &first).await);
    let carol = Person::new("carol", Over::Tcp).await;
    let (peer, line) = show(&carol, &persona, &second).await;
    persona.settle(&second);
    line.restock(Wares::default().identity(&persona).chain(&second)).await;
    knows(&carol, &persona).await;
    drop((peer, line));
    (stage, carol, persona, [first, second])
}

/// Waits until somebody knows what the owner decided.
async fn knows(person: &Person, persona: &Persona) {
    let (digest, did) = (persona.record.digest(), persona.did());
    wait_until("the decision is known", async || {
        let history = person.node().read(move |reader| reader.identity_history(&did)).await;
        history.ok().flatten().filter(|history| history.record.digest() == digest).map(drop)
    })
    .await;
}

/// Alice has come to the branch that counts, and it is whole.
async fn ends_on(stage: &mut Stage, persona: &Persona, branch: &Chain) {
    stands(&stage.alice, branch, false).await;
    // All of it came with its bodies.
    assert_eq!(shown(&stage.alice, persona).await, posts(&["one", "two"], "another branch", false));
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_8_a_follower_on_the_short_branch_comes_to_the_one_whose_head_is_named_300_entries_above() {
    let (mut stage, carol, persona, [_, second]) = parted("three hundred", 300).await;
    stage.alice.follow(carol.invite().await).await;
    ends_on(&mut stage, &persona, &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_8_a_follower_on_the_short_branch_comes_to_the_one_whose_head_is_named_thousands_of_entries_above() {
    let depth = if is_long() { 5_000 } else { 1_500 };
    let (mut stage, carol, persona, [_, second]) = parted("thousands", depth).await;
    stage.alice.follow(carol.invite().await).await;
    ends_on(&mut stage, &persona, &second).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_8_a_named_head_is_sought_after_a_restart_whether_it_or_the_branch_was_heard_of_first() {
    for is_named_first in [true, false] {
        let name = if is_named_first { "named first" } else { "forked first" };
        let (mut stage, mut carol, persona, [first, second]) = parted(name, 400).await;
        let mut peer = stage.peer().await;
        let mut wares = Wares::default().chain(&second.back_to(4));
        if is_named_first {
            // Somebody who has only the short branch tells what the owner decided.
            wares = Wares::default().identity(&persona).chain(&first);
        }
        let line = Line::open(&mut peer, wares).await;
        if is_named_first {
            knows(&stage.alice, &persona).await;
            stands(&stage.alice, &first, false).await;
        } else {
            stands(&stage.alice, &first, true).await;
        }
        drop((peer, line));
        stage.alice.stop().await;
        stage.alice.start().await;
        stage.alice.follow(carol.invite().await).await;
        // Carol goes away and comes back in the middle of it.
        carol.stop().await;
        carol.start().await;
        ends_on(&mut stage, &persona, &second).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_8_who_serves_a_third_branch_or_nothing_of_a_named_head_costs_little_and_holds_nobody_up() {
    let (mut stage, carol, persona, [first, second]) = parted("a third", 700).await;
    let mut third = first.back_to(2);
    third.post("a third branch");
    third.fill("third", 900);
    let mut lines = Vec::new();
    for wares in [
        Wares::default().identity(&persona).chain(&third),
        Wares::default().identity(&persona).log(second.log(), second.position(), second.entries[..3].to_vec()),
    ] {
        let mut peer = stage.peer().await;
        let line = Line::open(&mut peer, wares).await;
        line.heard("the way down is asked for", |message| is_search(message).then_some(())).await;
        lines.push((peer, line));
    }
    stage.alice.follow(carol.invite().await).await;
    ends_on(&mut stage, &persona, &second).await;
    for (_, line) in &lines {
        let asked = line.count(is_search);
        assert!(asked <= usize::try_from(FORK_TRIES_MAX).expect("few"), "asked {asked} times");
    }
    assert_eq!(stage.shown(persona.did()).await, ["one", "two", "another branch"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn log_19_headers_that_do_not_lead_down_from_the_named_head_are_refused_by_that_rule() {
    let (mut stage, carol, persona, [_, second]) = parted("false way", 300).await;
    // He has the right header at the top, and beneath it what he likes.
    let mut entries = second.back_to(100).entries;
    let mut other = second.back_to(100);
    other.write_raw(Kind::from_name("example.other").expect("a name"), b"other", now_ms());
    other.fill("other", second.position().height - 1);
    entries.extend(other.entries[100..].iter().cloned());
    entries.push(second.entries.last().expect("long").clone());
    let Position { height, head } = second.position();
    let mut peer = stage.peer().await;
    let wares = Wares::default().identity(&persona).log(second.log(), Position { height, head }, entries);
    let line = Line::open(&mut peer, wares).await;
    stage.refused("LOG-19", 1).await;
    stage.alice.follow(carol.invite().await).await;
    ends_on(&mut stage, &persona, &second).await;
    drop((peer, line));
}

fn is_search(message: &Message) -> bool {
    matches!(message, Message::AncestorsRequest { .. })
}
