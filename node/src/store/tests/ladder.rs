//! Named heads far above what is held: which branch they are on is found header by header (`LOG-19`).

use super::forks::{Cast, Device, is_disputed, one_post, row, two_posts};
use super::*;
use crate::store::tables::{LADDERS, LogRow};
use xom_protocol::identity::{DeviceEnd, compose};

/// How far the named head is above the fork.
const DEPTH: u64 = 600;
/// Headers of one answer.
const ANSWER: u64 = 150;

/// How the owner decides.
#[derive(Debug, Clone, Copy)]
enum Decision {
    Settle,
    Remove,
}

/// A fork whose second branch is long.
fn cast() -> Cast {
    let mut cast = Cast::new(two_posts, one_post);
    let record = cast.record.clone();
    let height = 3 + DEPTH;
    cast.branches[1].fill(&record, height);
    cast
}

/// The operation by which the second branch counts.
fn decide(cast: &mut Cast, how: Decision) -> Vec<u8> {
    let Decision::Remove = how else { return cast.settle(1) };
    let branch = &cast.branches[1];
    let device = branch.composer.key.public().device_id();
    let end = DeviceEnd { device, heads: vec![branch.head()], stands: Vec::new() };
    let remove = compose::device_remove(&cast.record.state().place(), end, &[&cast.control]).unwrap();
    cast.record.insert(remove.clone()).unwrap();
    remove.encode()
}

/// A part of what a device wrote, as a run.
fn part(of: &Device, from: usize, to: usize) -> NewRun {
    let mut run = of.run(from);
    run.entries.truncate(to - from);
    run
}

/// Answers what bob seeks from a branch, once; false where the branch does not have it, or nothing is sought.
async fn step_down(bob: &Person, branch: &Device) -> bool {
    let Some((at, hash)) = bob.store.snapshot().unwrap().sought(&branch.log()).unwrap() else { return false };
    let places = (at + 1).saturating_sub(ANSWER)..=at;
    let entry = |seq: u64| branch.entries.get(usize::try_from(seq).unwrap());
    if entry(at).is_none_or(|entry| entry.hash() != hash) {
        return false;
    }
    let steps = places.filter_map(|seq| Some((seq, entry(seq)?.hash()))).collect();
    bob.store.take_ancestors(branch.log(), (at, hash), steps).await.unwrap();
    true
}

/// The same to the end; counts the answers.
async fn go_down(bob: &Person, branch: &Device) -> usize {
    let mut answers = 0;
    while step_down(bob, branch).await {
        answers += 1;
    }
    answers
}

async fn is_sound(bob: &Person) {
    assert_eq!(bob.store.verify().await.unwrap().faults, Vec::<String>::new());
}

/// Bob ends on the named branch, and nothing is sought any more.
async fn ends_on(bob: &Person, branch: &Device) {
    assert_eq!(bob.position(&branch.log()), branch.composer.position);
    assert!(!is_disputed(bob, &branch.log()));
    assert_eq!(bob.store.snapshot().unwrap().sought_logs().unwrap(), []);
    is_sound(bob).await;
}

#[tokio::test]
async fn log_19_the_branch_of_a_head_named_far_above_is_found_in_any_order_and_after_a_restart() {
    for (how, is_first, restarts) in
        [(Decision::Settle, false, false), (Decision::Settle, true, true), (Decision::Remove, false, true)]
    {
        let mut cast = cast();
        let mut bob = Person::new("bob");
        cast.introduce(&bob).await;
        let log = cast.phone();
        bob.store.append(cast.branches[0].run(0)).await.unwrap();
        let decision = decide(&mut cast, how);
        let did = cast.record.did();
        if is_first {
            bob.store.insert_identity(did, vec![decision.clone()]).await.unwrap();
        }
        // Of the other branch he is shown no more than where it parts.
        let forked = bob.store.append(part(&cast.branches[1], 0, cast.parts + 1)).await.unwrap();
        assert!(matches!(forked, Appended::Forked { .. }), "{forked:?}");
        bob.store.insert_identity(did, vec![decision]).await.unwrap();
        assert!(is_disputed(&bob, &log), "{how:?}: the held branch does not show which one is named");
        assert_eq!(bob.texts(&log), ["one", "two", "three"]);
        let mut answers = 0;
        while step_down(&bob, &cast.branches[1]).await {
            answers += 1;
            if restarts {
                bob = bob.restart().await;
            }
        }
        assert_eq!(answers, 5, "four parts of 149 new headers, and the rest");
        assert_eq!(bob.texts(&log), ["one", "two"], "{how:?}: the branch that lost is gone");
        assert!(!is_disputed(&bob, &log));
        assert_eq!(row(&bob, &log).void_from, 3 + DEPTH);
        let lost = bob.store.append(cast.branches[0].run(0)).await.unwrap();
        assert_eq!(lost, Appended::Refused { rule: xom_protocol::Rule("LOG-13") });
        let mut from = 0;
        while bob.position(&log).height < 3 + DEPTH {
            bob.store.append(part(&cast.branches[1], from, (from + 97).min(3 + 600))).await.unwrap();
            from += 97;
            if restarts {
                bob = bob.restart().await;
            }
        }
        ends_on(&bob, &cast.branches[1]).await;
    }
}

#[tokio::test]
async fn log_19_where_the_named_head_is_on_top_of_what_is_held_nothing_gives_way() {
    let mut cast = cast();
    let bob = Person::new("bob");
    cast.introduce(&bob).await;
    bob.store.append(part(&cast.branches[1], 0, 10)).await.unwrap();
    bob.store.append(cast.branches[0].run(0)).await.unwrap();
    let decision = decide(&mut cast, Decision::Settle);
    bob.store.insert_identity(cast.record.did(), vec![decision]).await.unwrap();
    assert!(is_disputed(&bob, &cast.phone()));
    go_down(&bob, &cast.branches[1]).await;
    assert!(!is_disputed(&bob, &cast.phone()));
    assert_eq!(bob.position(&cast.phone()).height, 10);
    bob.store.append(cast.branches[1].run(0)).await.unwrap();
    ends_on(&bob, &cast.branches[1]).await;
}

#[tokio::test]
async fn log_19_what_parts_from_the_named_branch_above_the_fork_goes_from_there_on() {
    let mut cast = cast();
    let (bob, record) = (Person::new("bob"), cast.record.clone());
    cast.introduce(&bob).await;
    let mut third = cast.branches[1].back_to(50);
    third.post("a third branch");
    third.fill(&record, 80);
    bob.store.append(third.run(0)).await.unwrap();
    bob.store.append(cast.branches[0].run(0)).await.unwrap();
    let decision = decide(&mut cast, Decision::Settle);
    bob.store.insert_identity(cast.record.did(), vec![decision]).await.unwrap();
    go_down(&bob, &cast.branches[1]).await;
    assert_eq!(bob.position(&cast.phone()).height, 50);
    assert!(!is_disputed(&bob, &cast.phone()));
    let again = bob.store.append(third.run(0)).await.unwrap();
    assert_eq!(again, Appended::Refused { rule: xom_protocol::Rule("LOG-13") }, "it never comes back");
    bob.store.compare_branch(part(&cast.branches[1], 0, 100)).await.unwrap();
    assert_eq!(bob.position(&cast.phone()).height, 50);
    bob.store.append(cast.branches[1].run(0)).await.unwrap();
    ends_on(&bob, &cast.branches[1]).await;
}

#[tokio::test]
async fn log_19_a_third_branch_is_taken_up_to_the_next_rung_at_most_and_gives_way_for_a_few_headers() {
    let mut cast = cast();
    let (bob, record) = (Person::new("bob"), cast.record.clone());
    cast.introduce(&bob).await;
    bob.store.append(cast.branches[0].run(0)).await.unwrap();
    bob.store.append(part(&cast.branches[1], 0, cast.parts + 1)).await.unwrap();
    let decision = decide(&mut cast, Decision::Settle);
    bob.store.insert_identity(record.did(), vec![decision]).await.unwrap();
    go_down(&bob, &cast.branches[1]).await;
    let mut parts = 20;
    while bob.position(&cast.phone()).height < 3 + DEPTH {
        // The thief is first, again and again, and parts a little further above each time.
        let mut third = cast.branches[1].back_to(parts);
        third.post(&format!("by the thief, at {parts}"));
        third.fill(&record, 3 + DEPTH);
        bob.store.append(third.run(0)).await.unwrap();
        let held = bob.position(&cast.phone()).height;
        assert!(held <= u64::try_from(parts).unwrap() + ANSWER, "at most to the next rung: {held}");
        // An honest peer shows what it has at that place.
        let shown = bob.store.append(part(&cast.branches[1], 0, (parts + 2).min(603))).await.unwrap();
        assert!(!matches!(shown, Appended::Refused { .. }), "who is right is not to blame: {shown:?}");
        assert!(go_down(&bob, &cast.branches[1]).await <= 2, "the way down begins at the next rung");
        let after = bob.position(&cast.phone()).height;
        assert_eq!(after, u64::try_from(parts).unwrap(), "what the thief signed is gone");
        let again = bob.store.append(third.run(0)).await.unwrap();
        assert_eq!(again, Appended::Refused { rule: xom_protocol::Rule("LOG-13") });
        is_sound(&bob).await;
        parts += 193;
        if parts > 600 {
            bob.store.append(cast.branches[1].run(0)).await.unwrap();
        }
    }
    ends_on(&bob, &cast.branches[1]).await;
}

#[tokio::test]
async fn log_19_headers_for_another_rung_than_is_sought_change_nothing() {
    let mut cast = cast();
    let bob = Person::new("bob");
    cast.introduce(&bob).await;
    bob.store.append(cast.branches[0].run(0)).await.unwrap();
    bob.store.append(part(&cast.branches[1], 0, cast.parts + 1)).await.unwrap();
    let (decision, log) = (decide(&mut cast, Decision::Settle), cast.phone());
    let steps: Vec<_> = (0..).zip(cast.branches[1].entries.iter().map(VerifiedEntry::hash)).take(100).collect();
    bob.store.take_ancestors(log, steps[99], steps.clone()).await.unwrap();
    assert_eq!(bob.store.snapshot().unwrap().sought(&log).unwrap(), None, "nobody has named a head");
    bob.store.insert_identity(cast.record.did(), vec![decision]).await.unwrap();
    let sought = bob.store.snapshot().unwrap().sought(&log).unwrap();
    let head = cast.branches[1].head();
    assert_eq!(sought, Some((head.height - 1, head.head)));
    bob.store.take_ancestors(log, steps[99], steps.clone()).await.unwrap();
    bob.store.take_ancestors(log, sought.unwrap(), Vec::new()).await.unwrap();
    assert_eq!(bob.store.snapshot().unwrap().sought(&log).unwrap(), sought);
    assert_eq!(bob.texts(&log), ["one", "two", "three"]);
    // Another word of the owner, for what is held: then nothing is sought.
    let settle = compose::settle(&cast.record.state().place(), vec![cast.branches[0].head()], &[&cast.control]);
    bob.store.insert_identity(cast.record.did(), vec![settle.unwrap().encode()]).await.unwrap();
    let stands = bob.store.snapshot().unwrap().sought(&log).unwrap();
    assert_eq!(stands, sought, "the greatest head that was named is the one (ID-8)");
}

#[tokio::test]
async fn log_19_a_folder_in_which_no_way_down_is_kept_seeks_it_again() {
    let mut cast = cast();
    let bob = Person::new("bob");
    cast.introduce(&bob).await;
    bob.store.append(cast.branches[0].run(0)).await.unwrap();
    bob.store.append(part(&cast.branches[1], 0, cast.parts + 1)).await.unwrap();
    let decision = decide(&mut cast, Decision::Settle);
    bob.store.insert_identity(cast.record.did(), vec![decision]).await.unwrap();
    let (sought, log) = (bob.store.snapshot().unwrap().sought(&cast.phone()).unwrap(), cast.phone());
    assert!(sought.is_some());
    let bob = without_ladders(bob).await;
    assert_eq!(bob.store.snapshot().unwrap().sought(&log).unwrap(), sought);
    go_down(&bob, &cast.branches[1]).await;
    bob.store.append(part(&cast.branches[1], 0, 100)).await.unwrap();
    let bob = without_ladders(bob).await;
    assert_eq!(bob.store.snapshot().unwrap().sought(&log).unwrap(), sought);
    assert_eq!(go_down(&bob, &cast.branches[1]).await, 4);
    assert_ne!(row(&bob, &log).void_from, LogRow::NONE);
    bob.store.append(cast.branches[1].run(0)).await.unwrap();
    ends_on(&bob, &cast.branches[1]).await;
}

/// Starts again in a folder as a version before this one left it.
async fn without_ladders(person: Person) -> Person {
    {
        let database = person.store.shared.database().unwrap();
        let txn = database.begin_write().unwrap();
        txn.delete_table(LADDERS).unwrap();
        txn.commit().unwrap();
    }
    person.restart().await
}
