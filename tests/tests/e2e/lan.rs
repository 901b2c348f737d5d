//! The local network: nodes that nobody gave an address. Runs in a network namespace of its own, so that nothing
//! is announced to the network of this machine.

use std::process::Command;

use serde_json::json;
use xom_tests::home::DEADLINE;
use xom_tests::{Home, wait_until};

/// Set in the namespace.
const INSIDE: &str = "XOM_TEST_INSIDE_NAMESPACE";
/// Makes a link with an address, then runs what follows.
const IN_A_HOME: &str = "ip link set lo up && ip link add lan0 type veth peer name lan1 && \
    ip address add 10.77.0.1/24 dev lan0 && ip link set lan0 up && ip link set lan1 up && exec \"$@\"";

/// Runs one test of this program again in a namespace of its own. False, loudly, where the machine allows none.
fn ran_in_a_home(test: &str) -> bool {
    let in_a_home = |command: &[&str]| {
        let mut call = Command::new("unshare");
        call.args(["--net", "--map-root-user", "sh", "-c", IN_A_HOME, "home"]).args(command).env(INSIDE, "1");
        call
    };
    let allowed = in_a_home(&["true"]).output();
    if !allowed.as_ref().is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: {test}: this machine allows no network namespaces: {allowed:?}");
        return false;
    }
    let own = std::env::current_exe().expect("this program");
    let own = own.to_str().expect("a path of text");
    let status = in_a_home(&[own, "--exact", test, "--nocapture"]).status().expect("runs");
    assert!(status.success(), "{test} failed in the namespace");
    true
}

/// A home that listens on the local network too; its addresses are known to nobody.
fn on_the_lan(name: &str, port: u16) -> Home {
    let listen = format!("/ip4/10.77.0.1/tcp/{port}");
    let mut home = Home::new(name);
    home.arguments(&["--listen", &listen]);
    home
}

#[test]
fn find_6_nodes_on_one_local_network_find_each_other_unless_it_is_switched_off() {
    if std::env::var_os(INSIDE).is_none() {
        ran_in_a_home("lan::find_6_nodes_on_one_local_network_find_each_other_unless_it_is_switched_off");
        return;
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
