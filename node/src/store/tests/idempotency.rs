//! Keys under which a client may ask again.

use super::super::idempotency::KEY_MS_MAX;
use super::*;
use crate::command::IdempotencyKey;

impl Person {
    fn app_key(&self, text: &str) -> IdempotencyKey {
        IdempotencyKey::new(b"an app", self.me.did, text)
    }

    async fn once(&self, key: IdempotencyKey, text: &str) -> Done {
        self.store.command_once(self.me.did, key, post(text)).await.unwrap()
    }
}

#[tokio::test]
async fn r_api_19_a_key_makes_one_post_also_after_a_restart() {
    let alice = Person::new("alice");
    let key = alice.app_key("k");
    assert_eq!(alice.store.snapshot().unwrap().made_under(&key).unwrap(), None);
    let (first, second) = tokio::join!(alice.once(key, "one"), alice.once(key, "one"));
    assert_eq!((first.status, first.known, second.known), (second.status, false, true));
    let alice = alice.restart().await;
    assert_eq!(alice.store.snapshot().unwrap().made_under(&key).unwrap(), first.status);
    assert_eq!(alice.once(key, "another").await.status, first.status);
    assert_eq!(alice.texts(&alice.me.log), ["one"]);
}

#[tokio::test]
async fn r_frk_2_a_post_under_a_key_waits_like_any_other_while_peers_are_asked_for_the_own_heads() {
    // LOG-17
    let alice = Person::new("alice");
    alice.store.hold_signing();
    let mut posting = std::pin::pin!(alice.once(alice.app_key("k"), "one"));
    assert!(futures::poll!(posting.as_mut()).is_pending());
    alice.store.write(|_| Ok(())).await.unwrap();
    assert!(alice.texts(&alice.me.log).is_empty(), "nothing is signed before they have answered");
    alice.store.allow_signing();
    assert!(!posting.await.known);
    assert_eq!(alice.texts(&alice.me.log), ["one"]);
}

#[tokio::test]
async fn keys_of_other_apps_and_identities_are_others() {
    let alice = Person::new("alice");
    let keys = [
        alice.app_key("k"),
        alice.app_key("l"),
        IdempotencyKey::new(b"another app", alice.me.did, "k"),
        IdempotencyKey::new(b"an app", Did([7; 32]), "k"),
        // The parts can't run into one another.
        IdempotencyKey::new(b"an ap", alice.me.did, "pk"),
    ];
    for key in keys {
        assert!(!alice.once(key, "said").await.known);
    }
    assert_eq!(alice.texts(&alice.me.log).len(), keys.len());
}

#[tokio::test]
async fn a_key_is_forgotten_after_an_hour_and_a_refused_command_keeps_none() {
    let alice = Person::new("alice");
    let key = alice.app_key("k");
    let long = post(&"x".repeat(5_001));
    assert!(matches!(alice.store.command_once(alice.me.did, key, long).await, Err(CommandError::Body(_))));
    let first = alice.once(key, "one").await;
    alice.wait(KEY_MS_MAX / 2);
    alice.store.purge_due().await.unwrap();
    assert_eq!(alice.once(key, "one").await.status, first.status);
    alice.wait(KEY_MS_MAX / 2);
    assert_eq!(alice.store.snapshot().unwrap().made_under(&key).unwrap(), None);
    assert!(!alice.once(key, "two").await.known);
    alice.wait(KEY_MS_MAX);
    alice.store.purge_due().await.unwrap();
    let left = alice.store.write(|batch| Ok(redb::ReadableTableMetadata::len(batch.idempotency_keys.open()?)?));
    assert_eq!(left.await.unwrap(), 0);
}
