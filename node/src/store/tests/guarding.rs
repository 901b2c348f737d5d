//! What a guardian's node keeps and when it lets him approve, by its own clock.

use xom_protocol::encoding;
use xom_protocol::identity::{Approval, Guardians, RecoveryRequest, compose};
use xom_protocol::keys::SecretKey;
use xom_protocol::limits::{IDENTITY_OBJECT_BYTES_MAX, RECOVERY_DELAY_MS, RECOVERY_REQUESTS_PER_ACCOUNT_MAX};
use xom_protocol::phrase::Phrase;
use xom_protocol::recover::{Ask, code};

use super::Person;
use crate::error::CommandError;
use crate::recovery::{GuardianAct, RecoveryError, RequestState};
use crate::store::ownership::OwnerAct;

/// Alice, guarded by bob alone, whose node knows her.
async fn alice_and_bob() -> (Person, Person) {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let words = std::fs::read_to_string(alice.path().join("identities/alice/phrase")).unwrap();
    let phrase = Phrase::parse(&words).unwrap();
    let guardians = Guardians::of([3; 32], &[bob.me.did], 1).unwrap();
    let act = OwnerAct::Rotate { phrase, guardians: Some(Some(guardians)) };
    alice.store.own(alice.me.did, act).await.unwrap();
    bob.fetch(&alice).await;
    (alice, bob)
}

/// A machine's request, with the new words and the new device.
fn request(alice: &Person, seed: u8) -> (RecoveryRequest, Phrase, SecretKey) {
    let (phrase, device) = (Phrase::from_entropy(&[seed; 32]).unwrap(), SecretKey::from_seed(&[seed; 32]).unwrap());
    let place = alice.record(&alice.me.did).state().place();
    let renewal = phrase.renewal(place.epoch + 1, place.guardians.clone(), &[&device]);
    (RecoveryRequest::start(&place, renewal), phrase, device)
}

fn ask(alice: &Person, request: &RecoveryRequest) -> Ask {
    let objects = alice.record(&alice.me.did).objects().iter().map(|object| object.encode()).collect();
    Ask { request: request.encode(), objects }
}

async fn approve(bob: &Person, request: &RecoveryRequest) -> Result<GuardianAct, CommandError> {
    bob.store.approve_recovery(bob.me.did, code(&request.encode()), bob.control_key().await).await
}

#[tokio::test]
async fn the_second_approval_takes_the_whole_delay_by_the_guardians_clock_over_a_restart() {
    // REC-5, R-SIG-10
    let (alice, bob) = alice_and_bob().await;
    let (asked, phrase, device) = request(&alice, 7);
    let answer = bob.store.hear_recovery(ask(&alice, &asked), || true).await.unwrap();
    assert_eq!(answer, xom_protocol::recover::Answer::default(), "nobody has acted");
    assert_eq!(approve(&bob, &asked).await.unwrap(), GuardianAct::StartApproved);
    let answer = bob.store.hear_recovery(ask(&alice, &asked), || true).await.unwrap();
    let approval: Approval = encoding::decode(&answer.start[0], IDENTITY_OBJECT_BYTES_MAX).unwrap();
    let place = alice.record(&alice.me.did).state().place();
    let control = phrase.control_key(place.epoch + 1);
    let brought = phrase.renewal(place.epoch + 1, place.guardians, &[&device]).control;
    let network = bob.store.network();
    let start = compose::recover(network, &asked, vec![approval], &brought, &[&control, &device]).unwrap();
    bob.store.insert_identity(alice.me.did, vec![start.encode()]).await.unwrap();

    let early = approve(&bob, &asked).await;
    assert!(matches!(early, Err(CommandError::Recovery(RecoveryError::NotYet { .. }))), "{early:?}");
    let answer = bob.store.hear_recovery(ask(&alice, &asked), || true).await.unwrap();
    assert_eq!(answer.wait_secs, RECOVERY_DELAY_MS / 1_000);
    bob.wait(RECOVERY_DELAY_MS - 60_000);
    let bob = bob.restart().await;
    let early = approve(&bob, &asked).await;
    assert!(matches!(early, Err(CommandError::Recovery(RecoveryError::NotYet { secs: 1..=60 }))), "{early:?}");
    bob.wait(60_000);
    assert_eq!(approve(&bob, &asked).await.unwrap(), GuardianAct::FinishApproved);
    let answer = bob.store.hear_recovery(ask(&alice, &asked), || true).await.unwrap();
    assert_eq!((answer.wait_secs, answer.finish.len()), (0, 1));
}

#[tokio::test]
async fn a_guardian_approves_one_start_at_a_place_and_another_only_after_he_has_refused_it() {
    // ID-16
    let (alice, bob) = alice_and_bob().await;
    let ((first, _, _), (second, _, _)) = (request(&alice, 1), request(&alice, 2));
    for asked in [&first, &second] {
        bob.store.hear_recovery(ask(&alice, asked), || true).await.unwrap();
    }
    assert_eq!(approve(&bob, &first).await.unwrap(), GuardianAct::StartApproved);
    let bob = bob.restart().await;
    let refused = approve(&bob, &second).await;
    let of_first = code(&first.encode());
    assert!(
        matches!(&refused, Err(CommandError::Recovery(RecoveryError::AnotherApproved { code })) if *code == of_first),
        "{refused:?}"
    );
    assert_eq!(bob.store.hear_recovery(ask(&alice, &second), || true).await.unwrap().start.len(), 0);
    bob.store.refuse_recovery(bob.me.did, of_first).await.unwrap();
    assert_eq!(approve(&bob, &second).await.unwrap(), GuardianAct::StartApproved);
    let refused = approve(&bob, &first).await;
    assert!(matches!(refused, Err(CommandError::Recovery(RecoveryError::AnotherApproved { .. }))), "{refused:?}");
    // At another place he is asked anew.
    let words = std::fs::read_to_string(alice.path().join("identities/alice/phrase")).unwrap();
    let act = OwnerAct::Rotate { phrase: Phrase::parse(&words).unwrap(), guardians: None };
    alice.store.own(alice.me.did, act).await.unwrap();
    bob.fetch(&alice).await;
    let (third, _, _) = request(&alice, 3);
    bob.store.hear_recovery(ask(&alice, &third), || true).await.unwrap();
    assert_eq!(approve(&bob, &third).await.unwrap(), GuardianAct::StartApproved);
}

#[tokio::test]
async fn a_flood_of_requests_costs_little_and_never_pushes_out_what_a_guardian_has_approved() {
    // REC-3
    let (alice, bob) = alice_and_bob().await;
    let (first, _, _) = request(&alice, 1);
    bob.store.hear_recovery(ask(&alice, &first), || true).await.unwrap();
    approve(&bob, &first).await.unwrap();
    for seed in 2..40 {
        bob.store.hear_recovery(ask(&alice, &request(&alice, seed).0), || true).await.unwrap();
    }
    let kept = bob.store.snapshot().unwrap().recovery_requests().unwrap();
    assert_eq!(kept.len(), RECOVERY_REQUESTS_PER_ACCOUNT_MAX + 1);
    let approved = kept.iter().find(|request| request.code == code(&first.encode())).unwrap();
    assert_eq!(approved.state, RequestState::StartApproved);
    assert!(kept.iter().any(|kept| kept.code == code(&request(&alice, 39).0.encode())), "the newest is kept");
    let garbage = Ask { request: vec![0xa0], objects: Vec::new() };
    assert_eq!(bob.store.hear_recovery(garbage, || true).await.unwrap(), xom_protocol::recover::Answer::default());
}

#[tokio::test]
async fn rec_1_an_identity_that_was_never_heard_of_is_stored_only_where_the_budget_of_strangers_lets_it() {
    let (alice, bob) = alice_and_bob().await;
    let carol = Person::new("carol");
    let mut asked = ask(&alice, &request(&alice, 7).0);
    asked.objects.clear();
    let never = || panic!("alice is no stranger to bob");
    bob.store.hear_recovery(asked.clone(), never).await.unwrap();
    assert_eq!(bob.store.snapshot().unwrap().recovery_requests().unwrap().len(), 1);

    // Whoever makes identities up can name any guardian.
    let words = std::fs::read_to_string(carol.path().join("identities/carol/phrase")).unwrap();
    let guardians = Guardians::of([3; 32], &[bob.me.did], 1).unwrap();
    let act = OwnerAct::Rotate { phrase: Phrase::parse(&words).unwrap(), guardians: Some(Some(guardians)) };
    carol.store.own(carol.me.did, act).await.unwrap();
    let made_up = ask(&carol, &request(&carol, 8).0);
    let before = bob.store.snapshot().unwrap().identity_count().unwrap();
    bob.store.hear_recovery(made_up.clone(), || false).await.unwrap();
    let count = || bob.store.snapshot().unwrap().identity_count().unwrap();
    assert_eq!((count(), bob.store.snapshot().unwrap().recovery_requests().unwrap().len()), (before, 1));
    bob.store.hear_recovery(made_up, || true).await.unwrap();
    assert_eq!((count(), bob.store.snapshot().unwrap().recovery_requests().unwrap().len()), (before + 1, 2));
}
