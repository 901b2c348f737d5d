//! Wishes to be kept, and what holders state (`KEEP-7`, `KEEP-8`).

use xom_protocol::keep::{Decision, HeldLog, Holding, SignedHolding};
use xom_protocol::{DeviceId, Digest};

use super::*;
use crate::keep::{AskedState, Policy, Terms};

/// A day, milliseconds.
const DAY_MS: u64 = 86_400_000;

fn stranger(number: u16) -> Did {
    let mut bytes = [7; 32];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    Did(bytes)
}

async fn wish(at: &Person, author: Did) -> Decision {
    at.store.decide_keep(author, Terms::default()).await.unwrap()
}

fn waiting(at: &Person) -> Vec<Did> {
    at.store.snapshot().unwrap().wishes().unwrap().into_iter().map(|wish| wish.did).collect()
}

async fn state(at: &Person, holder: Did, device: u8, height: u64) {
    let (author, log) = (at.me.did, at.me.log);
    let head = at.store.snapshot().unwrap().hash_at(&log, height - 1).unwrap().unwrap();
    let logs = vec![HeldLog { log, height, head }];
    let (device, question) = (DeviceId([device; 32]), Digest([2; 32]));
    let holding = Holding { holder, device, author, question, bytes: 1, quota_bytes: 0, until_ms: 0, logs };
    at.store.take_holding(SignedHolding::sign(Network::MAIN, holding, &at.key())).await.unwrap();
}

/// A holder states another branch with one of its devices.
async fn state_as_device(at: &Person, holder: Did, number: u16) {
    let key = SecretKey::from_seed(&Digest::of(&[&number.to_be_bytes()]).0).unwrap();
    let (author, device, question) = (at.me.did, key.public().device_id(), Digest([2; 32]));
    let logs = vec![HeldLog { log: at.me.log, height: 1, head: Digest([1; 32]) }];
    let holding = Holding { holder, device, author, question, bytes: 1, quota_bytes: 0, until_ms: 0, logs };
    at.store.take_holding(SignedHolding::sign(Network::MAIN, holding, &key)).await.unwrap();
}

#[tokio::test]
async fn keep_7_sixty_four_wishes_wait_and_who_is_followed_finds_room_among_strangers() {
    let (alice, carol) = (Person::new("alice"), Person::new("carol"));
    for number in 0..70 {
        assert_eq!(wish(&carol, stranger(number)).await, Decision::Waits);
    }
    assert_eq!(waiting(&carol).len(), 64);
    assert_eq!(wish(&carol, alice.me.did).await, Decision::Waits);
    assert!(!waiting(&carol).contains(&alice.me.did), "a stranger like all others");
    carol.say(Command::Follow(alice.me.did)).await.unwrap();
    wish(&carol, alice.me.did).await;
    assert!(waiting(&carol).len() == 64 && waiting(&carol).contains(&alice.me.did));
    // Nobody waits for ever.
    carol.wait(31 * DAY_MS);
    assert_eq!(waiting(&carol), []);
    wish(&carol, stranger(500)).await;
    assert_eq!(waiting(&carol), [stranger(500)]);
}

#[tokio::test]
async fn keep_7_the_policy_decides_and_the_owners_own_keeps_stay_as_they_are() {
    let (alice, carol) = (Person::new("alice"), Person::new("carol"));
    let own = Terms::new(9_000_000, DAY_MS).unwrap();
    carol.store.keep(alice.me.did, own, true, false).await.unwrap();
    assert_eq!(wish(&carol, alice.me.did).await, Decision::Kept);
    let quota = |did: Did| carol.store.keeps().get(&did).map(|row| row.quota_bytes);
    assert_eq!(quota(alice.me.did), Some(9_000_000));

    let most = Terms::new(15_000_000_000, 5 * DAY_MS).unwrap();
    let allow = move |policy: &mut Policy| policy.allow.extend([(stranger(1), most), (stranger(2), most)]);
    carol.store.change_policy(allow).await.unwrap();
    assert_eq!(wish(&carol, stranger(1)).await, Decision::Kept);
    assert_eq!(quota(stranger(1)), Some(2_000_000_000), "no more than was wished");
    carol.store.change_policy(|policy| policy.total_bytes = 3_000_000_000).await.unwrap();
    assert_eq!(wish(&carol, stranger(2)).await, Decision::Waits, "all together have no more room");
    assert_eq!(wish(&carol, stranger(1)).await, Decision::Kept, "what was granted is renewed");

    let deny = move |policy: &mut Policy| policy.deny.extend([stranger(1), alice.me.did]);
    carol.store.change_policy(deny).await.unwrap();
    assert_eq!(carol.store.settle_wish(stranger(1)).await.unwrap(), None);
    assert_eq!(quota(stranger(1)), None, "what was granted ends");
    carol.store.settle_wish(alice.me.did).await.unwrap();
    assert_eq!(quota(alice.me.did), Some(9_000_000), "what the owner did himself does not");
}

#[tokio::test]
async fn keep_7_a_policy_that_cannot_be_read_grants_nothing_and_the_owner_is_told() {
    let carol = Person::new("carol");
    std::fs::write(carol.path().join("keep-policy.json"), "{").unwrap();
    assert_eq!(wish(&carol, stranger(1)).await, Decision::Waits);
    let warnings = carol.store.snapshot().unwrap().wish_warnings().unwrap();
    assert!(warnings.iter().any(|warning| warning.contains("keep-policy.json")), "{warnings:?}");
    assert!(matches!(carol.store.change_policy(|_| {}).await, Err(CommandError::Policy(_))));
}

#[tokio::test]
async fn keep_8_a_copy_is_live_for_two_days_and_behind_where_it_is_shorter() {
    let alice = Person::new("alice");
    alice.post("one").await;
    let height = alice.position(&alice.me.log).height;
    state(&alice, stranger(1), 1, height).await;
    state(&alice, stranger(2), 2, height - 1).await;
    state(&alice, alice.me.did, 3, height).await;
    let log = || alice.store.snapshot().unwrap().holders(&alice.me.did).unwrap().logs[0];
    assert_eq!((log().copies, log().behind), (2, 1), "own devices apart");
    alice.wait(DAY_MS);
    state(&alice, stranger(2), 2, height).await;
    assert_eq!((log().copies, log().behind), (2, 0));
    alice.wait(DAY_MS);
    assert_eq!((log().copies, log().behind), (1, 0));
    assert_eq!(alice.store.snapshot().unwrap().holders(&alice.me.did).unwrap().holders.len(), 3);
}

#[tokio::test]
async fn keep_8_another_branch_is_no_copy() {
    let alice = Person::new("alice");
    alice.post("one").await;
    let height = alice.position(&alice.me.log).height;
    let log = alice.me.log;
    let logs = vec![HeldLog { log, height, head: Digest([1; 32]) }];
    let (author, holder, device, question) = (alice.me.did, stranger(1), DeviceId([1; 32]), Digest([2; 32]));
    let holding = Holding { holder, device, author, question, bytes: 1, quota_bytes: 0, until_ms: 0, logs };
    alice.store.take_holding(SignedHolding::sign(Network::MAIN, holding, &alice.key())).await.unwrap();
    let report = alice.store.snapshot().unwrap().holders(&author).unwrap();
    assert_eq!((report.logs[0].copies, report.holders.len()), (0, 1));
}

#[tokio::test]
async fn keep_8_many_holders_push_out_nobody_who_was_asked_to_keep() {
    let alice = Person::new("alice");
    alice.post("one").await;
    let asked = stranger(0);
    alice.store.ask_keeper(alice.me.did, asked, Terms::default()).await.unwrap();
    alice.store.note_decision(alice.me.did, asked, Decision::Kept).await.unwrap();
    state(&alice, asked, 255, 1).await;
    for number in 1..300 {
        state_as_device(&alice, stranger(number), number).await;
    }
    let report = alice.store.snapshot().unwrap().holders(&alice.me.did).unwrap();
    assert_eq!(report.holders.len(), 256);
    assert!(report.holders.iter().any(|holder| holder.did == asked));
    assert_eq!((report.asked.len(), report.asked[0].state), (1, AskedState::Kept));
    assert!(alice.store.forget_keeper(alice.me.did, asked).await.unwrap());
    assert!(alice.store.snapshot().unwrap().holders(&alice.me.did).unwrap().asked.is_empty());
}

#[tokio::test]
async fn keep_8_a_keeper_who_was_asked_and_states_with_ever_new_devices_takes_no_more_room_than_others() {
    let alice = Person::new("alice");
    alice.post("one").await;
    let asked = stranger(0);
    alice.store.ask_keeper(alice.me.did, asked, Terms::default()).await.unwrap();
    for number in 1..300 {
        state_as_device(&alice, asked, number).await;
    }
    assert_eq!(alice.store.snapshot().unwrap().holders(&alice.me.did).unwrap().holders.len(), 256);
}
