//! Devices that were stolen or lost, from the command line alone: what a thief did is undone, and a restored folder
//! gets a new key beside a device that still works.

use serde_json::{Value, json};
use xom_tests::home::{DEADLINE, plain, text};
use xom_tests::{Home, wait_until};

use super::pairing::{live, pair, wait_for_posts};

/// Publishes a post: its id, and when it was signed.
fn publish(home: &Home, post: &str) -> (String, String) {
    let (code, status) = home.post("/api/v1/statuses", &json!({ "status": post }));
    assert_eq!(code, 200, "{status}");
    (text(&status["id"]), text(&status["created_at"]))
}

/// The id of a post as this home knows it.
fn id_of(home: &Home, post: &str) -> String {
    wait_until(post, DEADLINE, || {
        let page = home.get("/api/v1/timelines/home?limit=40");
        let list = page.as_array().expect("a list").clone();
        list.iter().find(|status| plain(&text(&status["content"])) == post).map(|status| text(&status["id"]))
    })
}

/// Waits until a home shows exactly these posts, in whatever order.
fn wait_for_exactly(home: &Home, posts: &[&str]) {
    let what = format!("exactly {posts:?}");
    wait_until(&what, DEADLINE, || {
        let (mut shown, mut wanted) =
            (home.timeline(), posts.iter().map(|post| (*post).to_owned()).collect::<Vec<_>>());
        shown.sort();
        wanted.sort();
        (shown == wanted).then_some(())
    });
}

#[test]
fn what_a_stolen_device_did_since_a_time_is_undone_by_device_remove_before_and_what_it_erased_comes_back() {
    let (phone, bob) = (Home::started("alice"), Home::started("bob"));
    bob.follow(&phone.invite());
    let mut laptop = Home::new("laptop");
    let (granted, joined) = pair(&phone, &mut laptop, ["yes", "yes"]);
    assert!(granted.success() && joined.is_none());
    phone.publish("hers, from the phone");
    laptop.publish("hers, from the laptop");
    for home in [&phone, &laptop, &bob] {
        wait_for_exactly(home, &["hers, from the phone", "hers, from the laptop"]);
    }
    // The laptop is stolen.
    let (_, since) = publish(&laptop, "the thief's");
    for post in ["hers, from the phone", "hers, from the laptop"] {
        laptop.xom(&["erase", &id_of(&laptop, post)]);
    }
    for home in [&phone, &bob] {
        wait_for_exactly(home, &["the thief's"]);
    }
    assert_eq!(phone.run(&["device", "remove", "laptop", "--before", "yesterday"]).status.code(), Some(4));
    let refused = phone.run(&["device", "remove", "laptop", "--before", &since, "--entries", "3"]);
    assert_eq!(refused.status.code(), Some(2), "one or the other");
    assert_eq!(live(&phone).len(), 2, "nothing has ended yet");

    phone.xom(&["device", "remove", "laptop", "--before", &since]);
    for home in [&phone, &bob] {
        wait_for_exactly(home, &["hers, from the phone", "hers, from the laptop"]);
    }
    wait_until("the laptop knows that it was removed", DEADLINE, || {
        laptop.xom(&["status"])["warnings"].to_string().contains("was removed").then_some(())
    });
    assert_ne!(laptop.run(&["post", "too late"]).status.code(), Some(0));
    phone.publish("after");
    wait_for_exactly(&bob, &["hers, from the phone", "hers, from the laptop", "after"]);
    let help = phone.run(&["device", "remove", "--help"]);
    let help = String::from_utf8_lossy(&help.stdout).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(help.contains("can claim an earlier time"), "{help}");
}

#[test]
fn a_restored_folder_joins_beside_a_device_that_still_works_and_goes_on_with_a_new_key() {
    let (phone, bob) = (Home::started("alice"), Home::started("bob"));
    let did = phone.did();
    bob.follow(&phone.invite());
    let words = phone.scratch().join("words.txt");
    phone.save_words(&words);
    let words = words.display().to_string();
    let mut laptop = Home::new("laptop");
    let (granted, joined) = pair(&phone, &mut laptop, ["yes", "yes"]);
    assert!(granted.success() && joined.is_none());
    let old = text(&laptop.xom(&["id"])["device"]);
    laptop.publish("before the backup");
    wait_for_posts(&bob, &["before the backup"]);
    let vault = laptop.scratch().join("vault").display().to_string();
    laptop.xom(&["backup", &vault, "--words-file", &words]);
    laptop.publish("after the backup");
    wait_for_posts(&bob, &["after the backup"]);
    laptop.lose();

    laptop.xom(&["restore", &vault, "--words-file", &words]);
    laptop.start();
    let refused = laptop.run(&["post", "too early"]);
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(4), "{said}");
    assert!(said.contains("xom join"), "what to do: {said}");
    laptop.stop();
    let (granted, joined) = pair(&phone, &mut laptop, ["yes", "yes"]);
    assert!(granted.success() && joined.is_none());
    assert_eq!(laptop.did(), did);
    assert_ne!(text(&laptop.xom(&["id"])["device"]), old, "another key");
    wait_for_posts(&laptop, &["before the backup", "after the backup"]);
    laptop.publish("in place");
    for home in [&phone, &bob] {
        wait_for_posts(home, &["before the backup", "after the backup", "in place"]);
    }
    assert!(!bob.timeline().contains(&"too early".to_owned()));
    let heads = phone.heads(&did);
    wait_until("the same everywhere", DEADLINE, || {
        (bob.heads(&did) == heads && laptop.heads(&did) == heads).then_some(())
    });
    let disputed = |log: &Value| log["disputed"] == true;
    assert!(!heads.iter().any(disputed), "no place was signed twice: {heads:?}");
    // It is a node like any other from now on.
    laptop.stop();
    laptop.start();
    laptop.publish("after a restart");
    wait_for_posts(&bob, &["after a restart"]);
}
