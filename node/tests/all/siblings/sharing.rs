//! What one device does shows on the other (`PAIR-7`).

use std::collections::BTreeMap;
use std::ops::Range;

use xom_node::command::Command;
use xom_node::model::{NotificationKind, Page, StatusContent};
use xom_protocol::DeviceId;
use xom_protocol::body::{Post, Profile};

use super::{device_of, has_all};
use crate::harness::{Over, Person, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn whom_one_device_follows_the_other_reads_too_and_both_can_undo_it() {
    let (phone, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    bob.post("from bob").await;
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    phone.follow(bob.invite().await).await;
    has_all(&laptop, bob.did(), &["from bob"]).await;
    wait_until("bob is in both homes", async || {
        let both = [phone.home().await, laptop.home().await];
        both.iter().all(|home| home.contains(&"from bob".to_owned())).then_some(())
    })
    .await;
    laptop.command(Command::Unfollow(bob.did())).await;
    wait_until("bob is in no home", async || {
        let both = [phone.home().await, laptop.home().await];
        both.iter().all(|home| !home.contains(&"from bob".to_owned())).then_some(())
    })
    .await;
    phone.command(Command::Follow(bob.did())).await;
    wait_until("bob is back on the laptop", async || {
        laptop.home().await.contains(&"from bob".to_owned()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_like_on_one_device_is_one_on_the_other_which_can_take_it_back() {
    let phone = Person::new("alice", Over::Tcp).await;
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    let own = phone.post("to be liked").await.status.expect("a status");
    has_all(&laptop, phone.did(), &["to be liked"]).await;
    phone.command(Command::Favourite(own)).await;
    let liked = async |person: &Person| {
        let status = person.statuses_of(phone.did()).await.remove(0);
        let likes = match &status.content {
            StatusContent::Post(view) => view.reactions,
            StatusContent::Repost(_) => 0,
        };
        (likes, status.id)
    };
    let there = wait_until("the like has come", async || {
        let (likes, id) = liked(&laptop).await;
        (likes == 1).then_some(id)
    })
    .await;
    laptop.command(Command::Favourite(there)).await;
    assert_eq!(liked(&laptop).await.0, 1);
    laptop.command(Command::Unfavourite(there)).await;
    wait_until("it is taken back on both", async || {
        (liked(&phone).await.0 + liked(&laptop).await.0 == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_newest_profile_of_either_device_stands_on_both() {
    let phone = Person::new("alice", Over::Tcp).await;
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    let name = |name: &str| Command::Profile(Box::new(Profile { name: Some(name.to_owned()), ..Profile::default() }));
    for (person, text) in [(&phone, "Alice"), (&laptop, "Alice L."), (&phone, "A. L.")] {
        person.command(name(text)).await;
        wait_until("both show the name", async || {
            for reader in [&phone, &laptop] {
                let did = phone.did();
                let account = reader.node().read(move |reader| reader.account(&did)).await.expect("reads");
                if account.is_none_or(|account| account.name != text) {
                    return None;
                }
            }
            Some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_that_post_at_once_are_no_fork() {
    let (phone, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    bob.follow(phone.invite().await).await;
    let texts: Vec<String> = (0..40).map(|number| format!("post {number}")).collect();
    for pair in texts.chunks(2) {
        futures::join!(phone.post(&pair[0]), laptop.post(&pair[1]));
    }
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    for person in [&phone, &laptop, &bob] {
        has_all(person, phone.did(), &texts).await;
        assert!(person.node().read(|reader| reader.logs()).await.expect("logs").iter().all(|log| !log.disputed));
        assert_eq!(person.refusals("LOG-13").await, 0);
    }
}

/// A post of 2019, taken over from elsewhere.
fn import(number: u64) -> Command {
    let post = Post {
        text: format!("imported {number}"),
        published: Some(1_560_000_000_000 + number),
        imported_from: Some(format!("https://old.example/{number}")),
        ..Post::default()
    };
    Command::Post { post: Box::new(post), reply_to: None, quote_of: None }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_device_has_imported_is_on_the_other_in_no_home_and_is_not_imported_there_again() {
    let phone = Person::new("alice", Over::Tcp).await;
    phone.command(import(1)).await;
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    phone.command(import(2)).await;
    phone.post("live").await;
    has_all(&laptop, phone.did(), &["imported 1", "imported 2", "live"]).await;
    for person in [&phone, &laptop] {
        assert_eq!(person.home().await, ["live"]);
        assert_eq!(person.posts_of(phone.did()).await, ["imported 1", "imported 2", "live"], "in their old places");
    }
    for number in [1, 2] {
        laptop.command(import(number)).await;
    }
    laptop.command(import(3)).await;
    has_all(&phone, phone.did(), &["imported 1", "imported 2", "imported 3", "live"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_stranger_says_to_one_device_is_a_notification_on_both() {
    let (phone, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    phone.post("hello").await;
    // Bob knows the phone only, and nobody of her devices follows him.
    bob.follow(phone.invite().await).await;
    has_all(&bob, phone.did(), &["hello"]).await;
    let status = bob.statuses_of(phone.did()).await.remove(0).id;
    bob.command(Command::Favourite(status)).await;
    let did = phone.did();
    let kinds = async |person: &Person| {
        let page = Page { limit: 20, ..Page::default() };
        let read = person.node().read(move |reader| reader.notifications(&did, None, &[], None, &page)).await;
        read.expect("reads").into_iter().map(|notification| notification.kind).collect::<Vec<_>>()
    };
    for person in [&phone, &laptop] {
        wait_until("follow and like are told", async || {
            let kinds = kinds(person).await;
            let all = [NotificationKind::Follow, NotificationKind::Favourite];
            all.iter().all(|kind| kinds.contains(kind)).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_devices_are_known_to_siblings_and_to_nobody_else() {
    let (phone, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    bob.follow(phone.invite().await).await;
    let (of_phone, of_laptop) = (device_of(&phone).await, device_of(&laptop).await);
    let name_of = async |person: &Person, device| {
        let devices = person.node().devices(phone.did()).await.expect("devices");
        devices.into_iter().find(|known| known.device == device).and_then(|known| known.name)
    };
    phone.node().name_device(phone.did(), of_phone, "Pocket").await.expect("named");
    wait_until("both know both names", async || {
        for person in [&phone, &laptop] {
            let names = (name_of(person, of_phone).await, name_of(person, of_laptop).await);
            if names != (Some("Pocket".to_owned()), Some("laptop".to_owned())) {
                return None;
            }
        }
        Some(())
    })
    .await;
    laptop.node().name_device(phone.did(), of_phone, "Old pocket").await.expect("named by the other device");
    wait_until("the newest name stands", async || {
        (name_of(&phone, of_phone).await == Some("Old pocket".to_owned())).then_some(())
    })
    .await;
    phone.post("seen by bob").await;
    has_all(&bob, phone.did(), &["seen by bob"]).await;
    assert_eq!((name_of(&bob, of_phone).await, name_of(&bob, of_laptop).await), (None, None));
    assert!(phone.node().name_device(phone.did(), of_phone, "two\nlines").await.is_err());
    assert!(phone.node().name_device(phone.did(), DeviceId([9; 32]), "nobody").await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn pair_8_what_an_owner_sets_on_one_device_is_set_on_the_other_also_where_it_fills_several_messages() {
    let phone = Person::new("alice", Over::Tcp).await;
    let did = phone.did();
    let bookmarks = |numbers: Range<u32>, value: &str| -> BTreeMap<String, Vec<u8>> {
        numbers.map(|number| (format!("bookmark/{number:04}"), value.as_bytes().to_vec())).collect()
    };
    let set_on = async |person: &Person| {
        let read = person.node().read(move |reader| reader.settings(&did, "bookmark/")).await;
        read.expect("read").into_iter().collect::<BTreeMap<_, _>>()
    };
    phone.node().put_settings(did, bookmarks(0..600, "before")).await.expect("put");
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    wait_until("what was set before is there", async || (set_on(&laptop).await.len() == 600).then_some(())).await;
    laptop.node().put_settings(did, bookmarks(300..900, "after")).await.expect("put");
    laptop.node().put_settings(did, bookmarks(0..10, "")).await.expect("deleted");
    let right: BTreeMap<_, _> = bookmarks(10..300, "before").into_iter().chain(bookmarks(300..900, "after")).collect();
    wait_until("what was changed is there", async || (set_on(&phone).await == right).then_some(())).await;
    assert_eq!(set_on(&laptop).await, right);
}
