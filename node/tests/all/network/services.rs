//! Nodes that find each other by what devices state of themselves (`SYN-20`).

use crate::harness::{DEADLINE, Over, Person, wait_until, wait_until_within};

/// The addresses that the live devices of `did` state, as `person` knows them, ascending.
async fn stated(person: &Person, whose: &Person) -> Vec<String> {
    let did = whose.did();
    let document = person.node().read(move |reader| reader.did_document(&did)).await.expect("reads");
    let services = document.map(|document| document.service).unwrap_or_default();
    let mut addresses: Vec<String> =
        services.into_iter().flat_map(|service| service.service_endpoint.multiaddrs).collect();
    addresses.sort();
    addresses
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_finds_a_second_device_that_it_never_met_and_one_that_has_moved() {
    let mut phone = Person::new("alice", Over::Tcp).await;
    let bob = Person::new("bob", Over::Tcp).await;
    bob.follow(phone.invite().await).await;
    phone.post("from the phone").await;
    bob.has_posts(phone.did(), &["from the phone".to_owned()]).await;

    // The second device has never met bob, and the first goes away.
    let laptop = Person::paired("laptop", Over::Tcp, &phone).await;
    wait_until("bob knows where both devices are", async || (stated(&bob, &phone).await.len() == 2).then_some(()))
        .await;
    phone.stop().await;
    laptop.post("from the laptop").await;
    let both = ["from the phone", "from the laptop"].map(str::to_owned);
    bob.has_posts(laptop.did(), &both).await;

    // The first comes back elsewhere, and says so.
    let before = stated(&bob, &phone).await;
    phone.start_at("/ip4/127.0.0.1/tcp/0".parse().expect("address")).await;
    wait_until_within("the new address is known", DEADLINE, async || {
        let now = stated(&bob, &phone).await;
        (now.len() == 2 && now != before).then_some(())
    })
    .await;
}
