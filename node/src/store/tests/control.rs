//! What opens the control key, and what does not.

use xom_protocol::keys::SecretKey;
use xom_protocol::phrase::Phrase;
use zeroize::Zeroizing;

use super::*;
use crate::keys::AccessError;

fn words(alice: &Person) -> Phrase {
    let text = std::fs::read_to_string(alice.path().join("identities/alice/phrase")).unwrap();
    Phrase::parse(&text).unwrap()
}

async fn open(alice: &Person, access: &ControlAccess) -> Result<SecretKey, AccessError> {
    match alice.store.control_key(&alice.me.did, access).await {
        Ok(key) => Ok(key),
        Err(CommandError::Access(error)) => Err(error),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn the_words_and_the_kept_key_open_the_same_control_key() {
    let alice = Person::new("alice");
    let kept = open(&alice, &ControlAccess::Kept).await.unwrap();
    let derived = open(&alice, &ControlAccess::Words(words(&alice))).await.unwrap();
    assert_eq!(kept.public(), derived.public());
    assert!(alice.record(&alice.me.did).state().control.keys.contains(&kept.public().device_id()));
}

#[tokio::test]
async fn words_of_another_identity_open_nothing() {
    let (alice, bob) = (Person::new("alice"), Phrase::from_entropy(&[9; 32]).unwrap());
    assert_eq!(open(&alice, &ControlAccess::Words(bob)).await.unwrap_err(), AccessError::OtherWords);
}

#[tokio::test]
async fn a_passphrase_opens_nothing_where_nothing_is_sealed() {
    let alice = Person::new("alice");
    let access = ControlAccess::Passphrase(Zeroizing::new("correct horse".to_owned()));
    assert_eq!(open(&alice, &access).await.unwrap_err(), AccessError::NotSealed);
}

#[test]
fn nothing_that_opens_a_key_shows_in_debug() {
    let phrase = Phrase::from_entropy(&[7; 32]).unwrap();
    let key = ControlKey::new(phrase.control_key(0));
    let shown = format!(
        "{:?} {:?} {key:?}",
        ControlAccess::Passphrase(Zeroizing::new("correct horse".to_owned())),
        ControlAccess::Words(phrase),
    );
    assert_eq!(shown, "Passphrase(hidden) Words(hidden) ControlKey(hidden)");
}
