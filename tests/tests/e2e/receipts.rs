//! Receipts: the author of an erased post is told by those who held it what became of their copies.

use serde_json::Value;
use xom_tests::home::{DEADLINE, text};
use xom_tests::{Home, wait_until};

/// Waits until `alice show` says of a post what `said` looks for, and gives all that it says.
fn wait_for_copies(alice: &Home, id: &str, what: &str, said: impl Fn(&Value) -> bool) -> Value {
    wait_until(what, DEADLINE, || {
        let shown = alice.xom(&["show", id]);
        // Of a post that stands, the report is beside the status.
        let copies = if shown["copies"].is_object() { shown["copies"].clone() } else { shown };
        said(&copies).then_some(copies)
    })
}

#[test]
fn the_author_sees_which_copies_are_purged_and_which_has_not_answered_until_it_is_back() {
    let (alice, bob, mut carol) = (Home::started("alice"), Home::started("bob"), Home::started("carol"));
    let invite = alice.invite();
    for follower in [&bob, &carol] {
        follower.follow(&invite);
    }
    let id = alice.publish("something regretted");
    for follower in [&bob, &carol] {
        let arrived = || follower.timeline().iter().any(|shown| shown == "something regretted").then_some(());
        wait_until("the post at a follower", DEADLINE, arrived);
    }
    let held = wait_for_copies(&alice, &id, "two known copies", |copies| copies["known"] == 2);
    assert_eq!((&text(&held["summary"]), &text(&held["here"])), (&"held on 2 known copies".into(), &"held".into()));

    carol.stop();
    alice.xom(&["erase", &id, "--now"]);
    let partly = wait_for_copies(&alice, &id, "the receipt of bob", |copies| copies["purged"] == 1);
    let summary = text(&partly["summary"]);
    assert!(summary.starts_with("purged on 1 of 2 known copies, 1 not seen since "), "{summary}");
    let shown = alice.run(&["show", &id]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains(&summary) && !shown.contains("something regretted"), "{shown}");

    carol.start();
    let whole = wait_for_copies(&alice, &id, "the receipt of carol", |copies| copies["purged"] == 2);
    assert_eq!((text(&whole["summary"]).as_str(), &whole["silent"]), ("purged on 2 of 2 known copies", &0.into()));
    assert!(carol.timeline().is_empty(), "carol shows it no more");
    let answered = whole["copies"].as_array().expect("copies are a list");
    assert!(answered.iter().all(|copy| copy["fate"] == "purged" && copy["answered_at"].is_string()), "{whole}");
}

#[test]
fn who_erases_everything_is_gone_at_a_follower_too_and_writes_nothing_any_more() {
    let (alice, bob) = (Home::started("alice"), Home::started("bob"));
    let did = alice.did();
    bob.follow(&alice.invite());
    let id = alice.publish("one");
    alice.publish("two");
    wait_until("the posts at bob", DEADLINE, || (bob.timeline().len() == 2).then_some(()));
    wait_for_copies(&alice, &id, "a known copy", |copies| copies["known"] == 1);
    let counted = alice.xom(&["erase", "--everything", "--dry-run"]);
    assert_eq!((&counted["kinds"]["post"], &counted["erased"]), (&2.into(), &0.into()), "{counted}");
    assert_eq!(alice.run(&["erase", "--everything"]).status.code(), Some(2), "nobody can be asked");
    assert_eq!(bob.timeline().len(), 2);

    let done = alice.xom(&["erase", "--everything", "--now", "--yes", "--keep-identity"]);
    assert_eq!((&done["erased"], &done["retired"]), (&counted["found"], &false.into()), "{done}");
    // Answers come while the identity stands.
    let told = wait_for_copies(&alice, &id, "the receipt of bob", |copies| copies["purged"] == 1);
    assert_eq!(text(&told["summary"]), "purged on 1 of 1 known copy");
    let done = alice.xom(&["erase", "--everything", "--yes"]);
    assert_eq!((&done["erased"], &done["retired"]), (&0.into(), &true.into()), "{done}");
    assert!(!alice.run(&["post", "still here?"]).status.success());
    wait_until("an empty timeline at bob", DEADLINE, || bob.timeline().is_empty().then_some(()));
    let retired = || {
        let known = bob.xom(&["identity", "resolve", &did]);
        let lines = known["history"].as_array().expect("a history is a list").clone();
        lines.iter().any(|line| text(&line["text"]).contains("retired")).then_some(())
    };
    wait_until("the retirement at bob", DEADLINE, retired);
    assert_eq!(bob.heads(&did), alice.heads(&did), "the chain verifies");
}
