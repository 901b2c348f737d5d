//! The local network: nodes that nobody gave an address (`FIND-6`). Runs in a network namespace of its own, so that nothing
//! is announced to the network of this machine.

use serde_json::json;
use xom_tests::home::DEADLINE;
use xom_tests::{Home, namespace, wait_until};

/// A link with an address.
const A_LINK: &str = "ip link set lo up && ip link add lan0 type veth peer name lan1 && \
    ip address add 10.77.0.1/24 dev lan0 && ip link set lan0 up && ip link set lan1 up";

/// A home that listens on the local network too; its addresses are known to nobody.
fn on_the_lan(name: &str, port: u16) -> Home {
    let listen = format!("/ip4/10.77.0.1/tcp/{port}");
    let mut home = Home::new(name);
    home.arguments(&["--listen", &listen]);
    home
}

#[test]
fn find_6_nodes_on_one_local_network_find_each_other_unless_it_is_switched_off() {
    // FIND-6
    let this = "lan::find_6_nodes_on_one_local_network_find_each_other_unless_it_is_switched_off";
    if !namespace::is_inside() {
        return namespace::run_inside(this, A_LINK);
    }
    let homes = [("alice", 7001), ("bob", 7002), ("flag", 7003), ("variable", 7004), ("file", 7005)];
    let [mut alice, mut bob, mut flag, mut variable, mut file] = homes.map(|(name, port)| on_the_lan(name, port));
    flag.arguments(&["--listen", "/ip4/10.77.0.1/tcp/7003", "--no-mdns"]);
    variable.variable("XOM_MDNS", "false");
    let settings = file.scratch().join("quiet.toml");
    std::fs::write(&settings, "mdns = false\n").expect("a file");
    file.variable("XOM_CONFIG", settings.to_str().expect("a path of text"));
    for home in [&mut alice, &mut bob, &mut flag, &mut variable, &mut file] {
        home.start();
    }
    alice.publish("to the neighbours");
    for reader in [&bob, &flag, &variable, &file] {
        reader.follow(&alice.did());
    }
    let post = "to the neighbours".to_owned();
    wait_until("bob has found alice", DEADLINE, || bob.timeline().contains(&post).then_some(()));
    for quiet in [&flag, &variable, &file] {
        assert_eq!(quiet.xom(&["peers"]), json!([]), "nobody told it where anybody is");
    }
}
