//! A folder whose device key signs nothing any more gets a new one where it is: by another device, or by the words.

use xom_node::error::CommandError;
use xom_node::recovery::{Stage, Wish};
use xom_node::{AdoptError, ControlAccess, JoinError};
use xom_protocol::phrase::Phrase;

use super::removal::knows_its_end;
use super::{device_of, has_all};
use crate::harness::{Over, Person, wait_until};
use crate::recovery::machine::{is_done, until};

/// Waits until nothing is signed here any more since the folder is an old copy.
async fn is_behind(person: &Person) {
    let stopped = async || matches!(person.try_post("too late").await, Err(CommandError::Behind)).then_some(());
    wait_until("nothing is signed any more", stopped).await;
}

/// A folder of this person as it was before they said "two", which `reader` has; theirs is not running.
async fn old_copy(person: &mut Person, reader: &Person) -> Person {
    person.post("one").await;
    has_all(reader, person.did(), &["one"]).await;
    person.stop().await;
    let old = person.copy();
    person.start().await;
    person.post("two").await;
    has_all(reader, person.did(), &["one", "two"]).await;
    person.stop().await;
    old
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_2_a_folder_that_is_behind_gets_a_new_device_key_by_the_words_where_it_is_and_goes_on() {
    let (mut alice, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    bob.follow(alice.invite().await).await;
    let mut old = old_copy(&mut alice, &bob).await;
    let words: Phrase = old.words();
    old.start().await;
    is_behind(&old).await;
    let before = device_of(&old).await;
    let wish = Wish { did: old.did(), username: None, guardians: false, from: vec![bob.listen()] };
    let mut recovering = old.node().recover(wish).await.expect("begins");
    let Stage::Done { device, others, .. } = until(&mut recovering, Some(&words), is_done).await else {
        panic!("done is done")
    };
    assert_eq!((device, others), (device_of(&old).await, vec![before]));
    wait_until("bob was told", async || (recovering.told().expect("reads") > 0).then_some(())).await;
    recovering.forget().expect("forgets");
    old.post("three").await;
    old.stop().await;
    old.start().await;
    old.post("four").await;
    for person in [&old, &bob] {
        has_all(person, old.did(), &["one", "two", "three", "four"]).await;
    }
    assert!(old.node().status().await.expect("status").warnings.iter().all(|warning| !warning.contains("new device")));
}

#[tokio::test(flavor = "multi_thread")]
async fn r_frk_2_a_folder_that_is_behind_is_paired_anew_where_it_is_and_goes_on() {
    let (phone, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    bob.follow(phone.invite().await).await;
    let mut laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    let mut old = old_copy(&mut laptop, &phone).await;
    old.start().await;
    is_behind(&old).await;
    let before = device_of(&old).await;
    old.join(&phone).await.expect("joins");
    assert_ne!(device_of(&old).await, before);
    old.post("three").await;
    old.stop().await;
    old.start().await;
    old.post("four").await;
    for person in [&old, &phone, &bob] {
        has_all(person, phone.did(), &["one", "two", "three", "four"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_device_is_paired_anew_where_it_is_and_a_live_one_is_not() {
    let phone = Person::new("alice", Over::Tcp).await;
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    let live = laptop.join(&phone).await;
    assert!(matches!(live, Err(JoinError::Adopt(AdoptError::IdentityTaken(_)))), "{live:?}");
    laptop.post("before").await;
    has_all(&phone, phone.did(), &["before"]).await;
    let device = device_of(&laptop).await;
    phone.node().end_device(phone.did(), device, &ControlAccess::Kept, false).await.expect("ended");
    knows_its_end(&laptop).await;
    laptop.join(&phone).await.expect("joins");
    laptop.post("after").await;
    for person in [&phone, &laptop] {
        has_all(person, phone.did(), &["before", "after"]).await;
    }
}
