//! The words bring an identity back on an empty machine, from the command line alone.

use std::path::PathBuf;

use serde_json::json;
use xom_tests::home::{DEADLINE, text};
use xom_tests::{Home, wait_until};

/// Any port: the machine is only reached by those whom it dials.
const LISTEN: [&str; 2] = ["--listen", "/ip4/127.0.0.1/tcp/0"];

/// Waits until a post stands in a home.
fn wait_for_post(reader: &Home, post: &str) {
    wait_until(post, DEADLINE, || reader.timeline().iter().any(|shown| shown == post).then_some(()));
}

/// Alice, whom bob reads, with her words in a file.
fn alice_and_bob() -> (Home, Home, PathBuf) {
    let (alice, bob) = (Home::started("alice"), Home::started("bob"));
    for number in 0..40 {
        alice.publish(&format!("before {number}"));
    }
    bob.follow(&alice.invite());
    wait_for_post(&bob, "before 39");
    let words = bob.scratch().join("words.txt");
    alice.save_words(&words);
    (alice, bob, words)
}

#[test]
fn an_identity_whose_folder_is_gone_comes_back_by_its_words_and_its_follower_reads_on() {
    let (mut alice, bob, words) = alice_and_bob();
    let did = alice.did();
    let heads = bob.heads(&did);
    alice.lose();

    let mut machine = Home::new("alice");
    let words = words.display().to_string();
    let from = bob.invite();
    let mut arguments = vec!["recover", "--phrase", "--words-file", &words, "--from", &from, "--lost", "all"];
    arguments.extend(LISTEN);
    // Killed in the middle, and called again.
    let mut child = machine.begin(&arguments);
    let plan = machine.data_dir().join("recovery").join("plan");
    wait_until("the recovery has begun", DEADLINE, || plan.exists().then_some(()));
    child.kill().expect("killed");
    child.wait().expect("has ended");
    let back = machine.xom(&arguments);
    assert_eq!((text(&back["did"]), text(&back["username"])), (did.clone(), "alice".to_owned()));
    assert_eq!((&back["lost"], &back["others"]), (&json!([]), &json!([])), "{back}");
    assert_eq!(back["removed"].as_array().map(Vec::len), Some(1), "{back}");
    // It ended only when somebody had all of it, the removal too.
    assert_eq!(back["told"], true, "{back}");
    let known = bob.xom(&["identity", "resolve", &did]);
    assert_eq!(known["document"]["authentication"].as_array().map(Vec::len), Some(1), "{known}");

    machine.start();
    assert_eq!(machine.did(), did);
    let old: Vec<_> = machine.heads(&did).into_iter().filter(|log| heads.contains(log)).collect();
    assert_eq!(old, heads, "everything that bob holds is back");
    machine.publish("back by the words");
    wait_for_post(&bob, "back by the words");
    wait_until("both hold the same", DEADLINE, || (bob.heads(&did) == machine.heads(&did)).then_some(()));

    // It lives here now: there is nothing to recover.
    machine.stop();
    let again = machine.run(&arguments);
    assert_eq!(again.status.code(), Some(4), "{}", String::from_utf8_lossy(&again.stderr));
    let nothing = machine.run(&["recover"]);
    assert_eq!(nothing.status.code(), Some(5), "{}", String::from_utf8_lossy(&nothing.stderr));
}

#[test]
fn keys_are_rotated_and_the_identity_is_locked_and_unlocked_from_the_command_line() {
    let alice = Home::started("alice");
    let words = alice.scratch().join("words.txt");
    alice.save_words(&words);
    let words = words.display().to_string();
    let before = alice.xom(&["id"])["document"]["capabilityInvocation"].clone();
    let without = alice.run(&["identity", "rotate"]);
    assert_eq!(without.status.code(), Some(2), "{}", String::from_utf8_lossy(&without.stderr));
    alice.xom(&["identity", "rotate", "--words-file", &words]);
    let after = alice.xom(&["id"])["document"]["capabilityInvocation"].clone();
    assert_ne!(before, after, "another control key");

    alice.xom(&["lock"]);
    let warned = || alice.xom(&["status"])["warnings"].to_string().contains("locked");
    assert!(warned());
    alice.publish("posts go on");
    alice.xom(&["identity", "unlock"]);
    assert!(!warned());
    let nobody = alice.run(&["identity", "cancel-recovery"]);
    assert_eq!(nobody.status.code(), Some(4), "{}", String::from_utf8_lossy(&nobody.stderr));
}

#[test]
fn who_names_nobody_that_can_be_reached_is_told_so() {
    let machine = Home::new("alice");
    let usage = machine.run(&["recover", "--phrase"]);
    assert_eq!(usage.status.code(), Some(2), "{}", String::from_utf8_lossy(&usage.stderr));
    let words = machine.scratch().join("words.txt");
    std::fs::write(&words, "abandon ".repeat(24)).expect("written");
    let words = words.display().to_string();
    let wrong = machine.run(&["recover", "--phrase", "--words-file", &words]);
    let said = String::from_utf8_lossy(&wrong.stderr).into_owned();
    assert_eq!(wrong.status.code(), Some(2), "{said}");
    assert!(said.contains("do not belong together") && !said.contains("abandon"), "{said}");
    assert!(!machine.data_dir().join("recovery").exists(), "nothing was begun");
}
