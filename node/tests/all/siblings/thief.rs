//! A stolen device key: mallory has a copy of the laptop's folder.

use xom_node::ControlAccess;

use super::removal::{knows_its_end, post};
use super::{device_of, has_all};
use crate::harness::{Over, Person, wait_until};

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_5_what_a_removed_device_signs_later_counts_nowhere_whatever_time_it_claims() {
    let (mut phone, mut bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let mut laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    bob.follow(phone.invite().await).await;
    laptop.post("hers").await;
    for person in [&phone, &bob] {
        has_all(person, phone.did(), &["hers"]).await;
    }
    let device = device_of(&laptop).await;
    // The thief writes while nobody is there to tell him, and keeps it for later.
    phone.stop().await;
    bob.stop().await;
    laptop.post("the thief's, dated before anybody heard of the removal").await;
    laptop.stop().await;
    phone.start().await;
    let ended = phone.node().end_device(phone.did(), device, &ControlAccess::Kept, false).await;
    ended.expect("removed");
    bob.start().await;
    wait_until("bob knows", async || {
        let devices = bob.node().devices(phone.did()).await.expect("devices");
        devices.iter().any(|known| known.device == device && !known.is_live).then_some(())
    })
    .await;
    laptop.start().await;
    knows_its_end(&laptop).await;
    phone.post("after").await;
    for person in [&phone, &bob] {
        has_all(person, phone.did(), &["hers", "after"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn r_sig_6_two_devices_that_end_each_other_at_once_end_equally_everywhere() {
    let (phone, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    let tablet = Person::paired("tablet", Over::Tcp, &laptop).await;
    bob.follow(phone.invite().await).await;
    let (of_laptop, of_tablet) = (device_of(&laptop).await, device_of(&tablet).await);
    let did = phone.did();
    let (laptop_node, tablet_node) = (laptop.node(), tablet.node());
    let (by_laptop, by_tablet) = futures::join!(
        laptop_node.end_device(did, of_tablet, &ControlAccess::Kept, false),
        tablet_node.end_device(did, of_laptop, &ControlAccess::Kept, false),
    );
    // The laptop admitted the tablet, and not the other way round.
    assert!(by_laptop.is_ok() && by_tablet.is_err(), "{by_laptop:?} {by_tablet:?}");
    wait_until("all know the same", async || {
        let mut seen = Vec::new();
        for person in [&phone, &laptop, &tablet, &bob] {
            let devices = person.node().devices(did).await.expect("devices");
            let mut live: Vec<_> = devices.iter().filter(|device| device.is_live).map(|device| device.device).collect();
            live.sort_unstable();
            seen.push(live);
        }
        (seen[0].len() == 2 && seen.iter().all(|live| *live == seen[0])).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_device_key_posts_until_it_is_removed_and_can_end_or_admit_nobody_of_the_owner() {
    let (phone, bob) = (Person::new("alice", Over::Tcp).await, Person::new("bob", Over::Tcp).await);
    let thief = Person::paired("laptop", Over::Tcp, &phone).await;
    bob.follow(phone.invite().await).await;
    thief.post("not hers").await;
    has_all(&bob, phone.did(), &["not hers"]).await;
    let of_phone = device_of(&phone).await;
    let ended = thief.node().end_device(phone.did(), of_phone, &ControlAccess::Kept, false).await;
    assert!(ended.is_err());
    let of_thief = device_of(&thief).await;
    phone.node().end_device(phone.did(), of_thief, &ControlAccess::Kept, true).await.expect("removed");
    knows_its_end(&thief).await;
    assert!(thief.node().pair_begin(phone.did()).await.is_err());
    assert!(thief.node().command(phone.did(), post("once more")).await.is_err());
}
