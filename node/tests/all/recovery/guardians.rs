//! Guardians bring an identity back: twice by hand, after their own delay, and its devices can object.

use std::time::Duration;

use xom_node::command::Command;
use xom_node::recovery::{GuardianAct, RecoveryError, RequestState, Stage};
use xom_node::{CommandError, ControlAccess};

use super::machine::{Machine, PATIENCE, code_at, is_done, until};
use crate::harness::{Over, Person, wait_until, wait_until_within};

/// The delay of guardians in these tests.
const DELAY: Duration = Duration::from_secs(3);

/// Alice, and her guardians bob, carol and dan, of whom two are enough.
async fn guarded() -> (Person, [Person; 3]) {
    let alice = Person::with_delay("alice", Over::Tcp, Vec::new(), DELAY).await;
    let invite = alice.invite().await;
    let mut guardians = Vec::new();
    for name in ["bob", "carol", "dan"] {
        let guardian = Person::with_delay(name, Over::Tcp, Vec::new(), DELAY).await;
        guardian.follow(invite.clone()).await;
        guardians.push(guardian);
    }
    let guardians: [Person; 3] = guardians.try_into().unwrap_or_else(|_| panic!("three"));
    let dids = guardians.iter().map(Person::did).collect();
    alice.node().set_guardians(alice.did(), dids, 2, alice.words(), None).await.expect("names guardians");
    alice.post("hello").await;
    for guardian in &guardians {
        guardian.has_posts(alice.did(), &["hello".to_owned()]).await;
        let did = alice.did();
        wait_until("the guardians are known", async || guardian.node().guardians(did).await.ok().flatten()).await;
    }
    (alice, guardians)
}

async fn approve(guardian: &Person, code: &str) -> Result<GuardianAct, CommandError> {
    guardian.node().approve_recovery(guardian.did(), code.to_owned(), ControlAccess::Kept).await
}

/// Waits until the request has started at a guardian.
async fn started_at(guardian: &Person, code: &str) {
    wait_until("the start is at the guardian", async || {
        let requests = guardian.node().recovery_requests().await.ok()?;
        let request = requests.into_iter().find(|request| request.code == code)?;
        matches!(request.state, RequestState::Started { .. }).then_some(())
    })
    .await;
}

/// Approves the finish as soon as the delay allows it.
async fn finish(guardian: &Person, code: &str) {
    wait_until_within("the second approval", PATIENCE, async || match approve(guardian, code).await {
        Ok(act) => (act == GuardianAct::FinishApproved).then_some(()),
        Err(CommandError::Recovery(RecoveryError::NotYet { .. })) => None,
        Err(other) => panic!("{other}"),
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_of_three_guardians_bring_an_account_back_after_the_delay_over_restarts_of_everybody() {
    // REC-2, REC-3, REC-4, REC-5, REC-6
    let (mut alice, [mut bob, carol, dan]) = guarded().await;
    let (did, old_words) = (alice.did(), alice.words());
    alice.stop().await;
    let mut machine = Machine::new().await;
    let mut recovering = machine.recover(did, true, &[&bob, &carol, &dan]).await;
    let stage = until(&mut recovering, None, |stage| matches!(stage, Stage::Asking { .. })).await;
    let Stage::Asking { code, approved: 0, need: 2, refused: false } = stage else { panic!("{stage:?}") };
    assert_eq!(code_at(&bob).await, code);

    // Nobody can be approved by another code, and the second approval needs the start.
    let refused = approve(&bob, "aaaa-bbbb-cccc-dddd").await;
    assert!(matches!(refused, Err(CommandError::Recovery(RecoveryError::NoRequest))), "{refused:?}");
    assert_eq!(approve(&bob, &code).await.expect("approves"), GuardianAct::StartApproved);
    let refused = approve(&bob, &code).await;
    assert!(matches!(refused, Err(CommandError::Recovery(RecoveryError::NotStarted))), "{refused:?}");
    bob.stop().await;
    bob.start().await;
    code_at(&carol).await;
    assert_eq!(approve(&carol, &code).await.expect("approves"), GuardianAct::StartApproved);

    drop(recovering);
    machine.stop().await;
    machine.start().await;
    let mut recovering = machine.node().recovering().await.expect("reads").expect("was begun");
    let waiting = |stage: &Stage| matches!(stage, Stage::Waiting { .. });
    let Stage::Waiting { code: same, .. } = until(&mut recovering, None, waiting).await else { panic!("waits") };
    assert_eq!(same, code, "the request stays the same over a restart");
    for guardian in [&bob, &carol] {
        started_at(guardian, &code).await;
    }
    let early = approve(&carol, &code).await;
    assert!(matches!(early, Err(CommandError::Recovery(RecoveryError::NotYet { .. }))), "{early:?}");
    bob.stop().await;
    bob.start().await;
    for guardian in [&bob, &carol] {
        finish(guardian, &code).await;
    }
    let stage = until(&mut recovering, None, is_done).await;
    let Stage::Done { username, .. } = stage else { panic!("done is done") };
    assert_eq!(username, "alice");
    recovering.forget().expect("forgets");
    assert_eq!(machine.posts_of(did).await, ["hello"]);

    // The DID stays, followers read on, and the new words are there to be confirmed.
    let post = xom_protocol::body::Post { text: "guarded well".into(), ..Default::default() };
    let command = Command::Post { post: Box::new(post), reply_to: None, quote_of: None };
    machine.node().command(did, command).await.expect("posts");
    dan.has_posts(did, &["hello".to_owned(), "guarded well".to_owned()]).await;
    machine.node().control_key(did, ControlAccess::Kept).await.expect("the new control key is kept");
    // The words of before would undo the recovery, and with it this device.
    let older = machine.node().rotate(did, old_words, None).await.err();
    assert!(matches!(older, Some(CommandError::Recovery(RecoveryError::OlderWords))), "{older:?}");
    let recovery = dan.node().recovery(did).await.expect("reads").expect("recovered");
    assert!(recovery.finished);
    machine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_of_the_account_sees_the_recovery_postpones_it_once_and_the_owner_stops_it() {
    // REC-5
    let (alice, [bob, carol, dan]) = guarded().await;
    let did = alice.did();
    let machine = Machine::new().await;
    let mut recovering = machine.recover(did, true, &[&bob, &carol, &dan]).await;
    until(&mut recovering, None, |stage| matches!(stage, Stage::Asking { .. })).await;
    let code = code_at(&bob).await;
    approve(&bob, &code).await.expect("approves");
    code_at(&carol).await;
    approve(&carol, &code).await.expect("approves");
    until(&mut recovering, None, |stage| matches!(stage, Stage::Waiting { .. })).await;

    let seen = wait_until("alice sees it", async || alice.node().recovery(did).await.ok().flatten()).await;
    assert_eq!((seen.code.as_str(), seen.postponed, seen.finished), (code.as_str(), false, false));
    let warned = alice.node().status().await.expect("status").warnings;
    assert!(warned.iter().any(|warning| warning.contains("guardians")), "{warned:?}");
    alice.node().postpone_recovery(did).await.expect("postpones");
    let twice = alice.node().postpone_recovery(did).await;
    assert!(matches!(twice, Err(CommandError::Recovery(RecoveryError::Postponed))), "{twice:?}");
    let due = |guardian: &Person| {
        let node = guardian.node();
        async move {
            match node.recovery_requests().await.ok()?.first()?.state {
                RequestState::Started { due_ms } => Some(due_ms),
                _ => None,
            }
        }
    };
    started_at(&bob, &code).await;
    let asked = |stage: &Stage| matches!(stage, Stage::Waiting { postponed: true, .. });
    until(&mut recovering, None, asked).await;
    let once_more = due(&bob).await.expect("started");
    let begun = bob.node().recovery_requests().await.expect("reads")[0].asked_ms;
    assert!(once_more >= begun + 2 * 3_000, "twice the delay: {once_more} {begun}");

    alice.node().cancel_recovery(did, ControlAccess::Kept).await.expect("stops it");
    wait_until("bob sees that it is over", async || {
        let requests = bob.node().recovery_requests().await.ok()?;
        (requests.first()?.state == RequestState::Over).then_some(())
    })
    .await;
    let refused = approve(&bob, &code).await;
    assert!(matches!(refused, Err(CommandError::Recovery(RecoveryError::Over))), "{refused:?}");
    let over = wait_until("the machine hears of it", async || recovering.step(None).await.err()).await;
    assert!(matches!(over, CommandError::Recovery(RecoveryError::Over)), "{over}");
    alice.post("still me").await;
    dan.has_posts(did, &["hello".to_owned(), "still me".to_owned()]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_answers_alike_whether_or_not_a_guardian_lives_there_and_keeps_nothing_of_strangers() {
    // REC-3
    let (alice, [bob, _carol, _dan]) = guarded().await;
    let eve = Person::with_delay("eve", Over::Tcp, Vec::new(), DELAY).await;
    let machine = Machine::new().await;
    let mut recovering = machine.recover(alice.did(), true, &[&eve, &bob]).await;
    let stage = until(&mut recovering, None, |stage| matches!(stage, Stage::Asking { .. })).await;
    let Stage::Asking { approved: 0, refused: false, .. } = stage else { panic!("{stage:?}") };
    let code = code_at(&bob).await;
    assert!(eve.node().recovery_requests().await.expect("reads").is_empty());
    bob.node().refuse_recovery(bob.did(), code.clone()).await.expect("refuses");
    until(&mut recovering, None, |stage| matches!(stage, Stage::Asking { refused: true, .. })).await;
    let stranger = approve(&eve, &code).await;
    assert!(matches!(stranger, Err(CommandError::Recovery(RecoveryError::NoRequest))), "{stranger:?}");
}
