//! Private settings that clients put (PAIR-8, PAIR-9), and the records of the client API.

use std::collections::BTreeMap;

use xom_protocol::identity::{DeviceEnd, compose};
use xom_protocol::limits::{SETTING_CHANGES_MAX, SETTING_VALUE_BYTES_MAX, SETTINGS_MAX};
use xom_protocol::sync::Setting;

use super::*;
use crate::Reader;

fn changes(pairs: &[(&str, &str)]) -> BTreeMap<String, Vec<u8>> {
    pairs.iter().map(|(key, value)| ((*key).to_owned(), value.as_bytes().to_vec())).collect()
}

fn reader(person: &Person) -> Reader {
    Reader::new(person.store.snapshot().unwrap()).unwrap()
}

fn found(person: &Person, prefix: &str) -> Vec<(String, Vec<u8>)> {
    reader(person).settings(&person.me.did, prefix).unwrap()
}

#[tokio::test]
async fn pair_8_settings_are_put_found_by_prefix_and_deleted_and_survive_a_restart() {
    let alice = Person::new("alice");
    let put = changes(&[("bookmark/a", "1"), ("bookmark/b", "2"), ("bookmarks", "not one"), ("list/a", "3")]);
    alice.store.put_settings(alice.me.did, put).await.unwrap();
    alice.store.put_settings(alice.me.did, changes(&[("bookmark/a", ""), ("never", "")])).await.unwrap();
    let alice = alice.restart().await;
    assert_eq!(found(&alice, "bookmark/"), [("bookmark/b".to_owned(), b"2".to_vec())]);
    assert_eq!(found(&alice, "").len(), 3);
    let snapshot = alice.store.snapshot().unwrap();
    assert_eq!(reader(&alice).setting(&alice.me.did, "list/a").unwrap().as_deref(), Some(&b"3"[..]));
    assert_eq!(reader(&alice).setting(&alice.me.did, "bookmark/a").unwrap(), None);
    let told = snapshot.settings(&alice.me.did).unwrap();
    assert!(
        told.iter().any(|setting| setting.key == "bookmark/a" && setting.rev == 2),
        "siblings hear of the deletion"
    );
    assert!(told.iter().all(|setting| setting.key != "never"));
}

#[tokio::test]
async fn pair_8_settings_beyond_their_bounds_are_refused_and_none_of_the_change_is_kept() {
    let alice = Person::new("alice");
    let long = BTreeMap::from([("a".to_owned(), vec![1]), ("b".to_owned(), vec![1; SETTING_VALUE_BYTES_MAX + 1])]);
    let refused = alice.store.put_settings(alice.me.did, long).await;
    assert!(matches!(refused, Err(CommandError::Refused(_))));
    let most: BTreeMap<_, _> = (0..SETTINGS_MAX).map(|index| (format!("key/{index}"), vec![1])).collect();
    alice.store.put_settings(alice.me.did, most).await.unwrap();
    let more = alice.store.put_settings(alice.me.did, changes(&[("one more", "1")])).await;
    assert!(matches!(more, Err(CommandError::Refused(_))));
    alice.store.put_settings(alice.me.did, changes(&[("key/7", "changed")])).await.unwrap();
    assert_eq!(found(&alice, "").len(), SETTINGS_MAX);
    let told = Setting { key: "another".to_owned(), rev: 1, value: vec![1] };
    alice.store.take_settings(alice.me.did, vec![told]).await.unwrap();
    assert_eq!(found(&alice, "").len(), SETTINGS_MAX, "nor does a sibling bring more");
}

#[tokio::test]
async fn pair_8_deleted_settings_make_room_for_new_ones() {
    let alice = Person::new("alice");
    let did = alice.me.did;
    let all = |value: &str| -> BTreeMap<String, Vec<u8>> {
        (0..SETTINGS_MAX).map(|index| (format!("bookmark/{index}"), value.as_bytes().to_vec())).collect()
    };
    alice.store.put_settings(did, all("1")).await.unwrap();
    alice.store.put_settings(did, all("")).await.unwrap();
    alice.store.put_settings(did, changes(&[("mute/x", "1")])).await.unwrap();
    assert_eq!(found(&alice, "").len(), 1);
    let told = Setting { key: "mute/y".to_owned(), rev: 1, value: vec![1] };
    let many = (0..SETTINGS_MAX / 8).map(|index| Setting { key: format!("list/{index}"), ..told.clone() });
    alice.store.take_settings(did, many.collect()).await.unwrap();
    assert_eq!(found(&alice, "").len(), 1 + SETTINGS_MAX / 8, "what a sibling tells finds room too");
    let rows = alice.store.snapshot().unwrap().settings(&did).unwrap().len();
    assert!(rows <= SETTINGS_MAX, "{rows}");
}

#[tokio::test]
async fn records_change_in_one_transaction_and_survive_a_restart() {
    let alice = Person::new("alice");
    let put = alice.store.records(|records| {
        records.put("code", b"a", b"1")?;
        records.put("code", b"ab", b"2")?;
        records.put("codes", b"a", b"other family")
    });
    put.await.unwrap();
    let alice = alice.restart().await;
    // A code is used once, however many ask at the same time.
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..16 {
        let store = alice.store.clone();
        tasks.spawn(async move { store.records(|records| records.remove("code", b"a")).await.unwrap() });
    }
    let used: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(used, [b"1".to_vec()]);
    let snapshot = alice.store.snapshot().unwrap();
    assert_eq!(snapshot.record_of_client("code", b"a").unwrap(), None);
    assert_eq!(snapshot.records_of_client("code", b"", 9).unwrap(), [(b"ab".to_vec(), b"2".to_vec())]);
    let failed = alice.store.records(|records| {
        records.put("code", b"lost", b"1")?;
        Err::<(), _>(StoreError::Stopping)
    });
    failed.await.unwrap_err();
    let snapshot = alice.store.snapshot().unwrap();
    assert_eq!(snapshot.record_of_client("code", b"lost").unwrap(), None, "a change that fails leaves nothing");
}

#[tokio::test]
async fn pair_9_a_setting_that_a_thief_has_used_up_is_set_again_once_the_thief_is_removed() {
    let alice = Person::new("alice");
    let did = alice.me.did;
    let told = |rev| Setting { key: "mute/x".to_owned(), rev, value: b"by a thief".to_vec() };
    let beyond = told(SETTING_CHANGES_MAX);
    let early = alice.store.take_settings(did, vec![beyond.clone()]).await.unwrap();
    assert_eq!((early, found(&alice, "mute/")), (vec![beyond.clone()], Vec::new()), "no operation allows it");
    assert!(alice.store.take_settings(did, vec![told(SETTING_CHANGES_MAX - 1)]).await.unwrap().is_empty());
    let used_up = alice.store.put_settings(did, changes(&[("mute/x", "mine")])).await;
    assert!(matches!(used_up, Err(CommandError::Refused(_))));

    let thief = SecretKey::from_seed(&[77; 32]).unwrap();
    let grant = compose::grant(Network::MAIN, did, &alice.key(), &thief).unwrap();
    alice.store.insert_identity(did, vec![grant.encode()]).await.unwrap();
    let end = DeviceEnd { device: thief.public().device_id(), heads: Vec::new(), stands: Vec::new() };
    let (control, place) = (alice.control_key().await, alice.record(&did).state().place());
    let removal = compose::device_remove(&place, end, &[control.secret()]).unwrap();
    alice.store.insert_identity(did, vec![removal.encode()]).await.unwrap();
    assert!(alice.store.take_settings(did, vec![told(SETTING_CHANGES_MAX - 1)]).await.unwrap().is_empty());
    alice.store.put_settings(did, changes(&[("mute/x", "mine")])).await.unwrap();
    assert_eq!(found(&alice, "mute/"), [("mute/x".to_owned(), b"mine".to_vec())]);
    let rev = alice.store.snapshot().unwrap().settings(&did).unwrap()[0].rev;
    assert_eq!(rev, SETTING_CHANGES_MAX + 1);
    assert!(alice.store.take_settings(did, vec![beyond]).await.unwrap().is_empty(), "a sibling may say so now");
    assert_eq!(found(&alice, "mute/"), [("mute/x".to_owned(), b"mine".to_vec())]);
}

#[tokio::test]
async fn favourites_of_a_folder_that_an_older_version_wrote_are_found_again() {
    let alice = Person::new("alice");
    let mut statuses = Vec::new();
    for words in ["one", "two"] {
        statuses.push(alice.post(words).await);
    }
    for status in &statuses {
        alice.say(Command::Favourite(*status)).await.unwrap();
    }
    let favourites = |person: &Person| -> Vec<_> {
        let reader = crate::Reader::new(person.store.snapshot().unwrap()).unwrap();
        let page = crate::model::Page { limit: 10, ..Default::default() };
        reader.favourites(&person.me.did, &page).unwrap().into_iter().map(|(_, status)| status.id).collect()
    };
    let newest_first = [statuses[1], statuses[0]];
    assert_eq!(favourites(&alice), newest_first);
    {
        let database = alice.store.shared.database().unwrap();
        let txn = database.begin_write().unwrap();
        txn.delete_table(crate::views::tables::FAVOURITES).unwrap();
        txn.commit().unwrap();
    }
    let alice = alice.restart().await;
    assert_eq!(favourites(&alice), newest_first);
}
