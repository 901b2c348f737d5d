//! A closed network of real processes: two with the swarm key, one without (`PNET-2`, `PNET-3`).

use std::fs;

use serde_json::json;
use xom_tests::home::DEADLINE;
use xom_tests::{Home, wait_until};

/// A home that listens on TCP alone, with these arguments.
fn started(name: &str, arguments: &[&str]) -> Home {
    let mut home = Home::over_tcp(name);
    home.arguments(arguments);
    home.start();
    home
}

#[test]
fn two_homes_with_a_swarm_key_share_posts_and_a_third_without_it_is_kept_out() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("family.key");
    let key = file.to_str().expect("a plain path");
    let tool = Home::new("tool");
    let made = tool.xom(&["swarm-key", "new", key]);
    assert_eq!(tool.xom(&["swarm-key", "show", key]), made);
    let again = tool.run(&["swarm-key", "new", key]);
    assert!(!again.status.success(), "a key is never overwritten");

    let alice = started("alice", &["--swarm-key", key]);
    let mut bob = started("bob", &["--swarm-key", key]);
    bob.follow(&alice.invite());
    alice.publish("for the family");
    wait_until("bob reads alice's post", DEADLINE, || {
        bob.timeline().contains(&"for the family".to_owned()).then_some(())
    });
    assert_eq!(alice.get("/api/xom/v1/status")["swarm_key"], made["fingerprint"]);

    let carol = started("carol", &[]);
    carol.follow(&alice.invite());
    let kept_out = || alice.get("/api/xom/v1/status")["refusals"]["PNET-3"].as_u64().filter(|count| *count > 0);
    wait_until("carol is kept out", DEADLINE, kept_out);
    let own = alice.get("/api/xom/v1/status")["peer"].clone();
    let seen = carol.get("/api/xom/v1/peers");
    let seen =
        seen.as_array().expect("a list").iter().find(|peer| peer["peer"] == own).expect("carol knows whom to dial");
    assert_eq!((&seen["connected"], &seen["last_seen_at"]), (&json!(false), &json!(null)));
    assert_eq!(carol.timeline(), Vec::<String>::new());

    // After a restart, and with the key named in the settings file of the folder.
    bob.stop();
    fs::copy(&file, bob.data_dir().join("swarm.key")).expect("copied");
    fs::write(bob.data_dir().join("config.toml"), "swarm_key = \"swarm.key\"\n").expect("written");
    bob.arguments(&[]);
    bob.start();
    alice.publish("still for the family");
    wait_until("bob is back", DEADLINE, || bob.timeline().contains(&"still for the family".to_owned()).then_some(()));
}

#[test]
fn with_a_swarm_key_quic_is_refused_at_the_start_and_the_default_is_tcp() {
    let home = Home::new("lan");
    let key = home.scratch().join("family.key");
    let key = key.to_str().expect("a plain path");
    home.xom(&["swarm-key", "new", key]);
    let quic = "/ip4/127.0.0.1/udp/0/quic-v1";
    let refused = home.run(&["run", "--http", "127.0.0.1:0", "--swarm-key", key, "--listen", quic]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains(quic) && said.contains("TCP alone"), "{said}");
    assert!(!home.data_dir().join("db.redb").exists() && !home.data_dir().exists(), "nothing was changed");

    let text = fs::read_to_string(key).expect("a key");
    let digits = text.lines().nth(2).expect("three lines");
    fs::write(home.scratch().join("short.key"), text.replace(digits, &digits[2..])).expect("written");
    let short = home.scratch().join("short.key");
    let refused = home.run(&["run", "--http", "127.0.0.1:0", "--swarm-key", short.to_str().expect("a plain path")]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("64 hexadecimal digits"), "{said}");
    assert!(!said.contains(&digits[2..]), "PNET-5: no key in a log");
}
