//! A router that can be asked to let peers in (`RCH-12`), played by the test: in a network namespace of its own.

use std::net::Ipv4Addr;

use serde_json::Value;
use xom_tests::gateway::{Gateway, Mapping};
use xom_tests::home::{DEADLINE, text};
use xom_tests::internet::{self, House, MIDDLE};
use xom_tests::{Home, namespace, wait_until};

/// The side of the router that looks into the home.
const INSIDE: Ipv4Addr = Ipv4Addr::new(192, 168, 1, 1);

/// Lets in what comes to a port, as a router does.
fn let_in(mapping: &Mapping) {
    let Mapping { protocol, port, to: (ip, inner) } = mapping;
    internet::script(&format!(
        "nft 'add rule ip router mapped ip daddr {MIDDLE} {protocol} dport {port} dnat to {ip}:{inner}'"
    ));
}

fn reachability(home: &Home) -> Value {
    home.xom(&["status"])["reachability"].clone()
}

/// A home at [`INSIDE`] and a machine of the world that it dials.
fn a_home_and_a_host() -> (House, House, Home, Home) {
    let (house, world) = (House::behind_the_test(1), House::in_the_world(2));
    let (mut alice, mut host) = (house.home("alice"), world.host("host"));
    host.start();
    alice.bootstrap(&host.address());
    (house, world, alice, host)
}

#[test]
fn rch_12_a_router_is_asked_to_let_peers_in_and_they_get_in() {
    let this = "upnp::rch_12_a_router_is_asked_to_let_peers_in_and_they_get_in";
    if !namespace::is_inside() {
        return namespace::run_inside(this, internet::SETUP);
    }
    let (_house, _world, mut alice, host) = a_home_and_a_host();
    let gateway = Gateway::start(INSIDE, MIDDLE, let_in).expect("a gateway");
    alice.start();
    let tested = wait_until("a peer has got in where the router said", DEADLINE, || {
        let reachability = reachability(&alice);
        (reachability["state"] == "world").then_some(reachability)
    });
    let words = text(&tested["words"]);
    assert!(words.starts_with("from anywhere: a peer dialled /ip4/5.5.0.1/"), "{words}");
    assert!(text(&tested["gateway"]).starts_with("the router lets peers in at /ip4/5.5.0.1/"), "{tested}");
    let seen = gateway.seen();
    assert!(seen.searches > 0);
    assert!(seen.mappings.iter().all(|mapping| mapping.to == (Ipv4Addr::new(192, 168, 1, 2), 7767)), "{seen:?}");
    // Somebody who knows nothing but the invite gets in too.
    alice.publish("come in");
    host.follow(&alice.invite());
    wait_until("the post is there", DEADLINE, || host.timeline().contains(&"come in".to_owned()).then_some(()));
}

#[test]
fn rch_12_a_router_is_asked_nothing_where_the_owner_has_switched_it_off() {
    let this = "upnp::rch_12_a_router_is_asked_nothing_where_the_owner_has_switched_it_off";
    if !namespace::is_inside() {
        return namespace::run_inside(this, internet::SETUP);
    }
    let (_house, _world, mut alice, _host) = a_home_and_a_host();
    let gateway = Gateway::start(INSIDE, MIDDLE, let_in).expect("a gateway");
    alice.arguments(&["--no-upnp"]);
    alice.start();
    // By then one that asks has long asked: it does so when it listens.
    wait_until("it knows that nobody gets in", DEADLINE, || (reachability(&alice)["state"] == "relayed").then_some(()));
    let seen = gateway.seen();
    assert_eq!((seen.searches, seen.mappings), (0, Vec::new()));
    assert_eq!(reachability(&alice)["gateway"], Value::Null);
}
