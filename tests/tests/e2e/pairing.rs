//! Two machines of one owner: pair, sync, post from both, remove.

use std::process::ExitStatus;

use serde_json::{Value, json};
use xom_tests::home::{DEADLINE, text};
use xom_tests::{Home, wait_until};

/// Pairs an empty home with one that has an identity; how both commands end if the owner answers so.
pub(super) fn pair(phone: &Home, laptop: &mut Home, answers: [&str; 2]) -> (ExitStatus, Option<ExitStatus>) {
    let mut granting = phone.dialog(&["device", "pair", "--json", "--no-qr"]);
    let offer = text(&granting.hear()["offer"]);
    let mut joining = laptop.joining(&offer);
    let (here, there) = (granting.hear(), joining.hear());
    assert_eq!(here["digits"], there["digits"]);
    assert_eq!(text(&here["digits"]).len(), 6);
    granting.say(answers[0]);
    joining.say(answers[1]);
    if answers != ["yes", "yes"] {
        return (granting.end(), Some(joining.end()));
    }
    assert_eq!(granting.hear()["state"], "done");
    assert_eq!(joining.hear()["did"], json!(phone.did()));
    joining.hear();
    laptop.runs(joining);
    (granting.end(), None)
}

pub(super) fn wait_for_posts(home: &Home, posts: &[&str]) {
    let what = format!("{posts:?}");
    wait_until(&what, DEADLINE, || {
        let shown = home.timeline();
        posts.iter().all(|post| shown.iter().any(|shown| shown == post)).then_some(())
    });
}

pub(super) fn live(home: &Home) -> Vec<Value> {
    let devices = home.xom(&["device", "list"]);
    devices.as_array().expect("a list").iter().filter(|device| device["live"] == true).cloned().collect()
}

#[test]
fn a_laptop_joins_has_everything_posts_under_the_same_did_and_is_removed() {
    let (phone, bob) = (Home::started("alice"), Home::started("bob"));
    phone.publish("from the phone");
    bob.follow(&phone.invite());
    let mut laptop = Home::new("laptop");
    let (granted, joined) = pair(&phone, &mut laptop, ["yes", "yes"]);
    assert!(granted.success() && joined.is_none());
    assert_eq!(laptop.did(), phone.did());
    wait_for_posts(&laptop, &["from the phone"]);
    laptop.publish("from the laptop");
    for home in [&phone, &laptop, &bob] {
        wait_for_posts(home, &["from the phone", "from the laptop"]);
    }

    // The name that it was given at joining is known on the other side, and can be changed there.
    let laptop_id = text(&laptop.xom(&["id"])["device"]);
    wait_until("the phone knows the name", DEADLINE, || {
        live(&phone).iter().any(|device| device["name"] == "laptop" && device["device"] == laptop_id).then_some(())
    });
    phone.xom(&["device", "rename", "laptop", "old laptop"]);
    wait_until("the laptop knows the new name", DEADLINE, || {
        live(&laptop).iter().any(|device| device["name"] == "old laptop" && device["here"] == true).then_some(())
    });

    // It is a node like any other: it starts again by itself.
    laptop.stop();
    laptop.start();
    laptop.publish("after a restart");
    wait_for_posts(&bob, &["after a restart"]);

    // The laptop keeps neither phrase nor control key, and so can't end the phone.
    let phone_id = text(&phone.xom(&["id"])["device"]);
    assert_eq!(laptop.run(&["device", "remove", &phone_id]).status.code(), Some(4));
    wait_for_posts(&phone, &["after a restart"]);
    assert_eq!(phone.xom(&["device", "remove", "old laptop"])["ended_by"], "control-key");
    wait_until("the laptop knows that it was removed", DEADLINE, || {
        let refused = laptop.run(&["post", "too late"]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        (refused.status.code() == Some(4) && said.contains("was removed from its identity")).then_some(())
    });
    let warnings = laptop.xom(&["status"])["warnings"].to_string();
    assert!(warnings.contains("was removed"), "{warnings}");
    phone.publish("without the laptop");
    wait_for_posts(&bob, &["without the laptop", "after a restart", "from the laptop"]);
    assert!(!bob.timeline().contains(&"too late".to_owned()));
    assert_eq!(live(&phone).len(), 1);
}

#[test]
fn where_the_owner_says_no_nothing_is_granted_and_the_new_machine_is_as_empty_as_before() {
    let phone = Home::started("alice");
    for answers in [["no", "yes"], ["yes", "no"]] {
        let mut laptop = Home::new("laptop");
        let (granting, joining) = pair(&phone, &mut laptop, answers);
        assert_eq!((granting.code(), joining.and_then(|end| end.code())), (Some(4), Some(4)), "{answers:?}");
        assert_eq!(live(&phone).len(), 1);
        // An ordinary first start is still possible.
        laptop.start();
        assert_ne!(laptop.did(), phone.did());
    }
}

#[test]
fn an_offer_that_is_none_and_a_folder_that_somebody_lives_in_are_refused_with_a_sentence() {
    let (phone, bob) = (Home::started("alice"), Home::started("bob"));
    let offer = text(&phone.xom(&["invite"])["invite"]);
    let mut empty = Home::new("laptop");
    let refused = empty.joining(&offer).end();
    assert_eq!(refused.code(), Some(2));
    let mut granting = phone.dialog(&["device", "pair", "--json"]);
    let offer = text(&granting.hear()["offer"]);
    let mut bob = bob;
    bob.stop();
    assert_eq!(bob.joining(&offer).end().code(), Some(2));
    assert_eq!(live(&phone).len(), 1);
}
