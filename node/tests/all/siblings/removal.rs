//! Ending a device.

use xom_node::command::Command;
use xom_node::model::EndedBy;
use xom_node::{CommandError, ControlAccess};
use xom_protocol::body::Post;

use super::{device_of, has_all};
use crate::harness::{Over, Person, wait_until};

pub(super) fn post(text: &str) -> Command {
    let post = Box::new(Post { text: text.to_owned(), ..Post::default() });
    Command::Post { post, reply_to: None, quote_of: None }
}

/// Waits until a node knows that its own device has ended.
pub(super) async fn knows_its_end(person: &Person) {
    wait_until("the removed device knows", async || {
        let answer = person.node().command(person.did(), post("after the end")).await;
        matches!(answer, Err(CommandError::DeviceEnded)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_device_stops_signing_and_says_so_and_what_it_wrote_before_stays() {
    let (phone, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    bob.follow(phone.invite().await).await;
    laptop.post("before").await;
    for person in [&phone, &bob] {
        has_all(person, phone.did(), &["before"]).await;
    }
    let device = device_of(&laptop).await;
    let ended = phone.node().end_device(phone.did(), device, &ControlAccess::Kept, false).await.expect("ended");
    assert_eq!(ended, EndedBy::ControlKey);
    knows_its_end(&laptop).await;
    let warnings = laptop.node().status().await.expect("status").warnings;
    assert!(warnings.iter().any(|warning| warning.contains("was removed")), "{warnings:?}");
    let devices = phone.node().devices(phone.did()).await.expect("devices");
    assert!(devices.iter().any(|known| known.device == device && !known.is_live));
    phone.post("after").await;
    has_all(&bob, phone.did(), &["before", "after"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paired_device_can_end_itself_and_whom_it_admitted_and_nobody_else() {
    let phone = Person::new("alice", Over::Tcp).await;
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    let tablet = Person::paired("tablet", Over::Tcp, &laptop).await;
    let (of_phone, of_laptop, of_tablet) =
        (device_of(&phone).await, device_of(&laptop).await, device_of(&tablet).await);
    let end = async |person: &Person, device| {
        person.node().end_device(person.did(), device, &ControlAccess::Kept, false).await
    };
    // The laptop keeps no control key, and did not admit the phone.
    assert!(matches!(end(&laptop, of_phone).await, Err(CommandError::Access(_))));
    assert_eq!(end(&laptop, of_tablet).await.expect("ended"), EndedBy::Device);
    knows_its_end(&tablet).await;
    assert_eq!(end(&laptop, of_laptop).await.expect("ended"), EndedBy::Device);
    knows_its_end(&laptop).await;
    phone.post("goes on").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn devices_that_an_ended_device_admitted_stay_unless_they_are_to_go_with_it() {
    for with_granted in [false, true] {
        let phone = Person::new("alice", Over::Tcp).await;
        let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
        let tablet = Person::paired("tablet", Over::Tcp, &laptop).await;
        let of_laptop = device_of(&laptop).await;
        wait_until("the phone knows both", async || {
            let devices = phone.node().devices(phone.did()).await.expect("devices");
            (devices.iter().filter(|device| device.is_live).count() == 3).then_some(())
        })
        .await;
        let ended = phone.node().end_device(phone.did(), of_laptop, &ControlAccess::Kept, with_granted).await;
        assert_eq!(ended.expect("ended"), EndedBy::ControlKey);
        let live = phone.node().devices(phone.did()).await.expect("devices");
        let live = live.iter().filter(|device| device.is_live).count();
        assert_eq!(live, if with_granted { 1 } else { 2 });
        drop(tablet);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_removed_device_hears_nothing_private_any_more() {
    let phone = Person::new("alice", Over::Tcp).await;
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    let device = device_of(&laptop).await;
    let name_on_laptop = async || {
        let devices = laptop.node().devices(phone.did()).await.expect("devices");
        devices.into_iter().find(|known| known.device == device).and_then(|known| known.name)
    };
    wait_until("the phone knows the first name", async || {
        let devices = phone.node().devices(phone.did()).await.expect("devices");
        devices.iter().any(|known| known.device == device && known.name.is_some()).then_some(())
    })
    .await;
    phone.node().name_device(phone.did(), device, "before").await.expect("named");
    wait_until("the name has come", async || (name_on_laptop().await.as_deref() == Some("before")).then_some(())).await;
    phone.node().end_device(phone.did(), device, &ControlAccess::Kept, false).await.expect("ended");
    knows_its_end(&laptop).await;
    phone.node().name_device(phone.did(), device, "after").await.expect("named");
    // What is public still comes, and comes later than the name would have.
    phone.post("public").await;
    has_all(&laptop, phone.did(), &["public"]).await;
    assert_eq!(name_on_laptop().await.as_deref(), Some("before"));
}
