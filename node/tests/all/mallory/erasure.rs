//! Bodies that were purged, and a mallory who kept them.

use xom_node::ControlAccess;
use xom_node::command::Command;
use xom_protocol::body::{Body, Erase};
use xom_protocol::entry::SignedEntry;
use xom_protocol::log::Position;
use xom_protocol::sync::message::{Message, Range};
use xom_protocol::{Digest, LogId};

use super::persona::Persona;
use super::{Line, Peer, Stage, Wares, holds, log_view};
use crate::harness::{Over, Person, wait_until};

async fn bodies(person: &Person, log: LogId, height: u64) -> Vec<SignedEntry> {
    let mut peer = Peer::dial(person).await;
    let mut line = Line::open(&mut peer, Wares::default().wish(log)).await;
    line.fetch(log, height).await
}

/// Bob posts and erases; mallory has kept all of bob's log as it was before. Gives what he kept and the
/// place of the post.
async fn erased(stage: &mut Stage) -> (LogId, Vec<SignedEntry>, u64) {
    let done = stage.bob.post("a secret").await;
    let status = done.status.expect("a status");
    let locals = stage.bob.node().read(|reader| reader.local_identities()).await.expect("reads");
    let log = locals[0].log;
    let height = log_view(&stage.bob, log).await.expect("bob's log").height;
    stage.holds(log, height).await;
    let kept = bodies(&stage.alice, log, height).await;
    let at = height - 1;
    assert!(kept.last().is_some_and(|entry| entry.body.is_some()), "alice serves what is live");
    let now = stage.bob.node().control_key(stage.bob.did(), ControlAccess::Kept).await.expect("the kept key");
    stage.bob.command(Command::Erase { status, now: Some(now) }).await;
    stage.holds(log, height + 1).await;
    (log, kept, at)
}

async fn is_purged(person: &Person, log: LogId, at: u64) {
    let entries = bodies(person, log, at + 2).await;
    let index = usize::try_from(at).expect("short");
    assert_eq!(entries[index].body, None);
    assert!(entries[index + 1].body.is_some(), "the erase itself is served");
}

/// Mallory claims to hold more of a log than there is, and answers what alice asks with entries from `from` on.
async fn answer(
    stage: &mut Stage,
    log: LogId,
    height: u64,
    asked: impl Fn(&Message) -> Option<u64>,
    from: u64,
    entries: &[SignedEntry],
) -> (Peer, Line) {
    let mut peer = stage.peer().await;
    let line = Line::greet(&mut peer, Wares::default()).await;
    let id = line.salter.log(&log);
    line.offer(vec![id]).await;
    line.claim(log, Position { height, head: Some(Digest([1; 32])) }).await;
    let request = line.heard("alice asks", asked).await;
    line.say(Message::Range(Range { request, from, end: true, entries: entries.to_vec() })).await;
    (peer, line)
}

#[tokio::test(flavor = "multi_thread")]
async fn r_syn_9_a_purged_body_that_mallory_kept_does_not_come_back() {
    let mut stage = Stage::new(Over::Tcp).await;
    let (log, kept, at) = erased(&mut stage).await;
    is_purged(&stage.alice, log, at).await;
    let index = usize::try_from(at).expect("short");
    // Pushed.
    let mut peer = stage.peer().await;
    let mut line = Line::open(&mut peer, Wares::default().log(log, Position::EMPTY, Vec::new())).await;
    line.fetch(log, at + 2).await;
    line.push(log, at, kept[index..].to_vec()).await;
    line.acknowledged().await;
    is_purged(&stage.alice, log, at).await;
    // As the answer to a request for what comes after it.
    let asked = |message: &Message| match message {
        Message::RangeRequest { request, .. } => Some(*request),
        _ => None,
    };
    let (_peer, line) = answer(&mut stage, log, at + 9, asked, at, &kept[index..]).await;
    stage.refused("SYN-10", 1).await;
    line.closed_by("SYN-10").await;
    is_purged(&stage.alice, log, at).await;
    // As the proof of a fork, with bodies.
    let asked = |message: &Message| match message {
        Message::ForkRequest { request, .. } => Some(*request),
        _ => None,
    };
    let _mallory = answer(&mut stage, log, at + 2, asked, at, &kept[index..]).await;
    stage.refused("SYN-13", 1).await;
    is_purged(&stage.alice, log, at).await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_whose_purge_is_known_before_it_comes_is_not_kept() {
    let mut stage = Stage::new(Over::Quic).await;
    let mut persona = Persona::new("two devices");
    let mut phone = persona.chain();
    phone.post("hello");
    let target = phone.post("a secret");
    let mut pc = persona.second_device();
    pc.write(&Body::Erase(Erase { target, purge: Some(persona.purge(&target)) }));
    // First the log with the erase alone, then the one with the body.
    let (_peer, line) = stage.served(&persona, &pc, 1).await;
    line.restock(Wares::default().identity(&persona).chain(&pc).chain(&phone)).await;
    stage.holds(phone.log(), 2).await;
    assert_eq!(stage.shown(persona.did()).await, ["hello"]);
    let entries = bodies(&stage.alice, phone.log(), 2).await;
    assert_eq!(entries[1].body, None);
    // Carol, who gets both from alice, never sees it.
    let carol = Person::with_bootstrap("carol", Over::Quic, vec![stage.alice.listen()]).await;
    carol.follow(persona.did().to_string()).await;
    holds(&carol, phone.log(), 2).await;
    wait_until("the rest comes", async || (carol.posts_of(persona.did()).await == ["hello"]).then_some(())).await;
    stage.goes_on().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_whom_mallory_serves_the_purged_body_with_the_log_keeps_none_of_it() {
    let mut stage = Stage::new(Over::Tcp).await;
    let (log, mut kept, at) = erased(&mut stage).await;
    kept.extend(bodies(&stage.bob, log, at + 2).await.pop());
    let bob = stage.bob.did();
    let objects = {
        let mut peer = Peer::dial(&stage.bob).await;
        Line::objects_of(&mut peer, bob).await
    };
    let carol = Person::new("carol", Over::Tcp).await;
    carol.follow(bob.to_string()).await;
    let mut peer = Peer::dial(&carol).await;
    let head = kept.last().map(super::line::hash);
    let position = Position { height: at + 2, head };
    let wares = Wares::default().objects(bob, Digest([7; 32]), objects).log(log, position, kept);
    let _line = Line::open(&mut peer, wares).await;
    holds(&carol, log, at + 2).await;
    let index = usize::try_from(at).expect("short");
    assert_eq!(bodies(&carol, log, at + 2).await[index].body, None);
    assert_eq!(carol.posts_of(bob).await, stage.said);
    stage.goes_on().await;
}
