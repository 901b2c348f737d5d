//! What nobody holds is named as lost.

use xom_protocol::Digest;
use xom_protocol::body::LogHead;
use xom_protocol::identity::{DeviceEnd, compose};

use super::Person;
use crate::model::{Missing, MissingLog};

#[tokio::test]
async fn what_control_keys_accepted_and_nobody_holds_is_named_as_lost() {
    // ID-7
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.post("held by bob").await;
    bob.fetch(&alice).await;
    let missing = || bob.store.snapshot().unwrap().missing(&alice.me.did).unwrap();
    assert_eq!(missing(), Missing::default());
    let held = bob.position(&alice.me.log).height;
    let head = LogHead { log: alice.me.log, height: held + 3, head: Digest([7; 32]) };
    let end = DeviceEnd { device: alice.me.device, heads: vec![head], stands: Vec::new() };
    let place = alice.record(&alice.me.did).state().place();
    let removal = compose::device_remove(&place, end, &[alice.control_key().await.secret()]).unwrap();
    bob.store.insert_identity(alice.me.did, vec![removal.encode()]).await.unwrap();
    let log = MissingLog { device: Some(alice.me.device), log: alice.me.log, held, named: held + 3 };
    let told = missing();
    assert_eq!(told, Missing { logs: vec![log], blobs: 0 });
    let said = told.sentences("alice");
    assert!(said[0].starts_with(&format!("3 of {} entries", held + 3)), "{said:?}");
}
