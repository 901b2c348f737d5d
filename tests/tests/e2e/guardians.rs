//! Guardians bring an account back whose owner has lost all devices and words, from the command line alone.

use std::io::Read;
use std::process::Child;

use serde_json::{Value, json};
use xom_tests::home::{DEADLINE, text};
use xom_tests::{Home, wait_until};

/// A home on a network of its own, where guardians wait for three seconds only.
fn home(name: &str) -> Home {
    let mut home = Home::new(name);
    home.variable("XOM_NETWORK", "trial");
    home.variable("XOM_RECOVERY_DELAY_SECS", "3");
    home
}

fn started(name: &str) -> Home {
    let mut home = home(name);
    home.start();
    home
}

/// The requests that a guardian was asked for.
fn requests(guardian: &Home) -> Vec<Value> {
    guardian.xom(&["guardians", "requests"]).as_array().expect("a list").clone()
}

/// Approves until it is the second approval.
fn approve_for_good(guardian: &Home, code: &str) {
    let approve = || {
        let output = guardian.run(&["guardians", "approve", code, "--json"]);
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        (answer["state"] == "finish-approved").then_some(())
    };
    wait_until("the second approval", DEADLINE, approve);
}

/// Waits for the end of a process; its stdout as JSON, and its stderr.
fn ended(mut child: Child) -> (Value, String) {
    let status = wait_until("the recovery is done", DEADLINE, || child.try_wait().expect("a child"));
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().expect("piped").read_to_string(&mut stdout).expect("read");
    child.stderr.take().expect("piped").read_to_string(&mut stderr).expect("read");
    assert!(status.success(), "{status}: {stderr}");
    (serde_json::from_str(&stdout).expect("one line of JSON"), stderr)
}

#[test]
fn guardians_approve_twice_and_the_account_with_its_did_posts_and_followers_is_back() {
    let mut alice = started("alice");
    let [bob, carol, dan] = ["bob", "carol", "dan"].map(started);
    let did = alice.did();
    alice.publish("before");
    let words = bob.scratch().join("words.txt");
    alice.save_words(&words);
    let invite = alice.invite();
    for guardian in [&bob, &carol, &dan] {
        guardian.follow(&invite);
    }
    let dids = [&bob, &carol, &dan].map(Home::did);
    let words = words.display().to_string();
    let mut set = vec!["guardians", "set"];
    set.extend(dids.iter().map(String::as_str));
    set.extend(["--need", "2", "--words-file", &words]);
    assert_eq!(alice.xom(&set)["need"], 2);
    assert_eq!(alice.xom(&["guardians", "show"])["guardians"]["count"], 3);
    let known = |guardian: &Home| {
        let there = guardian.heads(&did) == alice.heads(&did);
        let path = format!("/api/v1/accounts/lookup?acct={did}");
        (there && guardian.get(&path)["statuses_count"] == 1).then_some(())
    };
    for guardian in [&bob, &carol, &dan] {
        wait_until("the guardians hold what alice wrote", DEADLINE, || known(guardian));
    }
    alice.lose();

    let machine = home("alice");
    let mut arguments = vec!["recover".to_owned(), "--guardians".to_owned(), did.clone(), "--json".to_owned()];
    arguments.extend(["--listen".to_owned(), "/ip4/127.0.0.1/tcp/0".to_owned()]);
    for guardian in [&bob, &carol, &dan] {
        arguments.extend(["--from".to_owned(), guardian.address()]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let recovery = machine.begin(&arguments);
    let asked = wait_until("bob is asked", DEADLINE, || requests(&bob).first().cloned());
    assert_eq!((&asked["account"], &asked["state"]), (&json!(did), &json!("asked")));
    let code = text(&asked["code"]);
    assert!(bob.xom(&["status"])["warnings"].to_string().contains("asked as a guardian"));
    for guardian in [&bob, &carol] {
        wait_until("the guardian is asked", DEADLINE, || requests(guardian).first().cloned());
        assert_eq!(guardian.xom(&["guardians", "approve", &code])["state"], "start-approved");
    }
    for guardian in [&bob, &carol] {
        approve_for_good(guardian, &code);
    }
    let (back, said) = ended(recovery);
    assert!(said.contains(&code), "the same code on both sides: {said}");
    assert_eq!((text(&back["did"]), text(&back["username"])), (did.clone(), "alice".to_owned()));

    let mut machine = machine;
    machine.start();
    assert_eq!(machine.did(), did);
    machine.publish("back by friends");
    let there = || dan.timeline().iter().any(|shown| shown == "back by friends").then_some(());
    wait_until("dan reads on", DEADLINE, there);
    assert!(machine.timeline().iter().any(|shown| shown == "before"));
    assert_eq!(requests(&bob)[0]["state"], "over");
}
