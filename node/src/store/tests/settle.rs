//! Another identity on a node that runs.

use super::*;
use crate::error::AdoptError;

#[tokio::test]
async fn an_identity_that_is_made_while_the_node_runs_signs_has_its_words_and_is_there_after_a_restart() {
    let alice = Person::new("alice");
    let row = alice.store.settle("minh").await.unwrap();
    assert_ne!(row.did, alice.me.did);
    alice.store.commands(row.did, vec![post("tôi mới đến")]).await.remove(0).unwrap();
    let (words, _) = alice.store.words(row.did).await.unwrap();
    assert_eq!(words.split_whitespace().count(), 24);
    assert_ne!(*words, *alice.store.words(alice.me.did).await.unwrap().0);
    assert!(alice.store.wants().contains(&row.did));

    let alice = alice.restart().await;
    assert!(alice.store.locals().contains(&row));
    alice.store.commands(row.did, vec![post("sau khi khởi động lại")]).await.remove(0).unwrap();
    // The profile with the user name comes first.
    assert_eq!(alice.store.snapshot().unwrap().position(&row.log).unwrap().height, 3);
}

#[tokio::test]
async fn a_name_that_is_taken_or_is_none_makes_no_identity() {
    let alice = Person::new("alice");
    assert!(matches!(alice.store.settle("alice").await, Err(AdoptError::UsernameTaken)));
    for bad in ["", "Minh", "m inh", "../x", &"x".repeat(31)] {
        assert!(matches!(alice.store.settle(bad).await, Err(AdoptError::Username)), "{bad}");
    }
    assert_eq!(alice.store.locals().len(), 1);
}
